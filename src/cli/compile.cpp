// compile: what the passes make of a recipe's graphs, and the plans that come out.
#include "compile/compile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/overloaded.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "budget/step_time.h"
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/verbs.h"
#include "ir/text.h"
#include "train/dataset.h"
#include "train/engine.h"

namespace shoestring::cli {
namespace {

struct NamedKind {
  std::string_view name;
  train::PlanKind kind;
};
constexpr NamedKind kKinds[] = {{"training", train::PlanKind::update},
                                {"accumulate", train::PlanKind::accumulate},
                                {"accumulate-and-update", train::PlanKind::accumulate_and_update},
                                {"evaluation", train::PlanKind::evaluate},
                                {"prediction", train::PlanKind::predict}};

// Sizes without data: what is typical of a small table.
constexpr int64_t kAssumedVocabulary = 10, kAssumedClasses = 3, kAssumedVector = 8, kAssumedWords = 4;

int64_t assumed_size(const task::InputFeature& input) {
  return std::visit(
      Overloaded{
          [](const task::CategoryInput& c) {
            const int64_t buckets = task::buckets_of(c);
            return buckets > 0 ? buckets : kAssumedVocabulary;
          },
          [](const task::VectorInput& v) { return v.preprocessing.vector_size.value_or(kAssumedVector); },
          [](const task::SetInput&) { return kAssumedVocabulary; },
          [](const task::BagInput&) { return kAssumedVocabulary; }, [](const auto&) { return int64_t{1}; }},
      input.spec);
}

task::NetworkSpec assumed_spec(task::Recipe recipe) {
  task::NetworkSpec spec;
  for (const auto& input : recipe.inputs) {
    spec.input_sizes.push_back(assumed_size(input));
    spec.input_widths.push_back(kAssumedWords);
  }
  for (const auto& output : recipe.outputs) {
    const auto* vector = std::get_if<task::VectorOutput>(&output.spec);
    spec.output_sizes.push_back(vector ? vector->preprocessing.vector_size.value_or(kAssumedVector)
                                : task::is_wide(output.type()) ? kAssumedClasses
                                                               : 1);
  }
  spec.class_weights.resize(recipe.outputs.size());
  spec.recipe = std::move(recipe);
  return spec;
}

std::vector<std::string> dump_names() {
  std::vector<std::string> names{"forward", "differentiate", "build"};
  for (const Pass& pass : passes()) names.emplace_back(pass.name);
  names.emplace_back("place");
  return names;
}

// The parts that a training graph is built in, before any pass.
struct Part {
  task::TrainingPart part;
  std::string_view name, doc;
};
constexpr Part kParts[] = {{task::TrainingPart::forward, "forward", "the network and its losses"},
                           {task::TrainingPart::differentiate, "differentiate", "gradients of the losses"}};

std::optional<task::StepKind> step_kind(train::PlanKind kind) {
  switch (kind) {
    case train::PlanKind::update:
      return task::StepKind::update;
    case train::PlanKind::accumulate:
      return task::StepKind::accumulate;
    case train::PlanKind::accumulate_and_update:
      return task::StepKind::accumulate_and_update;
    default:
      return std::nullopt;
  }
}

// Each step with how long it takes by the machine's profile, and what holds it up.
std::string times_text(const Plan& plan, const MachineProfile& machine, int threads) {
  std::vector<std::vector<std::string>> lines{{"step", "kernel", "time", "threads", "held up by"}};
  const auto times = budget::step_times(plan, machine, threads);
  for (size_t i = 0; i < times.size(); ++i)
    lines.push_back({plan.steps[i].name, plan.steps[i].kernel,
                     fmt::format("{:.2f} µs", times[i].seconds * 1e6), fmt::format("{}", times[i].threads),
                     std::string(name_of(times[i].bound))});
  return table(lines);
}

Status show(const task::NetworkSpec& spec, NamedKind kind, int64_t rows, const std::string& dump,
            bool times) {
  Graph graph = train::build(spec, {kind.kind, rows});
  if (auto ok = graph.status(); !ok) return ok;
  StateLayout states;
  if (auto ok = states.include(graph); !ok) return ok;
  std::vector<std::vector<std::string>> lines{{"pass", "nodes", "ms", "what it does"}};
  const SteadyClock clock;
  for (const Part& part : kParts) {
    const auto step = step_kind(kind.kind);
    if (!step) continue;
    const double start = clock.seconds();
    const Graph until = task::build_training(spec, rows, *step, part.part);
    lines.push_back({std::string(part.name), fmt::format("{}", until.nodes().size()),
                     fmt::format("{:.2f}", (clock.seconds() - start) * 1e3), std::string(part.doc)});
    if (part.name == dump) print(to_text(until));
  }
  const Target target = native_target();
  const budget::KnownMachine known = budget::load_or_built_in(target);
  CompileOptions options{.target = target, .machine = known.profile};
  if (kind.kind != train::PlanKind::evaluate && kind.kind != train::PlanKind::predict)
    options.precision = train::training_precision(spec.recipe.trainer, options);
  options.observe = [&](std::string_view name, const Graph& after, double seconds) {
    const auto found =
        std::find_if(passes().begin(), passes().end(), [&](const Pass& p) { return p.name == name; });
    lines.push_back({std::string(name), fmt::format("{}", after.nodes().size()),
                     fmt::format("{:.2f}", seconds * 1e3),
                     found == passes().end() ? "the whole graph, before any pass" : std::string(found->doc)});
    if (name == dump) print(to_text(after));
  };
  if (auto ok = lay_out_states(graph, states, options); !ok) return ok;
  const auto plan = shoestring::compile(std::move(graph), states, options);
  if (!plan) return fail(plan.error());
  if (dump == "place") print(to_text(*plan));
  if (!dump.empty()) return {};
  const Cost cost = plan->cost();
  print(fmt::format("{}: {} on {}, {}\n", kind.name, count_of(rows, "row"), to_string(options.target.isa),
                    count_of(options.target.threads, "thread")));
  print(table(lines));
  if (times) print(times_text(*plan, *known.profile, target.threads));
  print(fmt::format("  {} a run, by {}\n",
                    human_seconds(budget::seconds_of(*plan, *known.profile, target.threads)),
                    known.path.empty() ? "rates that are usual of these instructions"
                                       : "what was measured of this machine"));
  const Plan::Reorders moved = plan->reorders();
  const auto lying =
      std::ranges::count_if(states.slots(), [](const StateSlot& s) { return !s.info.layout.row_major(); });
  if (lying > 0 || moved.count > 0)
    print(fmt::format("  {} of {} lie in the order that kernels want, {} moved into another a run ({})\n",
                      lying, count_of(std::ssize(states.slots()), "state"), count_of(moved.count, "tensor"),
                      human_bytes(moved.bytes)));
  print(fmt::format("  {} steps, {} FLOP; arena {} (largest live set {}), states {}, constants {}\n\n",
                    plan->steps.size(), human_count(cost.flops), human_bytes(plan->arena_bytes),
                    human_bytes(plan->live_bytes), human_bytes(plan->state_bytes),
                    human_bytes(static_cast<int64_t>(plan->constants.size()))));
  return {};
}

Result<task::NetworkSpec> spec_for(task::Recipe recipe, const std::string& dataset,
                                   const std::string& format) {
  if (dataset.empty()) return assumed_spec(std::move(recipe));
  auto data = train::prepare({.dataset = dataset, .format = format}, std::move(recipe), {});
  if (!data) return fail(data.error());
  return std::move(data->spec);
}

}  // namespace

int compile(Arguments arguments) {
  RecipeInput input;
  std::string positional, dump, dataset, format, which;
  std::optional<int64_t> rows;
  bool times = false;
  Options options{
      "compile",
      "shows what the passes make of a recipe's graphs",
      {{"", "", "RECIPE", "the recipe, YAML or JSON (or --config)", &positional},
       {"dump", "", "PASS",
        "print the graph after this pass; 'forward', 'differentiate' and 'build' come before the first, "
        "'place' is "
        "the plan",
        &dump},
       {"plan", "", "NAME",
        "training (default with --dump), accumulate, accumulate-and-update, evaluation, prediction", &which},
       {"times", "", "",
        "each step with how long it takes by this machine's profile ('shoestring calibrate')", &times},
       {"rows", "", "N", "rows of a batch; the recipe's batch_size, or 256", &rows},
       {"dataset", "d", "FILE", "take the vocabularies' sizes from this table; else they are assumed",
        &dataset},
       {"data-format", "", "FORMAT", "csv, tsv, json, jsonl, parquet, feather or sqlite; found by looking",
        &format}}};
  for (const Option& option : input.options()) options.options.push_back(option);
  if (const auto done = options.read(arguments)) return *done;
  if (input.file.empty()) input.file = positional;
  const auto names = dump_names();
  if (!dump.empty() && std::find(names.begin(), names.end(), dump) == names.end()) {
    const std::string near = nearest(dump, names);
    return report({ErrorKind::usage, fmt::format("unknown pass '{}'", dump), "compile",
                   near.empty() ? fmt::format("one of {}", fmt::join(names, ", "))
                                : fmt::format("did you mean '{}'?", near)});
  }
  if (auto ok = check_batch_rows(rows, "compile", "--rows"); !ok) return report(ok.error());
  auto recipe = read_recipe(input);
  if (!recipe) return report(recipe.error());
  const int64_t batch = rows.value_or(recipe->trainer.batch_size.or_else(256));
  auto spec = spec_for(std::move(*recipe), dataset, format);
  if (!spec) return report(spec.error());

  std::string kind_name = which.empty() && !dump.empty() ? "training" : which;
  std::replace(kind_name.begin(), kind_name.end(), '_', '-');
  bool known = kind_name.empty();
  for (const NamedKind& kind : kKinds) {
    const bool accumulates =
        kind.kind == train::PlanKind::accumulate || kind.kind == train::PlanKind::accumulate_and_update;
    if (kind_name.empty() ? accumulates : kind.name != kind_name) continue;
    known = true;
    spec->accumulates = accumulates;
    if (auto ok = show(*spec, kind, batch, dump, times); !ok) return report(ok.error());
  }
  if (!known)
    return report({ErrorKind::usage, fmt::format("unknown plan '{}'", which), "compile",
                   "one of training, accumulate, accumulate-and-update, evaluation, prediction"});
  return 0;
}

}  // namespace shoestring::cli
