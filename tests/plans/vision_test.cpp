// Networks for pictures against torchvision's and timm's features (vision.txt, written by vision.py). Both
// sides make weights and pictures from one formula; here they come as a file of theirs would, so names,
// shapes and the order of elements are tested too.
#include "model/vision/vision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/atomic_file.h"
#include "compile/differentiate.h"
#include "model/vision/pretrained.h"
#include "plans/runner.h"

namespace shoestring::test {
namespace {

namespace vision = model::vision;

// Uniform in [-1, 1): the finalizer of MurmurHash3 over a counter that begins with a hash of the name.
class Numbers {
 public:
  explicit Numbers(std::string_view name) {
    for (const char c : name) next_ = (next_ ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  float operator()() {
    uint32_t x = next_++;
    x = (x ^ x >> 16) * 0x85EBCA6Bu;
    x = (x ^ x >> 13) * 0xC2B2AE35u;
    x ^= x >> 16;
    return static_cast<float>(x >> 8) * 0x1p-23f - 1;
  }

 private:
  uint32_t next_ = 2166136261u;
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// As vision.py's `filled`.
std::vector<float> filled(const vision::ForeignTensor& t) {
  std::vector<float> values(static_cast<size_t>(t.dims.elements()));
  Numbers u(t.name);
  float low = 0, size = 0.25f;
  if (t.dims.rank() >= 2 && !has(t.name, "pos_embedding") && !has(t.name, "class_token") &&
      !has(t.name, "layer_scale"))
    size = static_cast<float>(std::sqrt(4.5 / static_cast<double>(t.dims.elements() / t.dims[0])));
  else if (t.name.ends_with("running_var"))
    low = 1, size = 0.5f;
  else if (t.name.ends_with("weight") || has(t.name, "layer_scale"))
    low = 0.75f;
  for (float& v : values) v = low + size * u();
  return values;
}

std::vector<float> along(const vision::ForeignTensor& t) {
  std::vector<float> values(static_cast<size_t>(t.dims.elements()));
  Numbers u("along " + t.name);
  for (float& v : values) v = u();
  return values;
}

// A network's weights as their file holds them.
struct Weights {
  std::vector<std::vector<float>> values;
  model::TensorFile file;

  explicit Weights(std::span<const model::Parameter> parameters,
                   std::vector<float> (*make)(const vision::ForeignTensor&) = filled) {
    values.reserve(parameters.size());
    for (const model::Parameter& p : parameters) {
      const vision::ForeignTensor t = vision::foreign_form(p, "picture");
      values.push_back(make(t));
      file.tensors.push_back({t.name, {DType::f32, t.dims}, std::as_bytes(std::span(values.back()))});
    }
  }
};

constexpr int64_t kRows = 2;

struct Stored {
  std::string network, variant;
  int64_t side = 0, features = 0, every = 0;
  double mean = 0, deviation = 0;
  std::vector<double> shown;  // row by row
};

std::vector<Stored> stored() {
  std::vector<Stored> all;
  std::istringstream text(read_file("tests/plans/vision.txt").value());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    Stored& s = all.emplace_back();
    std::istringstream words(line);
    words >> s.network >> s.variant;
    std::string word;
    while (words >> word && word != "|") s.variant += " " + word;
    words >> s.side >> s.features >> s.every >> s.mean >> s.deviation;
    for (double v; words >> v;) s.shown.push_back(v);
  }
  return all;
}

std::optional<vision::Network> network_of(const Stored& s) {
  // Of a few layers, for quick tests and gradients that f32 can hold.
  if (s.variant == "of_4")
    return vision::ResNet{.blocks = {1, 1, 1, 1}, .bottleneck = true, .groups = 32, .width = 4};
  if (s.variant == "of_2" && s.network == "vit")
    return vision::VisionTransformer{.patch = 8, .layers = 2, .heads = 4, .hidden = 64, .mlp = 128};
  if (s.variant == "of_2")
    return vision::MlpMixer{
        .patch_size = 8, .embed_size = 64, .token_size = 32, .channel_dim = 256, .num_layers = 2};
  const bool small = s.variant.ends_with(" small");
  auto network = vision::network_of(s.network, small ? s.variant.substr(0, s.variant.size() - 6) : s.variant);
  if (network && small) std::get<vision::ResNet>(*network).small_stem = true;
  return network;
}

// What the file has for the states, in their order of elements.
struct Loaded {
  std::string state;
  std::vector<float> values;
};
Result<std::vector<Loaded>> load(const model::TensorFile& file,
                                 std::span<const model::Parameter> parameters) {
  const auto find = [&](std::string_view name) {
    const model::TensorView* tensor = file.find(name);
    return tensor ? &tensor->type : nullptr;
  };
  const auto matched = vision::match_foreign(find, "w.safetensors", parameters, "picture");
  if (!matched) return fail(matched.error());
  std::vector<Loaded> out;
  for (const vision::ForeignState& s : *matched) {
    out.push_back({s.state, std::vector<float>(static_cast<size_t>(s.tensor.dims.elements()))});
    vision::put_foreign(s, 0, file.find(s.tensor.name)->bytes, out.back().values);
  }
  return out;
}

// States by the file's road, and pictures.
void set(Runner& runner, const Graph& graph, const model::Forward& forward) {
  const Weights weights(forward.parameters());
  const auto loaded = load(weights.file, forward.parameters());
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->size(), forward.parameters().size());
  for (const Loaded& l : *loaded) runner.set(*graph.state(l.state), {l.values.begin(), l.values.end()});
}

Tensor64 pictures_of(int64_t side) {
  Tensor64 pictures(static_cast<size_t>(kRows * side * side * 3));
  Numbers u("pictures");
  for (double& v : pictures) v = u();
  return pictures;
}

void compare(const Stored& s) {
  SCOPED_TRACE(s.network + " " + s.variant);
  const auto network = network_of(s);
  ASSERT_TRUE(network);
  Graph graph("forward");
  model::Forward forward(graph);
  const Value x = graph.input("x", {DType::f32, {kRows, s.side, s.side, 3}});
  graph.output("features", vision::features(forward, x, "picture", *network));
  ASSERT_TRUE(graph.status()) << graph.status().error().message();

  Planned runner;
  runner.add(graph);
  set(runner, graph, forward);
  const Tensor64 y = runner.run("forward", {{"x", pictures_of(s.side)}}).at("features");

  ASSERT_EQ(static_cast<int64_t>(y.size()), kRows * s.features);
  double largest = 1, sum = 0;
  for (const double v : y) largest = std::max(largest, std::abs(v)), sum += v;
  EXPECT_NEAR(sum / static_cast<double>(y.size()), s.mean, 1e-4 * largest);
  const size_t shown = s.shown.size() / kRows;
  for (size_t i = 0; i < s.shown.size(); ++i) {
    const size_t row = i / shown, column = i % shown * static_cast<size_t>(s.every);
    ASSERT_NEAR(y[row * static_cast<size_t>(s.features) + column], s.shown[i], 1e-4 * largest)
        << "feature " << column << " of row " << row;
  }
}

// Those that take a fraction of a second. SHOESTRING_LONG_TESTS=1 runs them all.
constexpr std::string_view kQuick[] = {"resnet 18 small",  "resnet 50",         "resnext 50_32x4d",
                                       "mobilenetv2 base", "mobilenetv3 small", "efficientnet b0",
                                       "convnext tiny",    "vit of_2",          "mlp_mixer of_2"};

TEST(Vision, FeaturesAreTorchvisions) {
  const char* all = std::getenv("SHOESTRING_LONG_TESTS");
  for (const Stored& s : stored()) {
    const std::string name = s.network + " " + s.variant;
    const bool quick = std::find(std::begin(kQuick), std::end(kQuick), name) != std::end(kQuick);
    if (quick || (all && *all == '1')) compare(s);
  }
}

// The loss in training mode, its gradient's norm and its slope along one direction (vision_training.txt).
void compare_training(const Stored& s, double loss, double norm, double slope) {
  SCOPED_TRACE(s.network + " " + s.variant);
  vision::Network network = *network_of(s);
  if (auto* net = std::get_if<vision::EfficientNet>(&network)) net->stochastic_depth = 0;
  if (auto* net = std::get_if<vision::ConvNext>(&network)) net->stochastic_depth = 0;
  Graph graph("training");
  model::Forward forward(graph, true);
  const Value x = graph.input("x", {DType::f32, {kRows, s.side, s.side, 3}});
  const Value mean = ops::reduce_mean(ops::square(vision::features(forward, x, "picture", network)));
  graph.output("loss", mean);
  std::vector<Value> trained;
  std::vector<std::string> names;
  for (const model::Parameter& p : forward.parameters())
    if (p.trainable) trained.push_back(forward.value(p)), names.push_back(p.name);
  const std::vector<Value> gradients = differentiate(graph, mean, trained);
  for (size_t i = 0; i < names.size(); ++i) graph.output(names[i], gradients[i]);
  ASSERT_TRUE(graph.status()) << graph.status().error().message();

  Planned runner;
  runner.add(graph);
  set(runner, graph, forward);
  const auto results = runner.run("training", {{"x", pictures_of(s.side)}});
  const Weights directions(forward.parameters(), along);
  const auto loaded = load(directions.file, forward.parameters());
  double squares = 0, dot = 0;
  for (const Loaded& l : *loaded) {
    const auto gradient = results.find(l.state);
    if (gradient == results.end()) continue;
    for (size_t i = 0; i < l.values.size(); ++i) {
      squares += gradient->second[i] * gradient->second[i];
      dot += gradient->second[i] * static_cast<double>(l.values[i]);
    }
  }
  EXPECT_NEAR(results.at("loss")[0], loss, 1e-4 * loss);
  EXPECT_NEAR(std::sqrt(squares), norm, 1e-3 * norm);
  EXPECT_NEAR(dot, slope, 1e-3 * norm);
}

TEST(Vision, GradientsAreTorchvisions) {
  std::istringstream text(read_file("tests/plans/vision_training.txt").value());
  int networks = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line.substr(line.find('|') + 1));
    Stored s;
    double loss = 0, norm = 0, slope = 0;
    words >> s.side >> loss >> norm >> slope;
    s.network = line.substr(0, line.find(' '));
    s.variant = line.substr(s.network.size() + 1, line.find('|') - s.network.size() - 2);
    compare_training(s, loss, norm, slope);
    ++networks;
  }
  EXPECT_EQ(networks, 8);
}

TEST(Vision, EveryVariantIsStored) {
  for (const Stored& s : stored()) EXPECT_TRUE(network_of(s)) << s.network << " " << s.variant;
  EXPECT_FALSE(vision::network_of("resnet", "19"));
  EXPECT_FALSE(vision::network_of("lenet", "5"));
}

TEST(Vision, WrongWeightsAreNamed) {
  Graph graph("forward");
  model::Forward forward(graph);
  vision::resnet(forward, graph.input("x", {DType::f32, {1, 32, 32, 3}}), "picture",
                 {.blocks = {1, 0, 0, 0}});
  Weights weights(forward.parameters());
  const auto said = [&] {
    const auto loaded = load(weights.file, forward.parameters());
    return loaded ? std::string() : loaded.error().message();
  };
  EXPECT_EQ(said(), "");
  weights.file.tensors[0].type.dtype = DType::i32;
  EXPECT_EQ(said(),
            "w.safetensors: tensor 'conv1.weight' is i32[64,3,7,7], no numbers of floating point; give the "
            "weights of this very network and variant");
  weights.file.tensors[0].type.dtype = DType::f32;
  weights.file.tensors[0].type.dims = {64, 3, 3, 3};
  EXPECT_EQ(said(),
            "w.safetensors: tensor 'conv1.weight' is [64,3,3,3], the network's [64,3,7,7]; give the weights "
            "of this "
            "very network and variant");
  weights.file.tensors[0].name = "conv0.weight";
  EXPECT_EQ(said(),
            "w.safetensors: has no tensor 'conv1.weight'; give the weights of this very network and variant");
}

// A file is read in pieces: wherever they end, every element comes to its place, and as bf16 too.
TEST(Vision, WeightsAreReadInPieces) {
  Graph graph("forward");
  model::Forward forward(graph);
  vision::resnet(forward, graph.input("x", {DType::f32, {1, 32, 32, 3}}), "picture",
                 {.blocks = {1, 0, 0, 0}});
  Weights weights(forward.parameters());
  const std::string path = testing::TempDir() + "shoestring_pieces.safetensors";
  ASSERT_TRUE(model::write_tensors(path, {}, weights.file.tensors));
  auto file = model::ForeignTensors::open(path);
  ASSERT_TRUE(file) << file.error().message();
  const auto whole = load(weights.file, forward.parameters());
  ASSERT_TRUE(whole);
  const auto matched = vision::match_foreign([&](std::string_view name) { return file->find(name); }, path,
                                             forward.parameters(), "picture");
  ASSERT_TRUE(matched) << matched.error().message();
  for (const size_t piece : {size_t{20}, size_t{4096}, size_t{1} << 20}) {
    std::vector<std::byte> buffer(piece);
    for (size_t i = 0; i < matched->size(); ++i) {
      std::vector<float> values((*whole)[i].values.size());
      ASSERT_TRUE(vision::read_foreign(*file, (*matched)[i], values, buffer));
      ASSERT_EQ(values, (*whole)[i].values) << (*matched)[i].state;
    }
  }
  std::remove(path.c_str());

  vision::ForeignState half = (*matched)[0];
  half.dtype = DType::bf16;
  std::vector<double> exact((*whole)[0].values.size());
  for (size_t i = 0; i < exact.size(); ++i) exact[i] = static_cast<double>(i % 128);
  std::vector<std::byte> bytes(2 * exact.size());
  encode(DType::bf16, exact.data(), bytes.data(), static_cast<int64_t>(exact.size()));
  std::vector<float> values(exact.size());
  vision::put_foreign(half, 0, bytes, values);
  // [n,c,kh,kw] to [kh,kw,c,n]: element (1,2,3,4) of conv1's 64 x 3 x 7 x 7.
  EXPECT_EQ(values[static_cast<size_t>(((3 * 7 + 4) * 3 + 2) * 64 + 1)],
            static_cast<float>((((1 * 3 + 2) * 7 + 3) * 7 + 4) % 128));
}

}  // namespace
}  // namespace shoestring::test
