// gather_grad: the gradient of gather in its table: zeros, and each upstream row added to the row that it
// was taken from, in the order of the batch, so duplicates sum to the same bits every time.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gather_grad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/ops.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"

#ifndef SHOESTRING_OPS_GATHER_GRAD_ONCE
#define SHOESTRING_OPS_GATHER_GRAD_ONCE
namespace shoestring::ops {
struct GatherGradSizes {
  int64_t count, width, rows;
  int threads;
};
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Each thread owns a range of the table's rows and reads all numbers, so a row's sum has one order for any
// team.
template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const GatherGradSizes*>(data);
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  const int64_t whole = s.width / lanes * lanes;
  const auto rest = hn::FirstN(d, static_cast<size_t>(s.width - whole));
  const T* upstream = args.at<const T>(0);
  const int32_t* indices = args.at<const int32_t>(1);
  T* out = args.at<T>(2);
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    std::memset(out + begin * s.width, 0, static_cast<size_t>((end - begin) * s.width) * sizeof(T));
    for (int64_t i = 0; i < s.count; ++i) {
      const int64_t row = std::clamp<int64_t>(indices[i], 0, s.rows - 1);
      if (row < begin || row >= end) continue;
      T* to = out + row * s.width;
      const T* from = upstream + i * s.width;
      for (int64_t j = 0; j < whole; j += lanes)
        hn::StoreU(hn::Add(hn::LoadU(d, to + j), hn::LoadU(d, from + j)), d, to + j);
      if (whole < s.width) {
        const auto sum = hn::Add(hn::MaskedLoad(rest, d, to + whole), hn::MaskedLoad(rest, d, from + whole));
        hn::BlendedStore(sum, rest, d, to + whole);
      }
    }
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"rows", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const Type &upstream = args.in[0], &indices = args.in[1];
  const int64_t rows = args.attrs.integer("rows");
  if (indices.dtype != DType::i32)
    return wrong(fmt::format("gather_grad: row numbers are i32, not {}", to_string(indices)));
  if (upstream.dims.rank() != indices.dims.rank() + 1 ||
      upstream.dims.without(indices.dims.rank()) != indices.dims)
    return wrong(
        fmt::format("gather_grad: {} has no row for each of {}", to_string(upstream), to_string(indices)));
  if (upstream.dtype != DType::f32 && upstream.dtype != DType::f64)
    return wrong(fmt::format("gather_grad: {} is not computed with; cast it to f32", to_string(upstream)));
  if (rows < 1) return wrong(fmt::format("gather_grad: {} rows", rows));
  return Types{{upstream.dtype, {rows, upstream.dims.back()}}};
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  return {.flops = static_cast<double>(args.in[0].elements()),
          .bytes = 2 * static_cast<double>(args.in[0].bytes()) + static_cast<double>(out[0].bytes())};
}

// Its own gradient, should anybody ask: the rows that were added.
void grad(Backward& b) { b.add(0, gather(b.upstream(), b.input(1))); }

void reference(const ReferenceArgs& a) {
  const int64_t rows = a.out_types[0].dims[0], width = a.out_types[0].dims[1];
  std::fill_n(a.out[0], rows * width, 0.0);
  for (int64_t i = 0; i < a.in_types[1].elements(); ++i) {
    const auto row = static_cast<int64_t>(std::clamp(a.in[1][i], 0.0, static_cast<double>(rows - 1)));
    for (int64_t k = 0; k < width; ++k) a.out[0][row * width + k] += a.in[0][i * width + k];
  }
}

PrepareResult prepare(const KernelRequest& r) {
  const bool large = r.in[0].bytes() + r.out[0].bytes() >= kBytesWorthThreads;
  const GatherGradSizes s{r.in[1].elements(), r.out[0].dims[1], r.out[0].dims[0],
                          large ? r.target.threads : 1};
  return Prepared{kernel_on(r.target.isa)(r.out[0].dtype), std::make_shared<const GatherGradSizes>(s)};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef gather_grad_op{
    .name = "gather_grad",
    .doc = "rows added up by their numbers",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
