// Ten training steps and an evaluation of every family against PyTorch's numbers (ten_steps.txt, written
// by ten_steps.py): interpreted in f64, and as plans in f32.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "plans/families.h"
#include "plans/runner.h"

namespace shoestring::test {
namespace {

struct Expected {
  std::vector<double> losses, norms;
};
using AllExpected = std::map<std::string, Expected>;

AllExpected read_expected(const std::string& file = "ten_steps.txt") {
  AllExpected out;
  std::istringstream text(read_file("tests/plans/" + file).value());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string family;
    int step;
    double loss, norm;
    words >> family >> step >> loss >> norm;
    out[family].losses.push_back(loss);
    out[family].norms.push_back(norm);
  }
  return out;
}

// The loss of an evaluation, from each output's losses by row.
double combined(const task::NetworkSpec& spec, const std::map<std::string, Tensor64>& results) {
  double sum = 0;
  for (const task::OutputFeature& output : spec.recipe.outputs) {
    const Tensor64& losses = results.at("losses:" + output.name);
    double mean = 0;
    for (double loss : losses) mean += loss / static_cast<double>(losses.size());
    const auto* number = std::get_if<task::NumberOutput>(&output.spec);
    if (number && number->loss_is_root()) mean = std::sqrt(mean);
    sum += output.loss_weight() * mean;
  }
  return sum;
}

void train(const Family& family, Runner& runner, const Expected& expected, double tolerance) {
  const Graph step = task::build_training(family.spec, family.rows, task::StepKind::update);
  const Graph evaluation = task::build_evaluation(family.spec, family.rows);
  ASSERT_TRUE(step.status()) << step.status().error().message();
  ASSERT_TRUE(evaluation.status()) << evaluation.status().error().message();
  runner.add(step);
  runner.add(evaluation);
  const Graph initial = task::build_initial(family.spec);
  for (const StateInfo& state : initial.states()) runner.set(state, first_values(state));

  ASSERT_EQ(expected.losses.size(), 11u);
  for (int t = 0; t < 10; ++t) {
    const auto results = runner.run(step.name(), family.inputs(step, t));
    ASSERT_EQ(results.at("finite")[0], 1);
    ASSERT_NEAR(results.at("loss")[0], expected.losses[static_cast<size_t>(t)], tolerance) << "step " << t;
    const double norm = expected.norms[static_cast<size_t>(t)];
    ASSERT_NEAR(results.at("gradient_norm")[0], norm, tolerance * std::max(1.0, norm)) << "step " << t;
  }
  const auto results = runner.run(evaluation.name(), family.inputs(evaluation, 10));
  ASSERT_NEAR(combined(family.spec, results), expected.losses[10], tolerance) << "evaluation";
}

TEST(TenSteps, KnowsEveryFamily) {
  const AllExpected expected = read_expected();
  for (const auto& [name, family] : families())
    EXPECT_TRUE(expected.contains(name)) << name << ": run ten_steps.py";
  for (const auto& [name, numbers] : expected) EXPECT_TRUE(families().contains(name)) << name;
}

TEST(TenSteps, InterpretedAsPyTorch) {
  for (const auto& [name, expected] : read_expected()) {
    SCOPED_TRACE(name);
    Interpreted runner;
    train(families().at(name), runner, expected, 1e-6);
  }
}

TEST(TenSteps, PlannedAsPyTorch) {
  for (const auto& [name, expected] : read_expected()) {
    SCOPED_TRACE(name);
    Planned runner;
    train(families().at(name), runner, expected, 1e-5);
  }
}

// bf16 products, whatever their size: as PyTorch's own mixed precision, and near to f32. A bf16 has 8 bits,
// so a product of a dozen terms is good to some thousandths; PyTorch's own gradient norms differ from those
// of f32 by up to 3.9 % within these ten steps.
TEST(TenSteps, MixedPrecisionAsPyTorchsAutocastAndF32) {
  const AllExpected exact = read_expected();
  for (const auto& [name, mixed] : read_expected("mixed_steps.txt")) {
    for (const auto& [expected, tolerance] : {std::pair{mixed, 0.04}, std::pair{exact.at(name), 0.06}}) {
      SCOPED_TRACE(name);
      Planned runner(native_target(), {.products = DType::bf16, .least_products = 0});
      train(families().at(name), runner, expected, tolerance);
    }
  }
}

}  // namespace
}  // namespace shoestring::test
