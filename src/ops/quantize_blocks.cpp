// quantize_blocks: f32 -> 8-bit codes and a scale for each block of 256 elements (ops/shared/dynamic_code.h),
// as the moments of an 8-bit optimizer are kept.
#include "ops/ops.h"
#include "ops/shared/dynamic_code.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"signed", true}};
constexpr int64_t kWorthThreads = 1 << 14;  // elements

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dtype != DType::f32) return wrong(fmt::format("quantize_blocks: {} is not f32", to_string(x)));
  return Types{{DType::u8, x.dims}, {DType::f32, {code_blocks(x.elements())}}};
}

void reference(const ReferenceArgs& a) {
  const int64_t n = a.in_types[0].elements();
  const std::vector<float> x(a.in[0], a.in[0] + n);
  std::vector<uint8_t> bytes(x.size());
  std::vector<float> scales(static_cast<size_t>(code_blocks(n)));
  encode_blocks(dynamic_code(a.attrs.flag("signed")), x.data(), bytes.data(), scales.data(), n);
  std::copy(bytes.begin(), bytes.end(), a.out[0]);
  std::copy(scales.begin(), scales.end(), a.out[1]);
}

struct Sizes {
  const DynamicCode* code;
  int64_t n;
  int threads;
};
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  split(code_blocks(s.n), 1, s.threads, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * kCodeBlock, n = std::min(end * kCodeBlock, s.n) - at;
    encode_blocks(*s.code, args.at<const float>(0) + at, args.at<uint8_t>(1) + at, args.at<float>(2) + begin,
                  n);
  });
}

PrepareResult prepare(const KernelRequest& r) {
  const int64_t n = r.in[0].elements();
  return Prepared{run, std::make_shared<const Sizes>(Sizes{&dynamic_code(r.attrs.flag("signed")), n,
                                                           n >= kWorthThreads ? r.target.threads : 1})};
}
const Kernel kKernels[] = {{"table", prepare}};

}  // namespace

extern const OpDef quantize_blocks_op{
    .name = "quantize_blocks",
    .doc = "8-bit dynamic codes, and a scale for each 256 elements",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "codes are steps",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
