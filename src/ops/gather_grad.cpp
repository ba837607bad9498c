// gather_grad: the gradient of gather in its table: zeros, and each upstream row added to the row that it
// was taken from, in the order of the batch, so duplicates sum to the same bits every time.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shapes.h"

namespace shoestring::ops {
namespace {

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

struct Sizes {
  int64_t count, width;
  int32_t last;
};

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const T* upstream = args.at<const T>(0);
  const int32_t* indices = args.at<const int32_t>(1);
  T* out = args.at<T>(2);
  std::memset(out, 0, static_cast<size_t>((int64_t{s.last} + 1) * s.width) * sizeof(T));
  for (int64_t i = 0; i < s.count; ++i) {
    T* __restrict to = out + std::clamp(indices[i], 0, s.last) * s.width;
    const T* __restrict from = upstream + i * s.width;
#pragma GCC ivdep
    for (int64_t k = 0; k < s.width; ++k) to[k] += from[k];
  }
}

PrepareResult prepare(const KernelRequest& r) {
  if (r.out[0].dims[0] > INT32_MAX) return tl::unexpected(std::string("more rows than an i32 can number"));
  auto data = std::make_shared<const Sizes>(
      Sizes{r.in[1].elements(), r.out[0].dims[1], static_cast<int32_t>(r.out[0].dims[0] - 1)});
  return Prepared{r.out[0].dtype == DType::f32 ? run<float> : run<double>, data};
}

const Kernel kKernels[] = {{"scatter", prepare}};

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
