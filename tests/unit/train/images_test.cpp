// From a folder of pictures to a model and its answers.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/atomic_file.h"
#include "data/picture.h"
#include "ir/interpret.h"
#include "ops/augment.h"
#include "train/batches.h"
#include "train/contact_sheet.h"
#include "train/infer.h"
#include "train/loop.h"
#include "train/predict.h"
#include "train/saved_model.h"
#include "train/train.h"
#include "unit/train/striped_pictures.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

constexpr int kSide = 12;

std::string recipe_text(const std::string& encoder, const std::string& preprocessing = "{}",
                        const std::string& more = "") {
  return "input_features: [{name: image_path, type: image, preprocessing: " + preprocessing +
         ", encoder: " + encoder + more +
         "}]\n"
         "output_features: [{name: label, type: category}]\n"
         "trainer: {epochs: 12, batch_size: 16, learning_rate: 0.01}\n";
}
const std::string kCnn =
    "{type: stacked_cnn, conv_layers: [{out_channels: 4}, {out_channels: 8, norm: batch}], output_size: 16}";

double accuracy_on(const std::string& model, const std::string& data) {
  const auto metrics = evaluate({.model = model, .dataset = data}, {});
  EXPECT_TRUE(metrics) << metrics.error().message();
  return metrics ? metrics->value("label", "accuracy") : 0;
}

TEST(Images, AFolderOfClassesIsLearned) {
  const Folder folder;
  write_pictures(folder, "train", 60);
  write_pictures(folder, "test", 20);
  for (const std::string& encoder : {kCnn, std::string("{type: compact_cnn, widths: [8, 16], views: 2}")}) {
    const auto trained = train({.recipe = recipe_from(recipe_text(encoder, "{standardize_image: training}")),
                                .data = {.dataset = folder.path()},
                                .output_directory = folder.file(
                                    "../out_" + std::filesystem::path(folder.path()).filename().string())},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    EXPECT_EQ(trained->test->rows, 40);
    EXPECT_GE(trained->test->value("label", "accuracy"), 0.9) << encoder;
    EXPECT_NEAR(accuracy_on(trained->folder, folder.file("test")), trained->test->value("label", "accuracy"),
                1e-9);
    std::filesystem::remove_all(std::filesystem::path(trained->folder).parent_path());
  }
}

TEST(Images, PicturesThatAreInTwoSplitsAreTold) {
  const Folder folder;
  write_pictures(folder, "train", 10);
  std::filesystem::create_directories(folder.file("test/down"));
  folder.write("test/down/same.pgm", stripes(true, 4));
  folder.write("test/down/other.pgm", stripes(true, 4).substr(0, 60) + stripes(false, 60).substr(60));
  std::string notes;
  const auto trained = train(
      {.recipe = recipe_from(recipe_text(kCnn)),
       .data = {.dataset = folder.path()},
       .output_directory = folder.file("../out_" + std::filesystem::path(folder.path()).filename().string())},
      {.log = [&](LogLevel, std::string_view text) { notes += std::string(text) + "\n"; }});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_NE(
      notes.find(
          "'image_path': 1 picture of the test split is in the training split too (1 exactly, 0 nearly), "
          "which its metrics may be the better for: test/down/same.pgm = train/down/picture 104.pgm\n"),
      std::string::npos)
      << notes;
  std::filesystem::remove_all(std::filesystem::path(trained->folder).parent_path());
}

class TrainedOnPictures : public testing::Test {
 protected:
  void SetUp() override {
    write_pictures(folder_, "pictures", 40);
    const auto trained = train({.recipe = recipe_from(recipe_text(kCnn)),
                                .data = {.dataset = folder_.file("pictures")},
                                .output_directory = folder_.file("out")},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    model_ = trained->folder;
  }
  Folder folder_;
  std::string model_;
};

TEST_F(TrainedOnPictures, AnswersBeginWithNamesAndBrokenOnesHaveNone) {
  std::filesystem::create_directories(folder_.file("new"));
  folder_.write("new/a.pgm", stripes(true, 3));
  folder_.write("new/b.pgm", stripes(true, 4).substr(0, 60));
  folder_.write("new/\xE7\x8C\xAB 1.pgm", stripes(false, 5));
  std::string notes;
  const std::string out = folder_.file("answers.csv");
  const auto predicted = predict({.model = model_, .dataset = folder_.file("new"), .output = out},
                                 [&](LogLevel, std::string_view text) { notes += std::string(text) + "\n"; });
  ASSERT_TRUE(predicted) << predicted.error().message();
  EXPECT_EQ(predicted->rows, 3);
  const std::string text = *read_file(out);
  EXPECT_TRUE(text.starts_with("image_path,label_predictions,")) << text;
  EXPECT_NE(text.find("\na.pgm,down,"), std::string::npos) << text;
  EXPECT_NE(text.find("\nb.pgm,,,,,\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n\xE7\x8C\xAB 1.pgm,across,"), std::string::npos) << text;
  EXPECT_NE(notes.find("1 picture cannot be read and has no answer: b.pgm: "), std::string::npos) << notes;
}

TEST_F(TrainedOnPictures, ATableNamesPicturesBesideIt) {
  const std::string table =
      folder_.write("table.csv",
                    "image_path,label\npictures/down/picture 100.pgm,down\n\"pictures/across/picture "
                    "101.pgm\",across\n");
  EXPECT_EQ(accuracy_on(model_, table), 1);
}

TEST_F(TrainedOnPictures, RowsOfATableWhosePictureIsBrokenHaveNoAnswer) {
  folder_.write("broken.pgm", stripes(true, 4).substr(0, 60));
  const std::string table =
      folder_.write("table.csv", "image_path\npictures/down/picture 100.pgm\nbroken.pgm\n");
  const std::string out = folder_.file("answers.csv");
  const auto predicted = predict({.model = model_, .dataset = table, .output = out}, {});
  ASSERT_TRUE(predicted) << predicted.error().message();
  const std::string text = *read_file(out);
  EXPECT_NE(text.find("\ndown,"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n,,,,\n")) << text;
}

// Training on a table with holes, and the answers to one: a row without a picture has that of a neighbour.
TEST(Images, MissingPicturesAreTakenFromNeighbours) {
  const Folder folder;
  write_pictures(folder, "p", 40);
  std::string rows = "image_path,label\n";
  for (const char* label : {"down", "across"})
    for (int i = 0; i < 40; ++i)
      rows += (i % 8 == 3 ? std::string()
                          : "p/" + std::string(label) + "/picture " + std::to_string(100 + i) + ".pgm") +
              "," + label + "\n";
  const std::string table = folder.write("table.csv", rows);
  const std::string asked =
      folder.write("asked.csv", "image_path\np/down/picture 100.pgm\n\"\"\np/across/picture 100.pgm\n");
  for (const std::string strategy : {"ffill", "bfill", "fill_with_mode"}) {
    std::string notes;
    const auto trained =
        train({.recipe = recipe_from(recipe_text(
                   kCnn, "{standardize_image: training, missing_value_strategy: " + strategy + "}")),
               .data = {.dataset = table},
               .output_directory = folder.file("out_" + strategy)},
              {.log = [&](LogLevel, std::string_view text) { notes += text; }});
    ASSERT_TRUE(trained) << trained.error().message();
    EXPECT_EQ(notes.find("left out"), std::string::npos) << notes;
    // A picture that stands for missing ones is no duplicate.
    for (size_t at = notes.find(" exactly"); at != std::string::npos; at = notes.find(" exactly", at + 1))
      EXPECT_EQ(notes.substr(at - 2, 2), "(0") << notes;
    const std::string out = folder.file("answers.jsonl");
    const auto predicted = predict(
        {.model = trained->folder, .dataset = asked, .output = out, .kind = data::WriteKind::jsonl}, {});
    ASSERT_TRUE(predicted) << predicted.error().message();
    std::istringstream lines(*read_file(out));
    std::string answers[3];
    for (std::string& answer : answers) ASSERT_TRUE(std::getline(lines, answer));
    EXPECT_NE(answers[0], answers[2]);
    if (strategy != "fill_with_mode") {
      EXPECT_EQ(answers[1], answers[strategy == "ffill" ? 0 : 2]);
    }
  }
}

TEST(Images, SizesAreFoundAndWrittenDown) {
  const Folder folder;
  write_pictures(folder, "p", 20);
  const auto trained = train({.recipe = recipe_from(recipe_text(kCnn, "{width: 10}")),
                              .data = {.dataset = folder.file("p")},
                              .output_directory = folder.file("out")},
                             {});
  ASSERT_TRUE(trained) << trained.error().message();
  const auto model = load_model(trained->folder);
  ASSERT_TRUE(model) << model.error().message();
  const auto& image = std::get<task::ImageInput>(model->spec.recipe.inputs[0].spec);
  EXPECT_EQ(image.preprocessing.height, 10);  // square, as they are
  EXPECT_EQ(image.preprocessing.width, 10);
  EXPECT_EQ(image.preprocessing.num_channels, 1);
}

TEST(Images, WindowsLargerThanThePicturesAreToldWithTheirLayer) {
  const Folder folder;
  write_pictures(folder, "p", 20);
  const auto said = [&](const std::string& layers) {
    const auto trained =
        train({.recipe = recipe_from(recipe_text("{type: stacked_cnn, conv_layers: " + layers + "}")),
               .data = {.dataset = folder.file("p")},
               .output_directory = folder.file("out")},
              {});
    return trained ? "trained" : trained.error().message();
  };
  // 12, 10 behind the first convolution, 5 pooled.
  const std::string first = "{out_channels: 2, kernel_size: 3, padding: valid, pool_kernel_size: 2}";
  EXPECT_NE(said("[" + first + ", {out_channels: 2, kernel_size: 6, padding: valid}]")
                .find("layer 2 of stacked_cnn convolves over windows of 6 x 6, and its pictures are 5 x 5"),
            std::string::npos);
  EXPECT_NE(said("[" + first + ", {out_channels: 2, kernel_size: 3, padding: same, pool_kernel_size: 7}]")
                .find("layer 2 of stacked_cnn pools over windows of 7 x 7, and its pictures are 5 x 5"),
            std::string::npos);
  EXPECT_EQ(said("[" + first + ", {out_channels: 2, kernel_size: 5, padding: valid, pool_kernel_size: 1}]"),
            "trained");
  const std::string own = first + ", {out_channels: 2, kernel_size: 3, pool_kernel_size: null, padding: ";
  EXPECT_NE(
      said("[" + own + "[2, 5], padding_mode: reflect}]")
          .find("layer 2 of stacked_cnn pads pictures of 5 x 5 by 2 x 5, and padding_mode reflect has at "
                "most 4 x 4 for them; take fewer layers"),
      std::string::npos);
  for (const char* mode : {"circular", "replicate"})
    EXPECT_EQ(said("[" + own + "[2, 5], padding_mode: " + mode + "}]"), "trained");
}

TEST(Images, AugmentationThatDoesNotFitIsAnErrorOfTheRecipe) {
  const Folder folder;
  write_pictures(folder, "p", 20);
  const auto trained = train(
      {.recipe = recipe_from(recipe_text(kCnn, "{}", ", augmentation: [{type: random_crop, padding: 12}]")),
       .data = {.dataset = folder.file("p")},
       .output_directory = folder.file("out")},
      {});
  ASSERT_FALSE(trained);
  EXPECT_NE(trained.error().message().find("padding"), std::string::npos) << trained.error().message();
}

TEST(Images, PicturesOfOnePixelHaveADefaultToo) {
  const Folder folder;
  for (const std::string name : {"dark", "light"}) {
    std::filesystem::create_directories(folder.file("p/" + name));
    for (int i = 0; i < 20; ++i)
      folder.write("p/" + name + "/" + std::to_string(i) + ".pgm",
                   std::string("P5\n1 1\n255\n") + static_cast<char>(name == "dark" ? 20 + i : 200 + i));
  }
  auto made = infer_recipe(folder.file("p"), "", {"label"}, 5);
  ASSERT_TRUE(made) << made.error().message();
  made->recipe.trainer.epochs = 1;
  const auto trained = train(
      {.recipe = made->recipe, .data = {.dataset = folder.file("p")}, .output_directory = folder.file("out")},
      {});
  EXPECT_TRUE(trained) << trained.error().message();
}

TEST(Images, BrokenPicturesAreNamedAndLeftOutUpToAShare) {
  const Folder folder;
  write_pictures(folder, "p", 30);
  folder.write("p/down/broken.pgm", "P5\n12 12\n255\nshort");
  std::string notes;
  TrainRequest request{.recipe = recipe_from(recipe_text(kCnn)),
                       .data = {.dataset = folder.file("p")},
                       .output_directory = folder.file("out")};
  const auto listen = [&](LogLevel, std::string_view text) { notes += std::string(text) + "\n"; };
  const auto trained = train(request, {.log = listen});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_NE(notes.find("1 picture of 61 cannot be read and left out: down/broken.pgm: "), std::string::npos)
      << notes;
  for (int i = 0; i < 6; ++i) folder.write("p/down/more" + std::to_string(i) + ".pgm", "P5\n12 12\n255\n");
  const auto refused = train(request, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::data);
  EXPECT_NE(refused.error().message().find("7 pictures of 67 cannot be read"), std::string::npos)
      << refused.error().message();
}

TEST(Images, RowsFromAFileTrainAsThoseInMemory) {
  const Folder folder;
  write_pictures(folder, "train", 40);
  write_pictures(folder, "test", 10);
  double loss[2];
  for (const bool in_memory : {true, false}) {
    auto recipe = recipe_from(recipe_text(kCnn, "{height: 12, width: 12, num_channels: 1}"));
    recipe.preprocessing.in_memory = in_memory;
    const auto trained = train({.recipe = std::move(recipe),
                                .data = {.dataset = folder.path()},
                                .output_directory = folder.file(in_memory ? "../images_a" : "../images_b")},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    EXPECT_GE(trained->test->value("label", "accuracy"), 0.85);
    loss[in_memory] = trained->test->value("label", "loss");
    std::filesystem::remove_all(std::filesystem::path(trained->folder).parent_path());
  }
  EXPECT_NEAR(loss[0], loss[1], 0.3);  // their batches differ
}

// What an alternating flip makes of one epoch's pictures: of each its level in the upper left, which tells
// the pictures apart, and whether it was flipped.
std::map<uint8_t, bool> flipped_in(const Dataset& data, uint64_t seed, uint32_t epoch) {
  constexpr int64_t kBatch = 16;
  const ops::augmentation::Step flip = ops::augmentation::HorizontalFlip{.alternating = true};
  std::map<uint8_t, bool> out;
  Batches batches(data, task::SplitName::training, kBatch, seed);
  for (int64_t b = 0; b < batches.count(); ++b) {
    const RowsAt at = batches.at(b, epoch);
    const auto rows = std::ssize(at.rows);
    std::vector<int32_t> numbers(static_cast<size_t>(rows));
    number_rows(at, seed, epoch, rows, numbers.data());
    std::vector<uint8_t> pixels(static_cast<size_t>(rows * kSide * kSide));
    std::get<data::PixelRows>(at.inputs->columns[0]).gather(at.rows, pixels.data());
    Graph graph("flip");
    graph.output("views", ops::augment(graph.input("pictures", {DType::u8, {rows, kSide, kSide, 1}}),
                                       std::span(&flip, 1), graph.input("numbers", {DType::i32, {rows}})));
    const auto views = interpret(graph,
                                 {{"pictures", Tensor64(pixels.begin(), pixels.end())},
                                  {"numbers", Tensor64(numbers.begin(), numbers.end())}},
                                 {}, {.seed = seed, .step = 1})
                           .outputs.at("views");
    for (int64_t r = 0; r < rows; ++r) {
      const auto corner = static_cast<size_t>(r * kSide * kSide);
      const bool flipped = views[corner] != pixels[corner];
      EXPECT_EQ(views[corner + (flipped ? kSide - 1 : 0)], pixels[corner]);
      EXPECT_TRUE(out.emplace(pixels[corner], flipped).second);
    }
  }
  return out;
}

TEST(Images, AnAlternatingFlipShowsEachPictureBothWaysInTwoEpochs) {
  const Folder folder;
  std::filesystem::create_directories(folder.file("train/a"));
  std::filesystem::create_directories(folder.file("train/b"));
  constexpr int kPictures = 200;
  for (int i = 0; i < kPictures; ++i) {  // the corner's level is the picture's own, all else another
    std::string text = "P5\n12 12\n255\n" + std::string(kSide * kSide, static_cast<char>(255));
    text[text.size() - kSide * kSide] = static_cast<char>(i);
    folder.write("train/" + std::string(i % 2 ? "a/" : "b/") + std::to_string(i) + ".pgm", text);
  }
  for (const bool in_memory : {true, false}) {
    auto recipe = recipe_from(recipe_text(kCnn, "{height: 12, width: 12, num_channels: 1}") +
                              "preprocessing: {split: {type: random, probabilities: [1, 0, 0]}}\n");
    PrepareOptions options;
    if (!in_memory) {
      options.from_file = FromFile{.buffers = stream_buffers(0, 0), .folder = folder.file("rows")};
      options.from_file->buffers.window = (128 << 10) + 64 * (kSide * kSide + 8);  // about 64 rows
    }
    const auto data = prepare({.dataset = folder.file("train")}, recipe, options);
    ASSERT_TRUE(data) << data.error().message();
    const auto first = flipped_in(*data, 5, 0), second = flipped_in(*data, 5, 1),
               third = flipped_in(*data, 5, 2);
    ASSERT_EQ(first.size(), kPictures);
    int begins_flipped = 0;
    for (const auto& [picture, flipped] : first) {
      EXPECT_NE(second.at(picture), flipped) << int{picture};
      EXPECT_EQ(third.at(picture), flipped) << int{picture};
      begins_flipped += flipped;
    }
    EXPECT_NEAR(begins_flipped, kPictures / 2, 4 * std::sqrt(kPictures) / 2);  // four standard deviations
    EXPECT_NE(flipped_in(*data, 6, 0), first);                                 // another seed
    EXPECT_EQ(flipped_in(*data, 5, 0), first);
  }
}

TEST(Images, ARunThatFlipsByTurnsGoesOnAsIfNothingHadHappened) {
  const Folder folder;
  write_pictures(folder, "pictures", 40);
  std::atomic<bool> stop = false;
  const auto run = [&](const std::string& name, int64_t stop_at, bool resume) {
    TrainRequest request{.data = {.dataset = folder.file("pictures")},
                         .output_directory = folder.file(name),
                         .save_seconds = 0,
                         .stop = &stop};
    if (resume)
      request.resume = folder.file(name) + "/experiment_run";
    else
      request.recipe = recipe_from(
          recipe_text(kCnn, "{}", ", augmentation: [{type: random_horizontal_flip, alternating: true}]"));
    if (request.recipe) request.recipe->trainer.early_stop = -1;  // wherever rounding leads
    stop = false;
    TrainEvents events;
    events.evaluated = [&](const Evaluation& e) { stop = stop_at > 0 && e.step >= stop_at; };
    const auto outcome = train(request, events);
    EXPECT_TRUE(outcome) << outcome.error().message();
    return outcome ? outcome->ending : Ending::diverged;
  };
  EXPECT_EQ(run("whole", 0, false), Ending::finished);
  EXPECT_EQ(run("broken", 7, false), Ending::interrupted);
  EXPECT_EQ(run("broken", 0, true), Ending::finished);
  for (const char* name : {"metrics.jsonl", "model/model.safetensors"})
    EXPECT_TRUE(*read_file(folder.file("whole") + "/experiment_run/" + name) ==
                *read_file(folder.file("broken") + "/experiment_run/" + name))
        << name;
}

TEST(Images, MixedPicturesAreLearnedFrom) {
  const Folder folder;
  write_pictures(folder, "pictures", 60);
  const auto trained =
      train({.recipe = recipe_from(recipe_text(
                 kCnn, "{standardize_image: training}",
                 ", augmentation: [{type: random_horizontal_flip}, {type: mixup, probability: 0.5}, "
                 "{type: cutmix, probability: 0.5}]")),
             .data = {.dataset = folder.file("pictures")},
             .output_directory = folder.file("out")},
            {});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_GE(trained->test->value("label", "accuracy"), 0.9);
}

// A millisecond passes between two looks at it.
class TickingClock final : public Clock {
 public:
  double seconds() const override { return now_ += 0.001; }

 private:
  mutable double now_ = 0;
};

std::optional<FeedShares> feed_of(const std::string& recipe, const Folder& folder) {
  auto data = prepare({.dataset = folder.file("pictures")}, recipe_from(recipe), {});
  EXPECT_TRUE(data) << data.error().message();
  const task::Trainer& trainer = data->spec.recipe.trainer;
  const auto rows = static_cast<int64_t>(data->training.size());
  const task::BatchSizes batch = task::batch_sizes(trainer, rows);
  const CompileOptions options{.target = native_target()};
  auto engine = Engine::create(data->spec, plans_for(batch, rows, rows), options);
  EXPECT_TRUE(engine) << engine.error().message();
  EXPECT_TRUE(engine->initialize(42, options));
  auto best = BestModel::create(*engine);
  const auto runner = std::ranges::find_if(
      engine->runners(), [](const auto& r) { return r->request().kind == PlanKind::evaluate; });
  Evaluator evaluator(**runner, *data);
  const TickingClock clock;
  LoopHooks hooks;
  hooks.clock = &clock;
  Loop loop(*engine, *data, evaluator, *best,
            {trainer, batch, horizon(trainer, rows, batch.batch * batch.accumulation), 42}, std::move(hooks));
  EXPECT_TRUE(loop.run());
  return loop.feed();
}

TEST(Images, LoadingAndAugmentingAreMeasured) {
  const Folder folder;
  write_pictures(folder, "pictures", 30);
  const std::string form = "{height: 12, width: 12, num_channels: 1}";
  const auto plain = feed_of(recipe_text(kCnn, form), folder);
  ASSERT_TRUE(plain);
  EXPECT_NEAR(plain->loading, 0.5, 1e-9);  // a millisecond of loading and one of the rest
  EXPECT_EQ(plain->augmenting, 0);
  const auto augmented = feed_of(recipe_text(kCnn, form, ", augmentation: [{type: random_crop}]"), folder);
  ASSERT_TRUE(augmented);
  EXPECT_NEAR(augmented->loading, 0.5, 1e-9);
  EXPECT_NEAR(augmented->augmenting, 0.5, 1e-9);
}

TEST(Images, WhatLimitsIsSaidWhereItIsMoreThanAThird) {
  EXPECT_EQ(feed_note({.loading = 0.03, .augmenting = 0.3}, false), "");
  EXPECT_EQ(
      feed_note({.loading = 0.04, .augmenting = 0.4}, false),
      "of the training time went 40 % into augmenting pictures and 4 % into loading rows; what would make it "
      "faster is fewer steps of augmentation, or smaller pictures (height and width in their preprocessing)");
  EXPECT_EQ(
      feed_note({.loading = 0.5, .augmenting = 0}, true),
      "of the training time went 50 % into loading rows; what would make it faster is a memory budget that "
      "has room for the rows");
}

TEST(Images, AnEvaluationCountsConfusions) {
  const Folder folder;
  write_pictures(folder, "pictures", 30);
  const auto trained = train({.recipe = recipe_from(recipe_text(kCnn)),
                              .data = {.dataset = folder.file("pictures")},
                              .output_directory = folder.file("out")},
                             {});
  ASSERT_TRUE(trained) << trained.error().message();
  const auto metrics = evaluate({.model = trained->folder, .dataset = folder.file("pictures")}, {});
  ASSERT_TRUE(metrics) << metrics.error().message();
  ASSERT_EQ(metrics->confusions.size(), 1u);
  const Confusion& c = metrics->confusions[0];
  EXPECT_EQ(c.output, "label");
  ASSERT_EQ(c.labels.size(), 2u);
  for (size_t truth = 0; truth < 2; ++truth) EXPECT_EQ(c.at(truth, 0) + c.at(truth, 1), 30);
  const auto right = static_cast<double>(c.at(0, 0) + c.at(1, 1));
  EXPECT_NEAR(right / 60, metrics->value("label", "accuracy"), 1e-9);
  EXPECT_NE(to_json(*metrics).find(fmt::format(R"("labels":["{}","{}"],"confusion_matrix":[[{},{}],[{},{}]])",
                                               c.labels[0], c.labels[1], c.at(0, 0), c.at(0, 1), c.at(1, 0),
                                               c.at(1, 1))),
            std::string::npos)
      << to_json(*metrics);
  // Training counts them too, of the rows that it tests on.
  const auto text = read_file(trained->folder + "/test_statistics.json");
  ASSERT_TRUE(text);
  const auto statistics = nlohmann::json::parse(*text);
  const auto matrix = statistics.at("label").at("confusion_matrix").get<std::vector<std::vector<int64_t>>>();
  ASSERT_EQ(matrix.size(), 2u);
  EXPECT_EQ(statistics.at("label").at("labels").size(), 2u);
  EXPECT_EQ(matrix[0][0] + matrix[0][1] + matrix[1][0] + matrix[1][1], trained->test->rows);
}

TEST(Images, ARecipeIsMadeFromAFolder) {
  const Folder folder;
  write_pictures(folder, "p", 40);
  const auto made = infer_recipe(folder.file("p"), "", {"label"}, 5);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->recipe.inputs.size(), 1u);
  const auto& image = std::get<task::ImageInput>(made->recipe.inputs[0].spec);
  EXPECT_EQ(image.preprocessing.height, kSide);
  EXPECT_TRUE(std::holds_alternative<task::CompactCnnEncoder>(image.encoder));
  EXPECT_EQ(made->recipe.outputs[0].type(), task::FeatureType::category);
}

TEST(Images, AContactSheetShowsEachPictureAndItsViews) {
  const Folder folder;
  write_pictures(folder, "p", 3);
  auto recipe = recipe_from(
      recipe_text(kCnn, "{}", ", augmentation: [{type: random_horizontal_flip, probability: 1}]"));
  const auto sheet =
      contact_sheet({.data = {.dataset = folder.file("p")}, .pictures = 2, .views = 1}, recipe);
  ASSERT_TRUE(sheet) << sheet.error().message();
  EXPECT_EQ(sheet->pictures, 2);
  const auto picture = data::decode_picture(std::as_bytes(std::span(sheet->png)));
  ASSERT_TRUE(picture) << picture.error().message();
  constexpr int kCell = kSide * 5;  // enlarged to 64 at most, with 2 between
  ASSERT_EQ(picture->width, 2 * (kCell + 2) + 2);
  ASSERT_EQ(picture->height, 2 * (kCell + 2) + 2);
  const auto at = [&](int y, int x) { return picture->pixels[static_cast<size_t>(y * picture->width + x)]; };
  for (int y = 2; y < picture->height - 2; ++y)
    for (int x = 0; x < kCell; ++x)
      ASSERT_EQ(at(y, 2 + x), at(y, 2 + kCell + 2 + kCell - 1 - x)) << y << " " << x;
}

// A flip that alternates turns a picture in the epochs in which training would.
TEST(Images, AContactSheetTurnsPicturesAsTrainingDoes) {
  constexpr int64_t kPictures = 8, kViews = 4;
  constexpr uint64_t kSeed = 7;
  const Folder folder;
  std::filesystem::create_directories(folder.file("p/a"));
  std::string half;  // dark on the left
  for (int i = 0; i < kSide * kSide; ++i) half += static_cast<char>(i % kSide < kSide / 2 ? 20 : 220);
  for (int i = 0; i < kPictures; ++i)
    folder.write("p/a/" + std::to_string(i) + ".pgm", "P5\n12 12\n255\n" + half);
  folder.write("p/a/1.pgm", "P5\n12 12\n255\nshort");  // has no row of the sheet, and keeps its number
  const auto sheet = contact_sheet(
      {.data = {.dataset = folder.file("p")}, .pictures = kPictures, .views = kViews, .seed = kSeed},
      recipe_from(
          recipe_text(kCnn, "{}", ", augmentation: [{type: random_horizontal_flip, alternating: true}]")));
  ASSERT_TRUE(sheet) << sheet.error().message();
  const auto picture = data::decode_picture(std::as_bytes(std::span(sheet->png)));
  ASSERT_TRUE(picture) << picture.error().message();
  const std::vector<uint32_t> rows{0, 2, 3, 4, 5, 6, 7};
  ASSERT_EQ(sheet->pictures, std::ssize(rows));
  constexpr int kCell = kSide * 5 + 2;
  int turned = 0;
  for (uint32_t epoch = 0; epoch < kViews; ++epoch) {
    std::vector<int32_t> numbers(rows.size());
    number_rows({.rows = rows}, kSeed, epoch, std::ssize(rows), numbers.data());
    for (size_t row = 0; row < rows.size(); ++row) {
      const int level =
          picture->pixels[(2 + row * kCell) * static_cast<size_t>(picture->width) + 2 + (1 + epoch) * kCell];
      EXPECT_EQ(level > 100, numbers[row] % 2 == 1) << row << " in epoch " << epoch;
      turned += level > 100;
    }
  }
  EXPECT_EQ(turned, 2 * std::ssize(rows));
}

// Every pixel of a view is the picture's own or the next one's, and both are there.
TEST(Images, AContactSheetShowsBoxesOfOtherPictures) {
  const Folder folder;
  std::filesystem::create_directories(folder.file("p/a"));
  for (const int level : {30, 90, 200})
    folder.write("p/a/" + std::to_string(level) + ".pgm",
                 "P5\n12 12\n255\n" + std::string(kSide * kSide, static_cast<char>(level)));
  const auto sheet = contact_sheet({.data = {.dataset = folder.file("p")}, .pictures = 3, .views = 6},
                                   recipe_from(recipe_text(kCnn, "{}", ", augmentation: [{type: cutmix}]")));
  ASSERT_TRUE(sheet) << sheet.error().message();
  EXPECT_EQ(sheet->steps, "cutmix(alpha=1, probability=1)");
  const auto picture = data::decode_picture(std::as_bytes(std::span(sheet->png)));
  ASSERT_TRUE(picture) << picture.error().message();
  constexpr int kCell = kSide * 5 + 2;
  const auto level = [&](int row, int column, int y, int x) {
    return int{
        picture
            ->pixels[static_cast<size_t>((2 + row * kCell + y) * picture->width + 2 + column * kCell + x)]};
  };
  int own = 0, next = 0;
  for (int row = 0; row < 3; ++row)
    for (int view = 1; view <= 6; ++view)
      for (int y = 0; y < kCell - 2; ++y)
        for (int x = 0; x < kCell - 2; ++x) {
          const int found = level(row, view, y, x);
          own += found == level(row, 0, 0, 0);
          next += found == level((row + 1) % 3, 0, 0, 0);
        }
  EXPECT_EQ(own + next, 3 * 6 * (kCell - 2) * (kCell - 2));
  EXPECT_GT(own, 0);
  EXPECT_GT(next, 0);
}

}  // namespace
}  // namespace shoestring::train
