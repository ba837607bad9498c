// reduce_prod: the product over some axes (all, if none is named); 1 of nothing.
#include <cmath>

#include "ops/rows.h"
#include "ops/shared/axes.h"
#include "ops/shared/elementwise.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axes", std::vector<int64_t>{}}, {"keep", false}};

// To each entry the product of the others. That is P / x for the product P of all that are not 0, if no other
// is 0, and 0 if one is: where the zeros among all are as many as this entry counts itself.
void grad(Backward& b) {
  const Value x = b.input(0), zero = equal(x, full_like(x, 0));
  const auto& axes = b.attrs().list("axes");
  const Value factors = where(zero, full_like(x, 1), x);
  const Value product = reduce_prod(factors, axes, true), zeros = reduce_sum(zero, axes, true);
  const Value upstream = reshape(b.upstream(), product.dims());
  const Value others = div(broadcast_like(mul(upstream, product), x), factors);
  b.add(0, mul(others, equal(zero, broadcast_like(zeros, x))));
}

template <class T>
void reduce(const Reduction& r, const T* x, T* out) {
  r.run(x, out, T{1}, [](T& product, T v) { product *= v; });
}

void reference(const ReferenceArgs& a) { reduce(Reduction(a.in_types[0], a.attrs), a.in[0], a.out[0]); }

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  reduce(*static_cast<const Reduction*>(data), args.at<const T>(0), args.at<T>(1));
}

const Kernel kKernels[] = {{"scalar", [](const KernelRequest& r) -> PrepareResult {
                              return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                                              std::make_shared<const Reduction>(r.in[0], r.attrs)};
                            }}};

}  // namespace

extern const OpDef reduce_prod_op{
    .name = "reduce_prod",
    .doc = "the product over some axes",
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return reduced_type("reduce_prod", args, true); },
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
