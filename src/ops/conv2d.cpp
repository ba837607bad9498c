// conv2d: filters over pictures: x [b,h,w,c], filters [kh,kw,c/groups,n], bias [n], scale [n] ->
// activation(y scale + bias) [b,p,q,n], with y as ops/shared/conv.h has it. Cross-correlation, as everywhere
// in deep learning: the filters are not turned. The scale is what a batch norm behind it becomes in
// prediction.
#include "ops/shared/conv.h"
#include "ops/shared/onednn.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"strides", std::vector<int64_t>{1, 1}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"groups", int64_t{1}},
                          {"activation", std::string("none")},
                          {"dtype", std::string()},             // of the result; empty: that of the operands
                          {"layout", std::vector<int64_t>{}}};  // of the filters
const LaidOut kLaidOut[] = {{1, "layout"}};

ConvSizes sizes_of(std::span<const Type> in, std::span<const Type> out, const Attrs& attrs) {
  ConvSizes s = known_conv_sizes(in[0].dims, in[1].dims, out[0].dims, attrs);
  s.bias = in.size() > 2;
  s.scale = in.size() > 3;
  s.activation = *activation_named(attrs.text("activation"));
  return s;
}

Result<Types> infer(const OpArgs& args) {
  const Type &x = args.in[0], &filters = args.in[1];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("conv2d: {} by {}: {}", to_string(x), to_string(filters), why));
  };
  const auto result = product_type(x.dtype, filters.dtype, args.attrs.text("dtype"));
  if (!result) return no(result.error());
  const auto s = conv_sizes(x.dims, filters.dims, args.attrs);
  if (!s) return no(s.error());
  if (!activation_named(args.attrs.text("activation")))
    return no(fmt::format("no activation '{}'", args.attrs.text("activation")));
  for (size_t i = 2; i < args.in.size(); ++i)
    if (args.in[i] != Type{summed(x.dtype), {s->out}})
      return no(fmt::format("the {} must be [{}], not {}", i == 2 ? "bias" : "scale", s->out,
                            to_string(args.in[i])));
  return Types{{*result, {s->batch, s->down.out, s->right.out, s->out}}};
}

void grad(Backward& b) {
  const Value x = wide(b.input(0)), filters = wide(b.input(1));
  const ConvOptions options = conv_options(b.attrs());
  const bool scaled = b.inputs() > 3;
  const Value sums = scaled ? conv2d(x, filters, options) : Value();
  Value g = before_activation(b, *activation_named(b.attrs().text("activation")), [&] {
    if (scaled) return sums * broadcast_like(b.input(3), sums) + broadcast_like(b.input(2), sums);
    return conv2d(x, filters, options, b.inputs() > 2 ? b.input(2) : Value());
  });
  if (b.inputs() > 2 && b.wants(2)) b.add(2, reduce_sum(g, {0, 1, 2}));
  if (scaled) {
    if (b.wants(3)) b.add(3, reduce_sum(g * sums, {0, 1, 2}));
    g = g * broadcast_like(b.input(3), g);
  }
  if (b.wants(0)) add_as_input(b, 0, conv2d_transpose(g, filters, x.dims()[1], x.dims()[2], options));
  if (b.wants(1)) add_as_input(b, 1, conv2d_filter(x, g, filters.dims()[0], filters.dims()[1], options));
}

void reference(const ReferenceArgs& r) {
  plain_conv(sizes_of(r.in_types, r.out_types, r.attrs), r.in[0], r.in[1],
             r.in.size() > 2 ? r.in[2] : nullptr, r.in.size() > 3 ? r.in[3] : nullptr, r.out[0]);
}

template <class T, class In, class Out>
void scalar(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const ConvSizes*>(data);
  plain_conv(s, args.at<const In>(0), args.at<const In>(1), s.bias ? args.at<const T>(2) : nullptr,
             s.scale ? args.at<const T>(3) : nullptr, args.at<Out>(2 + s.bias + s.scale));
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
  return prepare_onednn(OnednnConv::Makes::results, sizes_of(r.in, r.out, r.attrs), r);
}
tl::expected<Layout, std::string> layout_of_large(const KernelRequest& r) {
  return onednn_layout(OnednnConv::Makes::results, sizes_of(r.in, r.out, r.attrs), r);
}

const Kernel kKernels[] = {{"onednn", prepare_large, layout_of_large}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef conv2d_op{
    .name = "conv2d",
    .doc = "activation(filters over pictures, times scale, + bias)",
    .min_inputs = 2,
    .max_inputs = 4,
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
