// Fused steps against the interpreter: broadcasts, tails, tiles, threads, and outputs in the memory of
// inputs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/parallel.h"
#include "ir/interpret.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

using ops::operator+, ops::operator-, ops::operator*, ops::operator/;

std::vector<Isa> isas() {
  switch (ops::best_isa()) {
    case Isa::avx512:
      return {Isa::scalar, Isa::avx2, Isa::avx512};
    case Isa::scalar:
      return {Isa::scalar};
    default:
      return {Isa::scalar, ops::best_isa()};
  }
}

// More threads than the machine has cores will do: what counts is how work is split.
const bool kThreeThreads = (set_thread_count(3), true);

// A fused node over `body`, ready to run, with inputs drawn once.
class Step {
 public:
  explicit Step(const Graph& body) {
    auto shared = std::make_shared<const Graph>(body);
    EXPECT_TRUE(body.status()) << body.status().error().message();
    std::mt19937 random(7);
    std::uniform_real_distribution<double> uniform(0.1, 2);
    std::vector<Value> inputs;
    for (const Node& node : body.nodes()) {
      if (node.op != &input_op) continue;
      in_types_.push_back(node.types[0]);
      inputs.push_back(graph_.input(std::to_string(inputs.size()), node.types[0]));
      Tensor64& x = in_.emplace_back(static_cast<size_t>(node.types[0].elements()));
      for (double& v : x) v = static_cast<float>(uniform(random));
    }
    const Value fused = graph_.add(*ops::find("fused"), inputs, {}, shared);
    EXPECT_TRUE(graph_.status()) << graph_.status().error().message();
    id_ = fused.id().node;
    std::vector<const Tensor64*> in;
    for (const Tensor64& x : in_) in.push_back(&x);
    expected_ = interpret_node(graph_.node(id_), in_types_, in, {});
  }

  // Runs it and compares; output k lies in input shared[k]'s memory unless that is -1.
  void check(Target target, std::vector<int> shared = {}) {
    const Node& node = graph_.node(id_);
    const KernelRequest request{in_types_, node.types, node.attrs, node.body.get(), target};
    PrepareResult prepared = node.op->kernels[0].prepare(request);
    ASSERT_TRUE(prepared) << prepared.error();
    std::vector<std::vector<std::byte>> memory;
    std::vector<void*> operands;
    for (size_t i = 0; i < in_.size(); ++i) {
      operands.push_back(allocate(memory, in_types_[i].bytes()));
      encode(in_types_[i].dtype, in_[i].data(), operands.back(), in_types_[i].elements());
    }
    shared.resize(node.types.size(), -1);
    for (size_t k = 0; k < node.types.size(); ++k)
      operands.push_back(shared[k] >= 0 ? operands[static_cast<size_t>(shared[k])]
                                        : allocate(memory, node.types[k].bytes()));
    operands.push_back(allocate(memory, prepared->scratch_bytes));
    const RunContext context;
    prepared->run(prepared->data.get(), {operands.data(), &context});
    for (const auto& block : memory)
      for (size_t i = 0; i < kGuard; ++i) {
        ASSERT_EQ(block[i], kPoison);
        ASSERT_EQ(block[block.size() - 1 - i], kPoison);
      }
    for (size_t k = 0; k < node.types.size(); ++k) {
      const Type& type = node.types[k];
      Tensor64 got(static_cast<size_t>(type.elements()));
      decode(type.dtype, operands[in_.size() + k], got.data(), type.elements());
      const double tolerance = type.dtype == DType::f32 ? 1e-5 : 1e-13;
      for (size_t e = 0; e < got.size(); ++e)
        ASSERT_NEAR(got[e], expected_[k][e], tolerance * (1 + std::abs(expected_[k][e])))
            << "output " << k << " element " << e << " isa " << static_cast<int>(target.isa) << " threads "
            << target.threads;
    }
  }
  void check_everywhere() {
    for (Isa isa : isas())
      for (int threads : {1, 2, 3}) check({isa, threads});
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr std::byte kPoison{0x5b};
  static void* allocate(std::vector<std::vector<std::byte>>& memory, int64_t bytes) {
    // Element alignment only, between guards.
    memory.emplace_back(static_cast<size_t>(bytes) + 2 * kGuard, kPoison);
    return memory.back().data() + kGuard;
  }

  Graph graph_{"step"};
  NodeId id_;
  Types in_types_;
  std::vector<Tensor64> in_;
  std::vector<Tensor64> expected_;
};

TEST(Fused, TailsTilesAndThreads) {
  for (DType dtype : {DType::f32, DType::f64})
    for (int64_t n : {0, 1, 3, 7, 16, 17, 50, 700, 1024, 1025, 5003, 70001}) {
      Graph body("body");
      const Value a = body.input("a", {dtype, {n}}), b = body.input("b", {dtype, {n}});
      const Value c = body.input("c", {dtype, {}});
      body.output("", ops::sqrt(a * c + b) / (b + 0.25) - ops::tanh(a));
      Step(body).check_everywhere();
    }
}

TEST(Fused, Broadcasts) {
  struct Case {
    Shape from, to;
  };
  const Case cases[] = {{{}, {5, 7}},
                        {{1}, {40}},
                        {{7}, {5, 7}},
                        {{1, 7}, {5, 7}},
                        {{5, 1}, {5, 7}},
                        {{5, 7}, {5, 7}},
                        {{10}, {700, 10}},
                        {{700, 1}, {700, 10}},
                        {{700, 1}, {700, 2}},
                        {{2}, {3000, 2}},
                        {{600}, {9, 600}},
                        {{9, 1}, {9, 600}},
                        {{1500}, {3, 1500}},
                        {{3, 1, 5}, {3, 4, 5}},
                        {{4, 1}, {3, 4, 5}},
                        {{1, 4, 1}, {30, 4, 50}},
                        {{30, 1, 50}, {30, 40, 50}},
                        {{8, 1, 8, 1}, {8, 8, 8, 8}},
                        {{1, 1}, {1, 1}},
                        {{}, {1}}};
  for (DType dtype : {DType::f32, DType::f64})
    for (const Case& c : cases) {
      SCOPED_TRACE(to_string(c.from) + " to " + to_string(c.to));
      Graph body("body");
      const Value x = body.input("x", {dtype, c.to}), y = body.input("y", {dtype, c.from});
      const Value wide = ops::broadcast(y, c.to);
      body.output("", x * wide + ops::square(wide));
      body.output("", ops::maximum(wide, x));
      Step(body).check_everywhere();
    }
}

TEST(Fused, ConstantsOfEveryShape) {
  Graph body("body");
  const Shape shape{60, 30};
  const Value x = body.input("x", {DType::f32, shape});
  std::vector<double> ramp(1800), row(30);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<double>(i) / 1800;
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(i);
  const Value all = body.constant({DType::f32, shape}, ramp);
  const Value half = body.constant({DType::f32, shape}, std::array{0.5});
  const Value rows = ops::broadcast(body.constant({DType::f32, {30}}, row), shape);
  body.output("", (x + all) * half - rows);
  Step(body).check_everywhere();
}

TEST(Fused, OutputsThatAreNotComputed) {
  for (int64_t n : {17, 3000}) {
    Graph body("body");
    const Value x = body.input("x", {DType::f32, {n}}), s = body.input("s", {DType::f32, {}});
    const Value y = ops::exp(x);
    body.output("", x);
    body.output("", y);
    body.output("", y);
    body.output("", ops::broadcast_like(s, x));
    body.output("", body.constant({DType::f32, {n}}, std::array{3.0}));
    body.output("", ops::neg(y));
    Step step(body);
    step.check_everywhere();
    for (Isa isa : isas()) step.check({isa, 1}, {-1, 0});
  }
}

// p, m and v of Adam, each written where it was read.
Graph adam(int64_t n) {
  Graph body("body");
  const Type type{DType::f32, {n}};
  const Value p = body.input("p", type), m = body.input("m", type), v = body.input("v", type);
  const Value g = body.input("g", type);
  const auto number = [&](const char* name) {
    return ops::broadcast_like(body.input(name, {DType::f32, {}}), p);
  };
  const Value rate = number("rate"), bias = number("bias");
  const Value m2 = ops::lerp(m, g, ops::broadcast_like(body.scalar(DType::f32, 0.1), p));
  const Value v2 = ops::lerp(v, ops::square(g), ops::broadcast_like(body.scalar(DType::f32, 0.001), p));
  body.output("m", m2);
  body.output("v", v2);
  body.output("p", p - rate * m2 / (ops::sqrt(v2 * bias) + 1e-3));
  return body;
}

TEST(Fused, UpdatesInPlace) {
  for (int64_t n : {10, 1000, 40000}) {
    Step step(adam(n));
    step.check_everywhere();
    for (Isa isa : isas())
      for (int threads : {1, 2}) {
        step.check({isa, threads}, {1, 2, 0});
        // Any other sharing must be right too: m's memory for p, the gradient's for m, ...
        step.check({isa, threads}, {2, 0, 1});
        step.check({isa, threads}, {3, 1, 2});
        step.check({isa, threads}, {0, 3, -1});
        step.check({isa, threads}, {3, -1, -1});
      }
  }
}

// The chains that run as one operator, of arrays where scalars are usual, and with a reader in between.
TEST(Fused, CombinesOperators) {
  for (int64_t n : {3, 37, 4000}) {
    Graph body("body");
    std::vector<Value> x;
    for (const char* name : {"a", "b", "c", "d", "e"}) x.push_back(body.input(name, {DType::f32, {n}}));
    const Value half = ops::broadcast_like(body.scalar(DType::f32, 0.5), x[0]);
    body.output("arrays", x[0] - x[1] * x[2] / (ops::sqrt(x[3]) + x[4]));
    body.output("scalars", x[0] - half * x[1] / (half + ops::sqrt(x[2])));
    const Value root = ops::sqrt(x[1]) + x[2], mean = ops::lerp(x[3], ops::square(x[4]), half);
    body.output("read_twice", x[0] - x[3] * x[4] / root + root);
    body.output("mean", mean - x[1] / ops::sqrt(mean));
    Step(body).check_everywhere();
  }
}

TEST(Fused, LaterReadersSeeTheOldInput) {
  for (int64_t n : {5, 2000}) {
    Graph body("body");
    const Value a = body.input("a", {DType::f32, {n}}), b = body.input("b", {DType::f32, {n}});
    const Value sum = a + b, difference = a - b;
    body.output("", sum);
    body.output("", difference);
    body.output("", sum * difference + a);
    Step step(body);
    for (Isa isa : isas())
      for (const std::vector<int>& shared :
           {std::vector{0, 1, -1}, {1, 0, -1}, {-1, 0, 1}, {0, -1, 1}, {-1, -1, 0}, {-1, 1, 0}})
        step.check({isa, 1}, shared);
  }
}

// A value that many read, values that nobody needs, products that sums swallow.
TEST(Fused, ManyOperators) {
  for (int64_t n : {9, 3000}) {
    Graph body("body");
    Value x = body.input("x", {DType::f64, {n}});
    const Value first = x;
    for (int i = 0; i < 40; ++i) {
      const Value unused = ops::exp(x);
      (void)unused;
      x = ops::tanh(ops::tanh(x * first + ops::square(x)) - first * x + (x * x - first));
    }
    body.output("", x);
    Step(body).check_everywhere();
  }
}

TEST(Fused, RefusesWhatIsNotElementwise) {
  Graph body("body");
  const Value x = body.input("x", {DType::f32, {4, 4}});
  body.output("", ops::exp(ops::transpose(x)));
  const Types types = {{DType::f32, {4, 4}}};
  const PrepareResult refused = ops::find("fused")->kernels[0].prepare({types, types, {}, &body, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "transpose is not elementwise");
}

// Every elementwise operator as a step of its own.
TEST(Elementwise, EachOperatorAlone) {
  for (const OpDef* op : ops::all()) {
    if (!op->elementwise()) continue;
    SCOPED_TRACE(op->name);
    for (DType dtype : {DType::f32, DType::f64})
      for (int64_t n : {1, 5, 37, 1025, 120000})
        for (Isa isa : isas()) {
          if (n > 2000 && isa != ops::best_isa()) continue;
          Graph graph;
          std::vector<Value> in;
          Types types;
          for (int i = 0; i < op->min_inputs; ++i) {
            in.push_back(graph.input(std::to_string(i), {dtype, {n}}));
            types.push_back(in.back().type());
          }
          const Node node = graph.node(graph.add(*op, in).id());
          const PrepareResult p =
              ops::prepare_elementwise({types, node.types, node.attrs, nullptr, {isa, 3}}, *op);
          ASSERT_TRUE(p) << p.error();
          std::mt19937 random(3);
          std::uniform_real_distribution<double> uniform(0.01, 3);
          std::vector<Tensor64> wide(in.size(), Tensor64(static_cast<size_t>(n)));
          std::vector<std::vector<double>> memory;  // as aligned storage
          std::vector<void*> operands;
          std::vector<const Tensor64*> pointers;
          for (size_t i = 0; i <= in.size(); ++i) {
            memory.emplace_back(static_cast<size_t>(n));
            operands.push_back(memory.back().data());
            if (i == in.size()) break;
            for (double& x : wide[i]) x = static_cast<float>(uniform(random));
            encode(dtype, wide[i].data(), operands[i], n);
            pointers.push_back(&wide[i]);
          }
          memory.emplace_back(static_cast<size_t>(p->scratch_bytes / 8 + 1));
          operands.push_back(memory.back().data());
          p->run(p->data.get(), {operands.data(), nullptr});
          const Tensor64 expected = interpret_node(node, types, pointers, {})[0];
          Tensor64 got(static_cast<size_t>(n));
          decode(dtype, operands[in.size()], got.data(), n);
          for (size_t e = 0; e < got.size(); ++e)
            ASSERT_NEAR(got[e], expected[e],
                        (dtype == DType::f32 ? 2e-6 : 1e-13) * (1 + std::abs(expected[e])));
        }
  }
}

}  // namespace
}  // namespace shoestring
