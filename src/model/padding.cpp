#include "model/padding.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "ops/ops.h"

namespace shoestring::model {
namespace {

// Along one axis: what stands before x, x, and what stands behind it.
Value along(Value x, int axis, int64_t before, int64_t after, PaddingMode mode) {
  const int64_t size = x.dims()[axis];
  std::vector<Value> pieces;
  const auto take = [&](int64_t begin, int64_t count) {
    if (count > 0) pieces.push_back(ops::slice(x, axis, begin, count));
  };
  const auto repeat = [&](int64_t at, int64_t count) {
    if (count > 0) pieces.push_back(ops::broadcast(ops::slice(x, axis, at, 1), x.dims().with(axis, count)));
  };
  switch (mode) {
    case PaddingMode::zeros:
      return x;
    case PaddingMode::reflect:
      for (int64_t i = before; i > 0; --i) take(i, 1);
      pieces.push_back(x);
      for (int64_t i = 1; i <= after; ++i) take(size - 1 - i, 1);
      break;
    case PaddingMode::replicate:
      repeat(0, before);
      pieces.push_back(x);
      repeat(size - 1, after);
      break;
    case PaddingMode::circular:
      take(size - before, before);
      pieces.push_back(x);
      take(0, after);
      break;
  }
  return pieces.size() == 1 ? x : ops::concat(pieces, axis);
}

}  // namespace

int64_t most_padding(PaddingMode mode, int64_t size) {
  if (mode == PaddingMode::reflect) return size - 1;
  return mode == PaddingMode::circular ? size : std::numeric_limits<int64_t>::max();
}

Value padded(Value x, const std::array<int64_t, 4>& padding, PaddingMode mode) {
  if (!x.valid()) return x;
  for (size_t side = 0; side < padding.size(); ++side) {
    const int64_t size = x.dims()[1 + static_cast<int>(side % 2)];
    if (padding[side] <= most_padding(mode, size)) continue;
    return x.graph().error(
        fmt::format("padding of {} pixels of a picture's own, which has {}", padding[side], size));
  }
  x = along(x, 1, padding[0], padding[2], mode);
  return along(x, 2, padding[1], padding[3], mode);
}

}  // namespace shoestring::model
