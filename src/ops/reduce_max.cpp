// reduce_max: the largest entry over some axes (all, if none is named); NaN if one is NaN. The gradient is
// shared equally by the entries that are largest, as torch.amax does.
#include <cmath>
#include <limits>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axes", std::vector<int64_t>{}}, {"keep", false}};

// For each axis, whether it is reduced. Nothing if an axis does not exist.
std::optional<std::vector<char>> reduced_axes(const Attrs& attrs, int rank) {
  const auto& axes = attrs.list("axes");
  std::vector<char> reduced(static_cast<size_t>(rank), axes.empty());
  for (int64_t axis : axes) {
    const auto a = axis_in(axis, rank);
    if (!a) return std::nullopt;
    reduced[static_cast<size_t>(*a)] = true;
  }
  return reduced;
}

Shape kept_shape(const Shape& dims, const std::vector<char>& reduced) {
  Shape out = dims;
  for (int i = 0; i < dims.rank(); ++i)
    if (reduced[static_cast<size_t>(i)]) out = out.with(i, 1);
  return out;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto reduced = reduced_axes(args.attrs, x.dims.rank());
  if (!reduced)
    return wrong(fmt::format("reduce_max: {} has no axes {}", to_string(x),
                             shoestring::to_string(AttrValue(args.attrs.list("axes")))));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("reduce_max: {} is not computed with; cast it to f32", to_string(x)));
  std::vector<int64_t> dims;
  for (int i = 0; i < x.dims.rank(); ++i) {
    const bool gone = (*reduced)[static_cast<size_t>(i)];
    if (gone && x.dims[i] == 0)
      return wrong(fmt::format("reduce_max: {} has no entry on axis {}", to_string(x), i));
    if (!gone)
      dims.push_back(x.dims[i]);
    else if (args.attrs.flag("keep"))
      dims.push_back(1);
  }
  return Types{{x.dtype, Shape(dims)}};
}

void grad(Backward& b) {
  const Value x = b.input(0);
  const Shape kept = kept_shape(x.dims(), *reduced_axes(b.attrs(), x.dims().rank()));
  const Value largest = equal(x, broadcast_like(reshape(b.output(), kept), x));  // a mask
  const Value count = reduce_sum(largest, b.attrs().list("axes"), true);
  b.add(0, mul(largest, broadcast_like(div(reshape(b.upstream(), kept), reshape(count, kept)), x)));
}

struct Sizes {
  Shape in;
  std::vector<int64_t> out_strides;  // of each input axis, 0 where it is reduced
  int64_t out_elements = 0;
};
Sizes sizes_of(const Type& x, const Attrs& attrs) {
  const auto reduced = *reduced_axes(attrs, x.dims.rank());
  Sizes s{x.dims, strides_of(kept_shape(x.dims, reduced)), kept_shape(x.dims, reduced).elements()};
  for (size_t i = 0; i < reduced.size(); ++i)
    if (reduced[i]) s.out_strides[i] = 0;
  return s;
}

template <class T>
void reduce(const Sizes& s, const T* x, T* out) {
  for (int64_t i = 0; i < s.out_elements; ++i) out[i] = -std::numeric_limits<T>::infinity();
  const int rank = s.in.rank();
  const int64_t inner = rank ? s.in.back() : 1, step = rank ? s.out_strides.back() : 0;
  int64_t at[Shape::kMaxRank] = {};
  int64_t target = 0;
  for (int64_t row = 0, rows = inner ? s.in.elements() / inner : 0; row < rows; ++row, x += inner) {
    for (int64_t i = 0; i < inner; ++i) {
      T& best = out[target + i * step];
      if (!(x[i] <= best) && !std::isnan(best)) best = x[i];
    }
    for (int axis = rank - 2; axis >= 0; --axis) {
      const int64_t stride = s.out_strides[static_cast<size_t>(axis)];
      target += stride;
      if (++at[axis] < s.in[axis]) break;
      target -= stride * at[axis];
      at[axis] = 0;
    }
  }
}

void reference(const ReferenceArgs& a) { reduce(sizes_of(a.in_types[0], a.attrs), a.in[0], a.out[0]); }

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  reduce(*static_cast<const Sizes*>(data), args.at<const T>(0), args.at<T>(1));
}

const Kernel kKernels[] = {{"scalar", [](const KernelRequest& r) -> PrepareResult {
                              return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                                              std::make_shared<const Sizes>(sizes_of(r.in[0], r.attrs))};
                            }}};

}  // namespace

extern const OpDef reduce_max_op{
    .name = "reduce_max",
    .doc = "the largest entry over some axes",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
