// pad: x with entries of one value before and after it along any axes, `before` and `after` naming how many
// for each axis. The gradient of slice is one such padding.
#include <algorithm>

#include "ops/rows.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {
    {"before", std::vector<int64_t>{}}, {"after", std::vector<int64_t>{}}, {"value", 0.0}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  Shape dims = x.dims;
  for (std::string_view side : {"before", "after"}) {
    const std::vector<int64_t>& sizes = args.attrs.list(side);
    if (static_cast<int>(sizes.size()) != x.dims.rank())
      return wrong(fmt::format("pad: {} needs {} for each of its {} axes, not {}", to_string(x), side,
                               x.dims.rank(), shoestring::to_string(AttrValue(sizes))));
    for (int a = 0; a < dims.rank(); ++a) {
      const int64_t size = sizes[static_cast<size_t>(a)];
      if (size < 0 || size > kMostBytes)
        return wrong(fmt::format("pad: {} entries {} axis {} of {}", size, side, a, to_string(x)));
      dims = dims.with(a, dims[a] + size);
    }
  }
  return Types{{x.dtype, dims}};
}

// The part of upstream that is x's.
void grad(Backward& b) {
  Value part = b.upstream();
  const Shape& dims = b.input(0).dims();
  for (int a = 0; a < dims.rank(); ++a)
    if (part.dims()[a] != dims[a])
      part = slice(part, a, b.attrs().list("before")[static_cast<size_t>(a)], dims[a]);
  b.add(0, part);
}

void reference(const ReferenceArgs& a) {
  const Shape& in = a.in_types[0].dims;
  const std::vector<int64_t>&before = a.attrs.list("before"), strides = strides_of(a.out_types[0].dims);
  double value = a.attrs.number("value");
  if (const DType dtype = a.out_types[0].dtype; dtype != DType::f64) {  // as it is stored
    std::byte stored[8];
    encode(dtype, &value, stored, 1);
    decode(dtype, stored, &value, 1);
  }
  std::fill_n(a.out[0], a.out_types[0].elements(), value);
  for (int64_t i = 0; i < a.in_types[0].elements(); ++i) {
    int64_t to = 0, left = i;
    for (int axis = in.rank() - 1; axis >= 0; --axis) {
      const auto at = static_cast<size_t>(axis);
      to += (left % in[axis] + before[at]) * strides[at];
      left /= in[axis];
    }
    a.out[0][to] = a.in[0][i];
  }
}

// The outermost axis first. Axes without padding are one with those around them.
struct Sizes {
  struct Level {
    int64_t count, before, after;  // entries of x's axis; bytes of the padding on either side
  };
  std::vector<Level> levels;
  int64_t block = 0;  // bytes of x that stay together
  std::byte value[8] = {};
  int64_t value_bytes = 1;  // 1: every byte of it is the same
};

char* fill(const Sizes& s, char* to, int64_t bytes) {
  if (s.value_bytes == 1) {
    std::memset(to, static_cast<int>(s.value[0]), static_cast<size_t>(bytes));
  } else {
    for (int64_t i = 0; i < bytes; i += s.value_bytes)
      std::memcpy(to + i, s.value, static_cast<size_t>(s.value_bytes));
  }
  return to + bytes;
}

void copy(const Sizes& s, size_t level, const char*& from, char*& to) {
  if (level == s.levels.size()) {
    std::memcpy(to, from, static_cast<size_t>(s.block));
    from += s.block;
    to += s.block;
    return;
  }
  const Sizes::Level& l = s.levels[level];
  to = fill(s, to, l.before);
  for (int64_t i = 0; i < l.count; ++i) copy(s, level + 1, from, to);
  to = fill(s, to, l.after);
}

void run(const void* data, const KernelArgs& args) noexcept {
  const char* from = args.at<const char>(0);
  char* to = args.at<char>(1);
  copy(*static_cast<const Sizes*>(data), 0, from, to);
}

PrepareResult prepare(const KernelRequest& r) {
  const Shape &in = r.in[0].dims, &out = r.out[0].dims;
  const auto &before = r.attrs.list("before"), &after = r.attrs.list("after");
  Sizes s;
  int64_t stride = info(r.in[0].dtype).block_bytes;  // of the output's axis, in bytes
  s.block = stride;
  for (int axis = in.rank() - 1; axis >= 0; --axis) {
    const auto at = static_cast<size_t>(axis);
    const int64_t left = before[at] * stride, right = after[at] * stride;
    const bool padded = left + right > 0;
    if (s.levels.empty()) {
      s.block *= in[axis];  // what lies within the innermost padding is copied as it is
      if (padded) s.levels.push_back({1, left, right});
    } else if (!padded && s.levels.back().before + s.levels.back().after == 0) {
      s.levels.back().count *= in[axis];
    } else {
      s.levels.push_back({in[axis], left, right});
    }
    stride *= out[axis];
  }
  std::reverse(s.levels.begin(), s.levels.end());
  const double value = r.attrs.number("value");
  s.value_bytes = info(r.in[0].dtype).block_bytes;
  encode(r.in[0].dtype, &value, s.value, 1);
  if (std::all_of(s.value, s.value + s.value_bytes, [&](std::byte b) { return b == s.value[0]; }))
    s.value_bytes = 1;
  return Prepared{run, std::make_shared<const Sizes>(std::move(s))};
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef pad_op{
    .name = "pad",
    .doc = "x with entries of one value around it",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
