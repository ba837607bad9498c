// Vision transformer: patches as the words of a sentence, whose answer stands at a word of its own in front.
#include <fmt/format.h>

#include <cmath>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

constexpr NormParams kNorm{.epsilon = 1e-6};

// [b,n,d] -> [b,n,d]
Value self_attention(Forward& f, Value x, const std::string& name, int64_t heads) {
  const int64_t b = x.dims()[0], n = x.dims()[1], d = x.dims()[2];
  const Value all = linear(f, x, name + ".in_proj", {.output_size = 3 * d});
  const auto part = [&](int64_t i) {
    const Value rows = ops::reshape(ops::slice(all, -1, i * d, d), {b, n, heads, d / heads});
    return ops::transpose(rows, {0, 2, 1, 3});
  };
  const Value y = ops::transpose(ops::attention(part(0), part(1), part(2)), {0, 2, 1, 3});
  return linear(f, ops::reshape(y, {b, n, d}), name + ".out_proj", {.output_size = d});
}

Value layer(Forward& f, Value x, const std::string& name, const VisionTransformer& spec) {
  Value y = norm(f, x, name + ".ln_1", Norm::layer, kNorm);
  y = dropout(f, self_attention(f, y, name + ".self_attention", spec.heads), spec.dropout);
  x = ops::add(x, y);
  y = norm(f, x, name + ".ln_2", Norm::layer, kNorm);
  y = dropout(f, ops::gelu(linear(f, y, name + ".mlp.0", {.output_size = spec.mlp})), spec.dropout);
  y = dropout(f, linear(f, y, name + ".mlp.3", {.output_size = spec.hidden}), spec.dropout);
  return ops::add(x, y);
}

}  // namespace

Value vit(Forward& f, Value x, const std::string& name, const VisionTransformer& spec) {
  if (!x.valid()) return x;
  const int64_t b = x.dims()[0], d = spec.hidden, p = spec.patch;
  if (x.dims()[1] % p != 0 || x.dims()[2] % p != 0)
    return x.graph().error(
        fmt::format("vit: pictures of {} by {} are not whole patches of {}", x.dims()[1], x.dims()[2], p));
  const int64_t patches = (x.dims()[1] / p) * (x.dims()[2] / p);
  const auto lecun = [](Fans fans) { return normal(0, std::sqrt(1.0 / static_cast<double>(fans.in))); };
  x = conv(f, x, name + ".conv_proj",
           {.filters = d, .kernel = p, .stride = p, .padding = 0, .bias = true, .weights = lecun});
  const auto learnt = [&](const std::string& what, int64_t n, const Initializer& initializer) {
    return f.parameter({.name = name + what,
                        .type = {DType::f32, {1, n, d}},
                        .initializer = initializer,
                        .kind = ParameterKind::embedding});
  };
  const Value first = ops::broadcast(learnt(".class_token", 1, zeros()), {b, 1, d});
  const Value rows[] = {first, ops::reshape(x, {b, patches, d})};
  x = ops::concat(rows, 1);
  const Value place = learnt(".encoder.pos_embedding", patches + 1, normal(0, 0.02));
  x = dropout(f, ops::add(x, ops::broadcast_like(place, x)), spec.dropout);
  for (int64_t i = 0; i < spec.layers && x.valid(); ++i)
    x = layer(f, x, fmt::format("{}.encoder.layers.encoder_layer_{}", name, i), spec);
  // Only the first word is asked, and the norm is each word's own.
  return norm(f, ops::reshape(ops::slice(x, 1, 0, 1), {b, d}), name + ".encoder.ln", Norm::layer, kNorm);
}

std::optional<VisionTransformer> vit_variant(std::string_view variant) {
  using V = VisionTransformer;
  if (variant == "b_16") return V{};
  if (variant == "b_32") return V{.patch = 32};
  if (variant == "l_16") return V{.patch = 16, .layers = 24, .heads = 16, .hidden = 1024, .mlp = 4096};
  if (variant == "l_32") return V{.patch = 32, .layers = 24, .heads = 16, .hidden = 1024, .mlp = 4096};
  if (variant == "h_14") return V{.patch = 14, .layers = 32, .heads = 16, .hidden = 1280, .mlp = 5120};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
