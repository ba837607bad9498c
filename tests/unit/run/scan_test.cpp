// Loops in plans: what a step draws, what is kept, where it lies, and that steps take nothing from the heap.
#include <gtest/gtest.h>

#include "base/memory.h"
#include "compile/body.h"
#include "compile/compile.h"
#include "compile/differentiate.h"
#include "ir/interpret.h"
#include "ir/loop.h"
#include "ops/loop.h"
#include "ops/ops.h"
#include "run/executor.h"
#include "unit/train/allocations.h"

namespace shoestring {
namespace {

using ops::operator+, ops::operator*;

constexpr RunContext kRun{.seed = 9, .step = 4, .row_offset = 2};

// A plan with memory of its own.
struct Loaded {
  Plan plan;
  Block states, arena;
  std::unique_ptr<Executor> executor;

  explicit Loaded(const Graph& graph) {
    EXPECT_TRUE(graph.status()) << graph.status().error().message();
    StateLayout layout;
    EXPECT_TRUE(layout.include(graph));
    Result<Plan> compiled = compile(graph, layout, {.target = native_target()});
    EXPECT_TRUE(compiled) << compiled.error().message();
    plan = std::move(*compiled);
    states = Block::reserve(layout.bytes()).value();
    arena = Block::reserve(plan.arena_bytes).value();
    executor = std::make_unique<Executor>(plan, states.data(), arena.data());
  }
  std::vector<float> output(std::string_view name) const {
    const auto* first = executor->output<float>(name);
    return {first, first + plan.output(name)->type.elements()};
  }
};

std::vector<const Step*> loops(const Plan& plan) {
  std::vector<const Step*> out;
  for (const Step& s : plan.steps)
    if (s.kernel == "steps") out.push_back(&s);
  return out;
}
// The plan of the body of a graph's first loop.
std::shared_ptr<const Plan> body_plan(const Graph& graph) {
  for (const Node& n : graph.nodes())
    if (ops::is_loop(n))
      return place_body(*n.body, static_cast<size_t>(n.attrs.integer("carries")), {.target = native_target()})
          .value()
          .plan;
  return nullptr;
}

// h' = tanh(x w + h): sequences [steps, 3, 4], w [4, 5].
ops::Scan tanh_loop(Graph& g, int64_t steps) {
  Graph body("cell");
  const Value h = body.input("h", {DType::f32, {3, 5}}), x = body.input("x", {DType::f32, {3, 4}}),
              w = body.input("w", {DType::f32, {4, 5}});
  const Value next = ops::tanh(ops::matmul(x, w) + h);
  body.output("h", next);
  body.output("y", next);
  return ops::scan(std::array{g.input("h", {DType::f32, {3, 5}})},
                   std::array{g.input("x", {DType::f32, {steps, 3, 4}})},
                   std::array{g.input("w", {DType::f32, {4, 5}})}, std::move(body));
}

// A loop that stacks six draws of [4, 3].
Value draws(Graph& g, bool reverse = false, int64_t stream = 0) {
  Graph body("draws");
  const Value x = body.input("x", {DType::f32, {4, 3}});
  body.output("u", x + ops::random_uniform(body, {DType::f32, {4, 3}}));
  const Value zeros = ops::broadcast(g.scalar(DType::f32, 0), {6, 4, 3});
  return ops::scan({}, std::array{zeros}, {}, std::move(body), {.reverse = reverse, .stream = stream})
      .stacked[0];
}

TEST(Scan, EachStepDrawsItsOwnNumbers) {
  Graph g("random");
  g.output("a", draws(g));
  g.output("b", draws(g));                 // another loop, whose body has the same streams
  g.output("a again", draws(g, true, 1));  // the first one's stream, the other way
  Loaded run(g);
  run.executor->run(kRun);
  const std::vector<float> a = run.output("a"), b = run.output("b"), again = run.output("a again");
  for (size_t t = 0; t < 6; ++t)
    for (size_t e = 0; e < 12; ++e) {
      const RandomStream stream{iteration_context(kRun, 1, static_cast<uint32_t>(t)).seed, 1, kRun.step};
      const auto row = static_cast<uint32_t>(e / 3);
      EXPECT_EQ(a[12 * t + e], uniform01(stream.block(kRun.row_offset + row, 0)[e % 3])) << t << " " << e;
    }
  EXPECT_EQ(a, again);
  EXPECT_NE(a, b);
  std::vector<float> sorted = a;
  sorted.insert(sorted.end(), b.begin(), b.end());
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "two steps drew alike";
}

TEST(Scan, TheGradientDrawsWhatTheStepDrew) {
  Graph body("drop");
  const Value h = body.input("h", {DType::f32, {4}}), x = body.input("x", {DType::f32, {4}});
  const Value kept = ops::dropout(x, 0.5);
  body.output("h", h + kept);
  body.output("kept", kept);
  Graph g("dropout");
  const Value xs = g.input("xs", {DType::f32, {40, 4}});
  const Value start = ops::broadcast(g.scalar(DType::f32, 0), {4});
  const ops::Scan s = ops::scan(std::array{start}, std::array{xs}, {}, std::move(body));
  g.output("kept", s.stacked[0]);
  g.output("d", differentiate(g, ops::reduce_sum(s.carries[0]), std::array{xs})[0]);
  Loaded run(g);
  std::fill_n(run.executor->input<float>("xs"), 160, 1.0f);
  run.executor->run(kRun);
  EXPECT_EQ(run.output("kept"), run.output("d"));  // 0 or 2 each
  const std::vector<float> kept_values = run.output("kept");
  const auto zeros = std::count(kept_values.begin(), kept_values.end(), 0.0f);
  EXPECT_GT(zeros, 50);
  EXPECT_LT(zeros, 110);
}

TEST(Scan, TheBodyComputesInPlaceAndOnlyWhatIsNeeded) {
  Graph g("forward");
  g.output("last", tanh_loop(g, 7).carries[0]);
  Loaded run(g);
  const Step& loop = *loops(run.plan).at(0);
  const std::shared_ptr<const Plan> body = body_plan(run.plan.graph);
  // Stacks that nobody reads are gone, old carries for the gradient among them: operands h, x, w, last,
  // scratch.
  EXPECT_EQ(loop.operands.size(), 5u);
  ASSERT_EQ(body->steps.size(), 2u) << to_text(*body);  // matmul, then the fused sum and tanh
  EXPECT_EQ(body->steps[1].kernel, "tiles");
  // The new h lies where the old one was, and scratch is the body's arena and a pointer for each operand.
  EXPECT_EQ(body->steps[1].operands[1].place, (Place{Memory::state, 0})) << to_text(*body);
  size_t pointers = 0;
  for (const Step& s : body->steps) pointers += s.operands.size();
  EXPECT_EQ(loop.operands.back().bytes, body->arena_bytes + static_cast<int64_t>(pointers * sizeof(void*)));
}

TEST(Scan, TheGradientIsOneMoreLoop) {
  Graph g("training");
  const ops::Scan s = tanh_loop(g, 7);
  const Value loss = ops::sum_squares(s.stacked[0]);
  std::vector<Value> wrt;
  for (uint32_t i = 0; i < 3; ++i) wrt.push_back(g.value({NodeId{i}, 0}));
  const std::vector<Value> d = differentiate(g, loss, wrt);
  for (size_t i = 0; i < d.size(); ++i) g.output("d" + std::to_string(i), d[i]);
  Loaded run(g);
  EXPECT_EQ(loops(run.plan).size(), 2u);
}

TEST(Scan, StepsTakeNothingFromTheHeap) {
  if (!kOwnAllocator) GTEST_SKIP() << "the sanitizer's allocator counts nothing here";
  Graph g("forward");
  g.output("y", tanh_loop(g, 50).stacked[0]);
  Loaded run(g);
  for (const Port& p : run.plan.inputs)
    std::fill_n(run.executor->input<float>(p.name), p.type.elements(), 0.1f);
  run.executor->run(kRun);
  const int64_t before = allocation_count();
  run.executor->run(kRun);
  EXPECT_EQ(allocation_count() - before, 0);
}

// Second derivatives: the gradient of a gradient, a loop of loops' gradients, against central differences.
TEST(Scan, GradientsHaveGradients) {
  Graph body("cell");
  const Value h = body.input("h", {DType::f64, {2}}), x = body.input("x", {DType::f64, {2}}),
              w = body.input("w", {DType::f64, {2}});
  body.output("h", ops::tanh(h * w + x));
  Graph g("twice");
  const Value w0 = g.input("w", {DType::f64, {2}});
  const ops::Scan s =
      ops::scan(std::array{g.input("h", {DType::f64, {2}})}, std::array{g.input("x", {DType::f64, {3, 2}})},
                std::array{w0}, std::move(body));
  const Value slope = differentiate(g, ops::sum_squares(s.carries[0]), std::array{w0})[0];
  const Value sum = ops::reduce_sum(slope);
  g.output("slope", sum);
  g.output("curve", differentiate(g, sum, std::array{w0})[0]);
  ASSERT_TRUE(g.status()) << g.status().error().message();
  std::map<std::string, Tensor64> in{
      {"h", {0.3, -0.2}}, {"x", {0.1, 0.5, -0.4, 0.2, 0.3, -0.6}}, {"w", {0.7, -0.9}}};
  const Tensor64 curve = interpret(g, in, {}).outputs.at("curve");
  for (size_t i = 0; i < 2; ++i) {
    const double step = 1e-5, at = in["w"][i];
    in["w"][i] = at + step;
    const double up = interpret(g, in, {}).outputs.at("slope")[0];
    in["w"][i] = at - step;
    const double down = interpret(g, in, {}).outputs.at("slope")[0];
    in["w"][i] = at;
    EXPECT_NEAR(curve[i], (up - down) / (2 * step), 1e-8);
  }
}

}  // namespace
}  // namespace shoestring
