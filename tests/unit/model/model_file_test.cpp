#include "model/model_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/atomic_file.h"

namespace shoestring::model {
namespace {

class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("shoestring_model_file_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return (folder_ / "model").string(); }

  // The smallest model there is: it answers with its weights.
  ModelFile sample() const {
    return {
        .recipe = "input_features: []\n",
        .preprocessing = R"({"age": {"mean": 38.6}})",
        .labels = {{"income", {"<=50K", ">50K"}}, {"empty", {}}},
        .graph =
            "graph predict {\n  state w: parameter f32[2]\n  %0 = read w: f32[2]\n  output \"y\" = %0\n}\n",
        .card = "# A model\n",
        .extra = {{"threshold", "0.5"}},
        .tensors = {{"w", {DType::f32, {2}}, std::as_bytes(std::span(weights_))}}};
  }

  std::filesystem::path folder_;
  std::vector<float> weights_{1, 2};
};

TEST_F(ModelFileTest, ReadsWhatWasWritten) {
  const ModelFile model = sample();
  const Status written = write_model(path(), model);
  ASSERT_TRUE(written) << written.error().message();
  const Result<ModelFile> read = read_model(path());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->recipe, model.recipe);
  EXPECT_EQ(read->preprocessing, model.preprocessing);
  EXPECT_EQ(read->labels, model.labels);
  EXPECT_EQ(read->graph, model.graph);
  EXPECT_EQ(read->card, model.card);
  EXPECT_EQ(read->extra, model.extra);
  ASSERT_EQ(read->tensors.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(read->tensors[0].bytes, model.tensors[0].bytes));

  const std::string bytes = read_file(path()).value();
  ASSERT_TRUE(write_model(path(), *read));
  EXPECT_EQ(read_file(path()).value(), bytes);
}

TEST_F(ModelFileTest, RefusesStatesThatDoNotFitTheGraph) {
  ModelFile model = sample();
  model.tensors[0].type = {DType::f32, {1, 2}};
  EXPECT_EQ(write_model(path(), model).error().kind, ErrorKind::internal);

  // Such a file, made by other hands.
  std::map<std::string, std::string> metadata{{"kind", "model"},      {"recipe", ""}, {"preprocessing", ""},
                                              {"graph", model.graph}, {"card", ""},   {"labels", "{}"},
                                              {"operators", "{}"}};
  const auto said = [&](std::span<const TensorView> tensors) {
    EXPECT_TRUE(write_tensors(path(), metadata, tensors));
    const Result<ModelFile> read = read_model(path());
    if (read) return std::string();
    EXPECT_EQ(read.error().kind, ErrorKind::data);
    return read.error().message().substr(path().size());
  };
  const std::string again = "; copy it again, or train again if it was never whole";
  EXPECT_EQ(said(sample().tensors), "");
  EXPECT_EQ(said(model.tensors), ": is damaged: tensor 'w' is f32[1,2], its graph wants f32[2]" + again);
  EXPECT_EQ(said({}), ": is damaged: tensor 'w' is not there" + again);

  const std::vector<TensorView> good = sample().tensors;
  metadata["operators"] = R"({"teleport":1})";
  EXPECT_EQ(said(good), ": needs the operator 'teleport', which this version lacks; update shoestring");
  metadata["operators"] = "[";
  EXPECT_EQ(said(good), ": is damaged: its list of operators does not parse" + again);
  metadata["operators"] = "{}";
  metadata["labels"] = R"({"a": [1]})";
  EXPECT_EQ(said(good), ": is damaged: its labels do not parse" + again);
  metadata["labels"] = "{}";
  metadata["graph"] = "graph predict {";
  EXPECT_NE(said(good), "");
  metadata.erase("graph");
  EXPECT_EQ(said(good), ": is damaged: it has no 'graph'" + again);
  metadata["kind"] = "checkpoint";
  EXPECT_EQ(said(good), ": is a checkpoint, not a model; give a model file, a model folder or a run folder");
}

TEST_F(ModelFileTest, RefusesAGraphThatDoesNotStand) {
  ModelFile model = sample();
  model.graph = "graph predict {\n  %0 = teleport(): f32[2]\n}\n";
  EXPECT_EQ(write_model(path(), model).error().kind, ErrorKind::internal);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace shoestring::model
