// take_along: entries of each row by their numbers: x [.., c], i32[.., k] -> [.., k].
#include "ops/rows.h"
#include "ops/shared/last_axis.h"

namespace shoestring::ops {
namespace {

Result<Types> infer(const OpArgs& args) {
  const Type &x = args.in[0], &indices = args.in[1];
  if (Status fits = same_rows("take_along", x, indices); !fits) return fail(fits.error());
  if (x.dims.back() == 0 && indices.elements() > 0)
    return wrong(fmt::format("take_along: {} has no entry to take", to_string(x)));
  return Types{{x.dtype, indices.dims}};
}

void grad(Backward& b) { b.add(0, put_along(b.upstream(), b.input(1), b.input(0).dims().back())); }

template <class T, class I>
void take(const LastAxis& s, const T* x, const I* indices, T* out) {
  split(s.rows, 16, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t j = 0; j < s.narrow; ++j)
        out[r * s.narrow + j] = x[r * s.wide + entry(indices[r * s.narrow + j], s.wide)];
  });
}

void reference(const ReferenceArgs& a) {
  take(last_axis(a.in_types[0], a.in_types[1], 1), a.in[0], a.in[1], a.out[0]);
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  take(*static_cast<const LastAxis*>(data), args.at<const T>(0), args.at<const int32_t>(1), args.at<T>(2));
}

PrepareResult prepare(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                  std::make_shared<const LastAxis>(last_axis(r.in[0], r.in[1], r.target.threads))};
}

const Kernel kKernels[] = {{"scalar", prepare}};

}  // namespace

extern const OpDef take_along_op{
    .name = "take_along",
    .doc = "entries of each row by their numbers",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
