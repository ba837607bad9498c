// sum_rows: the gradient of gather as rows: which rows of the table were taken, ascending, each once, and the
// sum of what came back to each, in the order of the batch; -1 and zeros to the end. Costs nothing for the
// table's height.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"rows", int64_t{0}}};  // of the table

Result<Types> infer(const OpArgs& args) {
  const Type &upstream = args.in[0], &indices = args.in[1];
  const int64_t rows = args.attrs.integer("rows");
  if (indices.dtype != DType::i32)
    return wrong(fmt::format("sum_rows: row numbers are i32, not {}", to_string(indices)));
  if (upstream.dims.rank() != indices.dims.rank() + 1 ||
      upstream.dims.without(indices.dims.rank()) != indices.dims)
    return wrong(
        fmt::format("sum_rows: {} has no row for each of {}", to_string(upstream), to_string(indices)));
  if (upstream.dtype != DType::f32 && upstream.dtype != DType::f64)
    return wrong(fmt::format("sum_rows: {} is not computed with; cast it to f32", to_string(upstream)));
  if (rows < 1) return wrong(fmt::format("sum_rows: {} rows", rows));
  const int64_t n = indices.elements();
  return Types{{DType::i32, {n}}, {upstream.dtype, {n, upstream.dims.back()}}};
}

// Calls visit(k, row, position) for the batch sorted by rows; k counts different rows. Gives how many there
// are.
template <class Index, class F>
int64_t by_row(const Index* indices, int64_t n, int64_t rows, uint64_t* order, F&& visit) {
  for (int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<int64_t>(std::clamp<Index>(indices[i], 0, static_cast<Index>(rows - 1)));
    order[i] = static_cast<uint64_t>(row) << 32 | static_cast<uint64_t>(i);
  }
  std::sort(order, order + n);
  int64_t k = -1;
  for (int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<int64_t>(order[i] >> 32);
    k += i == 0 || row != static_cast<int64_t>(order[i - 1] >> 32);
    visit(k, row, static_cast<int64_t>(order[i] & 0xFFFFFFFF));
  }
  return k + 1;
}

template <class T, class Index, class Number>
void sum(const T* upstream, const Index* indices, int64_t n, int64_t width, int64_t rows, uint64_t* order,
         Number* numbers, T* values) {
  std::fill_n(values, n * width, T{0});
  std::fill_n(numbers, n, Number{-1});
  by_row(indices, n, rows, order, [&](int64_t k, int64_t row, int64_t position) {
    numbers[k] = static_cast<Number>(row);
    for (int64_t j = 0; j < width; ++j) values[k * width + j] += upstream[position * width + j];
  });
}

void reference(const ReferenceArgs& a) {
  const int64_t n = a.in_types[1].elements();
  std::vector<uint64_t> order(static_cast<size_t>(n));
  sum(a.in[0], a.in[1], n, a.out_types[1].dims[1], a.attrs.integer("rows"), order.data(), a.out[0], a.out[1]);
}

struct Sizes {
  int64_t n, width, rows;
};
template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  if (s.n == 0) return;
  sum(args.at<const T>(0), args.at<const int32_t>(1), s.n, s.width, s.rows, args.at<uint64_t>(4),
      args.at<int32_t>(2), args.at<T>(3));
}

PrepareResult prepare(const KernelRequest& r) {
  const int64_t n = r.in[1].elements();
  return Prepared{r.out[1].dtype == DType::f32 ? run<float> : run<double>,
                  std::make_shared<const Sizes>(Sizes{n, r.out[1].dims[1], r.attrs.integer("rows")}),
                  n * static_cast<int64_t>(sizeof(uint64_t))};
}
const Kernel kKernels[] = {{"sorted", prepare}};

}  // namespace

extern const OpDef sum_rows_op{
    .name = "sum_rows",
    .doc = "rows added up by their numbers, only those that occur",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "it is a gradient already",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
