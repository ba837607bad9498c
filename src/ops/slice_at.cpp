// slice_at: `size` rows of an axis from a position on that is an operand: x, position -> x with that axis
// `size` long. The position is i32[], or i32[b] with one for each index of the first axis; it is moved inside
// where it must.
#include "ops/shared/slice_at.h"

#include "ops/loop.h"
#include "ops/ops.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{0}}, {"size", int64_t{1}}};

Result<Types> infer(const OpArgs& args) {
  const int64_t axis = args.attrs.integer("axis"), size = args.attrs.integer("size");
  const std::string problem = slice_at_mismatch(args.in[0], args.in[1], axis, size);
  if (!problem.empty()) return wrong("slice_at: " + problem);
  const Type& x = args.in[0];
  return Types{{x.dtype, x.dims.with(*axis_in(axis, x.dims.rank()), size)}};
}

void grad(Backward& b) {
  const Value x = b.input(0);
  const Value zeros = broadcast(b.graph().scalar(x.type().dtype, 0), x.dims());
  b.add(0, update_at(zeros, b.upstream(), b.input(1), b.attrs().integer("axis")));
}

SliceAt sizes(std::span<const Type> in, const Attrs& attrs, int64_t unit) {
  return slice_at_sizes(in[0], in[1], attrs.integer("axis"), attrs.integer("size"), unit);
}

void reference(const ReferenceArgs& a) {
  const SliceAt s = sizes(a.in_types, a.attrs, 1);
  s.each_piece(a.in[1], 0, s.outer,
               [&](int64_t from, int64_t to, int64_t n) { std::copy_n(a.in[0] + from, n, a.out[0] + to); });
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SliceAt*>(data);
  split(s.outer, 1, s.threads, [&](int64_t begin, int64_t end) {
    s.each_piece(args.at<const int32_t>(1), begin, end, [&](int64_t from, int64_t to, int64_t n) {
      if (n > 0)
        std::memcpy(args.at<std::byte>(2) + to, args.at<const std::byte>(0) + from, static_cast<size_t>(n));
    });
  });
}

PrepareResult prepare(const KernelRequest& r) {
  SliceAt s = sizes(r.in, r.attrs, info(r.in[0].dtype).block_bytes);
  s.threads = r.out[0].bytes() < kBytesWorthThreads ? 1 : r.target.threads;
  return Prepared{run, std::make_shared<const SliceAt>(s)};
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef slice_at_op{
    .name = "slice_at",
    .doc = "rows of an axis from a position on that is given when running",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs&, std::span<const Type> out) {
          return Cost{.bytes = 2.0 * static_cast<double>(out[0].bytes())};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
