// Matrix products beyond the rows of matmul.optest: many random sizes on every instruction set and team,
// large ones by oneDNN, and nothing taken from the heap by the tiles while running.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "base/parallel.h"
#include "ir/interpret.h"
#include "ops/ops.h"
#include "unit/train/allocations.h"

namespace shoestring {
namespace {

std::vector<Isa> isas() {
  std::vector<Isa> all{Isa::scalar};
  if (ops::best_isa() == Isa::avx512) all.push_back(Isa::avx2);
  if (ops::best_isa() != Isa::scalar) all.push_back(ops::best_isa());
  return all;
}

// More threads than there are cores will do: what counts is how work is split.
const bool kThreeThreads = (set_thread_count(3), true);

struct Sizes {
  int64_t m, n, k;
  ops::MatmulOptions options = {};
  bool bias = false;
};

// One matmul node with random operands in f32, and its kernels.
class Product {
 public:
  explicit Product(const Sizes& s, uint32_t seed = 1) {
    const Type a{DType::f32, s.options.transpose_a ? Shape{s.k, s.m} : Shape{s.m, s.k}};
    const Type b{DType::f32, s.options.transpose_b ? Shape{s.n, s.k} : Shape{s.k, s.n}};
    in_types_ = {a, b};
    if (s.bias) in_types_.push_back({DType::f32, {s.n}});
    std::vector<Value> values;
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (const Type& t : in_types_) {
      values.push_back(graph_.input(std::to_string(values.size()), t));
      std::vector<float>& x = in_.emplace_back(static_cast<size_t>(t.elements()));
      for (float& v : x) v = uniform(random);
    }
    const Value y = ops::matmul(values[0], values[1], s.options, s.bias ? values[2] : Value());
    EXPECT_TRUE(graph_.status()) << graph_.status().error().message();
    id_ = y.id().node;
  }

  PrepareResult prepare(std::string_view kernel, Target target) const {
    const Node& node = graph_.node(id_);
    for (const Kernel& k : node.op->kernels)
      if (k.name == kernel) return k.prepare({in_types_, node.types, node.attrs, nullptr, target});
    return tl::unexpected(std::string("no such kernel"));
  }

  std::vector<float> expected() const {
    std::vector<Tensor64> wide;
    std::vector<const Tensor64*> in;
    for (const auto& x : in_) wide.emplace_back(x.begin(), x.end());
    for (const auto& x : wide) in.push_back(&x);
    const std::vector<Tensor64> out = interpret_node(graph_.node(id_), in_types_, in, {});
    return {out[0].begin(), out[0].end()};
  }

  // Operands and memory of one executor.
  struct Run {
    const Prepared* prepared;
    std::vector<float> out;
    std::vector<std::byte> scratch;
    std::vector<void*> operands;
    void operator()() {
      const RunContext context;
      prepared->run(prepared->data.get(), {operands.data(), &context});
    }
  };
  Run run(const Prepared& prepared) const {
    Run r{&prepared,
          std::vector<float>(static_cast<size_t>(graph_.node(id_).types[0].elements()), NAN),
          std::vector<std::byte>(static_cast<size_t>(prepared.scratch_bytes)),
          {}};
    for (const auto& x : in_) r.operands.push_back(const_cast<float*>(x.data()));
    r.operands.push_back(r.out.data());
    if (prepared.scratch_bytes > 0) r.operands.push_back(r.scratch.data());
    return r;
  }

 private:
  Graph graph_;
  NodeId id_;
  Types in_types_;
  std::vector<std::vector<float>> in_;
};

// The largest difference, relative to what k products in f32 may be off.
float difference(const std::vector<float>& a, const std::vector<float>& b, int64_t k) {
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= 1e9f)) return 1e9f;  // NaN: never written
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest / (4e-7f * std::sqrt(static_cast<float>(k + 16)) * 4);
}

TEST(Matmul, RandomSizes) {
  std::mt19937 random(42);
  const auto up_to = [&](int n) { return static_cast<int64_t>(random() % static_cast<uint32_t>(n)) + 1; };
  for (int i = 0; i < 300; ++i) {
    Sizes s{.m = up_to(i % 3 ? 40 : 200), .n = up_to(i % 5 ? 70 : 300), .k = up_to(i % 7 ? 40 : 600)};
    s.options = {random() % 2 == 0, random() % 2 == 0, static_cast<ops::Activation>(random() % 5)};
    s.bias = random() % 2 == 0;
    const Product product(s, static_cast<uint32_t>(i));
    const std::vector<float> expected = product.expected();
    for (Isa isa : isas())
      for (int threads : {1, 3}) {
        const PrepareResult prepared = product.prepare("tiles", {isa, threads});
        ASSERT_TRUE(prepared) << prepared.error();
        auto run = product.run(*prepared);
        run();
        ASSERT_LT(difference(run.out, expected, s.k), 1)
            << s.m << " x " << s.n << " x " << s.k << (s.options.transpose_a ? " a^T" : "")
            << (s.options.transpose_b ? " b^T" : "") << " on set " << static_cast<int>(isa) << ", " << threads
            << " threads";
      }
  }
}

// The same team, the same bits: how work is split does not depend on who comes first.
TEST(Matmul, TilesRepeatTheirBits) {
  for (const Sizes& s : {Sizes{256, 256, 108}, Sizes{108, 256, 256, {.transpose_a = true}},
                         Sizes{250, 77, 300, {.transpose_b = true}}}) {
    const Product product(s);
    const PrepareResult prepared = product.prepare("tiles", {ops::best_isa(), 3});
    auto a = product.run(*prepared), b = product.run(*prepared);
    a();
    b();
    EXPECT_EQ(a.out, b.out);
  }
}

TEST(Matmul, LargeByOnednn) {
  if (ops::best_isa() != Isa::avx512) GTEST_SKIP() << "oneDNN is used with AVX-512 only";
  int i = 0;
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (ops::Activation activation : {ops::Activation::none, ops::Activation::relu, ops::Activation::tanh,
                                         ops::Activation::sigmoid, ops::Activation::gelu}) {
        const Sizes s{400, 515, 600, {ta, tb, activation}, ++i % 2 == 0};
        const Product product(s);
        const PrepareResult large = product.prepare("onednn", {Isa::avx512, 2}),
                            tiles = product.prepare("tiles", {Isa::avx512, 1});
        ASSERT_TRUE(large) << large.error();
        auto run = product.run(*large), expected = product.run(*tiles);
        run();
        expected();
        EXPECT_LT(difference(run.out, expected.out, s.k), 2);
      }
}

TEST(Matmul, OneOnednnPlanServesTwoExecutors) {
  if (ops::best_isa() != Isa::avx512) GTEST_SKIP() << "oneDNN is used with AVX-512 only";
  const Product product({400, 512, 600});
  const PrepareResult prepared = product.prepare("onednn", {Isa::avx512, 1});
  ASSERT_TRUE(prepared) << prepared.error();
  auto first = product.run(*prepared), second = product.run(*prepared);
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) second();
  });
  for (int i = 0; i < 20; ++i) first();
  other.join();
  EXPECT_EQ(first.out, second.out);
}

TEST(Matmul, TilesTakeNothingFromTheHeapWhileRunning) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's allocator";
  for (const Sizes& s : {Sizes{70, 10, 5, {}, true}, Sizes{256, 256, 256}, Sizes{3, 3, 2000}}) {
    const Product product(s);
    const PrepareResult prepared = product.prepare("tiles", {ops::best_isa(), 2});
    ASSERT_TRUE(prepared) << prepared.error();
    auto run = product.run(*prepared);
    run();  // the team's threads start
    const int64_t before = allocation_count();
    for (int i = 0; i < 50; ++i) run();
    EXPECT_EQ(allocation_count() - before, 0) << s.m << " x " << s.n << " x " << s.k;
  }
}

}  // namespace
}  // namespace shoestring
