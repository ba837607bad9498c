// reduce_sum: the sum over some axes (all, if none is named).
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/reduce_sum.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/reduce.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"
#include "ops/shared/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// inner is 1, outer is not: each row on its own.
template <class T>
void sum_rows(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  T* out = args.at<T>(1);
  each_share(s.threads, s.outer, 16, [&](int, int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t o = begin; o < end; ++o) out[o] = static_cast<T>(sum_of<T>(x + o * s.size, s.size));
  });
}

// All elements: a part for each thread.
template <class T>
void sum_all(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  *args.at<T>(1) =
      static_cast<T>(sum_of_parts(s.threads, s.size, args, 2, [=](int64_t begin, int64_t end) HWY_ATTR {
        return sum_of<T>(x + begin, end - begin);
      }));
}

// Columns, each thread its own.
template <class T>
void sum_down(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  T* out = args.at<T>(1);
  each_share(s.threads, s.inner, 64, [&](int, int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t o = 0; o < s.outer; ++o)
      sum_columns<T>(x + o * s.size * s.inner, s.size, s.inner, begin, end, out + o * s.inner);
  });
}

// Few columns and many rows (outer is 1): each thread takes rows, and their sums are added up.
template <class T>
void sum_down_parts(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  T* parts = args.at<T>(2);
  std::fill_n(parts, s.threads * s.inner, T{0});
  each_share(s.threads, s.size, 64, [&](int thread, int64_t begin, int64_t end) HWY_ATTR {
    sum_columns<T>(x + begin * s.inner, end - begin, s.inner, 0, s.inner, parts + thread * s.inner);
  });
  sum_columns<T>(parts, s.threads, s.inner, 0, s.inner, args.at<T>(1));
}

// Axes apart: runs of the last axis, summed or added to the f64 sums of where they belong.
template <class T>
void sum_strided(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const StridedSum*>(data);
  if (s.out_elements == 0) return;  // and there is no scratch
  const T* x = args.at<const T>(0);
  T* out = args.at<T>(1);
  double* sums = args.at<double>(2);
  std::fill_n(sums, s.out_elements, 0.0);
  s.each_run([&](int64_t from, int64_t to, int64_t n, bool summed) HWY_ATTR {
    if (summed && n >= 16)
      sums[to] += sum_of<T>(x + from, n);
    else if (summed)
      for (int64_t i = 0; i < n; ++i) sums[to] += static_cast<double>(x[from + i]);
    else
      for (int64_t i = 0; i < n; ++i) sums[to + i] += static_cast<double>(x[from + i]);
  });
  for (int64_t i = 0; i < s.out_elements; ++i) out[i] = static_cast<T>(sums[i]);
}

template <class T>
KernelFn function_of(SumWay way) {
  switch (way) {
    case SumWay::rows:
      return sum_rows<T>;
    case SumWay::all:
      return sum_all<T>;
    case SumWay::down:
      return sum_down<T>;
    case SumWay::down_parts:
      return sum_down_parts<T>;
    default:
      return sum_strided<T>;
  }
}
KernelFn function(DType dtype, SumWay way) {
  return dtype == DType::f32 ? function_of<float>(way) : function_of<double>(way);
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(function);

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

// Axes that lie side by side and are treated alike are one; none of size 1 is left.
StridedSum strided(const Type& x, const Type& out, const Attrs& attrs) {
  StridedSum s{.elements = x.elements(), .out_elements = out.elements()};
  const auto summed = *summed_axes(attrs, x.dims.rank());
  for (int i = 0; i < x.dims.rank(); ++i) {
    if (x.dims[i] == 1) continue;
    const bool sum = summed[static_cast<size_t>(i)];
    if (!s.axes.empty() && s.axes.back().summed == sum)
      s.axes.back().size *= x.dims[i];
    else
      s.axes.push_back({x.dims[i], sum});
  }
  int64_t stride = 1;
  for (size_t i = s.axes.size(); i-- > 0;)
    if (!s.axes[i].summed) {
      s.axes[i].out_stride = stride;
      stride *= s.axes[i].size;
    }
  return s;
}

void reference(const ReferenceArgs& a) {
  const StridedSum s = strided(a.in_types[0], a.out_types[0], a.attrs);
  std::fill_n(a.out[0], s.out_elements, 0.0);
  s.each_run([&](int64_t from, int64_t to, int64_t n, bool summed) {
    for (int64_t i = 0; i < n; ++i) a.out[0][summed ? to : to + i] += a.in[0][from + i];
  });
}

// x as [outer, size, inner] with the middle one summed, if that is all there is.
std::optional<SumSizes> sizes(const StridedSum& strided) {
  SumSizes s;
  size_t next = 0;
  const auto take = [&](bool summed, int64_t& size) {
    if (next < strided.axes.size() && strided.axes[next].summed == summed) size = strided.axes[next++].size;
  };
  take(false, s.outer);
  take(true, s.size);
  take(false, s.inner);
  if (next < strided.axes.size() || strided.elements == 0) return std::nullopt;
  return s;
}

PrepareResult prepare(const KernelRequest& r) {
  const DType dtype = r.in[0].dtype;
  const auto make = [&](SumWay way, auto data, int64_t scratch) {
    return Prepared{function_on(r.target.isa)(dtype, way),
                    std::make_shared<const decltype(data)>(std::move(data)), scratch};
  };
  const StridedSum any = strided(r.in[0], r.out[0], r.attrs);
  std::optional<SumSizes> s = sizes(any);
  if (!s) return make(SumWay::strided, any, any.out_elements * 8);
  s->threads = any.elements >= kSumWorthThreads ? r.target.threads : 1;
  if (s->inner == 1) {
    if (s->outer > 1) return make(SumWay::rows, *s, 0);
    return make(SumWay::all, *s, parts_bytes(s->threads));
  }
  const bool few_columns = s->threads > 1 && s->outer == 1 && s->inner < 64 * s->threads;
  if (!few_columns) return make(SumWay::down, *s, 0);
  return make(SumWay::down_parts, *s, s->threads * s->inner * info(dtype).block_bytes);
}

const Kernel kKernels[] = {{"highway", prepare}};

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
