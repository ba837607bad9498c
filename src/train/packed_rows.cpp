#include "train/packed_rows.h"

#include "base/overloaded.h"

namespace shoestring::train {
namespace {

// What a column and a plain list of values have in common.
template <class Column>
int64_t row_bytes(const Column& column) {
  return column.row_bytes();
}
template <class T>
int64_t row_bytes(const std::vector<T>&) {
  return sizeof(T);
}
template <class Column>
void resize(Column& column, int64_t rows) {
  column.resize(rows);
}
template <class T>
void resize(std::vector<T>& values, int64_t rows) {
  values.resize(static_cast<size_t>(rows));
}
template <class Column>
void pack(const Column& column, std::span<const uint32_t> rows, std::byte* out, int64_t stride) {
  column.pack(rows, out, stride);
}
template <class T>
void pack(const std::vector<T>& values, std::span<const uint32_t> rows, std::byte* out, int64_t stride) {
  data::pack(values.data(), 1, rows, out, stride);
}
template <class Column>
void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count, Column& column) {
  column.unpack(in, stride, first, count);
}
template <class T>
void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count, std::vector<T>& values) {
  data::unpack(in, stride, count, values.data() + first, 1);
}

// Calls visit(column) for each, in the order in which they stand in a row.
void each_column(std::span<const PackedFormat::Target> targets, auto& rows, auto&& visit) {
  visit(rows.inputs.numbers);
  const auto own = [&](auto& column) {
    std::visit(
        [&](auto& one) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, std::monostate>) visit(one);
        },
        column);
  };
  for (auto& column : rows.inputs.columns) own(column);
  for (size_t o = 0; o < targets.size(); ++o) {
    if (targets[o] == PackedFormat::Target::number)
      visit(rows.targets.numbers[o]);
    else if (targets[o] == PackedFormat::Target::code)
      visit(rows.targets.codes[o]);
    else
      own(rows.targets.columns[o]);
  }
}

}  // namespace

PackedFormat::PackedFormat(const task::Recipe& recipe, const task::Fits& fits) {
  RawColumns empty(recipe, true);
  none_ = {encode_inputs(fits, empty, nullptr), encode_targets(fits, empty, nullptr)};
  for (const task::Fit& fit : fits.outputs)
    targets_.push_back(std::visit(Overloaded{[](const task::NumberFit&) { return Target::number; },
                                             [](const task::BinaryFit&) { return Target::number; },
                                             [](const task::CategoryFit&) { return Target::code; },
                                             [](const auto&) { return Target::own; }},
                                  fit));
  each_column(targets_, none_, [&](const auto& column) { row_bytes_ += train::row_bytes(column); });
}

EncodedRows PackedFormat::rows(int64_t count) const {
  EncodedRows rows = none_;
  each_column(targets_, rows, [&](auto& column) { resize(column, count); });
  return rows;
}

void PackedFormat::pack(const EncodedRows& from, std::span<const uint32_t> rows, std::byte* out) const {
  each_column(targets_, from, [&](const auto& column) {
    train::pack(column, rows, out, row_bytes_);
    out += train::row_bytes(column);
  });
}

void PackedFormat::unpack(const std::byte* in, int64_t first, int64_t count, EncodedRows& to) const {
  each_column(targets_, to, [&](auto& column) {
    train::unpack(in, row_bytes_, first, count, column);
    in += train::row_bytes(column);
  });
}

}  // namespace shoestring::train
