// update_at: x with some rows of an axis replaced, from a position on that is an operand: x, rows, position
// -> like x. The position is i32[], or i32[b] with one for each index of the first axis; it is moved inside
// where it must. The planner puts the result in x's own memory where nobody needs x any more, as where a
// state is read, updated and written: then only the rows are written.
#include "ops/loop.h"
#include "ops/ops.h"
#include "ops/shared/slice_at.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const Type &x = args.in[0], &rows = args.in[1];
  const int64_t axis = args.attrs.integer("axis");
  const auto a = axis_in(axis, x.dims.rank());
  if (a && rows.dims.rank() == x.dims.rank()) {
    const int64_t n = rows.dims[*a];
    const std::string problem = slice_at_mismatch(x, args.in[2], axis, n);
    if (!problem.empty()) return wrong("update_at: " + problem);
    if (rows == Type{x.dtype, x.dims.with(*a, n)}) return Types{x};
  }
  return wrong(
      fmt::format("update_at: rows {} do not fit axis {} of {}", to_string(rows), axis, to_string(x)));
}

void grad(Backward& b) {
  const Value g = b.upstream(), position = b.input(2);
  const int64_t axis = b.attrs().integer("axis");
  const Type rows = b.input(1).type();
  if (b.wants(0))
    b.add(0, update_at(g, broadcast(b.graph().scalar(rows.dtype, 0), rows.dims), position, axis));
  if (b.wants(1)) b.add(1, slice_at(g, position, axis, rows.dims[*axis_in(axis, rows.dims.rank())]));
}

SliceAt sizes(std::span<const Type> in, const Attrs& attrs, int64_t unit) {
  const int64_t axis = attrs.integer("axis");
  return slice_at_sizes(in[0], in[2], axis, in[1].dims[*axis_in(axis, in[1].dims.rank())], unit);
}

void reference(const ReferenceArgs& a) {
  const SliceAt s = sizes(a.in_types, a.attrs, 1);
  std::copy_n(a.in[0], a.in_types[0].elements(), a.out[0]);
  s.each_piece(a.in[2], 0, s.outer,
               [&](int64_t to, int64_t from, int64_t n) { std::copy_n(a.in[1] + from, n, a.out[0] + to); });
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SliceAt*>(data);
  const bool in_place = args.operands[0] == args.operands[3];
  split(s.outer, 1, s.threads, [&](int64_t begin, int64_t end) {
    if (const int64_t bytes = (end - begin) * s.size * s.inner; !in_place && bytes > 0)
      std::memcpy(args.at<std::byte>(3) + begin * s.size * s.inner,
                  args.at<const std::byte>(0) + begin * s.size * s.inner, static_cast<size_t>(bytes));
    s.each_piece(args.at<const int32_t>(2), begin, end, [&](int64_t to, int64_t from, int64_t n) {
      if (n > 0)
        std::memcpy(args.at<std::byte>(3) + to, args.at<const std::byte>(1) + from, static_cast<size_t>(n));
    });
  });
}

PrepareResult prepare(const KernelRequest& r) {
  SliceAt s = sizes(r.in, r.attrs, info(r.in[0].dtype).block_bytes);
  s.threads = r.in[1].bytes() < kBytesWorthThreads ? 1 : r.target.threads;
  return Prepared{run, std::make_shared<const SliceAt>(s)};
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef update_at_op{
    .name = "update_at",
    .doc = "rows of an axis replaced from a position on that is given when running",
    .min_inputs = 3,
    .max_inputs = 3,
    .traits = kUpdate,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type>) {
          return Cost{.bytes = 2.0 * static_cast<double>(args.in[1].bytes())};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
