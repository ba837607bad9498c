// reduce_max: the largest entry over some axes (all, if none is named); NaN if one is NaN. The gradient is
// shared equally by the entries that are largest, as torch.amax does.
#include <limits>

#include "ops/ops.h"
#include "ops/shared/axes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axes", std::vector<int64_t>{}}, {"keep", false}};

template <class T>
void reduce(const Reduction& r, const T* x, T* out) {
  r.run(x, out, -std::numeric_limits<T>::infinity(), [](T& best, T v) {
    best = v > best || v != v ? v : best;  // no branch; a NaN stays
  });
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

extern const OpDef reduce_max_op{
    .name = "reduce_max",
    .doc = "the largest entry over some axes",
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return reduced_type("reduce_max", args, false); },
    .cost = moving_cost,
    .grad = extreme_grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
