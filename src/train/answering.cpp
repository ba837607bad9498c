#include "train/answering.h"

#include <algorithm>
#include <cmath>

#include "base/memory.h"
#include "train/best_model.h"
#include "train/predict.h"

namespace shoestring::train {
namespace {

using budget::Certainty;

// Of the process: pages of the program that only answering reaches, output, and what differs from one start
// to the next.
constexpr int64_t kWhileRunning = 6 << 20;

// A table is answered in batches of a MiB of text.
constexpr int64_t kBatchText = 1 << 20;

struct Table {
  double row_text = 0;  // bytes
  int64_t columns = 0, batch_rows = 0;
};
Table table_of(const Dataset& data) {
  double bytes = 0, rows = 0;
  for (const SourceFile& file : data.files)
    if (file.rows > 0) bytes += static_cast<double>(file.bytes), rows += static_cast<double>(file.rows);
  Table t;
  t.columns = static_cast<int64_t>(data.spec.recipe.inputs.size() + data.spec.recipe.outputs.size());
  t.row_text = std::max(rows > 0 ? bytes / rows : 0, 2.0 * static_cast<double>(t.columns));
  t.batch_rows =
      std::clamp<int64_t>(static_cast<int64_t>(kBatchText / t.row_text), 1, std::max<int64_t>(1, data.rows));
  return t;
}

// Of a row on its way: cells as text and where each lies, then as numbers or words; encoded and answered once
// the text is gone.
int64_t row_bytes(const Dataset& data, const Table& t) {
  constexpr int64_t kOfCell = 4 + 4, kOfRow = 8, kOfAnswer = 16, kOfNumber = 12;
  int64_t encoded = kOfRow;
  if (!data.file && data.split_rows() > 0) encoded += data.bytes() / data.split_rows();
  for (const int64_t size : data.spec.output_sizes) encoded += kOfAnswer + 2 * size * kOfNumber;
  const auto text = static_cast<int64_t>(std::ceil(t.row_text));
  return std::max(text, encoded) + t.columns * kOfCell;
}

}  // namespace

Status plan_answering(const Engine& engine, const Dataset& data, budget::Ledger& ledger) {
  CompileOptions options = engine.options();
  options.precision = {};
  options.arena_limit_bytes = 0;
  int64_t process = ledger.memory.of_line("process") + kWhileRunning;
  // What compiling leaves in the process is its share of it.
  const auto compiled = [&](std::initializer_list<int64_t> sizes) {
    std::vector<PlanRequest> plans;
    for (const int64_t rows : sizes) plans.push_back({PlanKind::predict, rows});
    const int64_t before = resident_bytes();
    auto made = Engine::compiled(data.spec, plans, options);
    process += std::max<int64_t>(0, resident_bytes() - before);
    return made;
  };
  const int threads = options.target.threads;
  const auto small = compiled({1, kSmallAnswers});
  if (!small) return fail(small.error());
  const int64_t model = small->layout().bytes() + BestModel::bytes_for(engine);
  const budget::MemoryStage serving{"serving", process + model + small->arena_bytes(), true,
                                    Certainty::unverified};

  const auto largest = rows_at_once(data.spec, options);
  if (!largest) return fail(largest.error());
  const auto whole = compiled({*largest});
  if (!whole) return fail(whole.error());
  options.target.threads = 1;
  const auto lane = compiled({*largest});
  if (!lane) return fail(lane.error());
  const Table table = table_of(data);
  const int64_t batches = (data.rows + table.batch_rows - 1) / table.batch_rows;
  const bool in_lanes =
      threads > 1 && batches > 1 && !std::ranges::any_of(data.fits.inputs, task::looks_around);
  const int64_t arenas = whole->arena_bytes() + (in_lanes ? threads * lane->arena_bytes() : 0);
  const int64_t held_rows = std::min(data.rows, (in_lanes ? threads : 1) * table.batch_rows);
  const int64_t held = held_rows * row_bytes(data, table) + kBatchText;
  ledger.memory.stages.push_back({"prediction", process + model + arenas + held, true, Certainty::measured});
  ledger.memory.stages.push_back(serving);
  return {};
}

double seconds_of_answers(const Dataset& data, const budget::Rates& rates, double reading_seconds,
                          int64_t rows) {
  constexpr double kOfNumber = 0.5e-6;
  int64_t numbers = 0;
  for (const int64_t size : data.spec.output_sizes) numbers += 2 * size + 2;
  const double row = rates.row.typical() + rates.feature.typical() +
                     reading_seconds / static_cast<double>(std::max<int64_t>(1, data.rows)) +
                     kOfNumber * static_cast<double>(numbers);
  return static_cast<double>(rows) * row;
}

}  // namespace shoestring::train
