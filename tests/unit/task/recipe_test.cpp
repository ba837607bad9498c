#include "task/recipe.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  const std::vector<ColumnType> columns{{"age", FeatureType::number},
                                        {"job: title", FeatureType::category, 12},
                                        {"town", FeatureType::category, 5000},
                                        {"income", FeatureType::binary}};
  for (const int64_t rows : {100, 1000000}) {
    const auto recipe = infer_recipe(columns, {"income"}, rows);
    ASSERT_TRUE(recipe) << recipe.error().message();
    ASSERT_EQ(recipe->inputs.size(), 3u);
    const auto& age = std::get<NumberInput>(recipe->inputs[0].spec);
    EXPECT_EQ(age.preprocessing.normalization, Normalization::robust);
    const auto encoder = [&](size_t i) { return std::get<CategoryInput>(recipe->inputs[i].spec).encoder; };
    EXPECT_TRUE(std::holds_alternative<OneHotEncoder>(encoder(1)));
    EXPECT_TRUE(std::holds_alternative<EmbedEncoder>(encoder(2)));
    // Classes are told by numbers in waves too, numbers by steps alone.
    const auto in_waves = [](const Recipe& r) {
      return std::any_of(r.ensemble.members.begin(), r.ensemble.members.end(), [](const EnsembleMember& m) {
        return m.number_encoder && std::holds_alternative<PeriodicEncoder>(*m.number_encoder);
      });
    };
    EXPECT_TRUE(in_waves(*recipe));
    EXPECT_FALSE(in_waves(infer_recipe(columns, {"age"}, rows).value()));
    // Few rows: a linear model among the members.
    bool linear = false;
    for (const EnsembleMember& member : recipe->ensemble.members)
      linear = linear || (member.combiner && std::get<ConcatCombiner>(*member.combiner).stack.layers.empty());
    EXPECT_EQ(linear, rows == 100);
    // What is written down is the whole of it.
    EXPECT_EQ(recipe_of(render(*recipe, Detail::brief)), *recipe);
    EXPECT_EQ(recipe_of(render(*recipe, Detail::resolved)), *recipe);
  }
}

// Members that the time is not enough for are not chosen, and behind what is chosen come the smaller ones.
TEST(Recipe, IsInferredForTheTimeThereIs) {
  const std::vector<ColumnType> columns{{"age", FeatureType::number}, {"income", FeatureType::binary}};
  const auto outputs = [](const Recipe& recipe) {
    int64_t sum = 0;
    for (const EnsembleMember& m : recipe.ensemble.members) {
      const auto& combiner = std::get<ConcatCombiner>(*m.combiner);
      for (const FcLayer& layer : combiner.stack.layers)
        sum += m.count * layer.output_size.or_else(0) *
               (combiner.batch_ensemble ? combiner.num_ensemble_members : 1);
    }
    return sum;
  };
  for (const std::string target : {"age", "income"}) {
    int64_t before = INT64_MAX;
    for (const double seconds : {6250.0, 6.25, 0.00625}) {
      const auto recipes = infer_recipes(columns, {target}, 40'000, {.seconds = seconds});
      ASSERT_TRUE(recipes) << recipes.error().message();
      EXPECT_LT(outputs(recipes->front()), before) << target << ' ' << seconds;
      before = outputs(recipes->front());
      for (size_t i = 1; i < recipes->size(); ++i)
        EXPECT_LT(outputs((*recipes)[i]), outputs((*recipes)[i - 1])) << target << ' ' << seconds;
    }
    EXPECT_EQ(infer_recipes(columns, {target}, 40'000, {.seconds = 0.00625})->size(), 1u);
  }
}

TEST(Recipe, PicturesHaveTheNetworkThatTheirTimeTrains) {
  const std::vector<ColumnType> columns = {
      {.name = "path", .type = FeatureType::image, .height = 32, .width = 32, .channels = 3},
      {.name = "label", .type = FeatureType::category, .distinct = 10}};
  const auto filters = [](const Recipe& recipe) {
    const auto& encoder = std::get<CompactCnnEncoder>(std::get<ImageInput>(recipe.inputs[0].spec).encoder);
    int64_t sum = 0;
    for (const int64_t width : encoder.widths) sum += width * encoder.convolutions;
    return sum;
  };
  const auto best = [&](int64_t rows, const Effort& effort) {
    const auto recipes = infer_recipes(columns, {"label"}, rows, effort);
    EXPECT_TRUE(recipes) << recipes.error().message();
    for (size_t i = 1; i < recipes->size(); ++i)
      EXPECT_LT(filters((*recipes)[i]), filters((*recipes)[i - 1])) << i;
    return filters(recipes->front());
  };
  int64_t before = 0;
  for (const double seconds : {0.1, 200.0, 1000.0, 10'000.0}) {
    EXPECT_GT(best(50'000, {.seconds = seconds}), before) << seconds;
    before = best(50'000, {.seconds = seconds});
  }
  EXPECT_GT(best(50'000, {.seconds = 300, .convolutions = 2e12}), best(50'000, {.seconds = 300}))
      << "a faster machine trains more in the same time";
  EXPECT_GT(best(1'000, {.seconds = 60}), best(50'000, {.seconds = 60}))
      << "few pictures are seen more often";
  for (const bool halves : {false, true})
    EXPECT_EQ(infer_recipes(columns, {"label"}, 500, {.convolves_in_halves = halves})
                  ->front()
                  .trainer.use_mixed_precision,
              halves);
}

// As bench/QUALITY.md has it.
TEST(Recipe, PicturesHaveMuonForLargeBatchesAndSixViewsAfterLongTrainings) {
  const std::vector<ColumnType> columns = {
      {.name = "path", .type = FeatureType::image, .height = 32, .width = 32, .channels = 3},
      {.name = "label", .type = FeatureType::category, .distinct = 10}};
  for (const double seconds : {60.0, 600.0, 1800.0, 20'000.0}) {
    const auto recipes = infer_recipes(columns, {"label"}, 50'000, {.seconds = seconds});
    ASSERT_TRUE(recipes) << recipes.error().message();
    for (const Recipe& recipe : *recipes) {
      const auto& encoder = std::get<CompactCnnEncoder>(std::get<ImageInput>(recipe.inputs[0].spec).encoder);
      EXPECT_EQ(std::holds_alternative<Muon>(recipe.trainer.optimizer),
                encoder.widths.back() >= 64 && recipe.trainer.batch_size == 512);
      EXPECT_EQ(encoder.views, seconds >= 1800 ? Views::six : Views::mirrored) << seconds;
    }
  }
  const auto few = infer_recipes(columns, {"label"}, 1'000, {.seconds = 20'000});
  EXPECT_TRUE(std::holds_alternative<Sgd>(few->front().trainer.optimizer))
      << "small batches were not measured";
}

TEST(Recipe, InferenceNamesWhatIsMissing) {
  const std::vector<ColumnType> columns{{"age", FeatureType::number}, {"income", FeatureType::binary}};
  EXPECT_EQ(infer_recipe(columns, {"incme"}, 1000).error().message(),
            "there is no column 'incme' to predict; did you mean 'income'?");
  EXPECT_EQ(infer_recipe(columns, {"incme"}, 1000).error().kind, ErrorKind::data);
  EXPECT_EQ(infer_recipe(columns, {"age", "income"}, 1000).error().kind, ErrorKind::data);
  EXPECT_EQ(infer_recipe(columns, {}, 1000).error().kind, ErrorKind::usage);
}

TEST(Recipe, AutoBatchSizes) {
  Trainer trainer;
  const auto sizes = [&](int64_t rows) {
    const BatchSizes s = batch_sizes(trainer, rows);
    return std::vector<int64_t>{s.batch, s.accumulation, s.eval};
  };
  EXPECT_EQ(sizes(100'000), (std::vector<int64_t>{256, 1, 256}));
  EXPECT_EQ(sizes(700), (std::vector<int64_t>{70, 1, 70}));
  EXPECT_EQ(sizes(3), (std::vector<int64_t>{2, 1, 2}));
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
