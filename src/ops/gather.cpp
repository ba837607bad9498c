// gather: rows of a table by their numbers: [n,d], i32[..] -> [..,d]. A number outside is clamped to the
// first or last row, so no index can read elsewhere.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gather.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/ops.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"

#ifndef SHOESTRING_OPS_GATHER_ONCE
#define SHOESTRING_OPS_GATHER_ONCE
namespace shoestring::ops {
struct GatherSizes {
  int64_t count;  // of row numbers
  int32_t last;   // row
  int64_t bytes;  // of a row
  int threads;
};
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Rows of whole 4-byte words, a vector at a time: a call to memcpy costs more than a short row.
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const GatherSizes*>(data);
  const hn::ScalableTag<uint32_t> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  const int64_t words = s.bytes / 4, whole = words / lanes * lanes;
  const auto rest = hn::FirstN(d, static_cast<size_t>(words - whole));
  const uint32_t* table = args.at<const uint32_t>(0);
  const int32_t* indices = args.at<const int32_t>(1);
  uint32_t* out = args.at<uint32_t>(2);
  split(s.count, 16, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t* from = table + std::clamp(indices[i], 0, s.last) * words;
      uint32_t* to = out + i * words;
      for (int64_t j = 0; j < whole; j += lanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
      if (whole < words) hn::BlendedStore(hn::MaskedLoad(rest, d, from + whole), rest, d, to + whole);
    }
  });
}

KernelFn kernel() { return run; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

Result<Types> infer(const OpArgs& args) {
  const Type &table = args.in[0], &indices = args.in[1];
  if (table.dims.rank() != 2 || table.dims[0] == 0)
    return wrong(
        fmt::format("gather: the table must be [n,d] with a row at least, not {}", to_string(table)));
  if (indices.dtype != DType::i32)
    return wrong(fmt::format("gather: row numbers are i32, not {}", to_string(indices)));
  if (indices.dims.rank() == Shape::kMaxRank)
    return wrong(fmt::format("gather: {} has no room for another axis", to_string(indices)));
  return Types{{table.dtype, indices.dims.plus(table.dims[1])}};
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  return {.bytes = 2 * static_cast<double>(out[0].bytes()) + static_cast<double>(args.in[1].bytes())};
}

void grad(Backward& b) { b.add(0, gather_grad(b.upstream(), b.input(1), b.input(0).dims()[0])); }

void reference(const ReferenceArgs& a) {
  const int64_t rows = a.in_types[0].dims[0], width = a.in_types[0].dims[1];
  for (int64_t i = 0; i < a.in_types[1].elements(); ++i) {
    const auto row = static_cast<int64_t>(std::clamp(a.in[1][i], 0.0, static_cast<double>(rows - 1)));
    std::copy_n(a.in[0] + row * width, width, a.out[0] + i * width);
  }
}

GatherSizes sizes_of(const KernelRequest& r) {
  const int64_t bytes = r.in[0].dims[1] * info(r.in[0].dtype).block_bytes;
  return {r.in[1].elements(), static_cast<int32_t>(std::min<int64_t>(r.in[0].dims[0] - 1, INT32_MAX)), bytes,
          r.out[0].bytes() >= kBytesWorthThreads ? r.target.threads : 1};
}

// Any row.
void copy(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const GatherSizes*>(data);
  const char* table = args.at<const char>(0);
  const int32_t* indices = args.at<const int32_t>(1);
  char* out = args.at<char>(2);
  split(s.count, 64, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(out + i * s.bytes, table + std::clamp(indices[i], 0, s.last) * s.bytes,
                  static_cast<size_t>(s.bytes));
  });
}

PrepareResult prepare_words(const KernelRequest& r) {
  const GatherSizes s = sizes_of(r);
  if (s.bytes % 4 != 0) return tl::unexpected(std::string("rows of whole 4-byte words only"));
  return Prepared{kernel_on(r.target.isa)(), std::make_shared<const GatherSizes>(s)};
}
PrepareResult prepare_copy(const KernelRequest& r) {
  return Prepared{copy, std::make_shared<const GatherSizes>(sizes_of(r))};
}

const Kernel kKernels[] = {{"highway", prepare_words}, {"copy", prepare_copy}};

}  // namespace

extern const OpDef gather_op{
    .name = "gather",
    .doc = "rows of a table by their numbers",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
