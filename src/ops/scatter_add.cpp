// scatter_add: rows added to those of a target by their numbers: target [n,d], i32[..], updates [..,d] ->
// [n,d]. Duplicates are added in their order, so they sum to the same bits every time. A number outside is
// clamped to the first or last row, as in gather.
#include <algorithm>

#include "ops/rows.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

Result<Types> infer(const OpArgs& args) {
  const Type &target = args.in[0], &indices = args.in[1], &updates = args.in[2];
  if (target.dims.rank() != 2 || target.dims[0] == 0)
    return wrong(
        fmt::format("scatter_add: the target must be [n,d] with a row at least, not {}", to_string(target)));
  if (target.dtype != DType::f32 && target.dtype != DType::f64)
    return wrong(fmt::format("scatter_add: {} is not computed with; cast it to f32", to_string(target)));
  if (indices.dtype != DType::i32)
    return wrong(fmt::format("scatter_add: row numbers are i32, not {}", to_string(indices)));
  if (updates.dtype != target.dtype || updates.dims.rank() != indices.dims.rank() + 1 ||
      updates.dims.without(indices.dims.rank()) != indices.dims || updates.dims.back() != target.dims[1])
    return wrong(fmt::format("scatter_add: {} has no row of {} for each of {}", to_string(updates),
                             to_string(target), to_string(indices)));
  return Types{target};
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  const double updates = static_cast<double>(args.in[2].bytes());
  return {.flops = static_cast<double>(args.in[2].elements()),
          .bytes = 2 * static_cast<double>(out[0].bytes()) + 2 * updates};
}

void grad(Backward& b) {
  b.add(0, b.upstream());
  if (b.wants(2)) b.add(2, gather(b.upstream(), b.input(1)));
}

struct Sizes {
  int64_t rows, width, count;
  int threads;
};

// Each thread owns a range of the target's rows and reads all numbers.
template <class T, class I>
void scatter(const Sizes& s, const T* target, const I* indices, const T* updates, T* out) {
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    std::copy(target + begin * s.width, target + end * s.width, out + begin * s.width);
    for (int64_t i = 0; i < s.count; ++i) {
      const int64_t row = std::clamp<int64_t>(static_cast<int64_t>(indices[i]), 0, s.rows - 1);
      if (row < begin || row >= end) continue;
      for (int64_t j = 0; j < s.width; ++j) out[row * s.width + j] += updates[i * s.width + j];
    }
  });
}

void reference(const ReferenceArgs& a) {
  const Shape& target = a.in_types[0].dims;
  scatter({target[0], target[1], a.in_types[1].elements(), 1}, a.in[0], a.in[1], a.in[2], a.out[0]);
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  scatter(*static_cast<const Sizes*>(data), args.at<const T>(0), args.at<const int32_t>(1),
          args.at<const T>(2), args.at<T>(3));
}

PrepareResult prepare(const KernelRequest& r) {
  const Shape& target = r.in[0].dims;
  const bool large = r.in[0].bytes() + r.in[2].bytes() >= kBytesWorthThreads;
  return Prepared{r.in[0].dtype == DType::f32 ? run<float> : run<double>,
                  std::make_shared<const Sizes>(
                      Sizes{target[0], target[1], r.in[1].elements(), large ? r.target.threads : 1})};
}

const Kernel kKernels[] = {{"scalar", prepare}};

}  // namespace

extern const OpDef scatter_add_op{
    .name = "scatter_add",
    .doc = "rows added to those of a target by their numbers",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
