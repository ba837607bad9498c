// An evaluation of pictures shows those that were answered worst, and counts which classes were taken for
// which.
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "report/report.h"
#include "unit/train/tables.h"

namespace shoestring::report {
namespace {

TEST(ReportOfPictures, AnEvaluationShowsTheWorstMistakes) {
  const train::Folder folder;
  for (const std::string name : {"a", "b"}) {
    std::filesystem::create_directories(folder.file("p/" + name));
    for (int i = 0; i < 40; ++i)  // the same pictures in both classes: half of the answers are wrong
      folder.write("p/" + name + "/" + std::to_string(i) + ".pgm",
                   "P5\n16 16\n255\n" + std::string(256, static_cast<char>(3 * i)));
  }
  const auto trained =
      train::train({.recipe = train::recipe_from("input_features: [{name: image_path, type: image}]\n"
                                                 "output_features: [{name: label, type: category}]\n"
                                                 "trainer: {epochs: 1, batch_size: 16}\n"),
                    .data = {.dataset = folder.file("p")},
                    .output_directory = folder.file("out")},
                   {});
  ASSERT_TRUE(trained) << trained.error().message();
  auto predictor = train::Predictor::load(trained->folder);
  ASSERT_TRUE(predictor) << predictor.error().message();
  train::EvaluateRequest request{.dataset = folder.file("p"), .folder = folder.file("results")};
  Reporter reporter(Level::normal);
  reporter.watch(request, predictor->model(), folder.file("results"), "measured");
  const auto metrics = train::evaluate(*predictor, request, {});
  ASSERT_TRUE(metrics) << metrics.error().message();
  const auto report = nlohmann::json::parse(*read_file(folder.file("results") + "/report.json"));
  const auto& output = report.at("quality").at("outputs").at(0);
  EXPECT_EQ(output.at("confusion"), nlohmann::json(metrics->confusions.at(0).counts));
  ASSERT_FALSE(output.at("mistakes").empty());
  for (const auto& mistake : output.at("mistakes")) {
    EXPECT_NE(mistake.at("truth"), mistake.at("answer"));
    EXPECT_TRUE(mistake.at("cells").at(0).get<std::string>().starts_with("data:image/png;base64,"));
  }
}

}  // namespace
}  // namespace shoestring::report
