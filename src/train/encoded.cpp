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

// Rows of `width` values; rows that the plan has beyond them repeat the last one.
template <class T>
void gather_rows(const auto& column, std::span<const uint32_t> rows, int64_t plan_rows, int64_t width,
                 T* out) {
  column.gather(rows, out);
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t r = count; r < plan_rows; ++r) std::copy_n(out + (count - 1) * width, width, out + r * width);
}

// 1 for each word of the vocabulary that is in the row: [plan_rows, words]. The codes of a target's column
// end with those of no word and of a word that the vocabulary lacks (task::WordsFit).
void gather_words(const data::CodeColumn& column, std::span<const uint32_t> rows, int64_t plan_rows,
                  float* out) {
  const int64_t words = column.cardinality() - 2;
  std::fill_n(out, plan_rows * words, 0.0F);
  for (int64_t r = 0; r < plan_rows; ++r) {
    const int64_t row = rows[static_cast<size_t>(std::min(r, static_cast<int64_t>(rows.size()) - 1))];
    for (int64_t k = 0; k < column.width(); ++k)
      if (const int32_t word = column.at(row, k); word < words) out[r * words + word] = 1;
  }
}

// The cells of a column that is of this kind, as it was made for the feature's type.
template <class Cells>
decltype(auto) cells_of(RawColumn& column) {
  return std::get<Cells>(column).view();
}

}  // namespace

void encode_input(const task::Fit& fit, RawColumn& raw, int64_t rows, std::vector<uint8_t>* drop,
                  task::FloatColumn numbers, EncodedColumn& own, data::BadCells* bad, int64_t first_row,
                  const task::Neighbours& near) {
  std::visit(
      Overloaded{[&](const task::NumberFit& f) { encode(f, cells_of<Numbers>(raw), drop, numbers, near); },
                 [&](const task::BinaryFit& f) {
                   encode(f, cells_of<Words>(raw), drop, numbers, bad, first_row, near);
                 },
                 [&](const task::CategoryFit& f) {
                   auto& words = std::get<Words>(raw);
                   encode(f, false, words.view(), drop, words.codes, near, first_row);
                   own.emplace<data::CodeColumn>(f.codes(), rows).append(words.codes);
                 },
                 [&](const task::VectorFit& f) {
                   auto& column = own.emplace<data::FloatRows>(static_cast<int>(f.size), rows);
                   encode(f, cells_of<Vectors>(raw), drop, column, bad, first_row, near);
                 },
                 [&](const task::WordsFit& f) {
                   own = task::code_column(f, rows);
                   encode(f, false, cells_of<WordLists>(raw), drop, std::get<data::CodeColumn>(own), near);
                 },
                 [&](const task::DateFit& f) {
                   encode(f, cells_of<Dates>(raw), drop, own.emplace<data::DateRows>(), bad, first_row, near);
                 },
                 [&](const task::PictureFit& f) {
                   encode(f, cells_of<Pictures>(raw), drop, own.emplace<data::PixelRows>(f.form().bytes()),
                          near);
                 }},
      fit);
  raw = {};
}

EncodedInputs encode_inputs(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                            int64_t first_row, std::span<const uint8_t> groups,
                            std::span<task::FillState> states) {
  EncodedInputs out;
  out.numbers = data::FloatRows(raw.number_columns, raw.rows());
  out.numbers.append(raw.rows());
  out.columns.resize(fits.inputs.size());
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    if (drop) out.missing.push_back(missing_cells(raw.inputs[i]));
    const int column = raw.number_column[i];
    const task::FloatColumn numbers{column < 0 ? nullptr : out.numbers.column(column), raw.rows(),
                                    raw.number_columns};
    encode_input(fits.inputs[i], raw.inputs[i], raw.rows(), drop, numbers, out.columns[i], &raw.bad_inputs[i],
                 first_row, {groups, states.empty() ? nullptr : &states[i]});
  }
  return out;
}

EncodedTargets encode_targets(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                              int64_t first_row, std::span<const uint8_t> groups,
                              std::span<task::FillState> states) {
  EncodedTargets out;
  out.codes.resize(fits.outputs.size());
  out.numbers.resize(fits.outputs.size());
  out.columns.resize(fits.outputs.size());
  for (size_t o = 0; o < fits.outputs.size(); ++o) {
    const task::Neighbours near{groups, states.empty() ? nullptr : &states[o]};
    const auto place = [&] {
      out.numbers[o].resize(static_cast<size_t>(raw.rows()));
      return task::FloatColumn{out.numbers[o].data(), raw.rows(), 1};
    };
    std::visit(Overloaded{[&](const task::NumberFit& f) {
                            encode(f, cells_of<Numbers>(raw.outputs[o]), drop, place(), near);
                          },
                          [&](const task::BinaryFit& f) {
                            encode(f, cells_of<Words>(raw.outputs[o]), drop, place(), &raw.bad_outputs[o],
                                   first_row, near);
                          },
                          [&](const task::CategoryFit& f) {
                            auto& words = std::get<Words>(raw.outputs[o]);
                            encode(f, true, words.view(), drop, words.codes, near, first_row);
                            out.codes[o] = std::move(words.codes);
                          },
                          [&](const task::VectorFit& f) {
                            auto& column =
                                out.columns[o].emplace<data::FloatRows>(static_cast<int>(f.size), raw.rows());
                            encode(f, cells_of<Vectors>(raw.outputs[o]), drop, column, &raw.bad_outputs[o],
                                   first_row, near);
                          },
                          [&](const task::WordsFit& f) {
                            out.columns[o] = task::code_column(f, raw.rows());
                            encode(f, true, cells_of<WordLists>(raw.outputs[o]), drop,
                                   std::get<data::CodeColumn>(out.columns[o]), near);
                          },
                          [](const task::DateFit&) {}, [](const task::PictureFit&) {}},
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
  for (size_t i = 0; i < inputs.columns.size(); ++i)
    if (void* out = ports.inputs[i]) gather(inputs.columns[i], rows, plan_rows, out);
  for (size_t i = 0; i < inputs.features.size(); ++i)
    if (float* out = ports.features[i])
      gather_rows(inputs.features[i], rows, plan_rows, inputs.features[i].width(), out);
}

void gather(const EncodedColumn& column, std::span<const uint32_t> rows, int64_t plan_rows, void* out) {
  const auto fill = [&](const auto& cells, auto* to, int64_t width) {
    gather_rows(cells, rows, plan_rows, width, to);
  };
  std::visit(
      Overloaded{[](const std::monostate&) {},
                 [&](const data::CodeColumn& c) { fill(c, static_cast<int32_t*>(out), c.width()); },
                 [&](const data::FloatRows& f) { fill(f, static_cast<float*>(out), f.width()); },
                 [&](const data::DateRows& d) { fill(d, static_cast<float*>(out), data::DateRows::kWidth); },
                 [&](const data::PixelRows& p) { fill(p, static_cast<uint8_t*>(out), p.row_bytes()); }},
      column);
}

void gather(const EncodedTargets& targets, std::span<const uint32_t> rows, int64_t plan_rows,
            const Ports& ports) {
  for (size_t o = 0; o < ports.targets.size(); ++o) {
    void* out = ports.targets[o];
    if (!out) continue;
    if (const auto* vectors = std::get_if<data::FloatRows>(&targets.columns[o])) {
      gather_rows(*vectors, rows, plan_rows, vectors->width(), static_cast<float*>(out));
    } else if (const auto* words = std::get_if<data::CodeColumn>(&targets.columns[o])) {
      gather_words(*words, rows, plan_rows, static_cast<float*>(out));
    } else if (targets.codes[o].empty()) {
      gather_column(targets.numbers[o], rows, plan_rows, static_cast<float*>(out));
    } else {
      gather_column(targets.codes[o], rows, plan_rows, static_cast<int32_t*>(out));
    }
  }
}

void gather_wide(const EncodedTargets& targets, size_t output, std::span<const uint32_t> rows, float* out) {
  const auto count = static_cast<int64_t>(rows.size());
  if (const auto* vectors = std::get_if<data::FloatRows>(&targets.columns[output]))
    vectors->gather(rows, out);
  else if (const auto* words = std::get_if<data::CodeColumn>(&targets.columns[output]))
    gather_words(*words, rows, count, out);
}

namespace {

int64_t bytes_of(const std::vector<EncodedColumn>& columns) {
  int64_t bytes = 0;
  for (const EncodedColumn& column : columns)
    bytes += std::visit(Overloaded{[](const std::monostate&) { return int64_t{0}; },
                                   [](const auto& own) { return own.bytes(); }},
                        column);
  return bytes;
}

}  // namespace

int64_t bytes_of(const EncodedInputs& inputs) {
  int64_t bytes = inputs.numbers.bytes() + bytes_of(inputs.columns);
  for (const data::FloatRows& kept : inputs.features) bytes += kept.bytes();
  return bytes;
}

int64_t bytes_of(const EncodedTargets& targets) {
  int64_t bytes = bytes_of(targets.columns);
  for (const auto& column : targets.numbers) bytes += static_cast<int64_t>(column.capacity() * sizeof(float));
  for (const auto& column : targets.codes) bytes += static_cast<int64_t>(column.capacity() * sizeof(int32_t));
  return bytes;
}

}  // namespace shoestring::train
