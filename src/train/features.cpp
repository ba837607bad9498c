#include "train/features.h"

#include <algorithm>

#include "base/clock.h"
#include "train/batches.h"

namespace shoestring::train {
namespace {

constexpr task::SplitName kSplits[] = {task::SplitName::training, task::SplitName::validation,
                                       task::SplitName::test};

// Of the table, those left out included.
int64_t rows_in_memory(const Dataset& data) {
  for (const EncodedColumn& column : data.inputs.columns)
    if (const auto* pixels = std::get_if<data::PixelRows>(&column)) return pixels->rows();
  return 0;
}

Runner* runner_of(Engine& engine) {
  for (const auto& runner : engine.runners())
    if (runner->request().kind == PlanKind::features) return runner.get();
  return nullptr;
}

// Each row that is in a split, in the table's order: some are drawn several times.
std::vector<uint32_t> rows_of_all(const Dataset& data) {
  std::vector<uint8_t> wanted(static_cast<size_t>(rows_in_memory(data)), 0);
  for (const task::SplitName split : kSplits)
    for (const uint32_t row : data.rows_of(split)) wanted[row] = 1;
  std::vector<uint32_t> rows;
  rows.reserve(static_cast<size_t>(std::ranges::count(wanted, 1)));
  for (size_t row = 0; row < wanted.size(); ++row)
    if (wanted[row]) rows.push_back(static_cast<uint32_t>(row));
  return rows;
}

// Runs the plan over the rows with these places and hands each batch of answers on.
template <class Take>
Status over_batches(Runner& runner, const EncodedInputs& inputs, std::span<const uint32_t> places,
                    const std::function<Status()>& go_on, Take&& take) {
  const auto most = static_cast<size_t>(runner.rows());
  for (size_t begin = 0; begin < places.size(); begin += most) {
    if (auto ok = go_on(); !ok) return ok;
    const auto batch = places.subspan(begin, std::min(most, places.size() - begin));
    gather(inputs, batch, runner.rows(), runner.ports());
    runner.run({});
    if (Status ok = take(begin, batch); !ok) return ok;
  }
  return {};
}

Status into_memory(Runner& runner, Dataset& data, const std::function<Status()>& go_on) {
  const std::vector<uint32_t> rows = rows_of_all(data);
  return over_batches(runner, data.inputs, rows, go_on, [&](size_t, std::span<const uint32_t> batch) {
    for (size_t i = 0; i < data.inputs.features.size(); ++i) {
      data::FloatRows& kept = data.inputs.features[i];
      const float* from = runner.ports().made_features[i];
      for (const uint32_t row : batch) {
        if (kept.width() == 0) break;
        std::copy_n(from, kept.width(), kept.column(0, row));
        from += kept.width();
      }
    }
    return Status();
  });
}

Status into_file(Runner& runner, FileRows& file, const std::function<Status()>& go_on) {
  for (const task::SplitName name : kSplits) {
    const auto split = static_cast<data::Split>(name);
    for (int64_t first = 0; first < file.rows(split); first += file.most_rows()) {
      const FileRows::Part part{first, std::min(file.most_rows(), file.rows(split) - first)};
      const auto places = file.load(split, std::span(&part, 1));
      if (auto ok = file.fault(); !ok) return ok;
      auto ok = over_batches(
          runner, file.window().inputs, places, go_on, [&](size_t begin, std::span<const uint32_t> batch) {
            return file.put_features(split, {first + static_cast<int64_t>(begin), std::ssize(batch)},
                                     runner.ports().made_features);
          });
      if (!ok) return ok;
    }
  }
  file.features_are_there();
  return {};
}

}  // namespace

bool keeps_features(const Dataset& data) { return !data.spec.kept_features.empty(); }

int64_t feature_bytes(const Dataset& data) {
  if (data.file) return 0;
  int64_t numbers = 0;
  for (const int64_t width : data.spec.kept_features) numbers += width;
  return numbers * static_cast<int64_t>(sizeof(float)) * rows_in_memory(data);
}

int64_t feature_rows(const Dataset& data) {
  if (!keeps_features(data)) return 0;
  // Rows that are drawn several times are there once.
  return data.file ? data.split_rows() : std::min(data.split_rows(), rows_in_memory(data));
}

void expect_features(Dataset& data) {
  data.inputs.features = {};
  if (data.file) data.file->keep_features(data.spec.kept_features);
}

void hold_features(Dataset& data) {
  if (data.file || !keeps_features(data) || !data.inputs.features.empty()) return;
  const int64_t rows = rows_in_memory(data);
  for (const int64_t width : data.spec.kept_features) {
    data::FloatRows& kept = data.inputs.features.emplace_back(static_cast<int>(width), rows);
    if (width > 0) kept.append(rows);
  }
}

Status compute_features(Engine& engine, Dataset& data, const std::function<Status()>& go_on) {
  Runner* const runner = runner_of(engine);
  if (!runner) return {};
  return data.file ? into_file(*runner, *data.file, go_on) : into_memory(*runner, data, go_on);
}

double time_features(Engine& engine, const Dataset& data) {
  Runner* const runner = runner_of(engine);
  if (!runner) return 0;
  const int64_t rows = std::min(runner->rows(), data.count(task::SplitName::training));
  const RowsAt at = Batches(data, task::SplitName::training, rows).at(0);
  double took = 0;
  for (int run = 0; run < 2; ++run) {  // the first one touches the memory
    const double begun = SteadyClock().seconds();
    gather(*at.inputs, at.rows, runner->rows(), runner->ports());
    runner->run({});
    took = SteadyClock().seconds() - begun;
  }
  return took / static_cast<double>(runner->rows());
}

}  // namespace shoestring::train
