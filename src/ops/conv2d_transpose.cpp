// conv2d_transpose: conv2d turned around: y [b,p,q,n], filters [kh,kw,c/groups,n] -> x [b,h,w,c], where each
// element of y sends its filter back to the places that conv2d would read for it (ops/shared/conv.h). It is
// the gradient of conv2d in its pictures, and the layer that generators and decoders go up by. `size` is
// [h,w].
#include "ops/shared/conv.h"
#include "ops/shared/onednn.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"size", std::vector<int64_t>{}},
                          {"strides", std::vector<int64_t>{1, 1}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"groups", int64_t{1}},
                          {"dtype", std::string()},             // of the result; empty: that of the operands
                          {"layout", std::vector<int64_t>{}}};  // of the filters
const LaidOut kLaidOut[] = {{1, "layout"}};

Result<Types> infer(const OpArgs& args) {
  const Type &y = args.in[0], &filters = args.in[1];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("conv2d_transpose: {} by {}: {}", to_string(y), to_string(filters), why));
  };
  const auto result = product_type(y.dtype, filters.dtype, args.attrs.text("dtype"));
  if (!result) return no(result.error());
  const std::vector<int64_t>& size = args.attrs.list("size");
  if (y.dims.rank() != 4) return no("pictures have four axes [b,p,q,n]");
  if (filters.dims.rank() != 4) return no("filters have four axes [kh,kw,c/groups,n]");
  if (size.size() != 2 || size[0] < 0 || size[1] < 0 || size[0] > kMostBytes || size[1] > kMostBytes)
    return no("size must be [h,w]");
  const int64_t groups = args.attrs.integer("groups");
  if (groups < 1 || groups > kMostBytes) return no(fmt::format("there cannot be {} groups", groups));
  const Shape x{y.dims[0], size[0], size[1], filters.dims[2] * groups};
  const auto s = conv_sizes(x, filters.dims, args.attrs);
  if (!s) return no(s.error());
  const Shape made{s->batch, s->down.out, s->right.out, s->out};
  if (made != y.dims)
    return no(fmt::format("conv2d would make {} of {}, not that", to_string(made), to_string(x)));
  return Types{{*result, x}};
}

ConvSizes sizes_of(std::span<const Type> in, std::span<const Type> out, const Attrs& attrs) {
  return known_conv_sizes(out[0].dims, in[1].dims, in[0].dims, attrs);
}

// It is linear in both.
void grad(Backward& b) {
  const Value y = wide(b.input(0)), filters = wide(b.input(1)), g = wide(b.upstream());
  const ConvOptions options = conv_options(b.attrs());
  if (b.wants(0)) add_as_input(b, 0, conv2d(g, filters, options));
  if (b.wants(1)) add_as_input(b, 1, conv2d_filter(g, y, filters.dims()[0], filters.dims()[1], options));
}

void reference(const ReferenceArgs& r) {
  plain_conv_transpose<double>(sizes_of(r.in_types, r.out_types, r.attrs), r.in[0], r.in[1], r.out[0]);
}

template <class T, class In, class Out>
void scalar(const void* data, const KernelArgs& args) noexcept {
  plain_conv_transpose<T>(*static_cast<const ConvSizes*>(data), args.at<const In>(0), args.at<const In>(1),
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
  return prepare_onednn(OnednnConv::Makes::pictures, sizes_of(r.in, r.out, r.attrs), r);
}
tl::expected<Layout, std::string> layout_of_large(const KernelRequest& r) {
  return onednn_layout(OnednnConv::Makes::pictures, sizes_of(r.in, r.out, r.attrs), r);
}

const Kernel kKernels[] = {{"onednn", prepare_large, layout_of_large}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef conv2d_transpose_op{
    .name = "conv2d_transpose",
    .doc = "conv2d turned around: results sent back to pictures",
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
