// argmax: where the largest entry of an axis stands, the first of equals; a NaN is larger than any number.
#include <cmath>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{-1}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto axis = axis_in(args.attrs.integer("axis"), x.dims.rank());
  if (!axis) return wrong(fmt::format("argmax: {} has no axis {}", to_string(x), args.attrs.integer("axis")));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("argmax: {} is not computed with; cast it to f32", to_string(x)));
  if (x.dims[*axis] == 0)
    return wrong(fmt::format("argmax: {} has no entry on axis {}", to_string(x), *axis));
  return Types{{DType::i32, x.dims.without(*axis)}};
}

template <class T, class I>
void find(const AxisView& v, const T* x, I* out) {
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < v.inner; ++i) {
      const T* at = x + o * v.size * v.inner + i;
      int64_t best = 0;
      for (int64_t k = 1; k < v.size && !std::isnan(at[best * v.inner]); ++k)
        if (!(at[k * v.inner] <= at[best * v.inner])) best = k;
      out[o * v.inner + i] = static_cast<I>(best);
    }
}

void reference(const ReferenceArgs& a) {
  find(view_of(a.in_types[0].dims, *axis_in(a.attrs.integer("axis"), a.in_types[0].dims.rank())), a.in[0],
       a.out[0]);
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  find(*static_cast<const AxisView*>(data), args.at<const T>(0), args.at<int32_t>(1));
}

PrepareResult prepare(const KernelRequest& r) {
  const int axis = *axis_in(r.attrs.integer("axis"), r.in[0].dims.rank());
  auto data = std::make_shared<const AxisView>(view_of(r.in[0].dims, axis));
  return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>, data};
}

const Kernel kKernels[] = {{"scalar", prepare}};

}  // namespace

extern const OpDef argmax_op{
    .name = "argmax",
    .doc = "where the largest entry of an axis stands",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "its value is an integer",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
