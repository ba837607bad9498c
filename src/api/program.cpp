// Program: graphs in the text form over one block of states.
#include <algorithm>

#include "api/problem.h"
#include "base/atomic_file.h"
#include "base/memory.h"
#include "compile/compile.h"
#include "compile/differentiate.h"
#include "ir/text.h"
#include "model/optimizers.h"
#include "ops/ops.h"
#include "run/executor.h"

namespace shoestring {
namespace {

Problem usage(std::string what, std::string fix) { return {2, std::move(what), "", std::move(fix)}; }

// Forward, backward and update, as one graph.
Result<Graph> training_of(Graph g, const std::string& loss, const Program::Adam& adam) {
  const Value objective = g.output_named(loss);
  if (!objective.valid())
    return fail(ErrorKind::usage, fmt::format("graph '{}' has no output '{}'", g.name(), loss), {},
                "name one of its outputs");
  std::vector<Value> parameters;
  const std::vector<StateInfo> states(g.states().begin(), g.states().end());
  for (const StateInfo& s : states)
    if (s.role == StateRole::parameter) parameters.push_back(g.read(s));
  const std::vector<Value> gradients = differentiate(g, objective, parameters);
  if (auto s = g.status(); !s) return fail(s.error());
  const Value finite = ops::is_finite(objective);
  const model::Clipped clipped = model::clip(gradients, {}, finite);
  std::vector<model::Trained> trained;
  for (size_t i = 0, p = 0; i < states.size(); ++i)
    if (states[i].role == StateRole::parameter) {
      trained.push_back({states[i].name, parameters[p], clipped.gradients[p]});
      ++p;
    }
  const model::Adam rule{.betas = {adam.beta1, adam.beta2}, .eps = adam.epsilon};
  const Value rate = g.scalar(DType::f32, adam.learning_rate);
  for (const auto& u : model::update(rule, trained, rate, clipped.ok)) g.write(u.state, u.value);
  g.rename(g.name() + "/training");
  if (auto s = g.status(); !s) return fail(s.error());
  return g;
}

}  // namespace

struct Program::Impl {
  std::vector<Graph> graphs;
  StateLayout layout;
  std::vector<Plan> plans;
  Block states, arena;
  std::vector<Executor> executors;

  bool ready() const { return !executors.empty(); }

  Status add(Graph graph) {
    if (auto s = layout.include(graph); !s) return s;
    graphs.push_back(std::move(graph));
    return {};
  }

  // Every graph gets an arena of its own, so that inputs and outputs stay where they are.
  Status compile_all() {
    plans.clear();
    int64_t bytes = 0;
    std::vector<int64_t> offsets;
    for (const Graph& g : graphs) {
      Result<Plan> plan = shoestring::compile(g, layout, {.target = native_target()});
      if (!plan) return fail(plan.error());
      offsets.push_back(bytes);
      bytes += plan->arena_bytes;
      plans.push_back(std::move(*plan));
    }
    Result<Block> s = Block::reserve(layout.bytes()), a = Block::reserve(bytes);
    if (!s) return fail(s.error());
    if (!a) return fail(a.error());
    states = std::move(*s);
    arena = std::move(*a);
    std::vector<Executor> made;
    for (size_t i = 0; i < plans.size(); ++i)
      made.emplace_back(plans[i], states.data(), arena.data() + offsets[i]);
    executors = std::move(made);  // all or none
    return {};
  }

  Status compiled() {
    try {
      return ready() ? Status() : compile_all();
    } catch (...) {
      return fail(caught());
    }
  }

  Executor* find(std::string_view graph) {
    if (!compiled()) return nullptr;
    for (size_t i = 0; i < graphs.size(); ++i)
      if (graphs[i].name() == graph) return &executors[i];
    return nullptr;
  }

  template <class T>
  std::span<T> port(std::string_view graph, std::string_view name, DType dtype, bool input) {
    const Executor* e = find(graph);
    const Port* p = !e ? nullptr : input ? e->plan().input(name) : e->plan().output(name);
    if (!p || p->type.dtype != dtype) return {};
    void* data = input ? e->input(name) : const_cast<void*>(e->output(name));
    return {static_cast<T*>(data), static_cast<size_t>(p->type.elements())};
  }
};

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Outcome<Program> Program::load(const std::string& path) {
  return guarded([&]() -> Outcome<Program> {
    const Result<std::string> text = read_file(path);
    if (!text) return to_problem(text.error());
    return parse(*text, path);
  });
}

Outcome<Program> Program::parse(std::string_view text, std::string_view where) {
  return guarded([&]() -> Outcome<Program> {
    auto graphs = parse_graphs(text, ops::all(), where);
    if (!graphs) return to_problem(graphs.error());
    auto impl = std::make_unique<Impl>();
    for (Graph& g : *graphs)
      if (auto s = impl->add(std::move(g)); !s) return to_problem(s.error());
    return Program(std::move(impl));
  });
}

std::optional<Problem> Program::add_training(const std::string& graph, const std::string& loss,
                                             const Adam& adam) {
  return guarded([&]() -> std::optional<Problem> {
    if (impl_->ready())
      return usage("graphs were used already", "add training before the first input, output or run");
    for (const Graph& g : impl_->graphs) {
      if (g.name() != graph) continue;
      Result<Graph> training = training_of(g, loss, adam);
      if (!training) return to_problem(training.error());
      if (auto s = impl_->add(std::move(*training)); !s) return to_problem(s.error());
      return std::nullopt;
    }
    return usage(fmt::format("there is no graph '{}'", graph), "name one of the graphs of the text");
  });
}

std::optional<Problem> Program::compile() {
  if (auto s = impl_->compiled(); !s) return to_problem(s.error());
  return std::nullopt;
}

std::span<float> Program::input(std::string_view graph, std::string_view name) {
  return impl_->port<float>(graph, name, DType::f32, true);
}
std::span<int32_t> Program::indices(std::string_view graph, std::string_view name) {
  return impl_->port<int32_t>(graph, name, DType::i32, true);
}
std::span<const float> Program::output(std::string_view graph, std::string_view name) {
  return impl_->port<float>(graph, name, DType::f32, false);
}

bool Program::run(std::string_view graph, uint32_t step, uint64_t seed) {
  Executor* e = impl_->find(graph);
  if (!e) return false;
  e->run({.seed = seed, .step = step});
  return true;
}

}  // namespace shoestring
