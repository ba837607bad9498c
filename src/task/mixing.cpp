#include "task/mixing.h"

#include <array>

#include "ops/random_beta.h"

namespace shoestring::task {
namespace {

using namespace ops;  // arithmetic, spelled with operators

const Type kScalar{DType::f32, {}};

// 1 where low <= drawn < high, else 0.
Value is_between(Value drawn, double low, double high) {
  Graph& g = drawn.graph();
  const auto below = [&](double limit) { return ops::less(drawn, g.scalar(DType::f32, limit)); };
  return low > 0 ? below(high) - below(low) : below(high);
}

// 1 for the pixels of an axis whose centres are less than `half` from `middle`: f32 [size].
Value is_near(int64_t size, Value middle, Value half) {
  Graph& g = middle.graph();
  std::vector<double> centres(static_cast<size_t>(size));
  for (size_t i = 0; i < centres.size(); ++i) centres[i] = static_cast<double>(i) + 0.5;
  const Value at = g.constant({DType::f32, {size}}, centres);
  return ops::less(ops::abs(at - middle), ops::broadcast_like(half, at));
}

// A box with the picture's aspect, centred anywhere and cut at the edges: of the picture it is a share of
// Beta(alpha, alpha), where it is not cut. 1 inside: f32 [h,w,1].
Value box(Graph& g, const Cutmix& cutmix, int64_t height, int64_t width) {
  const Value side = ops::sqrt(ops::random_beta(g, kScalar, cutmix.alpha, cutmix.alpha)) * 0.5;
  const auto along = [&](int64_t size) {
    const auto pixels = static_cast<double>(size);
    return is_near(size, ops::random_uniform(g, kScalar, 0, pixels), side * pixels);
  };
  const Value rows = along(height), columns = along(width);
  const Shape whole{height, width, 1};
  return ops::mul(ops::broadcast(ops::reshape(rows, {height, 1, 1}), whole),
                  ops::broadcast(ops::reshape(columns, {1, width, 1}), whole));
}

}  // namespace

BatchMixing draw_mixing(Graph& g, const Recipe& recipe) {
  const auto* image = recipe.inputs.size() == 1 ? std::get_if<ImageInput>(&recipe.inputs[0].spec) : nullptr;
  if (!image) return {};
  BatchMixing out;
  Value drawn;  // which of the two happens to this batch
  double taken = 0;
  const auto happens = [&](double probability) {
    if (!drawn.valid()) drawn = ops::random_uniform(g, kScalar);
    const double low = taken;
    taken += probability;
    return is_between(drawn, low, taken);
  };
  const auto add = [&](Value share) {
    if (!out.of_pixels.valid())
      out.of_pixels = share;
    else
      out.of_pixels = out.of_pixels + share;  // of which one is 0
  };
  for (const AugmentationItem& item : image->augmentation.items) {
    if (const auto* mixup = std::get_if<Mixup>(&item.spec); mixup && mixup->probability > 0)
      add(ops::random_beta(g, kScalar, mixup->alpha, mixup->alpha) * happens(mixup->probability));
    if (const auto* cutmix = std::get_if<Cutmix>(&item.spec); cutmix && cutmix->probability > 0)
      add(box(g, *cutmix, image->preprocessing.height.value_or(1), image->preprocessing.width.value_or(1)) *
          happens(cutmix->probability));
  }
  if (out.of_pixels.valid()) out.of_loss = ops::reduce_mean(out.of_pixels);
  return out;
}

Value partners(Value rows) {
  if (!rows.valid() || rows.dims()[0] < 2) return rows;
  const std::array pieces{ops::slice(rows, 0, 1, rows.dims()[0] - 1), ops::slice(rows, 0, 0, 1)};
  return ops::concat(pieces, 0);
}

Value mixed_levels(Value pixels, const BatchMixing& mixing) {
  const Value levels = ops::cast(pixels, DType::f32);
  if (!mixing.of_pixels.valid()) return levels;
  return ops::lerp(levels, ops::cast(partners(pixels), DType::f32),
                   ops::broadcast_like(mixing.of_pixels, levels));
}

}  // namespace shoestring::task
