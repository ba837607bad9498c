#include "task/auto_values.h"

#include <gtest/gtest.h>

#include <map>

namespace shoestring::task {
namespace {

Recipe recipe_of(const std::string& text) {
  const auto document = parse_document(text, "recipe.yaml");
  EXPECT_TRUE(document) << document.error().message();
  auto recipe = parse_recipe(*document);
  EXPECT_TRUE(recipe) << recipe.error().message();
  return *recipe;
}

// Two numbers and a vector of 5; what else the recipe says.
NetworkSpec spec_of(const std::string& rest, const std::string& encoder = "passthrough",
                    const std::string& vector = "dense") {
  return {.recipe = recipe_of("input_features:\n"
                              "  - {name: a, type: number, encoder: " +
                              encoder +
                              "}\n"
                              "  - {name: b, type: number}\n"
                              "  - {name: v, type: vector, encoder: " +
                              vector + "}\noutput_features: [{name: y, type: number" + rest),
          .input_sizes = {1, 1, 5},
          .output_sizes = {1},
          .class_weights = {{}},
          .input_edges = {{}, {}, {}}};
}

std::map<std::string, std::string> chosen(NetworkSpec& spec, int64_t rows, double flop = 0) {
  std::map<std::string, std::string> values;
  for (const AutoChoice& choice : choose_sizes(spec, rows, flop)) values[choice.key] = choice.value;
  return values;
}
using Values = std::map<std::string, std::string>;

constexpr const char* kBoth = "}]\ncombiner: {type: concat, num_fc_layers: auto, output_size: auto}\n";

TEST(AutoSizes, GoWithTheRows) {
  for (const auto& [rows, layers, size] : {std::tuple{999, "2", "32"},
                                           {1'000, "2", "64"},
                                           {4'000, "3", "128"},
                                           {16'000, "3", "256"},
                                           {499'999, "3", "256"},
                                           {500'000, "3", "512"}}) {
    NetworkSpec spec = spec_of(kBoth);
    EXPECT_EQ(chosen(spec, rows),
              (Values{{"combiner.num_fc_layers", layers}, {"combiner.output_size", size}}));
    const FcStack& stack = std::get<ConcatCombiner>(spec.recipe.combiner).stack;
    EXPECT_EQ(stack.layers.size(), std::stoul(layers));
    for (const FcLayer& layer : stack.layers) EXPECT_EQ(layer.output_size, std::stol(size));
  }
}

TEST(AutoSizes, AreHalvedUntilTheTimeIsEnough) {
  // 5 + 256 + 1 columns through 3 layers of w: about 6 w (258 + 2 w) FLOP a row, seen 16 times.
  NetworkSpec spec = spec_of(kBoth);
  EXPECT_EQ(chosen(spec, 20'000, 1e13)["combiner.output_size"], "256");
  spec = spec_of(kBoth);
  const double of_128 = 16.0 * 20'000 * 6 * (5 * 256 + 128 * (258 + 2 * 128));
  EXPECT_EQ(chosen(spec, 20'000, 1.2 * of_128)["combiner.output_size"], "128");
  spec = spec_of(kBoth);
  EXPECT_EQ(chosen(spec, 20'000, 1)["combiner.output_size"], "16");
}

TEST(AutoSizes, WhatIsWrittenStays) {
  NetworkSpec spec =
      spec_of("}]\ncombiner: {type: concat, num_fc_layers: 2, output_size: auto, dropout: 0.1}\n");
  EXPECT_EQ(chosen(spec, 5'000), (Values{{"combiner.output_size", "128"}}));
  spec = spec_of("}]\ncombiner: {type: concat, fc_layers: [{output_size: 7}, {output_size: auto}]}\n");
  EXPECT_EQ(chosen(spec, 5'000), (Values{{"combiner.fc_layers.1.output_size", "128"}}));
  EXPECT_EQ(std::get<ConcatCombiner>(spec.recipe.combiner).stack.layers[0].output_size, 7);
  spec = spec_of("}]\ncombiner: {type: concat, num_fc_layers: 2, output_size: 9}\n");
  const Recipe before = spec.recipe;
  EXPECT_TRUE(chosen(spec, 5'000, 1).empty());
  EXPECT_EQ(spec.recipe, before);
}

TEST(AutoSizes, OfEncodersAndDecoders) {
  NetworkSpec spec = spec_of(
      ", decoder: {type: regressor, num_fc_layers: auto, fc_output_size: auto}}]\n"
      "combiner: {type: concat, num_fc_layers: 1, output_size: 8}\n",
      "{type: ple, num_bins: 4, output_size: auto}", "{type: dense, num_layers: auto, output_size: auto}");
  EXPECT_EQ(chosen(spec, 5'000), (Values{{"input_features.a.encoder.output_size", "12"},
                                         {"input_features.v.encoder.num_layers", "1"},
                                         {"input_features.v.encoder.output_size", "32"},
                                         {"output_features.y.decoder.num_fc_layers", "0"}}));
  // Without layers in the combiner they are the decoder's.
  spec = spec_of(
      ", decoder: {type: regressor, num_fc_layers: auto, fc_output_size: auto}}]\n"
      "combiner: {type: concat, num_fc_layers: 0}\n");
  EXPECT_EQ(chosen(spec, 5'000), (Values{{"output_features.y.decoder.fc_output_size", "128"},
                                         {"output_features.y.decoder.num_fc_layers", "3"}}));
}

TEST(AutoSizes, MembersHaveTheirOwn) {
  NetworkSpec spec = spec_of(
      "}]\nensemble:\n  members:\n    - combiner: {type: concat, num_fc_layers: 2, output_size: auto}\n"
      "    - {number_encoder: {type: periodic, output_size: auto}}\n");
  EXPECT_EQ(chosen(spec, 5'000), (Values{{"ensemble.members.0.combiner.output_size", "128"},
                                         {"ensemble.members.1.number_encoder.output_size", "12"}}));
}

TEST(AutoSizes, NarrowerHalvesWhatIsAutoAlone) {
  NetworkSpec spec = spec_of(
      "}]\ncombiner: {type: concat, fc_layers: [{output_size: 64}, {output_size: auto}, {output_size: "
      "auto}]}\n");
  const Recipe written = spec.recipe;
  chosen(spec, 999);
  auto once = narrower(written, spec.recipe);
  ASSERT_TRUE(once);
  const auto& layers = std::get<ConcatCombiner>(once->recipe.combiner).stack.layers;
  EXPECT_EQ(layers[0].output_size, 64);
  EXPECT_EQ(layers[1].output_size, 16);
  EXPECT_EQ(layers[2].output_size, 16);
  auto twice = narrower(written, once->recipe);
  ASSERT_TRUE(twice);
  EXPECT_FALSE(narrower(written, twice->recipe));
  EXPECT_FALSE(narrower(spec.recipe, spec.recipe));  // nothing is auto
}

TEST(AutoLearningRate, FollowsTheRule) {
  const auto rate = [](const std::string& optimizer, int64_t rows, int64_t width = 64) {
    return auto_learning_rate(
        recipe_of("input_features: [{name: a, type: number}]\noutput_features: [{name: y, type: number}]\n"
                  "combiner: {type: concat, num_fc_layers: 1, output_size: " +
                  std::to_string(width) + "}\ntrainer: {optimizer: " + optimizer + "}"),
        rows);
  };
  EXPECT_DOUBLE_EQ(rate("adam", 256), 0.002);
  EXPECT_DOUBLE_EQ(rate("adamw_8bit", 1024), 0.004);  // the root of the rows
  EXPECT_DOUBLE_EQ(rate("adamw", 256, 1024), 0.0005);
  EXPECT_DOUBLE_EQ(rate("lion", 64), 0.0001);
  EXPECT_DOUBLE_EQ(rate("sgd", 256), 0.1);
  EXPECT_DOUBLE_EQ(rate("{type: sgd, momentum: 0.9}", 512, 1024), 0.02);  // the rows themselves, no width
  EXPECT_DOUBLE_EQ(rate("muon", 256, 1024), 0.02);
  EXPECT_DOUBLE_EQ(rate("{type: muon, normalize_weights: true}", 1024), 0.24);
  EXPECT_DOUBLE_EQ(rate("adam", 100), 0.0013);  // two digits
}

TEST(AutoTraining, WritesDownWhatIsAuto) {
  Recipe recipe =
      spec_of("}]\ntrainer: {learning_rate: auto, effective_batch_size: 512, epochs: auto}\n").recipe;
  const Recipe written = recipe;
  const auto told = choose_training(recipe, 100'000);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].key, "trainer.learning_rate");
  EXPECT_EQ(told[0].value, "0.0028");  // 0.002 times the root of 2
  EXPECT_EQ(recipe.trainer.batch_size, 256);
  EXPECT_EQ(recipe.trainer.gradient_accumulation_steps, 2);
  EXPECT_EQ(recipe.trainer.eval_batch_size, 256);
  EXPECT_TRUE(recipe.trainer.epochs.is_auto());
  EXPECT_EQ(recipe_of(render(recipe)), recipe);  // reads back
  EXPECT_TRUE(may_resolve_to(written, recipe));
  EXPECT_FALSE(may_resolve_to(recipe, written));
  Recipe other = recipe;
  other.trainer.early_stop = 7;
  EXPECT_FALSE(may_resolve_to(written, other));
}

}  // namespace
}  // namespace shoestring::task
