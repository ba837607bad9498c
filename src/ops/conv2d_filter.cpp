// conv2d_filter: the gradient of conv2d in its filters: pictures x [b,h,w,c] and the gradient of the results
// y [b,p,q,n] -> [kh,kw,c/groups,n], summed over all places (ops/shared/conv.h). `kernel` is [kh,kw].
#include <cstring>

#include "base/arith.h"
#include "base/memory.h"
#include "ops/shared/conv.h"
#include "ops/shared/onednn.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"kernel", std::vector<int64_t>{}},
                          {"strides", std::vector<int64_t>{1, 1}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"groups", int64_t{1}},
                          {"dtype", std::string()},             // of the result; empty: that of the operands
                          {"layout", std::vector<int64_t>{}}};  // of the filters
const LaidOut kLaidOut[] = {{2, "layout"}};

Result<Types> infer(const OpArgs& args) {
  const Type &x = args.in[0], &y = args.in[1];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("conv2d_filter: {} and {}: {}", to_string(x), to_string(y), why));
  };
  const auto result = product_type(x.dtype, y.dtype, args.attrs.text("dtype"));
  if (!result) return no(result.error());
  if (x.dims.rank() != 4 || y.dims.rank() != 4) return no("both have four axes [b,h,w,c]");
  const std::vector<int64_t>& kernel = args.attrs.list("kernel");
  if (kernel.size() != 2) return no("kernel must be [kh,kw]");
  const int64_t groups = args.attrs.integer("groups");
  if (groups < 1 || x.dims[3] % groups != 0)
    return no(fmt::format("{} groups do not divide the channels", groups));
  const Shape filters{kernel[0], kernel[1], x.dims[3] / groups, y.dims[3]};
  const auto s = conv_sizes(x.dims, filters, args.attrs);
  if (!s) return no(s.error());
  const Shape made{s->batch, s->down.out, s->right.out, s->out};
  if (made != y.dims)
    return no(fmt::format("filters {} make {}, not that", to_string(filters), to_string(made)));
  return Types{{*result, filters}};
}

ConvSizes sizes_of(std::span<const Type> in, std::span<const Type> out, const Attrs& attrs) {
  return known_conv_sizes(in[0].dims, out[0].dims, in[1].dims, attrs);
}

// It is linear in both.
void grad(Backward& b) {
  const Value x = wide(b.input(0)), y = wide(b.input(1)), g = wide(b.upstream());
  const ConvOptions options = conv_options(b.attrs());
  if (b.wants(0)) add_as_input(b, 0, conv2d_transpose(y, g, x.dims()[1], x.dims()[2], options));
  if (b.wants(1)) add_as_input(b, 1, conv2d(x, g, options));
}

void reference(const ReferenceArgs& r) {
  plain_conv_filter<double>(sizes_of(r.in_types, r.out_types, r.attrs), r.in[0], r.in[1], r.out[0]);
}

template <class T, class In, class Out>
void scalar(const void* data, const KernelArgs& args) noexcept {
  plain_conv_filter<T>(*static_cast<const ConvSizes*>(data), args.at<const In>(0), args.at<const In>(1),
                       args.at<Out>(2));
}

PrepareResult prepare_scalar(const KernelRequest& r) {
  if (!filters_layout(r.attrs).row_major()) return tl::unexpected(std::string(kRowMajorOnly));
  ConvSizes s = sizes_of(r.in, r.out, r.attrs);
  s.threads = threads_of(s, r.target);
  const KernelFn run = with_product_types(
      r.in[0].dtype, r.out[0].dtype,
      []<class T, class In, class Out>(T, In, Out) -> KernelFn { return scalar<T, In, Out>; });
  return Prepared{run, std::make_shared<const ConvSizes>(s)};
}

PrepareResult prepare_large(const KernelRequest& r) {
  return prepare_onednn(OnednnConv::Makes::filters, sizes_of(r.in, r.out, r.attrs), r);
}
tl::expected<Layout, std::string> layout_of_large(const KernelRequest& r) {
  return onednn_layout(OnednnConv::Makes::filters, sizes_of(r.in, r.out, r.attrs), r);
}

// Small pictures: every place's taps side by side, [b p q, kh kw c], and one product of matrices, which gives
// the filters row-major. oneDNN's kernel of this gradient goes along rows, of which it has too few here.
struct Unfolded {
  ConvSizes sizes;
  int64_t element_bytes = 4, row_bytes = 0;  // row_bytes: of the taps of one place
  int64_t columns_at = 0;                    // where they lie in the scratch, behind the product's
  Prepared product;
};
constexpr int64_t kFewPlaces = 16;

void unfold(const Unfolded& u, const char* x, char* columns) {
  const ConvSizes& s = u.sizes;
  const auto bytes = static_cast<size_t>(s.in * u.element_bytes);
  split(s.batch * s.down.out, 1, s.threads, [&](int64_t begin, int64_t end) {
    char* to = columns + begin * s.right.out * u.row_bytes;
    for (int64_t row = begin; row < end; ++row)
      for (int64_t q = 0; q < s.right.out; ++q)
        for (int64_t i = 0; i < s.down.kernel; ++i)
          for (int64_t j = 0; j < s.right.kernel; ++j, to += bytes) {
            const int64_t r = s.down.place(row % s.down.out, i), k = s.right.place(q, j);
            if (r < 0 || r >= s.down.in || k < 0 || k >= s.right.in)
              std::memset(to, 0, bytes);
            else
              std::memcpy(to, x + s.x_at(row / s.down.out, r, k) * u.element_bytes, bytes);
          }
  });
}

void run_unfolded(const void* data, const KernelArgs& args) noexcept {
  const auto& u = *static_cast<const Unfolded*>(data);
  char* const scratch = args.at<char>(3);
  unfold(u, args.at<const char>(0), scratch + u.columns_at);
  void* const operands[] = {scratch + u.columns_at, args.operands[1], args.operands[2], scratch};
  u.product.run(u.product.data.get(), {operands, args.context});
}

// Why it is not for these sizes; empty where it is.
std::string_view unfolding_is_wrong(const ConvSizes& s, const KernelRequest& r) {
  if (r.target.isa != Isa::avx512 || r.in[0].dtype == DType::f64) return "AVX-512, f32 and bf16 only";
  if (s.groups != 1 || s.taps() == 1) return "for several taps and one group";
  if (s.down.out * s.right.out > kFewPlaces) return "for small pictures only";
  if (std::min(s.in, s.out) < 64 || s.flops() < 1 << 26) return "too small to gain";
  return filters_layout(r.attrs).row_major() ? "" : kRowMajorOnly;
}

PrepareResult prepare_unfolded(const KernelRequest& r) {
  const ConvSizes s = sizes_of(r.in, r.out, r.attrs);
  if (const auto why = unfolding_is_wrong(s, r); !why.empty()) return tl::unexpected(std::string(why));
  auto u = std::make_shared<Unfolded>();
  u->sizes = s;
  u->sizes.threads = r.target.threads;
  u->element_bytes = info(r.in[0].dtype).block_bytes;
  u->row_bytes = s.taps() * s.in * u->element_bytes;
  const int64_t places = s.batch * s.down.out * s.right.out;
  auto product = prepare_onednn({.m = s.taps() * s.in,
                                 .n = s.out,
                                 .k = places,
                                 .transpose_a = true,
                                 .shared_b = true,
                                 .threads = r.target.threads,
                                 .operands = r.in[0].dtype,
                                 .result = r.out[0].dtype});
  if (!product) return tl::unexpected(product.error());
  u->columns_at = round_up(product->scratch_bytes, kAlignment);
  u->product = std::move(*product);
  const int64_t scratch = u->columns_at + places * u->row_bytes;
  return Prepared{run_unfolded, std::move(u), scratch};
}

tl::expected<Layout, std::string> layout_of_unfolded(const KernelRequest& r) {
  if (const auto why = unfolding_is_wrong(sizes_of(r.in, r.out, r.attrs), r); !why.empty())
    return tl::unexpected(std::string(why));
  return Layout();
}

const Kernel kKernels[] = {{"unfolded", prepare_unfolded, layout_of_unfolded},
                           {"onednn", prepare_large, layout_of_large},
                           {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef conv2d_filter_op{
    .name = "conv2d_filter",
    .doc = "the gradient of conv2d in its filters",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .laid_out = kLaidOut,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return conv_cost(args, out, sizes_of(args.in, out, args.attrs));
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
