#include "train/encoded.h"

#include <algorithm>
#include <cstring>

namespace shoestring::train {
namespace {

template <class T>
void gather_column(const std::vector<T>& column, std::span<const uint32_t> rows, int64_t plan_rows, T* out) {
  size_t i = 0;
  for (; i < rows.size(); ++i) out[i] = column[rows[i]];
  std::fill(out + i, out + plan_rows, out[i - 1]);
}

}  // namespace

EncodedInputs encode_inputs(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                            int64_t first_row, std::span<const uint8_t> groups,
                            std::span<task::FillState> states) {
  EncodedInputs out;
  out.numbers = data::FloatRows(raw.number_columns, raw.rows());
  out.numbers.append(raw.rows());
  const auto place = [&](size_t input) {
    return task::FloatColumn{out.numbers.column(raw.number_column[input]), raw.rows(), raw.number_columns};
  };
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    auto& column = out.categories.emplace_back();
    auto& words = raw.input_words[i];
    const task::Neighbours near{groups, states.empty() ? nullptr : &states[i]};
    if (const auto* number = std::get_if<task::NumberFit>(&fits.inputs[i])) {
      encode(*number, raw.input_column(i), drop, place(i), near);
      raw.input_numbers[i] = {};
    } else if (const auto* binary = std::get_if<task::BinaryFit>(&fits.inputs[i])) {
      encode(*binary, words->column(), drop, place(i), &raw.bad_inputs[i], first_row, near);
    } else {
      const auto& category = std::get<task::CategoryFit>(fits.inputs[i]);
      encode(category, false, words->column(), drop, words->codes, near);
      column.emplace(category.size(), raw.rows());
      column->append(words->codes);
    }
    words.reset();
  }
  return out;
}

EncodedTargets encode_targets(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                              std::span<const uint8_t> groups) {
  EncodedTargets out;
  out.codes.resize(fits.outputs.size());
  out.numbers.resize(fits.outputs.size());
  const auto place = [&](size_t output) {
    out.numbers[output].resize(static_cast<size_t>(raw.rows()));
    return task::FloatColumn{out.numbers[output].data(), raw.rows(), 1};
  };
  for (size_t o = 0; o < fits.outputs.size(); ++o) {
    auto& words = raw.output_words[o];
    const task::Neighbours near{groups};
    if (const auto* number = std::get_if<task::NumberFit>(&fits.outputs[o])) {
      encode(*number, raw.output_column(o), drop, place(o), near);
      raw.output_numbers[o] = {};
    } else if (const auto* binary = std::get_if<task::BinaryFit>(&fits.outputs[o])) {
      encode(*binary, words->column(), drop, place(o), &raw.bad_outputs[o], 0, near);
    } else {
      encode(std::get<task::CategoryFit>(fits.outputs[o]), true, words->column(), drop, words->codes, near);
      out.codes[o] = std::move(words->codes);
    }
    words.reset();
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
  for (size_t i = 0; i < inputs.categories.size(); ++i) {
    int32_t* out = ports.categories[i];
    if (!inputs.categories[i] || !out) continue;
    inputs.categories[i]->gather(rows, out);
    std::fill(out + count, out + plan_rows, out[count - 1]);
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
  for (const auto& column : inputs.categories)
    if (column) bytes += column->bytes();
  return bytes;
}

int64_t bytes_of(const EncodedTargets& targets) {
  int64_t bytes = 0;
  for (const auto& column : targets.numbers) bytes += static_cast<int64_t>(column.capacity() * sizeof(float));
  for (const auto& column : targets.codes) bytes += static_cast<int64_t>(column.capacity() * sizeof(int32_t));
  return bytes;
}

}  // namespace shoestring::train
