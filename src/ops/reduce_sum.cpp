// reduce_sum: the sum over some axes (all, if none is named). Sums of many f32 are made of short ones, so
// their errors do not grow with the length.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/reduce_sum.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shapes.h"
#include "ops/simd-inl.h"
#include "ops/sum-inl.h"

#ifndef SHOESTRING_OPS_REDUCE_SUM_ONCE
#define SHOESTRING_OPS_REDUCE_SUM_ONCE
namespace shoestring::ops {
// x as [outer, size, inner] with the middle one reduced. inner 1 is a sum along rows, outer 1 one down
// columns.
struct SumSizes {
  int64_t outer = 1, size = 1, inner = 1;
  int threads = 1;
};
constexpr int64_t kSumWorthThreads = 1 << 16;  // elements
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  T* out = args.at<T>(1);
  if (s.inner == 1)
    return split(s.outer, 16, s.threads, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) out[o] = static_cast<T>(sum_of<T>(x + o * s.size, s.size));
    });
  split(s.inner, 32, s.threads, [&](int64_t begin, int64_t end) {  // columns
    for (int64_t o = 0; o < s.outer; ++o)
      sum_columns<T>(x + o * s.size * s.inner, s.size, s.inner, begin, end, out + o * s.inner);
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

HWY_EXPORT(kernel);

const AttrDef kAttrs[] = {{"axes", std::vector<int64_t>{}}, {"keep", false}};

// For each axis, whether it is summed over. Nothing if an axis does not exist.
std::optional<std::vector<char>> summed_axes(const Attrs& attrs, int rank) {
  const auto& axes = attrs.list("axes");
  std::vector<char> summed(static_cast<size_t>(rank), axes.empty());
  for (int64_t axis : axes) {
    const auto a = axis_in(axis, rank);
    if (!a) return std::nullopt;
    summed[static_cast<size_t>(*a)] = true;
  }
  return summed;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto summed = summed_axes(args.attrs, x.dims.rank());
  if (!summed)
    return wrong(fmt::format("reduce_sum: {} has no axes {}", to_string(x),
                             shoestring::to_string(AttrValue(args.attrs.list("axes")))));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("reduce_sum: {} is not computed with; cast it to f32", to_string(x)));
  std::vector<int64_t> dims;
  for (int i = 0; i < x.dims.rank(); ++i) {
    if (!(*summed)[static_cast<size_t>(i)])
      dims.push_back(x.dims[i]);
    else if (args.attrs.flag("keep"))
      dims.push_back(1);
  }
  return Types{{x.dtype, Shape(dims)}};
}

void grad(Backward& b) {
  const Value x = b.input(0);
  const auto summed = *summed_axes(b.attrs(), x.dims().rank());
  Shape kept = x.dims();
  for (int i = 0; i < kept.rank(); ++i)
    if (summed[static_cast<size_t>(i)]) kept = kept.with(i, 1);
  b.add(0, broadcast_like(reshape(b.upstream(), kept), x));
}

// Axes that lie side by side and are treated alike are one: [(size, summed)…], none of size 1.
std::vector<std::pair<int64_t, bool>> merged_axes(const Type& x, const Attrs& attrs) {
  const auto summed = *summed_axes(attrs, x.dims.rank());
  std::vector<std::pair<int64_t, bool>> merged;
  for (int i = 0; i < x.dims.rank(); ++i) {
    if (x.dims[i] == 1) continue;
    const bool sum = summed[static_cast<size_t>(i)];
    if (!merged.empty() && merged.back().second == sum)
      merged.back().first *= x.dims[i];
    else
      merged.push_back({x.dims[i], sum});
  }
  return merged;
}

// Any pattern of axes: every element is added to where it belongs.
struct AnySizes {
  std::vector<int64_t> dims, out_strides;
  int64_t elements, out_elements;
};
AnySizes any_sizes(const Type& x, const Type& out, const Attrs& attrs) {
  AnySizes s{{}, {}, x.elements(), out.elements()};
  for (const auto& [size, sum] : merged_axes(x, attrs)) {
    s.dims.push_back(size);
    s.out_strides.push_back(sum ? 0 : 1);
  }
  int64_t stride = 1;
  for (size_t i = s.dims.size(); i-- > 0;)
    if (s.out_strides[i]) {
      s.out_strides[i] = stride;
      stride *= s.dims[i];
    }
  return s;
}

template <class T>
void add_up(const AnySizes& s, const T* x, T* out) {
  std::fill_n(out, s.out_elements, T{0});
  int64_t at[Shape::kMaxRank] = {}, target = 0;
  for (int64_t i = 0; i < s.elements; ++i) {
    out[target] += x[i];
    for (size_t axis = s.dims.size(); axis-- > 0;) {
      target += s.out_strides[axis];
      if (++at[axis] < s.dims[axis]) break;
      target -= s.out_strides[axis] * at[axis];
      at[axis] = 0;
    }
  }
}

void reference(const ReferenceArgs& a) {
  add_up(any_sizes(a.in_types[0], a.out_types[0], a.attrs), a.in[0], a.out[0]);
}

template <class T>
void scalar(const void* data, const KernelArgs& args) noexcept {
  add_up(*static_cast<const AnySizes*>(data), args.at<const T>(0), args.at<T>(1));
}

PrepareResult prepare_highway(const KernelRequest& r) {
  if (r.in[0].elements() == 0) return tl::unexpected(std::string("nothing to sum"));
  const auto merged = merged_axes(r.in[0], r.attrs);
  SumSizes s;
  size_t next = 0;
  if (next < merged.size() && !merged[next].second) s.outer = merged[next++].first;
  if (next < merged.size() && merged[next].second) s.size = merged[next++].first;
  if (next < merged.size() && !merged[next].second) s.inner = merged[next++].first;
  if (next < merged.size()) return tl::unexpected(std::string("sums over axes apart"));
  if (r.in[0].elements() >= kSumWorthThreads) s.threads = r.target.threads;
  return Prepared{HWY_DISPATCH_TABLE(kernel)[target_index(r.target.isa)](r.in[0].dtype),
                  std::make_shared<const SumSizes>(s)};
}
PrepareResult prepare_scalar(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? scalar<float> : scalar<double>,
                  std::make_shared<const AnySizes>(any_sizes(r.in[0], r.out[0], r.attrs))};
}

const Kernel kKernels[] = {{"highway", prepare_highway}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef reduce_sum_op{
    .name = "reduce_sum",
    .doc = "the sum over some axes",
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = static_cast<double>(args.in[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
