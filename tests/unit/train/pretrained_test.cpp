// Networks that others have trained, and encoders that training leaves as they are: what they make of a
// picture is computed once.
#include <algorithm>
#include <filesystem>

#include "base/atomic_file.h"
#include "ir/text.h"
#include "model/model_file.h"
#include "train/predict.h"
#include "train/saved_model.h"
#include "train/train.h"
#include "unit/train/striped_pictures.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

// A mixer of timm's with patches of 8 and one layer: names and shapes as timm's MlpMixer has them.
struct Tensor {
  std::string name;
  Shape dims;
};
const std::vector<Tensor> kMixer{{"stem.proj.weight", {12, 3, 8, 8}},
                                 {"stem.proj.bias", {12}},
                                 {"blocks.0.norm1.weight", {12}},
                                 {"blocks.0.norm1.bias", {12}},
                                 {"blocks.0.mlp_tokens.fc1.weight", {6, 4}},
                                 {"blocks.0.mlp_tokens.fc1.bias", {6}},
                                 {"blocks.0.mlp_tokens.fc2.weight", {4, 6}},
                                 {"blocks.0.mlp_tokens.fc2.bias", {4}},
                                 {"blocks.0.norm2.weight", {12}},
                                 {"blocks.0.norm2.bias", {12}},
                                 {"blocks.0.mlp_channels.fc1.weight", {20, 12}},
                                 {"blocks.0.mlp_channels.fc1.bias", {20}},
                                 {"blocks.0.mlp_channels.fc2.weight", {12, 20}},
                                 {"blocks.0.mlp_channels.fc2.bias", {12}},
                                 {"norm.weight", {12}},
                                 {"norm.bias", {12}},
                                 {"head.weight", {1000, 12}},
                                 {"head.bias", {1000}}};
constexpr const char* kMixerKeys =
    "type: mlp_mixer, patch_size: 8, embed_size: 12, token_size: 6, channel_dim: 20, num_layers: 1";

float value_of(const Tensor& tensor, int64_t element) {
  const auto mixed = static_cast<uint32_t>(element * 2654435761u + tensor.name.size() * 40503u);
  const float noise = static_cast<float>(mixed % 1009) / 1009 - 0.5F;
  return tensor.name.find("norm") != std::string::npos && tensor.name.ends_with("weight") ? 1 + noise / 4
                                                                                          : noise / 2;
}

std::string write_weights(const std::string& path, const std::vector<Tensor>& tensors) {
  std::vector<std::vector<float>> values;
  std::vector<model::TensorView> views;
  values.reserve(tensors.size());
  for (const Tensor& t : tensors) {
    auto& v = values.emplace_back();
    for (int64_t i = 0; i < t.dims.elements(); ++i) v.push_back(value_of(t, i));
    views.push_back({t.name, {DType::f32, t.dims}, std::as_bytes(std::span(v))});
  }
  EXPECT_TRUE(model::write_tensors(path, {}, views));
  return path;
}

std::string recipe_text(const std::string& encoder, const std::string& preprocessing = "{}",
                        const std::string& more = "",
                        const std::string& trainer = "epochs: 6, batch_size: 16, learning_rate: 0.02") {
  return "input_features: [{name: image_path, type: image, preprocessing: " + preprocessing + ", encoder: {" +
         encoder + "}" + more +
         "}]\n"
         "output_features: [{name: label, type: category}]\n"
         "combiner: {type: concat, num_fc_layers: 1, output_size: 8, dropout: 0.1}\n"
         "trainer: {" +
         trainer + ", checkpoints_per_epoch: 1}\n";
}

class PretrainedTest : public testing::Test {
 protected:
  void SetUp() override { write_pictures(folder_, "pictures", 40, {.side = 16, .channels = 3}); }

  struct Ran {
    std::optional<TrainOutcome> outcome;
    std::string error, notes;
    std::vector<double> losses;  // of training and of validation, of every evaluation
  };
  Ran run(const std::string& recipe, const std::function<void(task::Recipe&)>& change = {}) {
    Ran ran;
    TrainRequest request{.recipe = recipe_from(recipe),
                         .data = {.dataset = folder_.file("pictures")},
                         .output_directory = folder_.file("out" + std::to_string(++runs_))};
    if (change) change(*request.recipe);
    TrainEvents events;
    events.log = [&](LogLevel, std::string_view text) { ran.notes += std::string(text) + "\n"; };
    events.evaluated = [&](const Evaluation& e) {
      ran.losses.push_back(e.loss);
      if (e.validation) ran.losses.push_back(e.validation->value("label", "loss"));
    };
    auto trained = train(request, events);
    if (trained)
      ran.outcome = std::move(*trained);
    else
      ran.error = trained.error().message();
    return ran;
  }
  std::string weights() { return write_weights(folder_.file("mixer.safetensors"), kMixer); }
  std::string frozen_mixer(const std::string& preprocessing = "{}", const std::string& more = "") {
    return recipe_text(std::string(kMixerKeys) + ", pretrained_weights: " + weights() + ", trainable: false",
                       preprocessing, more);
  }

  Folder folder_;
  int runs_ = 0;
};

TEST_F(PretrainedTest, TheModelHasTheFilesWeights) {
  const Ran ran = run(frozen_mixer());
  ASSERT_TRUE(ran.outcome) << ran.error;
  EXPECT_NE(
      ran.notes.find("input_features.image_path.encoder begins with " + folder_.file("mixer.safetensors")),
      std::string::npos)
      << ran.notes;
  const auto model = load_model(ran.outcome->folder);
  ASSERT_TRUE(model) << model.error().message();
  const auto tensor = [&](const std::string& name) {
    for (const auto& t : model->file.tensors)
      if (t.name == "input.image_path." + name)
        return std::span(reinterpret_cast<const float*>(t.bytes.data()),
                         static_cast<size_t>(t.type.elements()));
    ADD_FAILURE() << name;
    return std::span<const float>();
  };
  // Filters [n,c,kh,kw] stand as [kh,kw,c,n], matrices [n,m] as [m,n].
  const auto filters = tensor("stem.proj.weights");
  for (int64_t n = 0; n < 12; ++n)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < 8; ++y)
        for (int64_t x = 0; x < 8; ++x)
          ASSERT_EQ(filters[static_cast<size_t>(((y * 8 + x) * 3 + c) * 12 + n)],
                    value_of(kMixer[0], ((n * 3 + c) * 8 + y) * 8 + x));
  const auto matrix = tensor("blocks.0.mlp_channels.fc1.weights");
  for (int64_t n = 0; n < 20; ++n)
    for (int64_t m = 0; m < 12; ++m)
      ASSERT_EQ(matrix[static_cast<size_t>(m * 20 + n)], value_of(kMixer[10], n * 12 + m));
  const auto scale = tensor("norm.scale");
  for (int64_t n = 0; n < 12; ++n) ASSERT_EQ(scale[static_cast<size_t>(n)], value_of(kMixer[14], n));
  // It needs the file no more.
  std::filesystem::remove(folder_.file("mixer.safetensors"));
  const auto metrics = evaluate({.model = ran.outcome->folder, .dataset = folder_.file("pictures")}, {});
  ASSERT_TRUE(metrics) << metrics.error().message();
}

TEST_F(PretrainedTest, WhatIsWrongWithTheFileIsSaid) {
  const auto error = [&](const std::string& keys) {
    return run(recipe_text(std::string(kMixerKeys) + ", trainable: false, " + keys)).error;
  };
  const std::string none = folder_.file("none.safetensors");
  EXPECT_EQ(error("pretrained_weights: " + none),
            none +
                ": cannot read: No such file or directory; "
                "input_features.image_path.encoder.pretrained_weights is to name "
                "weights of mlp_mixer as safetensors");
  const std::string pickle =
      folder_.write("weights.pth", std::string("PK\3\4 a pickle, as torch.save has it"));
  EXPECT_EQ(
      error("pretrained_weights: " + pickle),
      pickle +
          ": is a file of torch.save, a pickle of Python, and only safetensors is read; save it as "
          "safetensors: python3 -c \"import sys, torch, safetensors.torch as s; s.save_file({k: "
          "v.contiguous() for k, v in torch.load(sys.argv[1], weights_only=True).items()}, sys.argv[1] + "
          "'.safetensors')\" '" +
          pickle + "'");
  for (const char* name : {"weights.pt", "weights.bin"}) {
    const std::string other = folder_.write(name, std::string("PK\3\4"));
    EXPECT_TRUE(error("pretrained_weights: " + other)
                    .starts_with(other +
                                 ": is a file of torch.save, a pickle of Python, and only safetensors is "
                                 "read; save it as safetensors: python3 -c "));
  }
  auto tensors = kMixer;
  tensors[4].dims = {5, 4};
  const std::string other = write_weights(folder_.file("other.safetensors"), tensors);
  EXPECT_EQ(error("pretrained_weights: " + other),
            other +
                ": tensor 'blocks.0.mlp_tokens.fc1.weight' is [5,4], the network's [6,4]; give the weights "
                "of mlp_mixer, which input_features.image_path.encoder is, for pictures of its size");
  tensors.erase(tensors.begin() + 4);
  write_weights(other, tensors);
  EXPECT_EQ(error("pretrained_weights: " + other),
            other +
                ": has no tensor 'blocks.0.mlp_tokens.fc1.weight'; give the weights of mlp_mixer, which "
                "input_features.image_path.encoder is, for pictures of its size");
}

TEST_F(PretrainedTest, AFolderIsSearchedByTheNetworksName) {
  const std::string cache = folder_.file("cache");
  std::filesystem::create_directories(cache);
  const auto error = [&] {
    return run(recipe_text("type: mobilenetv3, trainable: false, model_cache_dir: " + cache)).error;
  };
  const std::string where = "input_features.image_path.encoder.model_cache_dir: '" + cache + "' has ";
  EXPECT_TRUE(error().starts_with(where + "no mobilenet_v3_small.safetensors; ")) << error();
  folder_.write("cache/mobilenet_v3_small-047dcff4.pth", "PK");
  EXPECT_TRUE(error().starts_with(where + "mobilenet_v3_small as Python's pickle")) << error();
  write_weights(cache + "/mobilenet_v3_small-047dcff4.safetensors", kMixer);
  EXPECT_TRUE(
      error().starts_with(cache + "/mobilenet_v3_small-047dcff4.safetensors: has no tensor 'features.0.0."))
      << error();
  write_weights(cache + "/mobilenet_v3_small.safetensors", kMixer);
  EXPECT_TRUE(error().starts_with(where + "several files of mobilenet_v3_small: ")) << error();
}

// torchvision's networks expect ImageNet's levels, and begin as they were published, however small the
// pictures.
TEST_F(PretrainedTest, PicturesAreScaledAsTheNetworkExpects) {
  const auto image = [](const std::string& encoder, const std::string& preprocessing = "{}") {
    return std::get<task::ImageInput>(recipe_from(recipe_text(encoder, preprocessing)).inputs[0].spec);
  };
  const auto published = image("type: resnet, pretrained_weights: w.safetensors");
  EXPECT_EQ(published.preprocessing.standardize_image, task::Standardize::imagenet1k);
  EXPECT_EQ(published.preprocessing.num_channels, 3);
  EXPECT_TRUE(task::pretrained_of(published.encoder)->use_pretrained);
  EXPECT_EQ(image("type: resnet, pretrained_weights: w.safetensors", "{standardize_image: null}")
                .preprocessing.standardize_image,
            task::Standardize::none);
  const auto efficientnet = [&](const std::string& variant) {
    return image("type: efficientnet, model_variant: " + variant + ", pretrained_weights: w.safetensors")
        .preprocessing.standardize_image;
  };
  EXPECT_EQ(efficientnet("v2_m"), task::Standardize::imagenet1k);
  EXPECT_EQ(efficientnet("v2_l"), task::Standardize::inception);
  const std::string mixer = std::string(kMixerKeys) + ", pretrained_weights: w.safetensors";
  EXPECT_EQ(image(mixer).preprocessing.standardize_image, task::Standardize::inception);
  EXPECT_EQ(image(mixer, "{standardize_image: null}").preprocessing.standardize_image,
            task::Standardize::none);
  const auto own = image("type: resnet, pretrained_weights: w.safetensors, use_pretrained: false");
  EXPECT_EQ(own.preprocessing.standardize_image, task::Standardize::none);
  EXPECT_FALSE(task::pretrained_of(own.encoder)->use_pretrained);
}

constexpr const char* kMobile = "type: mobilenetv3, trainable: false";

// Nothing of a frozen encoder has a gradient, a moment or another value afterwards; its batch norms work with
// their running statistics.
TEST_F(PretrainedTest, AFrozenEncoderIsNotTrained) {
  const auto steps = [](const std::string& encoder) {
    const task::NetworkSpec spec{
        .recipe = recipe_from(recipe_text(encoder, "{height: 16, width: 16, num_channels: 3}")),
        .input_sizes = {1},
        .output_sizes = {2},
        .class_weights = {{}},
        .input_edges = {{}}};
    const Graph graph = task::build_training(spec, 16, task::StepKind::update);
    EXPECT_TRUE(graph.status()) << graph.status().error().message();
    return to_text(graph);
  };
  const std::string trained = steps("type: mobilenetv3"), frozen = steps(kMobile);
  for (const char* of_training :
       {"conv2d_filter", "batch_norm(", "batch_norm_grad", "input.image_path.features.0.0.weights/"}) {
    EXPECT_NE(trained.find(of_training), std::string::npos) << of_training;
    EXPECT_EQ(frozen.find(of_training), std::string::npos) << of_training;
  }
  EXPECT_NE(frozen.find("conv2d("), std::string::npos);

  const Ran ran = run(recipe_text(kMobile, "{}", ", augmentation: [{type: random_horizontal_flip}]"));
  ASSERT_TRUE(ran.outcome) << ran.error;
  EXPECT_NE(
      ran.notes.find("the encoder of 'image_path' is frozen, and what it makes of a row is computed in every "
                     "step, as augmentation changes its pictures"),
      std::string::npos)
      << ran.notes;
  const auto model = load_model(ran.outcome->folder);
  ASSERT_TRUE(model) << model.error().message();
  int statistics = 0;
  for (const auto& t : model->file.tensors) {
    const bool mean = t.name.ends_with(".mean"), variance = t.name.ends_with(".variance");
    if (!t.name.starts_with("input.") || (!mean && !variance)) continue;
    ++statistics;
    for (const float v :
         std::span(reinterpret_cast<const float*>(t.bytes.data()), static_cast<size_t>(t.type.elements())))
      ASSERT_EQ(v, variance ? 1 : 0) << t.name;
  }
  EXPECT_EQ(statistics, 2 * 34);  // torchvision's mobilenet_v3_small has 34 batch norms
}

// The same losses as with the encoder in every step, in memory and from a file.
TEST_F(PretrainedTest, KeptFeaturesChangeNothing) {
  for (const std::string& encoder :
       {std::string(kMobile),
        std::string(kMixerKeys) + ", trainable: false, pretrained_weights: " + weights()})
    for (const bool in_memory : {true, false}) {
      const auto with = [&](const char* kept) {
        return run(recipe_text(encoder, std::string("{height: 16, width: 16, num_channels: 3, "
                                                    "cache_encoder_embeddings: ") +
                                            kept + "}"),
                   [&](task::Recipe& recipe) { recipe.preprocessing.in_memory = in_memory; });
      };
      const Ran kept = with("auto"), each = with("false"), again = with("true");
      ASSERT_TRUE(kept.outcome) << kept.error;
      ASSERT_TRUE(each.outcome) << each.error;
      EXPECT_NE(kept.notes.find("what the frozen encoder makes of 80 rows is computed once"),
                std::string::npos)
          << kept.notes;
      EXPECT_EQ(each.notes.find("computed once"), std::string::npos) << each.notes;
      ASSERT_EQ(kept.losses.size(), each.losses.size());
      ASSERT_GE(kept.losses.size(), 12u);
      for (size_t i = 0; i < kept.losses.size(); ++i)
        EXPECT_NEAR(kept.losses[i], each.losses[i], 1e-5) << encoder << " " << in_memory << " " << i;
      EXPECT_NE(kept.losses.front(), kept.losses[kept.losses.size() - 2]);
      EXPECT_EQ(kept.losses, again.losses);
      EXPECT_NEAR(kept.outcome->test->value("label", "loss"), each.outcome->test->value("label", "loss"),
                  1e-5);
      // The model answers from pictures.
      const auto metrics = evaluate({.model = kept.outcome->folder, .dataset = folder_.file("pictures")}, {});
      ASSERT_TRUE(metrics) << metrics.error().message();
      const auto all = evaluate({.model = each.outcome->folder, .dataset = folder_.file("pictures")}, {});
      EXPECT_NEAR(metrics->value("label", "loss"), all->value("label", "loss"), 1e-5);
    }
}

// A run that goes on has the weights from its checkpoint, and ends with the bits of one that was never
// stopped.
TEST_F(PretrainedTest, ARunThatGoesOnNeedsTheFileNoMore) {
  const std::string recipe = frozen_mixer();
  const Ran whole = run(recipe);
  ASSERT_TRUE(whole.outcome) << whole.error;
  std::atomic<bool> stop{false};
  TrainEvents events;
  events.evaluated = [&](const Evaluation& e) { stop = e.step > 8; };
  TrainRequest request{.recipe = recipe_from(recipe),
                       .data = {.dataset = folder_.file("pictures")},
                       .output_directory = folder_.file("stopped")};
  request.stop = &stop;
  const auto stopped = train(request, events);
  ASSERT_TRUE(stopped) << stopped.error().message();
  ASSERT_EQ(stopped->ending, Ending::interrupted);
  std::filesystem::remove(folder_.file("mixer.safetensors"));
  std::string notes;
  TrainEvents listen;
  listen.log = [&](LogLevel, std::string_view text) { notes += std::string(text) + "\n"; };
  const auto gone_on = train({.resume = stopped->folder}, listen);
  ASSERT_TRUE(gone_on) << gone_on.error().message();
  EXPECT_EQ(notes.find("begins with"), std::string::npos) << notes;
  EXPECT_NE(notes.find("is computed once"), std::string::npos) << notes;
  EXPECT_EQ(*read_file(gone_on->model_path), *read_file(whole.outcome->model_path));
}

TEST_F(PretrainedTest, ThePlanCountsWhatIsKept) {
  std::string notes;
  TrainEvents events;
  events.log = [&](LogLevel, std::string_view text) { notes += std::string(text) + "\n"; };
  const auto planned = [&](const std::string& recipe) {
    auto out = plan({.recipe = recipe_from(recipe),
                     .data = {.dataset = folder_.file("pictures")},
                     .output_directory = folder_.file("planned")},
                    events);
    EXPECT_TRUE(out) << out.error().message();
    return std::move(out->ledger);
  };
  const budget::Ledger kept = planned(frozen_mixer()),
                       each = planned(frozen_mixer("{cache_encoder_embeddings: false}"));
  EXPECT_EQ(kept.memory.of_line("features"), 80 * 12 * 4);
  EXPECT_EQ(each.memory.of_line("features"), 0);
  const auto seconds = [](const budget::Ledger& ledger) {
    const auto stage = std::ranges::find(ledger.time.stages, "features", &budget::TimeStage::name);
    return stage == ledger.time.stages.end() ? 0 : stage->p50_s;
  };
  EXPECT_GT(seconds(kept), 0);
  EXPECT_EQ(seconds(each), 0);
  EXPECT_EQ(notes.find("begins with"), std::string::npos) << "a plan reads no numbers";
  // The head alone has moments.
  const int64_t head = (12 * 8 + 8) + (8 * 2 + 2);
  EXPECT_LT(kept.memory.of_line("optimizer state"), 2 * 4 * head + 16 * 64);
}

}  // namespace
}  // namespace shoestring::train
