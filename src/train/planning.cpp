#include "train/planning.h"

#include <algorithm>
#include <fstream>

#include "base/arith.h"
#include "base/limits.h"
#include "base/text.h"
#include "budget/arena_parts.h"
#include "train/best_model.h"
#include "train/features.h"

namespace shoestring::train {
namespace {

using budget::Certainty;

// What a thread of the team touches of its stack and its heap.
constexpr int64_t kOfThread = 256 << 10;
// Pages of the program that only running reaches, what is written and not yet flushed, small tables of
// results.
constexpr int64_t kWhileRunning = 3 << 20;
// What is measured of the process differs by as much from one start to the next. It is in the total that is
// told, so that a run with just that as its limit is not refused.
constexpr int64_t kFromRunToRun = 2 << 20;

// What evaluations keep of each row: for an exact AUC the probability, in a list that grows and a sorted
// copy.
int64_t metrics_bytes(const Dataset& data) {
  constexpr int64_t kOfRow = 12;
  int64_t kept = 0;
  for (const auto& output : data.spec.recipe.outputs) kept += output.type() == task::FeatureType::binary;
  const int64_t rows = std::max({data.count(task::SplitName::training),
                                 data.count(task::SplitName::validation), data.count(task::SplitName::test)});
  constexpr int64_t kCounted = 1 << 20;  // of more rows than are kept
  return kept * (rows > data.rows_kept() ? kOfRow * data.rows_kept() + kCounted : kOfRow * rows);
}

// What each member answered about each validation row, while their weights are fitted.
int64_t blend_bytes(const Dataset& data) {
  const task::Recipe& recipe = data.spec.recipe;
  const int64_t members = task::member_count(recipe);
  if (members == 1 || recipe.ensemble.blend != task::Blend::validation) return 0;
  int64_t values = 0;
  for (size_t o = 0; o < recipe.outputs.size(); ++o)
    values += recipe.outputs[o].type() == task::FeatureType::vector ||
                      recipe.outputs[o].type() == task::FeatureType::set
                  ? data.spec.output_sizes[o]
                  : 1;
  constexpr int64_t kOfValue = 6;  // four bytes in a list that grows
  return kOfValue * members * values * std::min(data.count(task::SplitName::validation), data.rows_kept());
}

int64_t bytes_of_role(const Engine& engine, StateRole role) {
  int64_t bytes = 0;
  for (const StateSlot& slot : engine.layout().slots())
    if (slot.info.role == role) bytes += round_up(slot.info.type.bytes(), kAlignment);
  return bytes;
}

// What the process has mapped, resident or not.
int64_t mapped_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0;
  statm >> pages;
  return pages * 4096;
}

// Of the plan whose arena is the largest; on another machine with the scratch that is known of it.
budget::ArenaParts parts_of_arena(const Engine& engine, const MachineProfile* elsewhere) {
  budget::ArenaParts most;
  for (const auto& runner : engine.runners()) {
    const Plan& plan = runner->plan();
    const budget::ArenaParts parts =
        elsewhere ? budget::parts_elsewhere(plan, static_cast<int64_t>(elsewhere->scratch_bytes))
                  : budget::parts_of(plan);
    if (parts.bytes() > most.bytes()) most = parts;
  }
  return most;
}

}  // namespace

budget::Memory planned_memory(const Engine& engine, const Dataset& data, const ToCome& to_come,
                              const Site& site) {
  constexpr int kReportLine = 13;  // after what is written
  const MachineProfile* const elsewhere = site.elsewhere.get();
  const int threads = engine.options().target.threads;
  const int64_t order = static_cast<int64_t>(data.training.size() * sizeof(uint32_t));
  const int64_t rows = 4 * data.split_rows();
  const int64_t best = BestModel::bytes_for(engine);
  const budget::ArenaParts arena = parts_of_arena(engine, elsewhere);
  const int64_t results = std::max(metrics_bytes(data), blend_bytes(data));
  const int64_t parameters = bytes_of_role(engine, StateRole::parameter);
  const int64_t moments = bytes_of_role(engine, StateRole::moment);
  budget::Memory m;
  m.arena_bytes = arena.bytes();
  m.lines = {{"parameters", parameters, Certainty::exact},
             {"optimizer state", moments, Certainty::exact},
             {"other state", engine.layout().bytes() - parameters - moments, Certainty::exact,
              "running statistics, accumulators, counters"},
             {"gradients", arena.gradients, Certainty::exact, "at the arena's fullest step"},
             {"activations", arena.activations, Certainty::exact},
             {"scratch", arena.scratch, elsewhere ? Certainty::bound : Certainty::exact,
              elsewhere ? "of kernels, as recorded of that machine" : "of kernels"},
             {"best model", best, Certainty::exact},
             {"data", data.bytes() + rows, Certainty::exact,
              !data.file             ? "encoded"
              : keeps_features(data) ? "a window on encoded rows and features, which are in a file"
                                     : "a window on the encoded rows, which are in a file"},
             {"loader", order, Certainty::exact, "the order of an epoch"},
             {"initial values", to_come.initial_bytes, Certainty::exact},
             {"results", results, Certainty::cap, "of evaluations"},
             {"log", to_come.history_bytes, Certainty::cap},
             {"model file", to_come.saving_bytes, Certainty::cap, "while it is written"},
             {"threads", kOfThread * threads, Certainty::cap},
             {"buffers", kWhileRunning, Certainty::cap, "output, pages of code not reached yet"},
             {"differences", kFromRunToRun, Certainty::cap, "of the process from run to run"},
             {"process", std::max<int64_t>(resident_bytes() - data.bytes() - rows, 0), Certainty::measured,
              elsewhere ? "program, libraries, plans, as here" : "program, libraries, compiled plans"}};
  if (to_come.witness_bytes > 0)
    m.lines.insert(m.lines.begin() + kReportLine, {"report", to_come.witness_bytes, Certainty::cap,
                                                   "samples, counts, the page while it is written"});
  constexpr int kAfterData = 8;
  if (const int64_t kept = feature_bytes(data); kept > 0)
    m.lines.insert(m.lines.begin() + kAfterData,
                   {"features", kept, Certainty::exact, "of frozen encoders, computed once"});
  int64_t training = 0;
  for (const auto& line : m.lines) training += line.bytes;
  m.stages = {{"reading, preprocessing", to_come.peak_bytes},
              {"training", training - results - to_come.saving_bytes},
              {"evaluation", training - to_come.saving_bytes},
              {"checkpoint", training - results},
              {"export", training}};
  m.total_bytes = std::max(to_come.peak_bytes + kFromRunToRun, training);
  constexpr int64_t kMappedOfThread = 72 << 20;  // its stack, and a heap of its own
  m.address_space_bytes = mapped_bytes() + engine.layout().bytes() + m.arena_bytes + best + order + results +
                          to_come.initial_bytes + to_come.history_bytes + feature_bytes(data) +
                          kWhileRunning + kMappedOfThread * threads;
  return m;
}

int64_t answers_disk(const Dataset& data) {
  constexpr int64_t kOfAnswer = 48;
  int64_t values = 0;
  for (const int64_t size : data.spec.output_sizes) values += size + 2;
  return data.count(task::SplitName::test) * values * kOfAnswer;
}

int64_t checkpoint_disk(const Engine& engine) {
  return 2 * (engine.layout().bytes() + BestModel::bytes_for(engine));
}

int64_t planned_disk(const Engine& engine, const Dataset& data, int64_t history_bytes) {
  constexpr int64_t kSmallFiles = 256 << 10;
  const int64_t encoded = data.file ? data.file->file_bytes() : 0;
  return encoded + checkpoint_disk(engine) + 2 * BestModel::bytes_for(engine) + answers_disk(data) +
         2 * history_bytes + kSmallFiles;
}

// Whether it is all that another machine has.
static bool is_machines(int64_t limit, const task::Budget& budget, const Site& site) {
  return site.elsewhere && limit != budget.memory_bytes;
}

void find_binding(const task::Budget& budget, const Site& site, budget::Ledger& ledger) {
  struct Limit {
    std::string text;
    double share;
    budget::Resource of;
  };
  std::vector<Limit> limits;
  const auto largest = std::ranges::max_element(ledger.memory.lines, {}, &budget::MemoryLine::bytes);
  const int64_t available = available_bytes();
  const auto limit = memory_limit(budget, site);
  const int64_t memory = limit.value_or(available == INT64_MAX ? INT64_MAX : available + resident_bytes());
  limits.push_back({fmt::format("memory, {} of {}{}: most of it is {}, {}",
                                human_bytes(ledger.memory.total_bytes), human_bytes(memory),
                                limit && !is_machines(*limit, budget, site) ? "" : " that the machine has",
                                largest->name, human_bytes(largest->bytes)),
                    static_cast<double>(ledger.memory.total_bytes) / static_cast<double>(memory),
                    budget::Resource::memory});
  if (budget.time_seconds)
    limits.push_back(
        {fmt::format("time, {} of {}", human_seconds(ledger.time.p50_s), human_seconds(*budget.time_seconds)),
         ledger.time.p50_s / *budget.time_seconds, budget::Resource::time});
  if (budget.disk_bytes)
    limits.push_back(
        {fmt::format("disk, {} of {}", human_bytes(ledger.disk_bytes), human_bytes(*budget.disk_bytes)),
         static_cast<double>(ledger.disk_bytes) / static_cast<double>(*budget.disk_bytes),
         budget::Resource::disk});
  if (budget.money_usd && ledger.money_usd)
    limits.push_back({fmt::format("money, {:.2g} of {:.2g} USD", *ledger.money_usd, *budget.money_usd),
                      *ledger.money_usd / *budget.money_usd, budget::Resource::money});
  const auto most = std::ranges::max_element(limits, {}, &Limit::share);
  ledger.binds = most->of;
  ledger.binding = most->text;
}

Status plan_costs(const Site& site, budget::Ledger& ledger) {
  const auto prices = prices_at(site);
  if (!prices) return fail(prices.error());
  const double cores = ledger.machine.threads;
  const double watts = site.elsewhere ? site.elsewhere->core_watts : 0;
  const int64_t memory = ledger.memory.total_bytes;
  const budget::Costs costs = budget::cost_of({ledger.time.p50_s, cores, memory}, **prices, watts);
  ledger.money_usd = costs.usd;
  ledger.energy_wh = costs.energy_wh;
  ledger.co2_g = costs.co2_g;
  ledger.priced_as = costs.instance;
  if (ledger.seconds_per_1000_predictions)
    ledger.usd_per_1000_predictions =
        budget::cost_of({*ledger.seconds_per_1000_predictions, cores, memory}, **prices).usd;
  return {};
}

int64_t least_of(const budget::Ledger& ledger) { return ledger.memory.total_bytes - kFromRunToRun; }

Status within(const task::Budget& budget, const Site& site, const budget::Ledger& ledger,
              int64_t needed_bytes) {
  const auto refuse = [&](std::string what, const std::string& otherwise) {
    const auto fits = std::ranges::find_if(ledger.ways_out, &budget::WayOut::fits);
    return fail(ErrorKind::budget, std::move(what), {},
                fits == ledger.ways_out.end() ? otherwise
                                              : fmt::format("{} gives {}{}", fits->change, fits->gives,
                                                            otherwise.empty() ? "" : "; or " + otherwise));
  };
  if (const auto limit = memory_limit(budget, site); limit && needed_bytes > *limit) {
    const auto most = std::ranges::max_element(ledger.memory.lines, {}, &budget::MemoryLine::bytes);
    const int64_t total = ledger.memory.total_bytes, least = ledger.least_bytes;
    const bool less = least > 0 && least < total;
    const int64_t enough = ((less ? least : total) >> 20) + 2;  // MiB
    return refuse(
        fmt::format("training takes {}{}, and {} is {}; most of it is {}, {}", human_bytes(total),
                    less ? fmt::format(", {} with all that may be changed", human_bytes(least)) : "",
                    limit == budget.memory_bytes        ? "the budget"
                    : is_machines(*limit, budget, site) ? "that machine's memory"
                                                        : "the control group's limit",
                    human_bytes(*limit), most->name, human_bytes(most->bytes)),
        limit == budget.memory_bytes ? fmt::format("--budget memory={}MiB", enough)
                                     : fmt::format("a limit of {}MiB", enough));
  }
  if (const int64_t mapped = site.elsewhere ? kNoLimit : read_limits().address_space_bytes;
      ledger.memory.address_space_bytes > mapped)
    return refuse(fmt::format("training maps {}, and the limit of address space is {}",
                              human_bytes(ledger.memory.address_space_bytes), human_bytes(mapped)),
                  fmt::format("ulimit -v {}", (ledger.memory.address_space_bytes >> 10) + 1));
  if (budget.disk_bytes && ledger.disk_bytes > *budget.disk_bytes)
    return refuse(fmt::format("the run takes {} on disk, and the budget is {}",
                              human_bytes(ledger.disk_bytes), human_bytes(*budget.disk_bytes)),
                  fmt::format("--budget disk={}MiB", (ledger.disk_bytes >> 20) + 1));
  return {};
}

}  // namespace shoestring::train
