// slice: `size` entries of one axis from `begin` on. A view where they lie together.
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{0}}, {"begin", int64_t{0}}, {"size", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const int64_t begin = args.attrs.integer("begin"), size = args.attrs.integer("size");
  const auto axis = axis_in(args.attrs.integer("axis"), x.dims.rank());
  if (!axis) return wrong(fmt::format("slice: {} has no axis {}", to_string(x), args.attrs.integer("axis")));
  if (begin < 0 || size < 0 || begin > x.dims[*axis] - size)
    return wrong(fmt::format("slice: {} has no entries [{}, {}) on axis {}", to_string(x), begin,
                             begin + size, *axis));
  return Types{{x.dtype, x.dims.with(*axis, size)}};
}

struct Sizes {
  int64_t rows, bytes, from_stride, offset;
  int threads = 1;
};
Sizes sizes_of(const Type& x, const Type& out, const Attrs& attrs) {
  const int axis = *axis_in(attrs.integer("axis"), x.dims.rank());
  const AxisView v = view_of(x.dims, axis);
  const int64_t element = info(x.dtype).block_bytes;
  return {v.outer, out.dims[axis] * v.inner * element, v.size * v.inner * element,
          attrs.integer("begin") * v.inner * element};
}

void grad(Backward& b) {
  const int axis = *axis_in(b.attrs().integer("axis"), b.input(0).dims().rank());
  b.add(0, pad_slice(b.upstream(), axis, b.attrs().integer("begin"), b.input(0).dims()[axis]));
}

void reference(const ReferenceArgs& a) {
  const int axis = *axis_in(a.attrs.integer("axis"), a.in_types[0].dims.rank());
  const AxisView v = view_of(a.in_types[0].dims, axis);
  const int64_t begin = a.attrs.integer("begin"), size = a.out_types[0].dims[axis];
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < size * v.inner; ++i)
      a.out[0][o * size * v.inner + i] = a.in[0][(o * v.size + begin) * v.inner + i];
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  copy_rows(args.at<char>(0) + s.offset, s.from_stride, args.at<char>(1), s.bytes, s.rows, s.bytes,
            s.threads);
}

PrepareResult prepare(const KernelRequest& r) {
  Sizes s = sizes_of(r.in[0], r.out[0], r.attrs);
  s.threads = r.target.threads;
  return Prepared{run, std::make_shared<const Sizes>(s)};
}

const Kernel kKernels[] = {{"copy", prepare}};

std::optional<int64_t> view(const OpArgs& args, const Type& out) {
  const Sizes s = sizes_of(args.in[0], out, args.attrs);
  if (s.rows == 1) return s.offset;
  return std::nullopt;
}

}  // namespace

extern const OpDef slice_op{
    .name = "slice",
    .doc = "entries [begin, begin + size) of one axis",
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs&,
               std::span<const Type> out) { return Cost{.bytes = 2 * static_cast<double>(out[0].bytes())}; },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
    .view = view,
};

}  // namespace shoestring::ops
