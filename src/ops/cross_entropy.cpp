// cross_entropy: from logits [b,c] and class numbers i32[b], with optional class weights [c], to losses [b].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cross_entropy.cpp"
#include "ops/shared/cross_entropy.h"

#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/simd-inl.h"
#include "ops/shared/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <int C>
void columns(const CrossEntropy& s, const float* x, const int32_t* classes, const float* weights,
             float* losses) {
  const F32 d;
  const I32 di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto smoothing = hn::Set(d, static_cast<float>(s.smoothing));
  for (int64_t r = 0; r < s.rows; r += lanes) {
    const int64_t count = std::min(lanes, s.rows - r);
    hn::Vec<F32> v[C];
    load_columns<C>(x + r * C, count, v);
    const auto y = load_classes(classes + r, count);
    const auto max = max_of<C>(v);
    auto sum = hn::Zero(d), all = hn::Zero(d), of_class = v[0];
    for (int j = 0; j < C; ++j) {
      sum = hn::Add(sum, exp_of(d, hn::Sub(v[j], max)));
      // The last class takes numbers beyond it too.
      if (j > 0) of_class = hn::IfThenElse(hn::RebindMask(d, hn::Lt(hn::Set(di, j - 1), y)), v[j], of_class);
    }
    const auto log_sum = log_of(d, sum);
    auto loss = hn::Add(hn::Sub(max, of_class), log_sum);
    if (s.weighted)
      loss =
          hn::Mul(loss, hn::GatherIndex(d, weights, hn::Min(hn::Max(y, hn::Zero(di)), hn::Set(di, C - 1))));
    if (s.smoothing != 0) {  // each class's part of the spread has that class's weight
      for (int j = 0; j < C; ++j)
        all =
            hn::MulAdd(hn::Set(d, s.weighted ? weights[j] : 1.0f), hn::Add(hn::Sub(max, v[j]), log_sum), all);
      const auto spread = hn::Mul(smoothing, hn::Mul(all, hn::Set(d, 1.0f / C)));
      loss = hn::Add(hn::Mul(loss, hn::Sub(hn::Set(d, 1.0f), smoothing)), spread);
    }
    store_first(d, hn::IfThenZeroElse(hn::RebindMask(d, hn::Lt(y, hn::Zero(di))), loss), losses + r, count);
  }
}

// One row in each lane.
void across(const CrossEntropy& s, const float* x, const int32_t* classes, const float* weights,
            float* losses) {
  const F32 d;
  const I32 di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(di), last = hn::Set(di, static_cast<int32_t>(s.c - 1));
  const auto smoothing = hn::Set(d, static_cast<float>(s.smoothing));
  for (int64_t r = 0; r < s.rows; r += lanes) {
    const int64_t count = std::min(lanes, s.rows - r);
    const Across in = Across::block(x, r, count, s.c);
    const auto y = load_classes(classes + r, count);
    const auto inside = hn::Min(hn::Max(y, zero), last);
    const auto max = in.max();
    const auto log_sum = log_of(d, in.sum_exp(max));
    auto loss = hn::Add(hn::Sub(max, in.at(inside)), log_sum);
    if (s.weighted) loss = hn::Mul(loss, hn::GatherIndex(d, weights, inside));
    if (s.smoothing != 0) {
      auto sum = hn::Zero(d);
      for (int64_t j = 0; j < s.c; ++j)
        sum = hn::MulAdd(hn::Set(d, s.weighted ? weights[j] : 1.0f), hn::Add(hn::Sub(max, in.at(j)), log_sum),
                         sum);
      const auto spread = hn::Mul(smoothing, hn::Div(sum, hn::Set(d, static_cast<float>(s.c))));
      loss = hn::Add(hn::Mul(loss, hn::Sub(hn::Set(d, 1.0f), smoothing)), spread);
    }
    loss = hn::IfThenZeroElse(hn::RebindMask(d, hn::Lt(y, zero)), loss);
    store_first(d, loss, losses + r, count);
  }
}

void along(const CrossEntropy& s, const float* x, const int32_t* classes, const float* weights,
           float* losses) {
  const F32 d;
  for (int64_t r = 0; r < s.rows; ++r, x += s.c) {
    const int32_t y = std::min(classes[r], static_cast<int32_t>(s.c - 1));
    if (y < 0) {
      losses[r] = 0;
      continue;
    }
    const RowStats stats = row_stats(x, s.c);
    const float log_sum = std::log(stats.sum);
    float loss = stats.max - x[y] + log_sum;
    if (s.weighted) loss *= weights[y];
    if (s.smoothing != 0) {
      auto sum = hn::Zero(d);
      for_row(x, s.c, [&](int64_t j, hn::Vec<F32> v, int64_t count) HWY_ATTR {
        auto distance = hn::Add(hn::Sub(hn::Set(d, stats.max), v), hn::Set(d, log_sum));
        if (s.weighted) distance = hn::Mul(distance, load_first(d, weights + j, count));
        sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(count)), distance));
      });
      const float spread = hn::GetLane(hn::SumOfLanes(d, sum)) / static_cast<float>(s.c);
      const auto share = static_cast<float>(s.smoothing);
      loss = (1 - share) * loss + share * spread;
    }
    losses[r] = loss;
  }
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const CrossEntropy*>(data);
  const float* weights = s.weighted ? args.at<const float>(2) : nullptr;
  const auto way = s.c == 2         ? columns<2>
                   : s.c == 3       ? columns<3>
                   : s.c == 4       ? columns<4>
                   : s.c <= kAcross ? across
                                    : along;
  way(s, args.at<const float>(0), args.at<const int32_t>(1), weights, args.at<float>(s.weighted ? 3 : 2));
}

KernelFn kernel() { return run; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef cross_entropy_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"label_smoothing", 0.0}};

Result<Types> infer(const OpArgs& args) {
  const std::string problem =
      cross_entropy_mismatch(args.in[0], args.in[1], args.in.size() > 2 ? &args.in[2] : nullptr);
  if (!problem.empty()) return wrong("cross_entropy: " + problem);
  return Types{{args.in[0].dtype, {args.in[0].dims[0]}}};
}

void grad(Backward& b) {
  std::vector<Value> in{b.input(0), b.input(1), b.upstream()};
  if (b.inputs() > 2) in.push_back(b.input(2));
  b.add(0, b.graph().add(cross_entropy_grad_op, in, b.attrs()));
}

template <class T, class I>
void plain(const CrossEntropy& s, const T* x, const I* classes, const T* weights, T* losses) {
  for (int64_t r = 0; r < s.rows; ++r, x += s.c) {
    losses[r] = 0;
    if (classes[r] < 0) continue;
    const int64_t y = std::min<int64_t>(static_cast<int64_t>(classes[r]), s.c - 1);
    T max, spread = 0;
    const T log_sum = std::log(sum_exp(x, s.c, max)), share = static_cast<T>(s.smoothing);
    for (int64_t j = 0; j < s.c; ++j) spread += (weights ? weights[j] : 1) * (max - x[j] + log_sum);
    losses[r] = (1 - share) * (weights ? weights[y] : 1) * (max - x[y] + log_sum);
    if (share != 0)
      losses[r] += share / static_cast<T>(s.c) * spread;  // else an infinite logit would give NaN
  }
}

void reference(const ReferenceArgs& a) {
  plain(cross_entropy_of(a.in_types, a.attrs, 2), a.in[0], a.in[1], a.in.size() > 2 ? a.in[2] : nullptr,
        a.out[0]);
}

template <class T>
void scalar(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const CrossEntropy*>(data);
  plain(s, args.at<const T>(0), args.at<const int32_t>(1), s.weighted ? args.at<const T>(2) : nullptr,
        args.at<T>(s.weighted ? 3 : 2));
}

std::shared_ptr<const CrossEntropy> sizes(const KernelRequest& r) {
  return std::make_shared<const CrossEntropy>(cross_entropy_of(r.in, r.attrs, 2));
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

extern const OpDef cross_entropy_op{
    .name = "cross_entropy",
    .doc = "each row's log sum e^x - x_class, from logits",
    .min_inputs = 2,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 25 * static_cast<double>(args.in[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
