#include "data/csv_cells.h"

#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace shoestring::data {
namespace {

constexpr size_t kStep = 64;  // bytes looked at together

// One bit a byte.
struct Marks {
  uint64_t delimiter = 0, newline = 0, carriage_return = 0, odd = 0, high = 0;
};

#ifdef __SSE2__
Marks marks_of(const char* text, char delimiter, char quote) {
  const __m128i delimiters = _mm_set1_epi8(delimiter), newlines = _mm_set1_epi8('\n'),
                returns = _mm_set1_epi8('\r'), quotes = _mm_set1_epi8(quote), zeros = _mm_setzero_si128();
  Marks marks;
  for (unsigned i = 0; i < kStep; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
    const auto bits = [&](__m128i found) {
      return static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << i;
    };
    marks.delimiter |= bits(_mm_cmpeq_epi8(bytes, delimiters));
    marks.newline |= bits(_mm_cmpeq_epi8(bytes, newlines));
    marks.carriage_return |= bits(_mm_cmpeq_epi8(bytes, returns));
    marks.odd |= bits(_mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, zeros)));
    marks.high |= bits(bytes);
  }
  return marks;
}
#else
Marks marks_of(const char* text, char delimiter, char quote) {
  Marks marks;
  for (unsigned i = 0; i < kStep; ++i) {
    const char c = text[i];
    marks.delimiter |= uint64_t{c == delimiter} << i;
    marks.newline |= uint64_t{c == '\n'} << i;
    marks.carriage_return |= uint64_t{c == '\r'} << i;
    marks.odd |= uint64_t{c == quote || c == 0} << i;
    marks.high |= uint64_t{static_cast<unsigned char>(c) >= 0x80} << i;
  }
  return marks;
}
#endif

}  // namespace

bool cut_regular(std::string_view text, char delimiter, char quote, int columns, RegularBlock& out) {
  const size_t last = text.rfind('\n');
  if (last == std::string_view::npos) return false;
  text = text.substr(0, last + 1);
  const size_t first = text.find('\n');
  out.crlf = first > 0 && text[first - 1] == '\r';
  out.ends.clear();
  // A guess from the first record's length; grows at need.
  out.ends.resize(static_cast<size_t>(columns) * (text.size() / (first + 1) + 2) + kStep);
  out.ends[0] = -1;
  size_t count = 1, row_end = static_cast<size_t>(columns);
  uint64_t return_before = 0, high = 0;
  for (size_t base = 0; base < text.size(); base += kStep) {
    char rest[kStep];
    const char* bytes = text.data() + base;
    const bool whole = text.size() - base >= kStep;
    if (!whole) {
      std::memset(rest, ' ', sizeof rest);
      std::memcpy(rest, bytes, text.size() - base);
      bytes = rest;
    }
    const Marks marks = marks_of(bytes, delimiter, quote);
    if (marks.odd != 0) return false;
    high |= marks.high;
    // Every return stands before a newline, and before every newline or none.
    const uint64_t after_return = marks.carriage_return << 1 | return_before;
    if (after_return != (out.crlf ? marks.newline : 0)) return false;
    return_before = marks.carriage_return >> 63;
    if (out.ends.size() < count + kStep) out.ends.resize(out.ends.size() * 2);
    int32_t* ends = out.ends.data();
    const auto offset = static_cast<int32_t>(base);
    for (uint64_t separators = marks.delimiter | marks.newline; separators != 0;
         separators &= separators - 1) {
      const int bit = std::countr_zero(separators);
      const bool ends_row = (marks.newline >> bit & 1) != 0;
      if (ends_row != (count == row_end)) return false;
      row_end += ends_row ? static_cast<size_t>(columns) : 0;
      ends[count++] = offset + bit;
    }
  }
  out.ends.resize(count);
  out.rows = static_cast<int64_t>(count - 1) / columns;
  if (columns == 1) {  // an empty line is no record
    for (size_t r = 1; r < count; ++r)
      if (out.ends[r] - out.ends[r - 1] <= (out.crlf ? 2 : 1)) return false;
  }
  out.ascii = high == 0;
  out.consumed = static_cast<int64_t>(text.size());
  return true;
}

}  // namespace shoestring::data
