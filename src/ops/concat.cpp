// concat: tensors one after the other along an axis.
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{-1}}};

Result<Types> infer(const OpArgs& args) {
  const Type& first = args.in[0];
  const auto axis = axis_in(args.attrs.integer("axis"), first.dims.rank());
  if (!axis)
    return wrong(fmt::format("concat: {} has no axis {}", to_string(first), args.attrs.integer("axis")));
  int64_t size = 0;
  for (const Type& t : args.in) {
    if (t.dtype != first.dtype || t.dims.rank() != first.dims.rank() ||
        t.dims.with(*axis, 0) != first.dims.with(*axis, 0))
      return wrong(
          fmt::format("concat: {} and {} differ beside axis {}", to_string(first), to_string(t), *axis));
    size += t.dims[*axis];
  }
  return Types{{first.dtype, first.dims.with(*axis, size)}};
}

void grad(Backward& b) {
  const int axis = *axis_in(b.attrs().integer("axis"), b.input(0).dims().rank());
  int64_t begin = 0;
  for (int i = 0; i < b.inputs(); ++i) {
    const int64_t size = b.input(i).dims()[axis];
    if (b.wants(i)) b.add(i, slice(b.upstream(), axis, begin, size));
    begin += size;
  }
}

void reference(const ReferenceArgs& a) {
  const int axis = *axis_in(a.attrs.integer("axis"), a.in_types[0].dims.rank());
  const AxisView out = view_of(a.out_types[0].dims, axis);
  int64_t begin = 0;
  for (size_t k = 0; k < a.in.size(); ++k) {
    const int64_t width = a.in_types[k].dims[axis] * out.inner;
    for (int64_t o = 0; o < out.outer; ++o)
      for (int64_t i = 0; i < width; ++i)
        a.out[0][o * out.size * out.inner + begin + i] = a.in[k][o * width + i];
    begin += width;
  }
}

struct Sizes {
  int64_t rows, stride;
  int threads;
  std::vector<int64_t> widths;  // bytes of a row of each input
};

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const int inputs = static_cast<int>(s.widths.size());
  char* to = args.at<char>(inputs);
  for (int k = 0; k < inputs; ++k) {
    const int64_t width = s.widths[static_cast<size_t>(k)];
    copy_rows(args.at<char>(k), width, to, s.stride, s.rows, width, s.threads);
    to += width;
  }
}

PrepareResult prepare(const KernelRequest& r) {
  const int axis = *axis_in(r.attrs.integer("axis"), r.in[0].dims.rank());
  const AxisView out = view_of(r.out[0].dims, axis);
  const int64_t element = info(r.out[0].dtype).block_bytes;
  Sizes s{out.outer, out.size * out.inner * element, r.target.threads, {}};
  for (const Type& t : r.in) s.widths.push_back(t.dims[axis] * out.inner * element);
  return Prepared{run, std::make_shared<const Sizes>(std::move(s))};
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef concat_op{
    .name = "concat",
    .doc = "tensors one after the other along an axis",
    .max_inputs = 1 << 16,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
