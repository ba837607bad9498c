#include "train/encoded.h"

#include <algorithm>
#include <cstring>

#include "base/overloaded.h"

namespace shoestring::train {
namespace {

template <class T>
void gather_column(const std::vector<T>& column, std::span<const uint32_t> rows, int64_t plan_rows, T* out) {
  size_t i = 0;
  for (; i < rows.size(); ++i) out[i] = column[rows[i]];
  std::fill(out + i, out + plan_rows, out[i - 1]);
}

// The cells of a column that is of this kind, as it was made for the feature's type.
template <class Cells>
decltype(auto) cells_of(RawColumn& column) {
  return std::get<Cells>(column).view();
}

}  // namespace

EncodedInputs encode_inputs(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                            int64_t first_row, std::span<const uint8_t> groups,
                            std::span<task::FillState> states) {
  EncodedInputs out;
  out.numbers = data::FloatRows(raw.number_columns, raw.rows());
  out.numbers.append(raw.rows());
  out.columns.resize(fits.inputs.size());
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    const task::Neighbours near{groups, states.empty() ? nullptr : &states[i]};
    data::BadCells* bad = &raw.bad_inputs[i];
    const auto place = [&] {
      return task::FloatColumn{out.numbers.column(raw.number_column[i]), raw.rows(), raw.number_columns};
    };
    std::visit(Overloaded{[&](const task::NumberFit& f) {
                            encode(f, cells_of<Numbers>(raw.inputs[i]), drop, place(), near);
                          },
                          [&](const task::BinaryFit& f) {
                            encode(f, cells_of<Words>(raw.inputs[i]), drop, place(), bad, first_row, near);
                          },
                          [&](const task::CategoryFit& f) {
                            auto& words = std::get<Words>(raw.inputs[i]);
                            encode(f, false, words.view(), drop, words.codes, near);
                            auto& column = out.columns[i].emplace<data::CodeColumn>(f.size(), raw.rows());
                            column.append(words.codes);
                          },
                          [&](const task::VectorFit& f) {
                            auto& column =
                                out.columns[i].emplace<data::FloatRows>(static_cast<int>(f.size), raw.rows());
                            encode(f, cells_of<Vectors>(raw.inputs[i]), drop, column, bad, first_row, near);
                          },
                          [&](const task::WordsFit& f) {
                            out.columns[i] = task::code_column(f, raw.rows());
                            encode(f, false, cells_of<WordLists>(raw.inputs[i]), drop,
                                   std::get<data::CodeColumn>(out.columns[i]), near);
                          },
                          [&](const task::DateFit& f) {
                            encode(f, cells_of<Dates>(raw.inputs[i]), drop,
                                   out.columns[i].emplace<data::DateRows>(), bad, first_row, near);
                          }},
               fits.inputs[i]);
    raw.inputs[i] = {};
  }
  return out;
}

EncodedTargets encode_targets(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                              std::span<const uint8_t> groups) {
  EncodedTargets out;
  out.codes.resize(fits.outputs.size());
  out.numbers.resize(fits.outputs.size());
  for (size_t o = 0; o < fits.outputs.size(); ++o) {
    const task::Neighbours near{groups};
    const auto place = [&] {
      out.numbers[o].resize(static_cast<size_t>(raw.rows()));
      return task::FloatColumn{out.numbers[o].data(), raw.rows(), 1};
    };
    std::visit(Overloaded{[&](const task::NumberFit& f) {
                            encode(f, cells_of<Numbers>(raw.outputs[o]), drop, place(), near);
                          },
                          [&](const task::BinaryFit& f) {
                            encode(f, cells_of<Words>(raw.outputs[o]), drop, place(), &raw.bad_outputs[o], 0,
                                   near);
                          },
                          [&](const task::CategoryFit& f) {
                            auto& words = std::get<Words>(raw.outputs[o]);
                            encode(f, true, words.view(), drop, words.codes, near);
                            out.codes[o] = std::move(words.codes);
                          },
                          [](const auto&) {}},
               fits.outputs[o]);
    raw.outputs[o] = {};
  }
  return out;
}

void gather(const EncodedInputs& inputs, std::span<const uint32_t> rows, int64_t plan_rows,
            const Ports& ports) {
  const auto count = static_cast<int64_t>(rows.size());
  if (ports.numbers) {
    const int width = inputs.numbers.width();
    inputs.numbers.gather(rows, ports.numbers);
    for (int64_t r = count; r < plan_rows; ++r)
      std::copy_n(ports.numbers + (count - 1) * width, width, ports.numbers + r * width);
  }
  const auto fill = [&](const auto& column, auto* out, int64_t width) {
    column.gather(rows, out);
    for (int64_t r = count; r < plan_rows; ++r)
      std::copy_n(out + (count - 1) * width, width, out + r * width);
  };
  for (size_t i = 0; i < inputs.columns.size(); ++i) {
    void* out = ports.inputs[i];
    if (!out) continue;
    std::visit(Overloaded{[](const std::monostate&) {},
                          [&](const data::CodeColumn& c) { fill(c, static_cast<int32_t*>(out), c.width()); },
                          [&](const data::FloatRows& f) { fill(f, static_cast<float*>(out), f.width()); },
                          [&](const data::DateRows& d) {
                            fill(d, static_cast<float*>(out), data::DateRows::kWidth);
                          }},
               inputs.columns[i]);
  }
}

void gather(const EncodedTargets& targets, std::span<const uint32_t> rows, int64_t plan_rows,
            const Ports& ports) {
  for (size_t o = 0; o < ports.targets.size(); ++o) {
    if (!ports.targets[o]) continue;
    if (targets.codes[o].empty())
      gather_column(targets.numbers[o], rows, plan_rows, static_cast<float*>(ports.targets[o]));
    else
      gather_column(targets.codes[o], rows, plan_rows, static_cast<int32_t*>(ports.targets[o]));
  }
}

int64_t bytes_of(const EncodedInputs& inputs) {
  int64_t bytes = inputs.numbers.bytes();
  for (const EncodedColumn& column : inputs.columns)
    bytes += std::visit(Overloaded{[](const std::monostate&) { return int64_t{0}; },
                                   [](const auto& own) { return own.bytes(); }},
                        column);
  return bytes;
}

int64_t bytes_of(const EncodedTargets& targets) {
  int64_t bytes = 0;
  for (const auto& column : targets.numbers) bytes += static_cast<int64_t>(column.capacity() * sizeof(float));
  for (const auto& column : targets.codes) bytes += static_cast<int64_t>(column.capacity() * sizeof(int32_t));
  return bytes;
}

}  // namespace shoestring::train
