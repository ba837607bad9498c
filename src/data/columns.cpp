#include "data/columns.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

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
void gather_codes(const std::vector<Code>& codes, std::span<const uint32_t> rows, Out* out, int64_t stride) {
  for (size_t b = 0; b < rows.size(); ++b) {
    out[static_cast<int64_t>(b) * stride] = static_cast<Out>(codes[rows[b]]);
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

CodeColumn::CodeColumn(int64_t cardinality, int64_t expected_rows) {
  if (cardinality > (1 << 16))
    codes_.emplace<std::vector<int32_t>>();
  else if (cardinality > (1 << 8))
    codes_.emplace<std::vector<uint16_t>>();
  std::visit([&](auto& codes) { codes.reserve(static_cast<size_t>(expected_rows)); }, codes_);
}

int64_t CodeColumn::rows() const {
  return std::visit([](const auto& codes) { return static_cast<int64_t>(codes.size()); }, codes_);
}

int CodeColumn::bytes_per_row() const {
  return std::visit([](const auto& codes) { return static_cast<int>(sizeof(codes[0])); }, codes_);
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

int32_t CodeColumn::at(int64_t row) const {
  return std::visit(
      [row](const auto& codes) { return static_cast<int32_t>(codes[static_cast<size_t>(row)]); }, codes_);
}

void CodeColumn::gather(std::span<const uint32_t> rows, int32_t* out, int64_t stride) const {
  std::visit([&](const auto& codes) { gather_codes(codes, rows, out, stride); }, codes_);
}

void CodeColumn::gather(std::span<const uint32_t> rows, float* out, int64_t stride) const {
  std::visit([&](const auto& codes) { gather_codes(codes, rows, out, stride); }, codes_);
}

}  // namespace shoestring::data
