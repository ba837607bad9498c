// pad_slice: x from `begin` on along an axis of `size` entries, zeros around it; the gradient of slice.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{0}}, {"begin", int64_t{0}}, {"size", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const int64_t begin = args.attrs.integer("begin"), size = args.attrs.integer("size");
  const auto axis = axis_in(args.attrs.integer("axis"), x.dims.rank());
  if (!axis)
    return wrong(fmt::format("pad_slice: {} has no axis {}", to_string(x), args.attrs.integer("axis")));
  if (begin < 0 || begin > size - x.dims[*axis])
    return wrong(fmt::format("pad_slice: {} does not fit from {} on into {} entries of axis {}", to_string(x),
                             begin, size, *axis));
  return Types{{x.dtype, x.dims.with(*axis, size)}};
}

struct Sizes {
  int64_t rows, bytes, before, after;  // bytes of a row of x, and of the zeros on either side
};

void grad(Backward& b) {
  const int axis = *axis_in(b.attrs().integer("axis"), b.input(0).dims().rank());
  b.add(0, slice(b.upstream(), axis, b.attrs().integer("begin"), b.input(0).dims()[axis]));
}

void reference(const ReferenceArgs& a) {
  const int axis = *axis_in(a.attrs.integer("axis"), a.in_types[0].dims.rank());
  const AxisView in = view_of(a.in_types[0].dims, axis), out = view_of(a.out_types[0].dims, axis);
  std::fill_n(a.out[0], a.out_types[0].elements(), 0.0);
  for (int64_t o = 0; o < in.outer; ++o)
    for (int64_t i = 0; i < in.size * in.inner; ++i)
      a.out[0][(o * out.size + a.attrs.integer("begin")) * in.inner + i] =
          a.in[0][o * in.size * in.inner + i];
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const char* from = args.at<const char>(0);
  char* to = args.at<char>(1);
  for (int64_t r = 0; r < s.rows; ++r) {
    std::memset(to, 0, static_cast<size_t>(s.before));
    std::memcpy(to + s.before, from, static_cast<size_t>(s.bytes));
    std::memset(to + s.before + s.bytes, 0, static_cast<size_t>(s.after));
    from += s.bytes;
    to += s.before + s.bytes + s.after;
  }
}

PrepareResult prepare(const KernelRequest& r) {
  const int axis = *axis_in(r.attrs.integer("axis"), r.in[0].dims.rank());
  const AxisView v = view_of(r.in[0].dims, axis);
  const int64_t one = v.inner * info(r.in[0].dtype).block_bytes, begin = r.attrs.integer("begin");
  const Sizes s{v.outer, v.size * one, begin * one, (r.out[0].dims[axis] - begin - v.size) * one};
  return Prepared{run, std::make_shared<const Sizes>(s)};
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef pad_slice_op{
    .name = "pad_slice",
    .doc = "x within zeros along one axis",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
