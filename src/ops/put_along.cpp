// put_along: entries added to rows of `size` zeros by their numbers: x [.., k], i32[.., k] -> [.., size]. The
// gradient of take_along, of sort and of top_k; duplicates are summed in their order.
#include "ops/rows.h"
#include "ops/shared/last_axis.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"size", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const Type &x = args.in[0], &indices = args.in[1];
  const int64_t size = args.attrs.integer("size");
  if (Status fits = same_rows("put_along", x, indices); !fits) return fail(fits.error());
  if (x.dims != indices.dims)
    return wrong(fmt::format("put_along: {} has no number for each of {}", to_string(indices), to_string(x)));
  if (size < 0 || (size == 0 && x.elements() > 0)) return wrong(fmt::format("put_along: {} entries", size));
  return Types{{x.dtype, x.dims.with(x.dims.rank() - 1, size)}};
}

void grad(Backward& b) { b.add(0, take_along(b.upstream(), b.input(1))); }

template <class T, class I>
void put(const LastAxis& s, const T* x, const I* indices, T* out) {
  split(s.rows, 16, s.threads, [&](int64_t begin, int64_t end) {
    std::fill(out + begin * s.wide, out + end * s.wide, T{0});
    for (int64_t r = begin; r < end; ++r)
      for (int64_t j = 0; j < s.narrow; ++j)
        out[r * s.wide + entry(indices[r * s.narrow + j], s.wide)] += x[r * s.narrow + j];
  });
}

void reference(const ReferenceArgs& a) {
  put(last_axis(a.out_types[0], a.in_types[0], 1), a.in[0], a.in[1], a.out[0]);
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  put(*static_cast<const LastAxis*>(data), args.at<const T>(0), args.at<const int32_t>(1), args.at<T>(2));
}

PrepareResult prepare(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                  std::make_shared<const LastAxis>(last_axis(r.out[0], r.in[0], r.target.threads))};
}

const Kernel kKernels[] = {{"scalar", prepare}};

}  // namespace

extern const OpDef put_along_op{
    .name = "put_along",
    .doc = "entries added to rows of zeros by their numbers",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
