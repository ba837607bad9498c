// cast: the same values in another dtype. Integers are rounded to nearest and clamped, NaN becomes 0.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"dtype", std::string("f32")}};

Result<Types> infer(const OpArgs& args) {
  const auto dtype = dtype_named(args.attrs.text("dtype"));
  if (!dtype) return wrong(fmt::format("cast: no dtype '{}'", args.attrs.text("dtype")));
  return Types{{*dtype, args.in[0].dims}};
}

// Through whole numbers no gradient flows.
void grad(Backward& b) {
  const DType from = b.input(0).type().dtype, to = b.output().type().dtype;
  if (info(from).floating && info(to).floating) b.add(0, cast(b.upstream(), from));
}

// Values arrive widened; the result is what the target dtype can hold.
void reference(const ReferenceArgs& a) {
  const int64_t n = a.in_types[0].elements();
  std::vector<std::byte> narrow(static_cast<size_t>(a.out_types[0].bytes()));
  encode(a.out_types[0].dtype, a.in[0], narrow.data(), n);
  decode(a.out_types[0].dtype, narrow.data(), a.out[0], n);
}

struct Sizes {
  DType from, to;
  int64_t n;
};

template <class From, class To>
void direct(const void* data, const KernelArgs& args) noexcept {
  const int64_t n = static_cast<const Sizes*>(data)->n;
  const From* x = args.at<const From>(0);
  To* y = args.at<To>(1);
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
}

// Any pair, by way of f64, a piece at a time.
void through_f64(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  constexpr int64_t kPiece = 256;
  double wide[kPiece];
  const char* x = args.at<const char>(0);
  char* y = args.at<char>(1);
  for (int64_t i = 0; i < s.n; i += kPiece) {
    const int64_t n = std::min(kPiece, s.n - i);
    decode(s.from, x + i * info(s.from).block_bytes, wide, n);
    encode(s.to, wide, y + i * info(s.to).block_bytes, n);
  }
}

struct Direct {
  DType from, to;
  KernelFn run;
};
constexpr Direct kDirect[] = {
    {DType::f32, DType::f64, direct<float, double>},     {DType::f64, DType::f32, direct<double, float>},
    {DType::i32, DType::f32, direct<int32_t, float>},    {DType::u8, DType::f32, direct<uint8_t, float>},
    {DType::u16, DType::f32, direct<uint16_t, float>},   {DType::u8, DType::i32, direct<uint8_t, int32_t>},
    {DType::u16, DType::i32, direct<uint16_t, int32_t>},
};

PrepareResult prepare_direct(const KernelRequest& r) {
  for (const Direct& d : kDirect)
    if (d.from == r.in[0].dtype && d.to == r.out[0].dtype)
      return Prepared{d.run, std::make_shared<const Sizes>(Sizes{d.from, d.to, r.in[0].elements()})};
  return tl::unexpected(std::string("not a pair of its own"));
}
PrepareResult prepare_through_f64(const KernelRequest& r) {
  return Prepared{through_f64,
                  std::make_shared<const Sizes>(Sizes{r.in[0].dtype, r.out[0].dtype, r.in[0].elements()})};
}

const Kernel kKernels[] = {{"direct", prepare_direct}, {"scalar", prepare_through_f64}};

}  // namespace

extern const OpDef cast_op{
    .name = "cast",
    .doc = "the same values in another dtype",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
