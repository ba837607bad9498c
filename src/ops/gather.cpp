// gather: rows of a table by their numbers: [n,d], i32[..] -> [..,d]. A number outside is clamped to the
// first or last row, so no index can read elsewhere.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shapes.h"

namespace shoestring::ops {
namespace {

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

struct Sizes {
  int64_t count;  // of row numbers
  int32_t last;   // row
  int64_t bytes;  // of a row
};

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const char* table = args.at<const char>(0);
  const int32_t* indices = args.at<const int32_t>(1);
  char* out = args.at<char>(2);
  for (int64_t i = 0; i < s.count; ++i)
    std::memcpy(out + i * s.bytes, table + std::clamp(indices[i], 0, s.last) * s.bytes,
                static_cast<size_t>(s.bytes));
}

PrepareResult prepare(const KernelRequest& r) {
  if (r.in[0].dims[0] > INT32_MAX) return tl::unexpected(std::string("more rows than an i32 can number"));
  const Sizes s{r.in[1].elements(), static_cast<int32_t>(r.in[0].dims[0] - 1),
                r.in[0].dims[1] * info(r.in[0].dtype).block_bytes};
  return Prepared{run, std::make_shared<const Sizes>(s)};
}

const Kernel kKernels[] = {{"copy", prepare}};

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
