#include "train/row_faults.h"

#include <fmt/format.h>

#include "base/text.h"
#include "data/split.h"

namespace shoestring::train {
namespace {

constexpr double kTolerance = data::ReadOptions().tolerance;

void add(const task::MissingRows& more, int64_t first_row, task::MissingRows& to) {
  if (to.count == 0 && more.count > 0) to.first_row = first_row + more.first_row;
  to.count += more.count;
}

bool too_many(int64_t count, int64_t rows) {
  return static_cast<double>(count) > kTolerance * static_cast<double>(rows);
}

// One feature's rows without a value.
Status judge(const task::MissingRows& missing, bool is_target, const std::string& column,
             const FilesRead& read, int64_t rows, const LogSink& log) {
  if (missing.count == 0) return {};
  const std::string what = fmt::format("{} of {} without a value", count_of(missing.count, "row"), rows);
  const std::string where = fmt::format("{}, column '{}'", read.place(missing.first_row), column);
  if (is_target && too_many(missing.count, rows))
    return fail(ErrorKind::data, what + ", this is the first", where,
                "a target needs its values: fill them in or take the rows out");
  if (log) log(LogLevel::note, fmt::format("{}: {} left out, this is the first", where, what));
  return {};
}

// One feature's cells that its fitted column does not take.
Status judge(const data::BadCells& bad, const task::Fit& fit, const std::string& column,
             const FilesRead& read, int64_t rows, const LogSink& log) {
  if (bad.count == 0) return {};
  const std::string where = fmt::format("{}, column '{}'", read.place(bad.first_row), column);
  const bool is_binary = std::holds_alternative<task::BinaryFit>(fit);
  const std::string what = fmt::format("'{}' is {}; {}", bad.first_value,
                                       is_binary ? "neither true nor false" : "not " + task::cell_of(fit),
                                       count_of(bad.count, "cell"));
  if (too_many(bad.count, rows))
    return fail(ErrorKind::data, what + " like it", where,
                "repair the cells, or give the column another type");
  if (log) log(LogLevel::note, fmt::format("{}: {} taken as missing", where, what));
  return {};
}

}  // namespace

void add_bad_cells(const std::vector<data::BadCells>& more, std::vector<data::BadCells>& to) {
  for (size_t i = 0; i < more.size(); ++i) {
    const int64_t before = to[i].count;
    if (before == 0) to[i] = more[i];
    to[i].count = before + more[i].count;
  }
}

RowFaults::RowFaults(const task::Recipe& recipe)
    : bad_inputs_(recipe.inputs.size()), bad_outputs_(recipe.outputs.size()) {
  for (const auto& input : recipe.inputs) inputs_.push_back({input.column, task::drops_missing(input)});
  for (const auto& output : recipe.outputs) outputs_.push_back({output.column, task::drops_missing(output)});
}

std::vector<uint8_t> RowFaults::drop_missing(RawColumns& columns, int64_t first_row) {
  std::vector<uint8_t> drop(static_cast<size_t>(columns.rows()));
  rows_ += columns.rows();
  const auto mark = [&](std::vector<Feature>& features, std::vector<RawColumn>& raw) {
    for (size_t i = 0; i < features.size(); ++i)
      if (features[i].drops_missing) {
        // Broken pictures are told where they are read.
        const bool told = std::holds_alternative<Pictures>(raw[i]) && missing_cells(raw[i]) == 0;
        const task::MissingRows missing = mark_missing(raw[i], drop);
        if (!told) add(missing, first_row, features[i].missing);
      }
  };
  mark(outputs_, columns.outputs);
  mark(inputs_, columns.inputs);
  return drop;
}

Status RowFaults::judge_missing(const FilesRead& read, const LogSink& log) const {
  for (const auto* features : {&outputs_, &inputs_})
    for (const Feature& feature : *features)
      if (auto ok = judge(feature.missing, features == &outputs_, feature.column, read, rows_, log); !ok)
        return ok;
  return {};
}

void RowFaults::add_encoded(const RawColumns& encoded, const EncodedTargets& targets,
                            std::span<const uint8_t> splits, std::span<const uint8_t> drop,
                            int64_t first_row) {
  add_bad_cells(encoded.bad_inputs, bad_inputs_);
  add_bad_cells(encoded.bad_outputs, bad_outputs_);
  for (size_t o = 0; o < targets.codes.size(); ++o) {
    const auto& codes = targets.codes[o];
    task::MissingRows unknown;
    for (size_t row = 0; row < codes.size(); ++row) {
      if (codes[row] >= 0 || drop[row] || splits[row] == data::kUnused) continue;
      if (unknown.count++ == 0) unknown.first_row = static_cast<int64_t>(row);
    }
    add(unknown, first_row, outputs_[o].unknown_class);
  }
}

Status RowFaults::judge_encoded(const task::Fits& fits, const FilesRead& read, const LogSink& log) const {
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (auto ok = judge(bad_inputs_[i], fits.inputs[i], inputs_[i].column, read, rows_, log); !ok) return ok;
  for (size_t o = 0; o < outputs_.size(); ++o)
    if (auto ok = judge(bad_outputs_[o], fits.outputs[o], outputs_[o].column, read, rows_, log); !ok)
      return ok;
  return {};
}

void RowFaults::tell_unknown_classes(const FilesRead& read, const LogSink& log) const {
  for (const Feature& output : outputs_)
    if (const auto& [count, first] = output.unknown_class; log && count > 0)
      log(LogLevel::note, fmt::format("{}, column '{}': {} of a class that no training row has, this is the "
                                      "first; no metric counts them",
                                      read.place(first), output.column, count_of(count, "row")));
}

}  // namespace shoestring::train
