#include "task/recipe.h"

#include <gtest/gtest.h>

#include "task/metric_table.h"

namespace shoestring::task {
namespace {

Recipe recipe_of(std::string_view text) {
  const auto document = parse_document(text, "recipe.yaml");
  EXPECT_TRUE(document) << document.error().message();
  auto recipe = parse_recipe(*document);
  EXPECT_TRUE(recipe) << recipe.error().message();
  return *recipe;
}

constexpr std::string_view kFeatures =
    "input_features: [{name: age, type: number}, {name: job, type: category}, {name: ok, type: binary}]\n"
    "output_features: [{name: income, type: binary}]\n";

TEST(Recipe, ValuesThatAreNotWrittenAreTheStructsOwn) {
  const Recipe recipe = recipe_of(kFeatures);
  EXPECT_EQ(std::get<NumberInput>(recipe.inputs[0].spec), NumberInput{});
  EXPECT_EQ(std::get<CategoryInput>(recipe.inputs[1].spec), CategoryInput{});
  EXPECT_EQ(std::get<BinaryInput>(recipe.inputs[2].spec), BinaryInput{});
  EXPECT_EQ(std::get<BinaryOutput>(recipe.outputs[0].spec), BinaryOutput{});
  EXPECT_EQ(recipe.combiner, CombinerSpec{});
  EXPECT_EQ(recipe.trainer.optimizer, OptimizerSpec{Adam{}});
  EXPECT_EQ(recipe.outputs[0].loss_weight(), 1);
  EXPECT_EQ(recipe.outputs[0].decoder(), LinearDecoder{});
}

TEST(Recipe, LayersAreComplete) {
  const Recipe recipe =
      recipe_of(std::string(kFeatures) +
                "combiner: {type: concat, num_fc_layers: 2, output_size: 8, activation: gelu}");
  const FcStack& stack = std::get<ConcatCombiner>(recipe.combiner).stack;
  ASSERT_EQ(stack.layers.size(), 2u);
  EXPECT_EQ(stack.layers[1].output_size, 8);
  EXPECT_EQ(stack.layers[1].activation, Activation::gelu);
}

TEST(Recipe, PathsOnTheCommandLineSetValues) {
  auto document = *parse_document(kFeatures, "recipe.yaml");
  ASSERT_TRUE(set_path(document, "trainer.optimizer.type", "sgd"));
  ASSERT_TRUE(set_path(document, "input_features.age.encoder", "{type: dense, output_size: 3}"));
  ASSERT_TRUE(set_path(document, "input_features.1.encoder", "onehot"));
  const Recipe recipe = *parse_recipe(document);
  EXPECT_TRUE(std::holds_alternative<Sgd>(recipe.trainer.optimizer));
  EXPECT_EQ(std::get<DenseEncoder>(std::get<NumberInput>(recipe.inputs[0].spec).encoder)
                .stack.layers[0]
                .output_size,
            3);
  EXPECT_TRUE(std::holds_alternative<OneHotEncoder>(std::get<CategoryInput>(recipe.inputs[1].spec).encoder));
  EXPECT_FALSE(set_path(document, "input_features.height.encoder", "onehot"));
  EXPECT_FALSE(set_path(document, "trainer.optimizer.type.name", "sgd"));
}

TEST(Recipe, IsInferredFromColumns) {
  const std::vector<ColumnType> columns{
      {"age", FeatureType::number}, {"job: title", FeatureType::category}, {"income", FeatureType::binary}};
  const auto recipe = infer_recipe(columns, {"income"});
  ASSERT_TRUE(recipe) << recipe.error().message();
  ASSERT_EQ(recipe->inputs.size(), 2u);
  EXPECT_EQ(recipe->inputs[1].type(), FeatureType::category);
  EXPECT_EQ(render(*recipe, Detail::brief), R"(input_features:  # What to predict from.
  - name: age
    type: number
  - name: "job: title"
    type: category
output_features:  # What to predict.
  - name: income
    type: binary
combiner:  # How the encoders' outputs become one vector a row.
  type: concat
  output_size: 128  # Outputs of a layer.
  num_fc_layers: 2  # Layers, where fc_layers is null.
trainer:  # How the network is trained.
  epochs: 100  # Passes over the training rows at most.
  batch_size: auto  # Rows of a step; auto is 256, at most a tenth of the rows.
  learning_rate: 0.001  # Size of a step; auto is 0.001.
  optimizer:  # How gradients become steps.
    type: adam
  validation_field: combined  # The output whose metric picks the best model, or combined; null is the first.
  validation_metric: loss  # That metric; null is the output type's usual one.
  early_stop: 10  # Evaluations without improvement before training stops; -1 is never.
)");
  EXPECT_EQ(recipe_of(render(*recipe, Detail::brief)), *recipe);
}

TEST(Recipe, InferenceNamesWhatIsMissing) {
  const std::vector<ColumnType> columns{{"age", FeatureType::number}, {"income", FeatureType::binary}};
  EXPECT_EQ(infer_recipe(columns, {"incme"}).error().message(),
            "there is no column 'incme' to predict; did you mean 'income'?");
  EXPECT_EQ(infer_recipe(columns, {"incme"}).error().kind, ErrorKind::data);
  EXPECT_EQ(infer_recipe(columns, {"age", "income"}).error().kind, ErrorKind::data);
  EXPECT_EQ(infer_recipe(columns, {}).error().kind, ErrorKind::usage);
}

TEST(Recipe, AutoBatchSizes) {
  Trainer trainer;
  const auto sizes = [&](int64_t rows) {
    const BatchSizes s = batch_sizes(trainer, rows);
    return std::vector<int64_t>{s.batch, s.accumulation, s.eval};
  };
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{256, 1, 256}));
  EXPECT_EQ(sizes(700), (std::vector<int64_t>{70, 1, 70}));
  EXPECT_EQ(sizes(3), (std::vector<int64_t>{1, 1, 1}));
  trainer.max_batch_size = 100;
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{100, 1, 100}));
  trainer.effective_batch_size.value = 600;
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{100, 6, 100}));
  trainer.gradient_accumulation_steps.value = 2;
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{300, 2, 300}));
  trainer = {};
  trainer.batch_size.value = 64;
  trainer.eval_batch_size.value = 512;
  trainer.gradient_accumulation_steps.value = 4;
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{64, 4, 512}));
  EXPECT_EQ(sizes(20), (std::vector<int64_t>{20, 4, 512}));
}

TEST(MetricTable, EveryTypeHasItsDefaultAndTheLoss) {
  for (const FeatureType type : {FeatureType::number, FeatureType::binary, FeatureType::category}) {
    EXPECT_EQ(metrics_of(type).front().name, "loss");
    EXPECT_NE(find_metric(type, default_metric(type)), nullptr);
    EXPECT_EQ(find_metric(type, "lss"), nullptr);
  }
}

}  // namespace
}  // namespace shoestring::task
