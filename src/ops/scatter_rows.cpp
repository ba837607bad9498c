// scatter_rows: a table [n,d] with some rows replaced: row numbers[i] by values[i], i32[k], [k,d]. A number
// that is no row's replaces nothing; of equal ones the last counts. In its own memory it touches those rows
// only.
#include <cstring>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

Result<Types> infer(const OpArgs& args) {
  const Type &table = args.in[0], &numbers = args.in[1], &values = args.in[2];
  if (numbers.dtype != DType::i32 || numbers.dims.rank() != 1)
    return wrong(fmt::format("scatter_rows: row numbers are i32[k], not {}", to_string(numbers)));
  if (table.dims.rank() != 2 || values != Type{table.dtype, {numbers.dims[0], table.dims[1]}})
    return wrong(fmt::format("scatter_rows: {} for {} rows of {}", to_string(values), numbers.dims[0],
                             to_string(table)));
  return Types{table};
}

// What it touches where it works in place.
Cost cost(const OpArgs& args, std::span<const Type>) {
  return {.bytes = 2 * static_cast<double>(args.in[2].bytes()) + static_cast<double>(args.in[1].bytes())};
}

void reference(const ReferenceArgs& a) {
  const int64_t rows = a.in_types[0].dims[0], width = a.in_types[0].dims[1];
  std::copy_n(a.in[0], rows * width, a.out[0]);
  for (int64_t i = 0; i < a.in_types[1].elements(); ++i)
    if (a.in[1][i] >= 0 && a.in[1][i] < static_cast<double>(rows))
      std::copy_n(a.in[2] + i * width, width, a.out[0] + static_cast<int64_t>(a.in[1][i]) * width);
}

struct Sizes {
  int64_t rows, count, row_bytes;
};
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const auto* table = args.at<const char>(0);
  const auto* numbers = args.at<const int32_t>(1);
  const auto* values = args.at<const char>(2);
  auto* out = args.at<char>(3);
  if (out != table) std::memcpy(out, table, static_cast<size_t>(s.rows * s.row_bytes));
  for (int64_t i = 0; i < s.count; ++i)
    if (numbers[i] >= 0 && numbers[i] < s.rows)
      std::memcpy(out + numbers[i] * s.row_bytes, values + i * s.row_bytes, static_cast<size_t>(s.row_bytes));
}

PrepareResult prepare(const KernelRequest& r) {
  const int64_t width = r.in[0].dims[1];
  return Prepared{run, std::make_shared<const Sizes>(
                           Sizes{r.in[0].dims[0], r.in[1].dims[0], Type{r.in[0].dtype, {width}}.bytes()})};
}
const Kernel kKernels[] = {{"rows", prepare}};

}  // namespace

extern const OpDef scatter_rows_op{
    .name = "scatter_rows",
    .doc = "a table with some of its rows replaced",
    .min_inputs = 3,
    .max_inputs = 3,
    .traits = kUpdate,
    .infer = infer,
    .cost = cost,
    .no_grad = "it is part of an update",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
