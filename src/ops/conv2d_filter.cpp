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

// Small pictures: oneDNN's kernels of this gradient go along rows, of which they would have too little. So
// some pictures are woven into one, their first pixels side by side, then their second: [b/k,h,w,k,c]. A
// neighbour is then k pixels away, which is a dilation, and nothing is computed that was not before.
struct Woven {
  ConvSizes sizes;  // as they were
  int64_t pictures = 1, element_bytes = 4;
  int64_t x_at = 0, y_at = 0;  // where they lie woven in the scratch, behind the convolution's
  Prepared conv;
};

// How many pictures make a row long enough; 1 where one does, or where weaving does not pay.
int64_t woven_pictures(const ConvSizes& s, const KernelRequest& r) {
  // In bf16 a row is multiplied by tiles 32 pixels long, in f32 by vectors of channels.
  const bool halves = r.in[0].dtype == DType::bf16;
  const int64_t few = halves ? 8 : 4, enough = halves ? 128 : 32;
  if (s.right.stride != 1 || s.groups != 1 || s.taps() == 1 || std::max(s.right.in, s.right.out) > few)
    return 1;
  constexpr int64_t kLeastChannels = 64, kLeast = 4;
  constexpr double kLeastFlops = 1 << 26;
  if (std::min(s.in, s.out) < kLeastChannels || s.flops() < kLeastFlops) return 1;
  int64_t pictures = std::min(s.batch, enough / s.right.out);
  while (pictures > 1 && s.batch % pictures != 0) --pictures;
  return pictures < kLeast ? 1 : pictures;
}

ConvSizes woven(ConvSizes s, int64_t pictures) {
  s.batch /= pictures;
  for (int64_t* size : {&s.right.in, &s.right.out, &s.right.dilation, &s.right.before, &s.right.after})
    *size *= pictures;
  return s;
}

// [b,places,c] -> [b/k,places,k,c]
void weave(const char* from, char* to, int64_t batch, int64_t places, int64_t pictures, int64_t bytes,
           int threads) {
  split(batch / pictures, 1, threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t k = 0; k < pictures; ++k) {
        const char* source = from + (row * pictures + k) * places * bytes;
        char* target = to + (row * places * pictures + k) * bytes;
        for (int64_t place = 0; place < places; ++place, source += bytes, target += pictures * bytes)
          std::memcpy(target, source, static_cast<size_t>(bytes));
      }
  });
}

void run_woven(const void* data, const KernelArgs& args) noexcept {
  const auto& w = *static_cast<const Woven*>(data);
  const ConvSizes& s = w.sizes;
  char *const scratch = args.at<char>(3), *const x = scratch + w.x_at, *const y = scratch + w.y_at;
  weave(args.at<const char>(0), x, s.batch, s.down.in * s.right.in, w.pictures, s.in * w.element_bytes,
        s.threads);
  weave(args.at<const char>(1), y, s.batch, s.down.out * s.right.out, w.pictures, s.out * w.element_bytes,
        s.threads);
  void* const operands[] = {x, y, args.operands[2], scratch};
  w.conv.run(w.conv.data.get(), {operands, args.context});
}

constexpr std::string_view kNotWoven = "for rows of a few pixels, many channels and several pictures only";

PrepareResult prepare_woven(const KernelRequest& r) {
  auto w = std::make_shared<Woven>();
  w->sizes = sizes_of(r.in, r.out, r.attrs);
  w->sizes.threads = r.target.threads;
  w->pictures = woven_pictures(w->sizes, r);
  if (w->pictures == 1) return tl::unexpected(std::string(kNotWoven));
  auto conv = prepare_onednn(OnednnConv::Makes::filters, woven(w->sizes, w->pictures), r);
  if (!conv) return conv;
  w->element_bytes = info(r.in[0].dtype).block_bytes;
  w->x_at = round_up(conv->scratch_bytes, kAlignment);
  w->y_at = w->x_at + round_up(r.in[0].bytes(), kAlignment);
  const int64_t scratch = w->y_at + r.in[1].bytes();
  w->conv = std::move(*conv);
  return Prepared{run_woven, std::move(w), scratch};
}

tl::expected<Layout, std::string> layout_of_woven(const KernelRequest& r) {
  const ConvSizes s = sizes_of(r.in, r.out, r.attrs);
  const int64_t pictures = woven_pictures(s, r);
  if (pictures == 1) return tl::unexpected(std::string(kNotWoven));
  return onednn_layout(OnednnConv::Makes::filters, woven(s, pictures), r);
}

const Kernel kKernels[] = {{"woven", prepare_woven, layout_of_woven},
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
