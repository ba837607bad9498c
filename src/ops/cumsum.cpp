// cumsum: the running sum along an axis, from its end if `reverse`; `exclusive` leaves each entry itself out.
#include <algorithm>

#include "ops/rows.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axis", int64_t{-1}}, {"reverse", false}, {"exclusive", false}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (!axis_in(args.attrs.integer("axis"), x.dims.rank()))
    return wrong(fmt::format("cumsum: {} has no axis {}", to_string(x), args.attrs.integer("axis")));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("cumsum: {} is not computed with; cast it to f32", to_string(x)));
  return Types{x};
}

// What an entry is added to are the sums after it: the other way round.
void grad(Backward& b) {
  b.add(0, cumsum(b.upstream(), b.attrs().integer("axis"), !b.attrs().flag("reverse"),
                  b.attrs().flag("exclusive")));
}

struct Sizes {
  AxisView view;
  bool reverse, exclusive;
  int threads;
};
Sizes sizes_of(const Type& x, const Attrs& attrs, int threads) {
  return {view_of(x.dims, *axis_in(attrs.integer("axis"), x.dims.rank())), attrs.flag("reverse"),
          attrs.flag("exclusive"), x.bytes() >= kBytesWorthThreads ? threads : 1};
}

// Sums stand in f64, so that long ones lose no digits; a few columns at a time where the axis is not the
// last.
template <class T>
void sum(const Sizes& s, const T* x, T* y) {
  constexpr int64_t kColumns = 64;
  const AxisView& v = s.view;
  const int64_t blocks = (v.inner + kColumns - 1) / kColumns;
  split(v.outer * blocks, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t column = block % blocks * kColumns, width = std::min(kColumns, v.inner - column);
      const int64_t start = block / blocks * v.size * v.inner + column;
      double sums[kColumns] = {};
      for (int64_t k = 0; k < v.size; ++k) {
        const int64_t at = start + (s.reverse ? v.size - 1 - k : k) * v.inner;
        for (int64_t i = 0; i < width; ++i) {
          const double before = sums[i];
          sums[i] += static_cast<double>(x[at + i]);
          y[at + i] = static_cast<T>(s.exclusive ? before : sums[i]);
        }
      }
    }
  });
}

void reference(const ReferenceArgs& a) { sum(sizes_of(a.in_types[0], a.attrs, 1), a.in[0], a.out[0]); }

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  sum(*static_cast<const Sizes*>(data), args.at<const T>(0), args.at<T>(1));
}

PrepareResult prepare(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                  std::make_shared<const Sizes>(sizes_of(r.in[0], r.attrs, r.target.threads))};
}

const Kernel kKernels[] = {{"scalar", prepare}};

}  // namespace

extern const OpDef cumsum_op{
    .name = "cumsum",
    .doc = "the running sum along an axis",
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = static_cast<double>(out[0].elements()), .bytes = moving_cost(args, out).bytes};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
