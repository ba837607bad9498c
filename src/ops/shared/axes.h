// What reductions over named axes share: which axes go, and what is left.
#pragma once

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

// For each axis, whether it is reduced; no axes: all. Nothing if an axis does not exist.
inline std::optional<std::vector<char>> reduced_axes(const Attrs& attrs, int rank) {
  const auto& axes = attrs.list("axes");
  std::vector<char> reduced(static_cast<size_t>(rank), axes.empty());
  for (int64_t axis : axes) {
    const auto a = axis_in(axis, rank);
    if (!a) return std::nullopt;
    reduced[static_cast<size_t>(*a)] = true;
  }
  return reduced;
}

// The reduced axes kept as 1.
inline Shape kept_shape(const Shape& dims, const Attrs& attrs) {
  const std::vector<char> reduced = *reduced_axes(attrs, dims.rank());
  Shape out = dims;
  for (int i = 0; i < dims.rank(); ++i)
    if (reduced[static_cast<size_t>(i)]) out = out.with(i, 1);
  return out;
}

// The shape rule, with the attributes `axes` and `keep`. Where nothing has no result (`of_nothing` false), an
// axis that is reduced must have an entry.
inline Result<Types> reduced_type(std::string_view op, const OpArgs& args, bool of_nothing) {
  const Type& x = args.in[0];
  const auto reduced = reduced_axes(args.attrs, x.dims.rank());
  if (!reduced)
    return wrong(fmt::format("{}: {} has no axes {}", op, to_string(x),
                             shoestring::to_string(AttrValue(args.attrs.list("axes")))));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("{}: {} is not computed with; cast it to f32", op, to_string(x)));
  std::vector<int64_t> dims;
  for (int i = 0; i < x.dims.rank(); ++i) {
    const bool gone = (*reduced)[static_cast<size_t>(i)];
    if (gone && x.dims[i] == 0 && !of_nothing)
      return wrong(fmt::format("{}: {} has no entry on axis {}", op, to_string(x), i));
    if (!gone)
      dims.push_back(x.dims[i]);
    else if (args.attrs.flag("keep"))
      dims.push_back(1);
  }
  return Types{{x.dtype, Shape(dims)}};
}

// x in row-major order, each element with the place of its result: any pattern of axes.
struct Reduction {
  Shape in;
  std::vector<int64_t> out_strides;  // of each input axis, 0 where it is reduced
  int64_t out_elements = 0;

  Reduction(const Type& x, const Attrs& attrs)
      : in(x.dims),
        out_strides(strides_of(kept_shape(x.dims, attrs))),
        out_elements(kept_shape(x.dims, attrs).elements()) {
    const auto reduced = *reduced_axes(attrs, x.dims.rank());
    for (size_t i = 0; i < reduced.size(); ++i)
      if (reduced[i]) out_strides[i] = 0;
  }

  // out = initial; then take(out element, x element) for each.
  template <class T, class Take>
  void run(const T* x, T* out, T initial, Take&& take) const {
    for (int64_t i = 0; i < out_elements; ++i) out[i] = initial;
    const int rank = in.rank();
    const int64_t inner = rank ? in.back() : 1, step = rank ? out_strides.back() : 0;
    int64_t at[Shape::kMaxRank] = {};
    int64_t target = 0;
    for (int64_t row = 0, rows = inner ? in.elements() / inner : 0; row < rows; ++row, x += inner) {
      for (int64_t i = 0; i < inner; ++i) take(out[target + i * step], x[i]);
      for (int axis = rank - 2; axis >= 0; --axis) {
        const int64_t stride = out_strides[static_cast<size_t>(axis)];
        target += stride;
        if (++at[axis] < in[axis]) break;
        target -= stride * at[axis];
        at[axis] = 0;
      }
    }
  }
};

// To the entries that are the result (upstream's share of each, where several are equal).
inline void extreme_grad(Backward& b) {
  const Value x = b.input(0);
  const Shape kept = kept_shape(x.dims(), b.attrs());
  const Value chosen = equal(x, broadcast_like(reshape(b.output(), kept), x));  // a mask
  const Value count = reduce_sum(chosen, b.attrs().list("axes"), true);
  b.add(0, mul(chosen, broadcast_like(div(reshape(b.upstream(), kept), reshape(count, kept)), x)));
}

}  // namespace shoestring::ops
