#include "serve/live_model.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/clock.h"
#include "serve/inside.h"
#include "train/saved_model.h"

namespace shoestring::serve {
namespace {

// Plans for 1, 4, 16, … rows, up to the largest.
std::vector<int64_t> batch_sizes(int64_t largest) {
  std::vector<int64_t> sizes;
  for (int64_t rows = 1; rows < largest; rows *= 4) sizes.push_back(rows);
  sizes.push_back(std::max<int64_t>(1, largest));
  return sizes;
}

// The shortest of a few passes over what lies in the ports: what else runs on the machine makes none shorter.
double time_pass(train::Runner& runner) {
  constexpr int kMostTries = 20;
  constexpr double kEnoughSeconds = 4e-3;
  const SteadyClock clock;
  double shortest = 1e9, began = clock.seconds();
  runner.run({});  // the first one meets cold caches
  for (int i = 0; i < kMostTries && (i < 2 || clock.seconds() - began < kEnoughSeconds); ++i) {
    const double before = clock.seconds();
    runner.run({});
    shortest = std::min(shortest, clock.seconds() - before);
  }
  return shortest;
}

// Of all values of a row: the arena of a plan takes no more for each of its rows.
int64_t values_bytes(const task::NetworkSpec& spec) {
  int64_t bytes = 0;
  const Graph graph = task::build_prediction(spec, 1);
  for (const Node& node : graph.nodes())
    for (const Type& type : node.types) bytes += type.bytes();
  return bytes;
}

// A row without a value, in every row of the plan.
void fill_ports(const LiveModel::Inside& inside, const train::Ports& ports, int64_t plan_rows) {
  inside.layout.to_ports(inside.cells.missing_row().data(), 1, 0, ports);
  inside.layout.repeat_last(1, plan_rows, ports);
}

}  // namespace

int64_t LiveModel::Inside::answer_words() const {
  int64_t words = 0;
  for (const int64_t size : spec.output_sizes) words += size;
  return words;
}

void LiveModel::Inside::pass(std::span<const Batcher::Piece> pieces, int64_t rows) {
  size_t chosen = 0;
  while (passes[chosen].rows < rows) ++chosen;
  train::Runner& runner = *runners[chosen];
  const train::Ports& ports = runner.ports();
  int64_t filled = 0;
  for (const Batcher::Piece& piece : pieces) {
    layout.to_ports(piece.request->cells.data() + piece.first * layout.words, piece.count, filled, ports);
    filled += piece.count;
  }
  layout.repeat_last(filled, runner.rows(), ports);
  runner.run({});
  int64_t from = 0;
  for (const Batcher::Piece& piece : pieces) {
    float* block = piece.request->answers.data();
    for (size_t o = 0; o < spec.output_sizes.size(); ++o) {
      const int64_t size = spec.output_sizes[o];
      std::memcpy(block + piece.first * size, ports.predictions[o] + from * size,
                  static_cast<size_t>(piece.count * size) * sizeof(float));
      block += piece.request->rows * size;
    }
    from += piece.count;
  }
}

Result<std::shared_ptr<LiveModel>> LiveModel::load(const std::string& name, const std::string& path,
                                                   const LiveOptions& options) {
  auto saved = train::load_model(path);
  if (!saved) return fail(saved.error());
  CompileOptions compile{.target = native_target()};
  compile.target.threads = std::max(1, options.threads);
  std::vector<train::PlanRequest> plans;
  const int64_t row_bytes = values_bytes(saved->spec);
  for (const int64_t rows : batch_sizes(options.max_batch))
    if (rows == 1 || rows * row_bytes <= options.max_arena_bytes)
      plans.push_back({train::PlanKind::predict, rows});
  auto engine = train::Engine::create(saved->spec, plans, compile);
  if (!engine) return fail(engine.error());
  if (auto ok = train::load_states(*saved, *engine); !ok) return fail(ok.error());

  auto inside = std::make_unique<Inside>(std::move(saved->spec), std::move(saved->fits));
  inside->description.name = name;
  inside->description.path = path;
  inside->description.card = std::move(saved->file.card);
  inside->description.parameters = train::parameter_count(engine->layout());
  inside->engine = std::move(*engine);
  for (const auto& runner : inside->engine->runners()) {
    fill_ports(*inside, runner->ports(), runner->rows());
    inside->passes.push_back({runner->rows(), time_pass(*runner)});
    inside->runners.push_back(runner.get());
  }
  inside->batcher =
      std::make_unique<Batcher>([inner = inside.get()](std::span<const Batcher::Piece> pieces,
                                                       int64_t rows) { inner->pass(pieces, rows); },
                                inside->answer_words(), inside->passes, options.batcher);
  return std::shared_ptr<LiveModel>(new LiveModel(std::move(inside)));
}

LiveModel::LiveModel(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
LiveModel::~LiveModel() = default;

const Description& LiveModel::description() const { return inside_->description; }
Batcher& LiveModel::batcher() { return *inside_->batcher; }
const std::vector<PassTime>& LiveModel::passes() const { return inside_->passes; }

LiveModel::Memory LiveModel::memory() const {
  const auto words = inside_->layout.words + inside_->answer_words();
  return {.states = inside_->engine->layout().bytes(),
          .arena = inside_->engine->arena_bytes(),
          .row = words * static_cast<int64_t>(sizeof(float)),
          .text = inside_->text_bytes,
          .reading_row = inside_->cells.reading_bytes()};
}

bool LiveModel::reads_whole_columns() const { return inside_->cells.any_whole(); }

Batcher::Taken answer(LiveModel& model, Request& request) {
  std::atomic<bool> done = false;
  request.when_done = [&done](Request&) {
    done = true;
    done.notify_one();
  };
  const auto taken = model.batcher().submit(request);
  if (taken != Batcher::Taken::yes) return taken;
  while (model.batcher().run()) {
  }
  done.wait(false);
  request.when_done = nullptr;
  return taken;
}

}  // namespace shoestring::serve
