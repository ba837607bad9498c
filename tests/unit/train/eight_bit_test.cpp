// Moments in 8 bits: a network learns as with f32, and they take a quarter of the memory.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/memory.h"
#include "base/philox.h"
#include "compile/compile.h"
#include "run/executor.h"
#include "task/document.h"
#include "task/network.h"

namespace shoestring::task {
namespace {

constexpr int64_t kRows = 64, kInputs = 8;

// Trains with one optimizer: class 1 where x0 x1 > 0.
class Trainee {
 public:
  explicit Trainee(const std::string& optimizer) {
    std::string text = "input_features:\n";
    for (int64_t i = 0; i < kInputs; ++i) text += fmt::format("  - {{name: x{}, type: number}}\n", i);
    text +=
        "output_features: [{name: y, type: category}]\n"
        "combiner: {type: concat, fc_layers: [{output_size: 64}, {output_size: 96}]}\n"
        "trainer: {gradient_clipping: null, optimizer: {type: " +
        optimizer + "}}\n";
    NetworkSpec spec;
    spec.recipe = parse_recipe(parse_document(text, "test").value()).value();
    spec.input_sizes.assign(kInputs, 1);
    spec.output_sizes = {2};
    spec.class_weights.resize(1);
    Graph initial = build_initial(spec), step = build_training(spec, kRows, StepKind::update);
    EXPECT_TRUE(layout_.include(step));
    EXPECT_TRUE(layout_.include(initial));
    states_ = Block::reserve(layout_.bytes()).value();
    const CompileOptions options{.target = native_target()};
    const Plan start = compile(std::move(initial), layout_, options).value();
    plan_ = compile(std::move(step), layout_, options).value();
    arena_ = Block::reserve(std::max<int64_t>({64, start.arena_bytes, plan_.arena_bytes})).value();
    Executor(start, states_.data(), arena_.data()).run({.seed = 42});
  }

  double run(uint32_t step, float first = 0) {
    Executor executor(plan_, states_.data(), arena_.data());
    Philox random(9, step % 8);  // eight batches, again and again
    auto* x = executor.input<float>("numbers");
    auto* y = executor.input<int32_t>("target:y");
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t j = 0; j < kInputs; ++j)
        x[i * kInputs + j] = static_cast<float>(2 * uniform01(random.next()) - 1);
      y[i] = x[i * kInputs] * x[i * kInputs + 1] > 0;
    }
    x[0] += first;
    *executor.input<float>("learning_rate") = 0.003f;
    executor.run({.seed = 42, .step = step});
    return static_cast<double>(*executor.output<float>("loss"));
  }

  double train(uint32_t steps) {
    double loss = 0;
    for (uint32_t t = 1; t <= steps; ++t) loss = 0.9 * loss + 0.1 * run(t);
    return loss;
  }

  int64_t moment_bytes() const {
    int64_t bytes = 0;
    for (const StateSlot& s : layout_.slots())
      if (s.info.role == StateRole::moment) bytes += s.info.type.bytes();
    return bytes;
  }
  std::vector<std::byte> states() const { return {states_.data(), states_.data() + layout_.bytes()}; }

 private:
  StateLayout layout_;
  Block states_, arena_;
  Plan plan_;
};

TEST(EightBit, LearnsAsWithF32) {
  for (const std::string name : {"adam", "adamw", "lion", "rmsprop", "lamb"}) {
    Trainee plain(name), coded(name + "_8bit");
    const double start = plain.run(1), want = plain.train(400), got = coded.train(400);
    EXPECT_LT(want, 0.5 * start) << name;
    EXPECT_NEAR(got, want, 0.1 * start) << name;
  }
}

// A second moment that is rounded to 0 makes a step far too large there, and lamb then holds back all others.
// With the nearest code, 0 included, the loss after 100 steps is 0.044 above that of f32.
TEST(EightBit, LambKeepsItsPace) {
  EXPECT_NEAR(Trainee("lamb_8bit").train(100), Trainee("lamb").train(100), 0.01);
}

// The largest matrix, 64 by 96, is coded; the small tensors beside it are not.
TEST(EightBit, MomentsTakeAQuarter) {
  const int64_t plain = Trainee("adam").moment_bytes(), coded = Trainee("adam_8bit").moment_bytes();
  constexpr int64_t kCoded = 64 * 96;
  EXPECT_EQ(plain - coded, 2 * (kCoded * 4 - kCoded / 256 * 260));
  EXPECT_EQ(Trainee("paged_adam_8bit").moment_bytes(), coded);
}

TEST(EightBit, AStepThatIsSkippedChangesNoByte) {
  Trainee trainee("adam_8bit");
  trainee.train(5);
  const std::vector<std::byte> before = trainee.states();
  trainee.run(6, NAN);
  EXPECT_EQ(before, trainee.states());
}

}  // namespace
}  // namespace shoestring::task
