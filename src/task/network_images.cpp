#include "task/network_images.h"

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"
#include "model/augmentation.h"
#include "model/conv.h"
#include "ops/augment.h"
#include "task/layer_words.h"
#include "task/network_vision.h"

namespace shoestring::task {
namespace {

using namespace ops;  // arithmetic, spelled with operators

std::array<int64_t, 2> pair_of(Extent e) { return {e.down, e.right}; }

// (pixel - shift) / scale of its channel: u8[rows,h,w,c] -> f32[rows,h,w,c]; mixed with its partner's before.
Value scaled(Value pixels, const PixelScale& scale, const BatchMixing& mixing = {}) {
  const Value levels = mixed_levels(pixels, mixing);
  if (scale.scale.empty()) return levels * (1.0 / 255);
  Graph& g = pixels.graph();
  const int64_t channels = pixels.dims().back();
  std::vector<double> factor, offset;
  for (size_t c = 0; c < scale.scale.size(); ++c) {
    factor.push_back(1 / scale.scale[c]);
    offset.push_back(-scale.shift[c] / scale.scale[c]);
  }
  const auto of_channels = [&](const std::vector<double>& values) {
    return ops::broadcast_like(g.constant({DType::f32, {channels}}, values), levels);
  };
  const bool moves = std::any_of(offset.begin(), offset.end(), [](double o) { return o != 0; });
  const Value out = levels * of_channels(factor);
  return moves ? out + of_channels(offset) : out;
}

ops::ConvOptions options_of(const ConvLayer& layer, const Shape& x) {
  ops::ConvOptions out{
      .strides = pair_of(layer.stride), .dilations = pair_of(layer.dilation), .groups = layer.groups};
  if (layer.padding.kind == Padding::Kind::same)
    out.padding = ops::same_padding(x[1], x[2], pair_of(layer.kernel_size), out.strides, out.dilations);
  if (const Extent& p = layer.padding.given; layer.padding.kind == Padding::Kind::given)
    out.padding = {p.down, p.right, p.down, p.right};
  return out;
}

// PyTorch's layer norm of a picture is over all its numbers.
Value norm_of(model::Forward& f, Value x, const std::string& name, const ConvLayer& layer) {
  const model::NormParams params{.epsilon = layer.norm_params.eps, .momentum = layer.norm_params.momentum};
  if (!x.valid() || layer.norm == Norm::none) return x;
  if (layer.norm == Norm::batch) return model::channel_norm(f, x, name, params);
  const Shape dims = x.dims();
  const Value rows = ops::reshape(x, {dims[0], dims[1] * dims[2] * dims[3]});
  return ops::reshape(model::norm(f, rows, name, model::Norm::layer, params), dims);
}

Value pooled(Value x, const ConvLayer& layer) {
  if (!x.valid() || !layer.pool_kernel_size) return x;
  const Extent& p = layer.pool_padding;
  const ops::PoolOptions options{.kernel = pair_of(*layer.pool_kernel_size),
                                 .strides = pair_of(layer.pool_stride.value_or(*layer.pool_kernel_size)),
                                 .padding = {p.down, p.right, p.down, p.right},
                                 .dilations = pair_of(layer.pool_dilation)};
  return layer.pool_function == Pool::max ? ops::max_pool(x, options) : ops::average_pool(x, options);
}

// Whether windows reach beyond the padded pictures.
bool is_too_large(const Extent& kernel, const Extent& dilation, const Extent& padding, const Shape& x) {
  return (kernel.down - 1) * dilation.down >= x[1] + 2 * padding.down ||
         (kernel.right - 1) * dilation.right >= x[2] + 2 * padding.right;
}

Value windows_too_large(model::Forward& f, size_t layer, std::string_view what, const Extent& kernel,
                        const Shape& x) {
  return f.graph().error(
      Error{ErrorKind::usage,
            fmt::format("layer {} of stacked_cnn {} over windows of {} x {}, and its pictures are {} x {}",
                        layer + 1, what, kernel.down, kernel.right, x[1], x[2]),
            {},
            "take fewer layers (num_conv_layers), smaller windows, 'padding: same', or larger pictures"});
}

// Whether pictures are too small for padding that is made of them.
bool pads_too_much(const ops::ConvOptions& options, PaddingMode mode, const Shape& x) {
  const auto& [top, left, bottom, right] = options.padding;
  return std::max(top, bottom) > model::most_padding(mode, x[1]) ||
         std::max(left, right) > model::most_padding(mode, x[2]);
}

Value padding_too_large(model::Forward& f, size_t layer, const ops::ConvOptions& options, PaddingMode mode,
                        const Shape& x) {
  const auto& [top, left, bottom, right] = options.padding;
  return f.graph().error(Error{
      ErrorKind::usage,
      fmt::format("layer {} of stacked_cnn pads pictures of {} x {} by {} x {}, and padding_mode {} has at "
                  "most {} x {} for them",
                  layer + 1, x[1], x[2], std::max(top, bottom), std::max(left, right),
                  mode == PaddingMode::reflect ? "reflect" : "circular", model::most_padding(mode, x[1]),
                  model::most_padding(mode, x[2])),
      {},
      "take fewer layers (num_conv_layers), a smaller kernel_size or padding, padding_mode replicate, or "
      "larger pictures"});
}

Value stacked_cnn(model::Forward& f, Value x, const std::string& name, const StackedCnnEncoder& e) {
  for (size_t i = 0; i < e.conv.layers.size(); ++i) {
    const ConvLayer& layer = e.conv.layers[i];
    const std::string own = name + ".conv" + std::to_string(i);
    if (!x.valid()) return x;
    if (layer.padding.kind != Padding::Kind::same &&
        is_too_large(layer.kernel_size, layer.dilation,
                     layer.padding.kind == Padding::Kind::given ? layer.padding.given : Extent{0, 0},
                     x.dims()))
      return windows_too_large(f, i, "convolves", layer.kernel_size, x.dims());
    ops::ConvOptions options = options_of(layer, x.dims());
    if (layer.padding_mode != PaddingMode::zeros) {
      if (pads_too_much(options, layer.padding_mode, x.dims()))
        return padding_too_large(f, i, options, layer.padding_mode, x.dims());
      x = model::padded(x, options.padding, layer.padding_mode);
      options.padding = {0, 0, 0, 0};
    }
    x = model::conv(f, x, own,
                    {.out_channels = layer.out_channels * (model::gated(layer.activation) ? 2 : 1),
                     .kernel = pair_of(layer.kernel_size),
                     .options = options,
                     .use_bias = layer.use_bias});
    x = model::activate(f, norm_of(f, x, own + ".norm", layer), own, layer.activation);
    if (x.valid() && layer.pool_kernel_size &&
        is_too_large(*layer.pool_kernel_size, layer.pool_dilation, layer.pool_padding, x.dims()))
      return windows_too_large(f, i, "pools", *layer.pool_kernel_size, x.dims());
    x = pooled(model::dropout(f, x, layer.dropout), layer);
  }
  if (!x.valid()) return x;
  const Shape dims = x.dims();
  return model::fc_stack(f, ops::reshape(x, {dims[0], dims[1] * dims[2] * dims[3]}), name, stack_of(e.stack));
}

// A convolution of 3 x 3 without bias, the first of its filters passing channels on as they are.
Value conv3(model::Forward& f, Value x, const std::string& name, int64_t filters) {
  return model::conv(f, x, name,
                     {.out_channels = filters,
                      .options = {.padding = {1, 1, 1, 1}},
                      .use_bias = false,
                      .weights = [](model::Fans fans) {
                        return model::dirac(1 / std::sqrt(static_cast<double>(fans.in)));
                      }});
}

// Patches of 2 x 2 by fixed filters; what training changes is their bias.
Value white(model::Forward& f, Value x, const std::string& name, const PixelScale& scale) {
  const int64_t channels = x.dims().back(), filters = 8 * channels;
  Graph& g = f.graph();
  std::vector<double> values = scale.whitening;
  values.resize(static_cast<size_t>(4 * channels * filters));  // of a recipe alone: zeros
  const Value bias = f.parameter({.name = name + ".bias",
                                  .type = {DType::f32, {filters}},
                                  .initializer = model::zeros(),
                                  .kind = model::ParameterKind::bias});
  return ops::gelu(ops::conv2d(x, g.constant({DType::f32, {2, 2, channels, filters}}, values), {}, bias));
}

Value compact_features(model::Forward& f, Value x, const std::string& name, const CompactCnnEncoder& e,
                       const PixelScale& scale) {
  if (x.valid() && e.whiten) x = white(f, x, name + ".whiten", scale);
  if (!x.valid()) return x;
  const model::NormParams params{
      .epsilon = e.norm_params.eps, .momentum = e.norm_params.momentum, .scales = false};
  for (size_t group = 0; group < e.widths.size(); ++group) {
    Value first;
    for (int64_t c = 0; c < e.convolutions; ++c) {
      const std::string own = name + ".group" + std::to_string(group) + ".conv" + std::to_string(c);
      x = conv3(f, x, own, e.widths[group]);
      if (!x.valid()) return x;
      if (c == 0 && x.dims()[1] >= 2 && x.dims()[2] >= 2) x = ops::max_pool(x, {});
      x = model::channel_norm(f, x, own + ".norm", params);
      if (e.residual && c > 0 && c == e.convolutions - 1) x = x + first;
      x = ops::gelu(x);
      if (c == 0) first = x;
    }
  }
  // Their size hangs on the norms alone: brought to where a layer behind them learns at the rate of the
  // others.
  constexpr double kScale = 1.0 / 9;
  return x.valid() ? ops::reduce_max(x, {1, 2}) * kScale : x;
}

// Pictures moved by a pixel along an axis; the one that comes in is as after a mirror at the edge.
Value moved(Value pixels, int axis, bool forward) {
  if (!pixels.valid() || pixels.dims()[axis] < 2) return pixels;
  const int64_t rest = pixels.dims()[axis] - 1;
  const Value stays = ops::slice(pixels, axis, forward ? 0 : 1, rest);
  const Value comes = ops::slice(pixels, axis, forward ? 1 : rest - 1, 1);
  const std::array parts = forward ? std::array{comes, stays} : std::array{stays, comes};
  return ops::concat(parts, axis);
}

// The features of a picture, outside of training the mean over its views.
Value compact_cnn(model::Forward& f, Value pixels, const std::string& name, const CompactCnnEncoder& e,
                  const PixelScale& scale, const BatchMixing& mixing) {
  if (f.training() || e.views == Views::one)
    return compact_features(f, scaled(pixels, scale, mixing), name, e, scale);
  const auto features = [&](Value view) { return compact_features(f, scaled(view, scale), name, e, scale); };
  const augmentation::Step mirror = augmentation::HorizontalFlip{.probability = 1};
  const auto both = [&](Value view) {
    return (features(view) + features(ops::augment(view, std::span(&mirror, 1)))) * 0.5;
  };
  const Value still = both(pixels);
  if (e.views == Views::mirrored) return still;
  const auto shifted = [&](bool forward) { return both(moved(moved(pixels, 1, forward), 2, forward)); };
  return still * 0.5 + (shifted(true) + shifted(false)) * 0.25;
}

}  // namespace

bool whitens(const ImageInput& input) {
  const auto* compact = std::get_if<CompactCnnEncoder>(&input.encoder);
  return compact && compact->whiten;
}

Value encode_image(model::Forward& f, Value pixels, const Inputs& inputs, const std::string& name,
                   const ImageInput& input, const PixelScale& scale) {
  const model::Augmentation steps = input.augmentation.steps();
  const bool numbered = ops::augmentation::needs_numbers(steps);
  pixels = model::augmented(f, pixels, steps, numbered ? inputs.row_numbers : Value());
  if (!pixels.valid()) return pixels;
  return std::visit(
      Overloaded{
          [&](const StackedCnnEncoder& e) {
            return stacked_cnn(f, scaled(pixels, scale, inputs.mixing), name, e);
          },
          [&](const CompactCnnEncoder& e) { return compact_cnn(f, pixels, name, e, scale, inputs.mixing); },
          [&](const auto&) {
            return encode_published(f, scaled(pixels, scale, inputs.mixing), name, input.encoder);
          }},
      input.encoder);
}

}  // namespace shoestring::task
