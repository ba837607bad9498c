// What is trained on pictures where nobody says what: the network and the settings of Jordan, "94 % on
// CIFAR-10 in 3.29 seconds" (arXiv 2404.00498), made wider or narrower, on pictures made smaller where they
// are many. In place of that paper's mean over the last steps' weights (lookahead) the rate falls to nothing.
#include "task/default_images.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace shoestring::task {
namespace {

constexpr std::string_view kImage = R"(
preprocessing: {{height: {height}, width: {width}, num_channels: {channels}, standardize_image: training}}
encoder: {{type: compact_cnn, widths: [{widths}], convolutions: {convolutions}, residual: {residual}, whiten: {whiten}, views: {views}}}
augmentation:
  - {{type: random_horizontal_flip, alternating: true}}
)";
constexpr std::string_view kCrop = "  - {{type: random_crop, padding: {}}}\n";
// Where each picture is seen often.
constexpr std::string_view kErasing = "  - {type: random_erasing, max_area: 0.15}\n";
constexpr double kOften = 25;  // epochs

constexpr std::string_view kOutput = R"(
decoder: {use_bias: false}
loss: {type: softmax_cross_entropy, label_smoothing: 0.2}
)";

// From here on six views are worth what they cost: thrice a prediction's time, and an eighth of the epochs
// for evaluations.
constexpr double kLongSeconds = 1800;

constexpr double kMostEpochs = 30;  // where there is no time to train for

constexpr std::string_view kRest = R"(
combiner: {{type: concat, num_fc_layers: 0}}
trainer:
  epochs: {epochs}
  use_mixed_precision: {halves}
  batch_size: {batch}
  decay_weights_only: true
  gradient_clipping: null
  early_stop: -1
)";
// Rates are those of the paper for a mean over the batch: 0.00147 and 1.36 for a sum.
constexpr std::string_view kSgd = R"(
  learning_rate: {rate:.4g}
  learning_rate_factors: {{norm: 64}}
  learning_rate_scheduler: {{decay: one_cycle, pct_start: 0.23, div_factor: 5, final_div_factor: 300}}
  optimizer: {{type: sgd, momentum: 0.85, nesterov: true, weight_decay: {decay:.4g}}}
)";
// Of its variant with Muon: filters at 0.24, the last layer at 0.67, norms and the first layer's bias at
// 0.053.
constexpr std::string_view kMuon = R"(
  learning_rate: 0.24
  learning_rate_factors: {{norm: 0.079, bias: 0.079}}
  learning_rate_scheduler: {{decay: linear}}
  optimizer: {{type: muon, momentum: 0.6, ns_steps: 3, normalize_weights: true, others: sgd, others_learning_rate_factor: 2.79, others_momentum: 0.85, others_weight_decay: {decay:.3g}}}
)";

// Muon is better than SGD for networks and batches as large as these (bench/QUALITY.md); smaller ones were
// not measured.
constexpr int64_t kLeastWidthOfMuon = 64, kLeastBatchOfMuon = 512;

std::string optimizer_text(int64_t widest, int64_t batch) {
  const auto rows = static_cast<double>(batch);
  if (widest >= kLeastWidthOfMuon && batch >= kLeastBatchOfMuon)
    return fmt::format(kMuon, fmt::arg("decay", 2e-6 / 0.67 * rows));
  return fmt::format(kSgd, fmt::arg("rate", 0.00147 * rows), fmt::arg("decay", 1.36 / rows));
}

// Networks by size, and after how many epochs each is better than the one before it for the same time, by
// bench/QUALITY.md.
struct Network {
  double epochs;
  std::vector<int64_t> widths;
  int64_t convolutions = 2;
};
const Network kNetworks[] = {{25, {128, 384, 512}, 3}, {14, {64, 256, 256}, 3}, {6, {64, 256, 256}},
                             {6, {64, 128, 128}},      {5, {32, 128, 128}},     {3, {32, 64, 64}},
                             {4, {16, 64, 64}},        {4, {16, 32, 32}}};
const Network& kMiddling = kNetworks[5];

// What a picture takes in a step of training.
double seconds_of(const Network& network, const PictureTable& table, double scale, const Effort& effort) {
  double down = static_cast<double>(table.height) * scale, right = static_cast<double>(table.width) * scale;
  auto in = 8.0 * static_cast<double>(table.channels);  // of the whitened
  double flop = 0, numbers = 2 * down * right * in;
  for (const int64_t width : network.widths) {
    const auto out = static_cast<double>(width);
    for (int64_t c = 0; c < network.convolutions; ++c) {
      constexpr double kPasses = 3, kTaps = 9;
      flop += kPasses * 2 * kTaps * in * out * down * right;
      numbers += out * down * right;
      if (c == 0) {  // pooled
        down = std::max(1.0, std::floor(down / 2));
        right = std::max(1.0, std::floor(right / 2));
      }
      numbers += 2 * out * down * right;  // the norm's and the activation's
      in = out;
    }
  }
  return flop / effort.convolutions + numbers / effort.activations;
}

// How many pixels the pictures may be apart: sides that are tried, the largest first.
std::vector<double> scales_of(const PictureTable& table) {
  constexpr double kMostSide = 128, kLeastSide = 32;
  const double side = std::sqrt(static_cast<double>(table.height * table.width));
  std::vector<double> scales;
  for (double wanted = std::min(side, kMostSide); wanted >= std::min(side, kLeastSide); wanted *= 0.75)
    scales.push_back(wanted / side);
  return scales;
}

}  // namespace

std::vector<DefaultRecipe> image_recipe_texts(const PictureTable& table, const Effort& effort) {
  const double rows = static_cast<double>(std::max<int64_t>(table.rows, 1));
  // Compiling, rehearsing, evaluating and saving take some of the time.
  const double seconds = std::max(0.85 * effort.seconds - 2, 0.1 * effort.seconds);
  const auto epochs_of = [&](const Network& network, double scale) {
    return seconds / (rows * seconds_of(network, table, scale, effort));
  };
  const auto fits = [&](const Network& network, double scale) {
    return epochs_of(network, scale) >= network.epochs;
  };
  // Pictures as large as a middling network can see them often enough; then the largest that can.
  const std::vector<double> scales = scales_of(table);
  const auto found = std::ranges::find_if(scales, [&](double scale) { return fits(kMiddling, scale); });
  const double scale = found == scales.end() ? scales.back() : *found;
  const auto scaled = [scale](int64_t size) {
    return std::max<int64_t>(1, std::llround(static_cast<double>(size) * scale));
  };
  const int64_t height = scaled(table.height), width = scaled(table.width), least = std::min(height, width);
  const auto largest = std::find_if(std::begin(kNetworks), std::end(kNetworks) - 1,
                                    [&](const Network& network) { return fits(network, scale); });
  std::vector<DefaultRecipe> out;
  for (auto network = largest; network != std::end(kNetworks); ++network) {
    std::vector<int64_t> widths = network->widths;
    for (int64_t side = std::min(height, width); side > 48; side /= 2) widths.push_back(widths.back());
    // So many steps that the schedule has room, on few pictures too.
    const double epochs = std::min(epochs_of(*network, scale), kMostEpochs), steps = rows * epochs / 500;
    const auto batch =
        static_cast<int64_t>(std::exp2(std::clamp(std::floor(std::log2(std::max(steps, 1.0))), 5.0, 9.0)));
    out.push_back(
        {.image =
             fmt::format(kImage, fmt::arg("height", height), fmt::arg("width", width),
                         fmt::arg("channels", table.channels), fmt::arg("widths", fmt::join(widths, ", ")),
                         fmt::arg("convolutions", network->convolutions),
                         fmt::arg("residual", network->convolutions > 2), fmt::arg("whiten", least > 1),
                         fmt::arg("views", effort.seconds >= kLongSeconds ? 6 : 2)) +
             (least > 1 ? fmt::format(kCrop, std::max<int64_t>(1, least / 16)) : "") +
             std::string(epochs >= kOften ? kErasing : ""),
         .output = std::string(kOutput),
         .rest = fmt::format(kRest, fmt::arg("epochs", kMostEpochs), fmt::arg("batch", batch),
                             fmt::arg("halves", effort.convolves_in_halves)) +
                 optimizer_text(network->widths.back(), batch)});
  }
  return out;
}

}  // namespace shoestring::task
