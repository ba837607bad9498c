// cross_entropy_grad: the gradient of cross_entropy in its logits, in one pass: logits [b,c], classes i32[b],
// upstream [b], optional weights [c] -> [b,c].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cross_entropy_grad.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/cross_entropy.h"
#include "ops/shared/simd-inl.h"
#include "ops/shared/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

float sum_weights(const CrossEntropy& s, const float* weights) {
  float sum = 0;
  for (int64_t j = 0; j < s.c; ++j) sum += s.weighted ? weights[j] : 1;
  return sum;
}

template <int C>
void columns(const CrossEntropy& s, const float* x, const int32_t* classes, const float* upstream,
             const float* weights, float* out) {
  const F32 d;
  const I32 di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto share = hn::Set(d, 1 - static_cast<float>(s.smoothing));
  const float floor = static_cast<float>(s.smoothing / C), total = floor * sum_weights(s, weights);
  for (int64_t r = 0; r < s.rows; r += lanes) {
    const int64_t count = std::min(lanes, s.rows - r);
    hn::Vec<F32> v[C];
    load_columns<C>(x + r * C, count, v);
    const auto y = load_classes(classes + r, count);
    const auto inside = hn::Min(hn::Max(y, hn::Zero(di)), hn::Set(di, C - 1));
    const auto scale = load_first(d, upstream + r, count);
    const auto hit = s.weighted ? hn::Mul(share, hn::GatherIndex(d, weights, inside)) : share;
    const auto nothing = hn::RebindMask(d, hn::Lt(y, hn::Zero(di)));
    const auto max = max_of<C>(v);
    auto sum = hn::Zero(d);
    for (int j = 0; j < C; ++j) sum = hn::Add(sum, v[j] = exp_of(d, hn::Sub(v[j], max)));
    const auto inverse = hn::Div(hn::Add(hit, hn::Set(d, total)), sum);
    for (int j = 0; j < C; ++j) {
      const auto is_class = hn::RebindMask(d, hn::Eq(inside, hn::Set(di, j)));
      const auto rest = hn::Set(d, s.weighted ? floor * weights[j] : floor);
      const auto g = hn::Sub(hn::Sub(hn::Mul(v[j], inverse), hn::IfThenElseZero(is_class, hit)), rest);
      v[j] = hn::IfThenZeroElse(nothing, hn::Mul(g, scale));
    }
    store_columns<C>(v, out + r * C, count);
  }
}

void across(const CrossEntropy& s, const float* x, const int32_t* classes, const float* upstream,
            const float* weights, float* out) {
  const F32 d;
  const I32 di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(di), last = hn::Set(di, static_cast<int32_t>(s.c - 1));
  const auto share = hn::Set(d, 1 - static_cast<float>(s.smoothing));
  const float floor = static_cast<float>(s.smoothing / static_cast<double>(s.c));
  const float total = floor * sum_weights(s, weights);
  for (int64_t r = 0; r < s.rows; r += lanes) {
    const int64_t count = std::min(lanes, s.rows - r);
    const Across in = Across::block(x, r, count, s.c);
    const auto y = load_classes(classes + r, count);
    const auto inside = hn::Min(hn::Max(y, zero), last);
    const auto scale = load_first(d, upstream + r, count);
    const auto hit = s.weighted ? hn::Mul(share, hn::GatherIndex(d, weights, inside)) : share;
    const auto counts = hn::RebindMask(d, hn::Lt(hn::Set(di, -1), y));
    const auto max = in.max();
    const auto inverse = hn::Div(hn::Add(hit, hn::Set(d, total)), in.sum_exp(max));
    HWY_ALIGN float column[hn::MaxLanes(d)];
    for (int64_t j = 0; j < s.c; ++j) {
      const auto p = hn::Mul(exp_of(d, hn::Sub(in.at(j), max)), inverse);
      const auto is_class = hn::RebindMask(d, hn::Eq(inside, hn::Set(di, static_cast<int32_t>(j))));
      const auto rest = hn::Set(d, s.weighted ? floor * weights[j] : floor);
      const auto g = hn::Sub(hn::Sub(p, hn::IfThenElseZero(is_class, hit)), rest);
      hn::Store(hn::IfThenElseZero(counts, hn::Mul(g, scale)), d, column);
      for (int64_t l = 0; l < count; ++l) out[(r + l) * s.c + j] = column[l];
    }
  }
}

void along(const CrossEntropy& s, const float* x, const int32_t* classes, const float* upstream,
           const float* weights, float* out) {
  const F32 d;
  const auto floor = static_cast<float>(s.smoothing / static_cast<double>(s.c));
  const float total = floor * sum_weights(s, weights);
  for (int64_t r = 0; r < s.rows; ++r, x += s.c, out += s.c) {
    const int32_t y = std::min(classes[r], static_cast<int32_t>(s.c - 1));
    if (y < 0) {
      std::fill_n(out, s.c, 0.0f);
      continue;
    }
    const RowStats stats = row_stats(x, s.c);
    const float hit = (1 - static_cast<float>(s.smoothing)) * (s.weighted ? weights[y] : 1);
    const auto max = hn::Set(d, stats.max), all = hn::Set(d, upstream[r]);
    const auto inverse = hn::Set(d, (hit + total) / stats.sum);
    for_row(x, s.c, [&](int64_t j, hn::Vec<F32> v, int64_t count) HWY_ATTR {
      const auto p = hn::Mul(exp_of(d, hn::Sub(v, max)), inverse);
      auto rest = hn::Set(d, floor);
      if (s.weighted) rest = hn::Mul(rest, load_first(d, weights + j, count));
      store_first(d, hn::Mul(hn::Sub(p, rest), all), out + j, count);
    });
    out[y] -= upstream[r] * hit;
  }
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const CrossEntropy*>(data);
  const float* weights = s.weighted ? args.at<const float>(3) : nullptr;
  const auto way = s.c == 2         ? columns<2>
                   : s.c == 3       ? columns<3>
                   : s.c == 4       ? columns<4>
                   : s.c <= kAcross ? across
                                    : along;
  way(s, args.at<const float>(0), args.at<const int32_t>(1), args.at<const float>(2), weights,
      args.at<float>(s.weighted ? 4 : 3));
}

KernelFn kernel() { return run; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"label_smoothing", 0.0}};

Result<Types> infer(const OpArgs& args) {
  const std::string problem =
      cross_entropy_mismatch(args.in[0], args.in[1], args.in.size() > 3 ? &args.in[3] : nullptr);
  if (!problem.empty()) return wrong("cross_entropy_grad: " + problem);
  if (args.in[2] != Type{args.in[0].dtype, {args.in[0].dims[0]}})
    return wrong(fmt::format("cross_entropy_grad: logits {} need upstream [{}], not {}",
                             to_string(args.in[0]), args.in[0].dims[0], to_string(args.in[2])));
  return Types{args.in[0]};
}

template <class T, class I>
void plain(const CrossEntropy& s, const T* x, const I* classes, const T* upstream, const T* weights, T* out) {
  for (int64_t r = 0; r < s.rows; ++r, x += s.c, out += s.c) {
    if (classes[r] < 0) {
      std::fill_n(out, s.c, T{0});
      continue;
    }
    const int64_t y = std::min<int64_t>(static_cast<int64_t>(classes[r]), s.c - 1);
    T max;
    const T sum = sum_exp(x, s.c, max), share = static_cast<T>(s.smoothing);
    const T floor = share / static_cast<T>(s.c), hit = (1 - share) * (weights ? weights[y] : 1);
    T total = 0;
    for (int64_t j = 0; j < s.c; ++j) total += floor * (weights ? weights[j] : 1);
    for (int64_t j = 0; j < s.c; ++j)
      out[j] = upstream[r] * (std::exp(x[j] - max) / sum * (hit + total) - (j == y ? hit : 0) -
                              floor * (weights ? weights[j] : 1));
  }
}

void reference(const ReferenceArgs& a) {
  plain(cross_entropy_of(a.in_types, a.attrs, 3), a.in[0], a.in[1], a.in[2],
        a.in.size() > 3 ? a.in[3] : nullptr, a.out[0]);
}

template <class T>
void scalar(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const CrossEntropy*>(data);
  plain(s, args.at<const T>(0), args.at<const int32_t>(1), args.at<const T>(2),
        s.weighted ? args.at<const T>(3) : nullptr, args.at<T>(s.weighted ? 4 : 3));
}

std::shared_ptr<const CrossEntropy> sizes(const KernelRequest& r) {
  return std::make_shared<const CrossEntropy>(cross_entropy_of(r.in, r.attrs, 3));
}
PrepareResult prepare_highway(const KernelRequest& r) {
  if (r.in[0].dtype != DType::f32) return tl::unexpected(std::string("f32 only"));
  return Prepared{kernel_on(r.target.isa)(), sizes(r)};
}
PrepareResult prepare_scalar(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? scalar<float> : scalar<double>, sizes(r)};
}

const Kernel kKernels[] = {{"highway", prepare_highway}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef cross_entropy_grad_op{
    .name = "cross_entropy_grad",
    .doc = "the gradient of cross_entropy in its logits",
    .min_inputs = 3,
    .max_inputs = 4,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 25 * static_cast<double>(args.in[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .no_grad = "it is itself a gradient",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
