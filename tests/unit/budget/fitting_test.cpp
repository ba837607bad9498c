// The planner's changes, on a job whose memory is a formula.
#include "budget/fitting.h"

#include <gtest/gtest.h>

namespace shoestring::budget {
namespace {

constexpr int64_t kRows = 100'000;

task::Recipe recipe(const std::string& trainer) {
  const auto document = task::parse_document(
      "input_features: [{name: a, type: number}]\noutput_features: [{name: y, type: number}]\ntrainer: " +
          trainer,
      "recipe");
  return *task::parse_recipe(*document);
}

Asked asked(const task::Recipe& written) { return {written, written, kRows}; }

// A mebibyte a row of the step; 100 of moments, a quarter of that in 8 bits; 50 of others.
Result<int64_t> measure(const task::Recipe& recipe) {
  const bool coded =
      std::visit([]<class O>(const O&) { return model::kEightBit<O>; }, recipe.trainer.optimizer);
  return ((coded ? 25 : 100) + 50 + task::batch_sizes(recipe.trainer, kRows).batch) << 20;
}

TEST(Fitting, ChangesNothingWhereItFits) {
  const auto before = recipe("{batch_size: 256}");
  const auto fitted = fit(asked(before), 406 << 20, measure);
  ASSERT_TRUE(fitted);
  EXPECT_TRUE(fitted->choices.empty());
  EXPECT_EQ(fitted->asked.recipe, before);
}

TEST(Fitting, TakesWhatCostsLeastAndTheUpdateStaysTheSame) {
  const auto fitted = fit(asked(recipe("{batch_size: 256}")), 300 << 20, measure);
  ASSERT_TRUE(fitted);
  ASSERT_EQ(fitted->choices.size(), 1u);
  EXPECT_EQ(fitted->choices[0].change, "trainer.batch_size: 128, effective_batch_size: 256");
  EXPECT_EQ(fitted->choices[0].saved_bytes, 128 << 20);
  const auto sizes = task::batch_sizes(fitted->asked.recipe.trainer, kRows);
  EXPECT_EQ(sizes.batch * sizes.accumulation, 256);
}

TEST(Fitting, GoesOnToTheNextChangeWhereOneGivesLittle) {
  const auto fitted = fit(asked(recipe("{batch_size: 256, optimizer: adamw}")), 100 << 20, measure);
  ASSERT_TRUE(fitted);
  EXPECT_LE(fitted->total_bytes, 100 << 20);
  ASSERT_EQ(fitted->choices.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<model::EightBit<model::AdamW>>(fitted->asked.recipe.trainer.optimizer));
}

TEST(Fitting, LeavesTheBatchAloneWhereTheRecipeSaysIt) {
  const auto fitted = fit(asked(recipe("{batch_size: 256, optimizer: nadam}")), 1 << 20, measure);
  ASSERT_TRUE(fitted);
  EXPECT_GT(fitted->total_bytes, 1 << 20);  // nothing helps, and it says so
  const auto sizes = task::batch_sizes(fitted->asked.recipe.trainer, kRows);
  EXPECT_EQ(sizes.batch * sizes.accumulation, 256);
}

// Sums of the gradients cost 200 once: half the rows save less than that, a quarter more.
TEST(Fitting, LooksBeyondWhatAChangeCostsInMemory) {
  const Measure with_sums = [](const task::Recipe& r) -> Result<int64_t> {
    const bool sums = task::batch_sizes(r.trainer, kRows).accumulation > 1;
    return *measure(r) + (sums ? int64_t{200} << 20 : 0);
  };
  const auto fitted = fit(asked(recipe("{batch_size: 256, optimizer: nadam}")), 400 << 20, with_sums);
  ASSERT_TRUE(fitted);
  ASSERT_EQ(fitted->choices.size(), 1u);
  EXPECT_EQ(fitted->choices[0].change, "trainer.batch_size: 32, effective_batch_size: 256");
  EXPECT_EQ(fitted->choices[0].saved_bytes, 24 << 20);
  EXPECT_EQ(fitted->total_bytes, 382 << 20);
}

TEST(Fitting, WaysOutSayWhatEachGivesAlone) {
  const auto ways =
      ways_out(asked(recipe("{batch_size: 256, optimizer: adamw}")), 406 << 20, 300 << 20, measure);
  ASSERT_TRUE(ways);
  ASSERT_EQ(ways->size(), 2u);
  EXPECT_EQ((*ways)[0].total, 278 << 20);
  EXPECT_TRUE((*ways)[0].fits);
  EXPECT_EQ((*ways)[1].total, 331 << 20);
  EXPECT_FALSE((*ways)[1].fits);
}

// A mebibyte for each output of a combiner's layer.
Result<int64_t> measure_width(const task::Recipe& recipe) {
  int64_t outputs = 0;
  for (const auto& layer : std::get<task::ConcatCombiner>(recipe.combiner).stack.layers)
    outputs += layer.output_size.or_else(0);
  return outputs << 20;
}

task::Recipe of_width(const std::string& width) {
  const auto document = task::parse_document(
      "input_features: [{name: a, type: number}]\noutput_features: [{name: y, type: number}]\n"
      "combiner: {type: concat, num_fc_layers: 1, output_size: " +
          width + "}",
      "recipe");
  return *task::parse_recipe(*document);
}

TEST(Fitting, ASmallerModelWhereTheRecipeLeavesItToUs) {
  const auto fitted = fit({of_width("auto"), of_width("128"), kRows}, 40 << 20, measure_width);
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->total_bytes, 32 << 20);
  ASSERT_EQ(fitted->choices.size(), 1u);
  EXPECT_EQ(fitted->choices[0].kind, "model");
  EXPECT_EQ(fitted->choices[0].change, "combiner.output_size: 32");
  EXPECT_EQ(fitted->choices[0].saved_bytes, 96 << 20);
  const auto as_written = fit(asked(of_width("128")), 40 << 20, measure_width);
  ASSERT_TRUE(as_written);
  EXPECT_EQ(as_written->total_bytes, 128 << 20);
}

TEST(Fitting, ASmallerModelComesLast) {
  // The step's rows and the width cost the same: all that the rows can give is taken first.
  const Measure both = [](const task::Recipe& r) { return *measure(r) + *measure_width(r); };
  const auto fitted = fit({of_width("auto"), of_width("64"), kRows}, 200 << 20, both);
  ASSERT_TRUE(fitted);
  EXPECT_LE(fitted->total_bytes, 200 << 20);
  for (const Choice& choice : fitted->choices) EXPECT_NE(choice.kind, "model");
}

TEST(Fitting, WhatWasMadeGivesWayToSmallerOnes) {
  const std::vector<Smaller> smaller{{of_width("64"), "64 outputs"}, {of_width("16"), "16 outputs"}};
  const auto fitted = fit(asked(of_width("128")), 20 << 20, measure_width, smaller);
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->asked.recipe, of_width("16"));
  ASSERT_EQ(fitted->choices.size(), 1u);
  EXPECT_EQ(fitted->choices[0].change, "16 outputs");
  EXPECT_EQ(fitted->choices[0].saved_bytes, 112 << 20);
}

}  // namespace
}  // namespace shoestring::budget
