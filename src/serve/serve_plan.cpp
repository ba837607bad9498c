#include "serve/serve_plan.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "budget/prices.h"
#include "compile/compile.h"
#include "train/run_folder.h"

namespace shoestring::serve {
namespace {

using budget::Certainty;

// Of the process: pages of the program that only serving reaches, and what differs from one start to the
// next.
constexpr int64_t kWhileServing = 2 << 20;
// What large requests share is this many of the largest body: it, and what is made of it while it is read
// (about 1.5 of its bytes for each of usual JSON) or answered.
constexpr int64_t kOfBody = 3, kOfBodyOfTexts = 7;  // the latter where columns are encoded as a whole
constexpr int64_t kOfShortRow = 8;                  // of a body: one short number
constexpr int64_t kLeastConnections = 16, kLeastBody = 64 << 10, kUsualConnections = 256;

struct Loaded {
  int64_t before = 0;      // resident, before any model
  int64_t grown = 0;       // by all models
  int64_t most_grown = 0;  // by one, while it was loaded
};

Result<Loaded> load_models(const ServePlanRequest& request, ServePlan& plan) {
  Loaded loaded;
  give_back_memory();
  loaded.before = resident_bytes();
  for (const auto& [name, path] : request.models) {
    std::error_code none;
    const auto file = train::find_model(path);
    if (!file) return fail(file.error());
    const auto size = static_cast<int64_t>(std::filesystem::file_size(*file, none));
    if (request.budget.memory_bytes && !none && size > *request.budget.memory_bytes)
      return fail(ErrorKind::budget,
                  fmt::format("the model takes {} of {}", human_bytes(size),
                              human_bytes(*request.budget.memory_bytes)),
                  *file, "give more memory, or a smaller model");
    const int64_t before = resident_bytes();
    auto model = LiveModel::load(name, path, request.live);
    if (!model) return fail(model.error());
    plan.models.push_back(std::move(*model));
    loaded.most_grown = std::max(loaded.most_grown, peak_resident_bytes() - before);
  }
  give_back_memory();
  loaded.grown = std::max<int64_t>(0, resident_bytes() - loaded.before);
  return loaded;
}

void fill_lines(const ServePlanRequest& request, const Loaded& loaded, ServePlan& plan) {
  plan.lines.clear();
  const auto add = [&](std::string name, int64_t bytes, Certainty certainty, std::string about = {}) {
    plan.lines.push_back({std::move(name), bytes, certainty, std::move(about)});
  };
  int64_t states = 0, arenas = 0, row = 0, kept = kReaderKeeps, largest_row = 0, of_body = kOfBody;
  for (const auto& model : plan.models) {
    const LiveModel::Memory memory = model->memory();
    states += memory.states, arenas += memory.arena;
    row = std::max(row, memory.answered_row(Orientation::records));
    largest_row = std::max({largest_row, memory.answered_row(Orientation::tensors), memory.reading_row});
    if (!model->reads_whole_columns()) continue;
    kept = kReaderKeeps + kOfWholeColumns * static_cast<int64_t>(kReaderBytes);
    of_body = kOfBodyOfTexts;
  }
  const int64_t least = plan.max_body + std::max((of_body - 1) * plan.max_body, 2 * largest_row);
  plan.shared_bytes = std::max(least, request.shared_bytes);
  plan.read.max_rows = std::max<int64_t>(1, plan.shared_bytes / (row + kOfShortRow));
  add("process", loaded.before + request.http.process + kWhileServing, Certainty::measured);
  add("weights", states, Certainty::exact);
  add("activations and scratch", arenas, Certainty::exact, "one arena a model");
  add("plans and texts", std::max<int64_t>(0, loaded.grown - states - arenas), Certainty::measured,
      "what compiling left, and preprocessing");
  if (request.swaps)
    add("loading a model anew", loaded.most_grown, Certainty::measured, "while the old one serves");
  add("reading a body", kept, Certainty::cap, "what its reader keeps");
  add("large requests", plan.shared_bytes, Certainty::cap,
      "bodies as they come, reading them, their rows and answers");
  add("connections", plan.connections * (request.http.connection + 2 * static_cast<int64_t>(kKeptBytes)),
      Certainty::cap, count_of(plan.connections, "connection"));
  plan.total_bytes = 0;
  for (const auto& line : plan.lines) plan.total_bytes += line.bytes;
}

// Makes smaller what may be, the cheapest first, until the memory is enough.
void fit(const ServePlanRequest& request, const Loaded& loaded, ServePlan& plan) {
  const int64_t limit = request.budget.memory_bytes.value_or(INT64_MAX);
  const auto shrink = [&](std::string kind, int64_t& value, int64_t least, bool given, std::string price) {
    const int64_t before = value, bytes = plan.total_bytes;
    while (!given && plan.total_bytes > limit && value > least) {
      value = std::max(least, value / 2);
      fill_lines(request, loaded, plan);
    }
    if (value == before) return;
    const bool is_bytes = kind == "max_body";
    plan.choices.push_back(
        {kind, fmt::format("{}: {}", kind, is_bytes ? human_bytes(value) : std::to_string(value)),
         std::move(price), bytes - plan.total_bytes});
  };
  const bool fixed = request.max_body || request.shared_bytes > 0;  // what large requests take goes with it
  shrink("max_body", plan.max_body, 1 << 20, fixed, "larger bodies get 413");
  shrink("connections", plan.connections, 64, request.connections.has_value(), "more clients wait");
  shrink("max_body", plan.max_body, kLeastBody, fixed, "larger bodies get 413");
  shrink("connections", plan.connections, kLeastConnections, request.connections.has_value(),
         "more clients wait");
  if (plan.total_bytes <= limit) return;
  const auto largest = std::ranges::max_element(plan.lines, {}, &budget::MemoryLine::bytes);
  plan.fits = fail(
      ErrorKind::budget,
      fmt::format("serving takes {}, and {} are given; most of it is {} ({})", human_bytes(plan.total_bytes),
                  human_bytes(limit), largest->name, human_bytes(largest->bytes)),
      "plan serve", fmt::format("--budget memory={}MiB", (plan.total_bytes >> 20) + 1));
}

// What the first model's example takes from its body to its answer: the middle of many, and one of the
// slowest.
struct Measured {
  double middle = 0, slow = 0;
};
Measured measure(const std::shared_ptr<LiveModel>& model) {
  constexpr int kMost = 400;
  constexpr double kEnoughSeconds = 20e-3;
  const SteadyClock clock;
  RequestReader reader;
  Request request;
  std::string text;
  std::vector<double> times;
  const double began = clock.seconds();
  for (int i = 0; i < kMost && clock.seconds() - began < kEnoughSeconds; ++i) {
    const double before = clock.seconds();
    if (!reader.read_json(model, model->description().example, request)) return {};
    answer(*model, request);
    text.clear();
    write_json(request, text);
    times.push_back(clock.seconds() - before);
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

Status fill_rates(const ServePlanRequest& request, ServePlan& plan) {
  const auto measured = measure(plan.models.front());
  const double service = measured.middle + request.http.request_seconds;
  if (service <= 0) return {};
  plan.requests_per_second = 1 / service;
  // Each waits for those before it, and for one that is slow.
  plan.p99_seconds = kClients * service + measured.slow;
  const auto prices = budget::load_prices(request.prices, budget::cache_folder());
  if (!prices) return fail(prices.error());
  const double seconds = 1e6 * service;
  const auto costs = budget::cost_of({seconds, 1, plan.total_bytes}, *prices);
  plan.usd_per_million = costs.usd;
  plan.priced_as = costs.instance;
  return {};
}

}  // namespace

Result<ServePlan> plan_serve(const ServePlanRequest& request) {
  if (request.models.empty())
    return fail(ErrorKind::usage, "a model is needed", "serve", "give -m PATH or -m NAME=PATH");
  ServePlan plan{.live = request.live};
  if (request.budget.cores)
    plan.live.threads = std::min<int>(plan.live.threads, static_cast<int>(*request.budget.cores));
  plan.connections = request.connections.value_or(kUsualConnections);
  plan.max_body = request.max_body.value_or(kMostBody);
  const auto loaded = load_models(request, plan);
  if (!loaded) return fail(loaded.error());
  plan.machine.name = budget::to_string(budget::this_machine(native_target()));
  plan.machine.threads = plan.live.threads;
  fill_lines(request, *loaded, plan);
  fit(request, *loaded, plan);
  if (auto ok = fill_rates(request, plan); !ok) return fail(ok.error());
  return plan;
}

std::string to_json(const ServePlan& plan, int indent) {
  using Json = nlohmann::ordered_json;
  Json memory = {{"total_bytes", plan.total_bytes}, {"lines", Json::array()}};
  for (const auto& line : plan.lines)
    memory["lines"].push_back({{"name", line.name},
                               {"bytes", line.bytes},
                               {"certainty", std::string(name_of(line.certainty))},
                               {"about", line.about}});
  Json models = Json::array();
  for (const auto& model : plan.models) {
    Json passes = Json::array();
    for (const PassTime& pass : model->passes())
      passes.push_back({{"rows", pass.rows}, {"seconds", pass.seconds}});
    models.push_back({{"name", model->description().name}, {"passes", passes}});
  }
  Json choices = Json::array();
  for (const auto& choice : plan.choices)
    choices.push_back(
        {{"change", choice.change}, {"price", choice.price}, {"saved_bytes", choice.saved_bytes}});
  Json json = {{"machine", plan.machine.name},
               {"memory", memory},
               {"connections", plan.connections},
               {"max_body_bytes", plan.max_body},
               {"max_rows", plan.read.max_rows},
               {"shared_bytes", plan.shared_bytes},
               {"models", models},
               {"requests_per_second", plan.requests_per_second},
               {"p99_s", plan.p99_seconds},
               {"choices", choices},
               {"fits", plan.fits.has_value()}};
  if (plan.usd_per_million)
    json["usd_per_million_requests"] = *plan.usd_per_million, json["priced_as"] = plan.priced_as;
  return json.dump(indent);
}

}  // namespace shoestring::serve
