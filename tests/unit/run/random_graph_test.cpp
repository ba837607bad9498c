// Whatever the passes, the planner and the kernels do to a graph, three runs of its plan give what the
// interpreter gives: outputs and states, under every configuration, whatever the arena held before.
#include "unit/run/random_graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/memory.h"
#include "base/parallel.h"
#include "compile/compile.h"
#include "ir/interpret.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "run/executor.h"

namespace shoestring {
namespace {

using Tensors = std::map<std::string, Tensor64>;

Tensor64 rounded(const Type& type, Tensor64 values) {
  std::vector<std::byte> bytes(static_cast<size_t>(type.bytes()));
  encode(type.dtype, values.data(), bytes.data(), type.elements());
  decode(type.dtype, bytes.data(), values.data(), type.elements());
  return values;
}

Tensor64 drawn(Philox& random, const Type& type) {
  Tensor64 values(static_cast<size_t>(type.elements()));
  for (double& v : values)
    v = info(type.dtype).floating ? 2.0 * uniform01(random.next()) - 1.0 : random.below(4);
  return rounded(type, values);
}

std::string difference(const Tensors& want, const Tensors& got, double tolerance) {
  for (const auto& [name, values] : want) {
    const auto other = got.find(name);
    if (other == got.end()) return name + " is missing";
    for (size_t i = 0; i < values.size(); ++i)
      if (!(std::abs(values[i] - other->second[i]) <= tolerance * (1 + std::abs(values[i]))))
        return fmt::format("{}[{}] is {:.9g}, not {:.9g}", name, i, other->second[i], values[i]);
  }
  return {};
}

constexpr int kRuns = 3;

// The plan's outputs and states after each run, against `want`.
std::string check(const Graph& graph, const CompileOptions& options, const Tensors& inputs,
                  const Tensors& states, const std::vector<Interpretation>& want, std::byte garbage,
                  double tolerance) {
  StateLayout layout;
  if (auto s = layout.include(graph); !s) return s.error().message();
  const Result<Plan> plan = compile(graph, layout, options);
  if (!plan) return plan.error().message();
  const Result<Block> block = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
  if (arena->bytes())
    std::memset(arena->data(), static_cast<int>(garbage), static_cast<size_t>(arena->bytes()));
  for (const StateSlot& s : layout.slots())
    encode(s.info.type.dtype, states.at(s.info.name).data(), block->data() + s.offset,
           s.info.type.elements());
  Executor executor(*plan, block->data(), arena->data());
  for (int run = 0; run < kRuns; ++run) {
    for (const Port& p : plan->inputs)
      encode(p.type.dtype, inputs.at(p.name).data(), executor.input(p.name), p.type.elements());
    executor.run({.seed = 42, .step = static_cast<uint32_t>(run)});
    Tensors outputs, after;
    for (const Port& p : plan->outputs) {
      Tensor64& t = outputs[p.name] = Tensor64(static_cast<size_t>(p.type.elements()));
      decode(p.type.dtype, executor.output(p.name), t.data(), p.type.elements());
    }
    for (const StateSlot& s : layout.slots()) {
      Tensor64& t = after[s.info.name] = Tensor64(static_cast<size_t>(s.info.type.elements()));
      decode(s.info.type.dtype, block->data() + s.offset, t.data(), s.info.type.elements());
    }
    const Interpretation& w = want[static_cast<size_t>(run)];
    if (auto d = difference(w.outputs, outputs, tolerance); !d.empty())
      return fmt::format("run {}: output {}", run, d);
    if (auto d = difference(w.states, after, tolerance); !d.empty())
      return fmt::format("run {}: state {}", run, d);
  }
  return {};
}

std::vector<std::pair<std::string, CompileOptions>> configurations() {
  std::vector<std::pair<std::string, CompileOptions>> all;
  const Target native = native_target();
  all.push_back({"default", {.target = native}});
  all.push_back({"without reuse", {.target = native, .reuse_memory = false}});
  all.push_back({"recompute", {.target = native, .arena_limit_bytes = 1}});
  all.push_back({"scalar", {.target = {Isa::scalar, 1}}});
  for (const Pass& pass : passes())
    if (pass.name != "expand")
      all.push_back(
          {"without " + std::string(pass.name), {.target = native, .skip = {std::string(pass.name)}}});
  return all;
}

void try_seed(uint64_t seed, DType dtype, double tolerance) {
  const Graph graph = test::RandomGraph(seed, dtype, 5 + static_cast<uint32_t>(seed % 40)).take();
  ASSERT_TRUE(graph.status()) << seed << ": " << graph.status().error().message();
  ASSERT_TRUE(verify(graph)) << seed << ": " << verify(graph).error().message();
  Philox random(seed, 2);
  Tensors inputs, states;
  for (const Node& n : graph.nodes())
    if (n.op == &input_op) inputs[n.name] = drawn(random, n.types[0]);
  for (const StateInfo& s : graph.states()) states[s.name] = drawn(random, s.type);
  std::vector<Interpretation> want;
  for (int run = 0; run < kRuns; ++run) {
    want.push_back(interpret(graph, inputs, run ? want.back().states : states,
                             {.seed = 42, .step = static_cast<uint32_t>(run)}));
    for (const auto& [name, values] : want.back().outputs)
      for (double v : values)
        ASSERT_TRUE(std::isfinite(v)) << seed << ": " << name << " is not finite: the generator's fault";
  }
  for (const auto& [name, options] : configurations())
    for (const std::byte garbage : {std::byte{0xFF}, std::byte{0x3B}})
      if (const std::string wrong = check(graph, options, inputs, states, want, garbage, tolerance);
          !wrong.empty()) {
        ADD_FAILURE() << "seed " << seed << ", " << name << ": " << wrong << "\n" << to_text(graph);
        return;
      }
}

void try_seeds(uint64_t begin, uint64_t end, DType dtype, double tolerance) {
  set_thread_count(2);
  // SHOESTRING_SEED=N tries that one alone, SHOESTRING_SEEDS=N so many.
  if (const char* many = std::getenv("SHOESTRING_SEEDS")) end = begin + std::strtoull(many, nullptr, 10);
  if (const char* one = std::getenv("SHOESTRING_SEED"))
    begin = std::strtoull(one, nullptr, 10), end = begin + 1;
  for (uint64_t seed = begin; seed < end && !testing::Test::HasFailure(); ++seed)
    try_seed(seed, dtype, tolerance);
}

TEST(RandomGraphs, PlansDoWhatTheInterpreterDoesInF64) { try_seeds(0, 150, DType::f64, 1e-8); }
TEST(RandomGraphs, PlansDoWhatTheInterpreterDoesInF32) { try_seeds(1000, 1060, DType::f32, 2e-3); }

}  // namespace
}  // namespace shoestring
