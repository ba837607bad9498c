#include "data/columns.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "data/dates.h"

namespace shoestring::data {
namespace {

// Rows of a batch lie anywhere in the table: the ones to come are asked for while this one is copied.
constexpr size_t kAhead = 8;
constexpr size_t kLineBytes = 64;

void prefetch(const float* from, size_t bytes) {
  const char* p = reinterpret_cast<const char*>(from);
  for (size_t b = 0; b < bytes; b += kLineBytes) __builtin_prefetch(p + b);
}

// Copies of a width known when compiling need no call.
template <int kWidth>
void gather_fixed(const float* table, int64_t stride, std::span<const uint32_t> rows, float* out,
                  int64_t out_stride) {
  for (size_t b = 0; b < rows.size(); ++b) {
    if (b + kAhead < rows.size()) __builtin_prefetch(table + int64_t{rows[b + kAhead]} * stride);
    std::memcpy(out + static_cast<int64_t>(b) * out_stride, table + int64_t{rows[b]} * stride,
                kWidth * sizeof(float));
  }
}

void gather_any(const float* table, int64_t stride, std::span<const uint32_t> rows, int count, float* out,
                int64_t out_stride) {
  const size_t bytes = static_cast<size_t>(count) * sizeof(float);
  for (size_t b = 0; b < rows.size(); ++b) {
    if (b + kAhead < rows.size()) prefetch(table + int64_t{rows[b + kAhead]} * stride, bytes);
    std::memcpy(out + static_cast<int64_t>(b) * out_stride, table + int64_t{rows[b]} * stride, bytes);
  }
}

template <class Code, class Out>
void gather_codes(const std::vector<Code>& codes, int64_t width, std::span<const uint32_t> rows, Out* out,
                  int64_t stride) {
  if (width == 1) {
    for (size_t b = 0; b < rows.size(); ++b)
      out[static_cast<int64_t>(b) * stride] = static_cast<Out>(codes[rows[b]]);
    return;
  }
  for (size_t b = 0; b < rows.size(); ++b) {
    const Code* from = codes.data() + int64_t{rows[b]} * width;
    std::transform(from, from + width, out + static_cast<int64_t>(b) * width,
                   [](Code code) { return static_cast<Out>(code); });
  }
}

}  // namespace

FloatRows::FloatRows(int width, int64_t expected_rows) : width_(width) {
  values_.reserve(static_cast<size_t>(expected_rows) * static_cast<size_t>(width));
}

void FloatRows::append(int64_t count) {
  rows_ += count;
  values_.resize(static_cast<size_t>(rows_) * static_cast<size_t>(width_));
}

void FloatRows::gather(std::span<const uint32_t> rows, float* out) const {
  gather(rows, 0, width_, out, width_);
}

void FloatRows::gather(std::span<const uint32_t> rows, int first, int count, float* out,
                       int64_t out_stride) const {
  const float* table = values_.data() + first;
  switch (count) {
    case 0:
      return;
    case 1:
      return gather_fixed<1>(table, width_, rows, out, out_stride);
    case 2:
      return gather_fixed<2>(table, width_, rows, out, out_stride);
    case 3:
      return gather_fixed<3>(table, width_, rows, out, out_stride);
    case 4:
      return gather_fixed<4>(table, width_, rows, out, out_stride);
    case 5:
      return gather_fixed<5>(table, width_, rows, out, out_stride);
    case 6:
      return gather_fixed<6>(table, width_, rows, out, out_stride);
    case 7:
      return gather_fixed<7>(table, width_, rows, out, out_stride);
    case 8:
      return gather_fixed<8>(table, width_, rows, out, out_stride);
    default:
      return gather_any(table, width_, rows, count, out, out_stride);
  }
}

CodeColumn::CodeColumn(int64_t cardinality, int64_t expected_rows, int64_t width)
    : cardinality_(cardinality), width_(width) {
  if (cardinality > (1 << 16))
    codes_.emplace<std::vector<int32_t>>();
  else if (cardinality > (1 << 8))
    codes_.emplace<std::vector<uint16_t>>();
  std::visit([&](auto& codes) { codes.reserve(static_cast<size_t>(expected_rows * width)); }, codes_);
}

int64_t CodeColumn::rows() const {
  return std::visit([](const auto& codes) { return static_cast<int64_t>(codes.size()); }, codes_) / width_;
}

int64_t CodeColumn::row_bytes() const {
  return std::visit([](const auto& codes) { return static_cast<int64_t>(sizeof(codes[0])); }, codes_) *
         width_;
}

void CodeColumn::resize(int64_t rows) {
  std::visit([&](auto& codes) { codes.resize(static_cast<size_t>(rows * width_)); }, codes_);
}

void CodeColumn::pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const {
  std::visit([&](const auto& codes) { data::pack(codes.data(), width_, rows, out, stride); }, codes_);
}

void CodeColumn::unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count) {
  std::visit([&](auto& codes) { data::unpack(in, stride, count, codes.data() + first * width_, width_); },
             codes_);
}

int64_t CodeColumn::bytes() const {
  return std::visit(
      [](const auto& codes) { return static_cast<int64_t>(codes.capacity() * sizeof(codes[0])); }, codes_);
}

void CodeColumn::append(std::span<const int32_t> more) {
  std::visit(
      [&](auto& codes) {
        using Code = typename std::decay_t<decltype(codes)>::value_type;
        for (const int32_t code : more) codes.push_back(static_cast<Code>(code));
      },
      codes_);
}

int32_t CodeColumn::at(int64_t row, int64_t place) const {
  const auto index = static_cast<size_t>(row * width_ + place);
  return std::visit([index](const auto& codes) { return static_cast<int32_t>(codes[index]); }, codes_);
}

void CodeColumn::gather(std::span<const uint32_t> rows, int32_t* out, int64_t stride) const {
  std::visit([&](const auto& codes) { gather_codes(codes, width_, rows, out, stride); }, codes_);
}

void CodeColumn::gather(std::span<const uint32_t> rows, float* out, int64_t stride) const {
  std::visit([&](const auto& codes) { gather_codes(codes, width_, rows, out, stride); }, codes_);
}

void DateRows::append(int64_t seconds, float year) {
  const Civil c = civil_of(seconds);
  const auto byte = [](int part) { return static_cast<uint8_t>(part); };
  dates_.push_back({year, static_cast<uint16_t>(yearday_of(seconds) - 1), byte(c.month - 1), byte(c.day - 1),
                    byte(weekday_of(seconds)), byte(c.hour), byte(c.minute), byte(c.second)});
}

void DateRows::gather(std::span<const uint32_t> rows, float* out) const {
  for (const uint32_t row : rows) {
    const Date& d = dates_[row];
    const int of_day = 3600 * d.hour + 60 * d.minute + d.second;
    const int parts[] = {d.month, d.day, d.weekday, d.yearday, d.hour, d.minute, d.second, of_day};
    static_assert(std::size(parts) + 1 == kWidth);
    *out++ = d.year;
    for (const int part : parts) *out++ = static_cast<float>(part);
  }
}

}  // namespace shoestring::data
