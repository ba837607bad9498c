// Image inputs of a recipe as plain values: preprocessing and encoders. A part of recipe.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/padding.h"
#include "task/recipe_augmentation.h"
#include "task/recipe_layers.h"
#include "task/recipe_vision.h"

namespace shoestring::task {

// Sizes that are given for both directions by one number, or as [down, right].
struct Extent {
  int64_t down = 1, right = 1;
  bool operator==(const Extent&) const = default;
};

// Pixels around a picture: none, as many as keep its size at a stride of 1, or so many on each side.
struct Padding {
  enum class Kind { valid, same, given };
  Kind kind = Kind::valid;
  Extent given{0, 0};
  bool operator==(const Padding&) const = default;
};

using model::PaddingMode;  // what they are

// One convolutional layer: convolution, norm, activation, dropout, pool, in that order.
enum class Pool { max, average, avg, mean };  // the last three are one
struct ConvLayer {
  int64_t out_channels = 32;
  Extent kernel_size{3, 3}, stride{1, 1};
  Padding padding;
  PaddingMode padding_mode = PaddingMode::zeros;
  Extent dilation{1, 1};
  int64_t groups = 1;
  bool use_bias = true;
  Norm norm = Norm::none;
  NormParams norm_params;
  Activation activation = Activation::relu;
  double dropout = 0;
  Pool pool_function = Pool::max;
  std::optional<Extent> pool_kernel_size = Extent{2, 2};  // absent: no pool
  std::optional<Extent> pool_stride;                      // absent: the kernel's size
  Extent pool_padding{0, 0}, pool_dilation{1, 1};
  bool operator==(const ConvLayer&) const = default;
};

// Layers in a row; `layers` is what to build, each layer complete.
struct ConvStack {
  ConvLayer around;                   // the keys beside conv_layers: what a layer leaves out comes from here
  std::optional<int64_t> num_layers;  // where conv_layers is not written; absent: one of 32 and one of 64
  std::vector<ConvLayer> layers = two(ConvLayer{});
  static std::vector<ConvLayer> two(ConvLayer layer);
  std::vector<ConvLayer> alike() const;
  bool operator==(const ConvStack&) const = default;
};

// Convolutions, then a stack of layers over all that is left of the picture.
struct StackedCnnEncoder {
  ConvStack conv;
  FcStack stack{.around = {.output_size = 128}, .num_layers = 1, .layers = {FcLayer{.output_size = 128}}};
  bool operator==(const StackedCnnEncoder&) const = default;
};

// What a prediction is a mean over: the picture; its mirror image too, as much; besides these the two moved
// by a pixel up and left, and down and right, with half the weight together (edges reflected).
enum class Views { one, mirrored, six };

// Small patches whitened, then groups of convolutions, each group beginning with one that is pooled; the
// largest of what is left of each channel (after Jordan, "94 % on CIFAR-10 in 3.29 seconds", 2024).
struct CompactCnnEncoder {
  std::vector<int64_t> widths{64, 256, 256};  // filters of each group
  int64_t convolutions = 2;                   // of each group
  bool residual = false;                      // adds what the first gives to the last
  bool whiten = true;  // the first layer: fixed filters that make the training rows' patches of 2 x 2 white
  Views views = Views::one;
  NormParams norm_params{.eps = 1e-12, .momentum = 0.4};
  bool operator==(const CompactCnnEncoder&) const = default;
};

using ImageEncoderSpec = std::variant<StackedCnnEncoder, CompactCnnEncoder, ResNetEncoder, WideResNetEncoder,
                                      ResNextEncoder, MobileNetV2Encoder, MobileNetV3Encoder,
                                      EfficientNetEncoder, ConvNextEncoder, VitEncoder, MlpMixerEncoder>;

// Whether patches of the pictures have to be looked at.
struct ImageInput;
bool whitens(const ImageInput& input);

inline constexpr int64_t kMostPictureSide = 1 << 14, kMostPictureChannels = 4;
enum class Resize { crop_or_pad, interpolate };
enum class Standardize { none, imagenet1k, inception, training };

struct ImagePreprocessing {
  MissingValues missing_value_strategy = MissingValues::drop_row;
  double fill_value = 0;  // of fill_with_const: the level of every pixel, from 0 to 255
  // The size that every picture is brought to. Absent: found in the first pictures, and set before anything
  // is read (train/picture_sizes.h).
  std::optional<int64_t> height, width, num_channels;
  Resize resize_method = Resize::interpolate;
  bool infer_image_num_channels = true, infer_image_dimensions = true;
  int64_t infer_image_max_height = 256, infer_image_max_width = 256, infer_image_sample_size = 100;
  Standardize standardize_image = Standardize::none;
  bool requires_equal_dimensions = false;
  // Whether what a frozen encoder makes of each picture is computed once; auto: where it can be.
  OrAuto<bool> cache_encoder_embeddings;
  bool operator==(const ImagePreprocessing&) const = default;

  bool has_size() const { return height && width && num_channels; }
};

struct ImageInput {
  ImagePreprocessing preprocessing;
  ImageEncoderSpec encoder;
  Augmentation augmentation;
  bool operator==(const ImageInput&) const = default;
};

// Where the encoder's weights come from; null of an encoder that nobody has published.
const Pretrained* pretrained_of(const ImageEncoderSpec& encoder);
// Whether training leaves the encoder as it is.
bool is_frozen(const ImageEncoderSpec& encoder);

}  // namespace shoestring::task
