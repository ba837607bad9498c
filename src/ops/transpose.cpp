// transpose: axes in another order; without a permutation the last two are swapped.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"permutation", std::vector<int64_t>{}}};

std::vector<int64_t> permutation_of(const Attrs& attrs, int rank) {
  std::vector<int64_t> p = attrs.list("permutation");
  if (p.empty()) {
    p.resize(static_cast<size_t>(rank));
    std::iota(p.begin(), p.end(), 0);
    if (rank >= 2) std::swap(p.end()[-1], p.end()[-2]);
  }
  return p;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const std::vector<int64_t> p = permutation_of(args.attrs, x.dims.rank());
  std::vector<int64_t> sorted = p, dims;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(i) || static_cast<int>(p.size()) != x.dims.rank())
      return wrong(fmt::format("transpose: {} is no order of the axes of {}",
                               shoestring::to_string(AttrValue(p)), to_string(x)));
  for (int64_t axis : p) dims.push_back(x.dims[static_cast<int>(axis)]);
  return Types{{x.dtype, Shape(dims)}};
}

void grad(Backward& b) {
  const std::vector<int64_t> p = permutation_of(b.attrs(), b.input(0).dims().rank());
  std::vector<int64_t> inverse(p.size());
  for (size_t i = 0; i < p.size(); ++i) inverse[static_cast<size_t>(p[i])] = static_cast<int64_t>(i);
  b.add(0, transpose(b.upstream(), inverse));
}

// For each output element in order, where it stands in the input.
template <class F>
void for_each_source(const Shape& in, const Shape& out, const std::vector<int64_t>& p, F&& visit) {
  const std::vector<int64_t> strides = strides_of(in);
  std::vector<int64_t> at(p.size());
  int64_t source = 0;
  for (int64_t i = 0, n = out.elements(); i < n; ++i) {
    visit(i, source);
    for (size_t axis = p.size(); axis-- > 0;) {
      const int64_t stride = strides[static_cast<size_t>(p[axis])];
      source += stride;
      if (++at[axis] < out[static_cast<int>(axis)]) break;
      source -= stride * at[axis];
      at[axis] = 0;
    }
  }
}

void reference(const ReferenceArgs& a) {
  const auto p = permutation_of(a.attrs, a.in_types[0].dims.rank());
  for_each_source(a.in_types[0].dims, a.out_types[0].dims, p,
                  [&](int64_t i, int64_t s) { a.out[0][i] = a.in[0][s]; });
}

struct Sizes {
  Shape in, out;
  std::vector<int64_t> permutation;
  int64_t batches = 0, rows = 0, columns = 0;  // of the input, where only the last two axes swap
};

// Tile by tile, so that both sides use whole cache lines.
template <class T>
void swap_last_two(const Sizes& s, const T* from, T* to) {
  constexpr int64_t kTile = 16;
  for (int64_t b = 0; b < s.batches; ++b, from += s.rows * s.columns, to += s.rows * s.columns)
    for (int64_t i0 = 0; i0 < s.rows; i0 += kTile)
      for (int64_t j0 = 0; j0 < s.columns; j0 += kTile)
        for (int64_t j = j0; j < std::min(j0 + kTile, s.columns); ++j)
          for (int64_t i = i0; i < std::min(i0 + kTile, s.rows); ++i)
            to[j * s.rows + i] = from[i * s.columns + j];
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const T* from = args.at<const T>(0);
  T* to = args.at<T>(1);
  if (s.rows > 0) return swap_last_two(s, from, to);
  for_each_source(s.in, s.out, s.permutation, [&](int64_t i, int64_t source) { to[i] = from[source]; });
}

PrepareResult prepare(const KernelRequest& r) {
  const int rank = r.in[0].dims.rank();
  Sizes s{r.in[0].dims, r.out[0].dims, permutation_of(r.attrs, rank)};
  bool swap = rank >= 2;
  for (int i = 0; i < rank - 2; ++i) swap = swap && s.permutation[static_cast<size_t>(i)] == i;
  if (swap && s.permutation.back() == rank - 2 && s.in.elements() > 0) {
    s.rows = s.in[rank - 2];
    s.columns = s.in[rank - 1];
    s.batches = s.in.elements() / (s.rows * s.columns);
  }
  auto data = std::make_shared<const Sizes>(std::move(s));
  switch (info(r.in[0].dtype).block_bytes) {
    case 1:
      return Prepared{run<uint8_t>, data};
    case 2:
      return Prepared{run<uint16_t>, data};
    case 4:
      return Prepared{run<uint32_t>, data};
    case 8:
      return Prepared{run<uint64_t>, data};
    default:
      return tl::unexpected(std::string("elements are not whole words"));
  }
}

const Kernel kKernels[] = {{"copy", prepare}};

}  // namespace

extern const OpDef transpose_op{
    .name = "transpose",
    .doc = "axes in another order",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
