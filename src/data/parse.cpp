#include "data/parse.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace shoestring::data {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// 10^n exactly.
constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Digits, perhaps with a point among them, few enough that the quotient of two exact numbers is the nearest
// to what they say: nearly all cells of nearly all tables.
std::optional<double> parse_short(std::string_view text) {
  constexpr size_t kMostDigits = 15;  // 10^15 < 2^53
  const bool negative = !text.empty() && text[0] == '-';
  const char* p = text.data() + negative;
  const char* const end = text.data() + text.size();
  if (p == end || static_cast<size_t>(end - p) > kMostDigits + 1) return std::nullopt;
  uint64_t digits = 0;
  const char* point = nullptr;
  for (const char* at = p; at != end; ++at) {
    const unsigned digit = static_cast<unsigned char>(*at) - '0';
    if (digit <= 9) {
      digits = digits * 10 + digit;
    } else if (*at == '.' && point == nullptr) {
      point = at;
    } else {
      return std::nullopt;
    }
  }
  double value = static_cast<double>(digits);
  if (point != nullptr) {
    if (point == p || point + 1 == end) return std::nullopt;
    value /= kPowers[end - point - 1];
  } else if (static_cast<size_t>(end - p) > kMostDigits) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

constexpr auto kTrue = std::to_array<std::string_view>({"1", "true", "yes", "y", "t", "1.0"});
constexpr auto kFalse = std::to_array<std::string_view>({"0", "false", "no", "n", "f", "0.0", "-1", "-1.0"});

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (const auto number = parse_short(text)) return number;
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  // from_chars also knows "inf" and "nan(...)": a number has a digit, or a point and a digit, in front.
  const size_t sign = text[0] == '-' ? 1 : 0;
  if (sign == text.size() || !((text[sign] >= '0' && text[sign] <= '9') || text[sign] == '.'))
    return std::nullopt;
  double value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    // "1e-999" is as good as zero, "1e999" is no finite number; from_chars does not say which it was.
    const size_t exponent = text.find_first_of("eE");
    const bool tiny =
        exponent != std::string_view::npos && exponent + 1 < text.size() && text[exponent + 1] == '-';
    if (tiny && end == text.data() + text.size()) return 0.0;
    return std::nullopt;
  }
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_binary(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  for (const std::string_view word : kTrue) {
    if (equals_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : kFalse) {
    if (equals_ignoring_case(text, word)) return false;
  }
  return std::nullopt;
}

void BadCells::add(int64_t row, std::string_view value) {
  if (count++ > 0) return;
  first_row = row;
  first_value = value.substr(0, 80);
}

void append_numbers(const TextColumn& column, int64_t first_row, std::vector<double>& out, BadCells& bad) {
  const size_t before = out.size();
  out.resize(before + static_cast<size_t>(column.rows()));
  double* const to = out.data() + before;
  for (int64_t r = 0; r < column.rows(); ++r) {
    const std::string_view cell = column[r];
    const auto number = parse_number(cell);
    if (!number && !column.is_null(r)) bad.add(first_row + r, cell);
    to[r] = number.value_or(kNaN);
  }
}

Status check_bad_cells(const BadCells& bad, int64_t rows, double tolerance, std::string_view column,
                       std::string_view word, TableReader& reader) {
  if (static_cast<double>(bad.count) <= tolerance * static_cast<double>(rows)) return {};
  return fail(ErrorKind::data,
              fmt::format("'{}' is not {}; {} of {} cells are not", bad.first_value, word, bad.count, rows),
              fmt::format("{}, column '{}'", reader.place(bad.first_row), column),
              "repair the cells, or give the column another type");
}

void append_codes(const TextColumn& column, Dictionary& dictionary, std::vector<int32_t>& out) {
  const size_t before = out.size();
  out.resize(before + static_cast<size_t>(column.rows()));
  int32_t* to = out.data() + before;
  for (int64_t r = 0; r < column.rows(); ++r) {
    const std::string_view cell = column[r];
    const bool missing = column.absent(r) || is_missing(cell);
    to[r] = missing ? kMissingCode : dictionary.add(cell);
  }
}

}  // namespace shoestring::data
