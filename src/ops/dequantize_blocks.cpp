// dequantize_blocks: the f32 numbers that codes and scales of quantize_blocks stand for.
#include "ops/ops.h"
#include "ops/shared/dynamic_code.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"signed", true}};
constexpr int64_t kWorthThreads = 1 << 15;  // elements

Result<Types> infer(const OpArgs& args) {
  const Type &codes = args.in[0], &scales = args.in[1];
  if (codes.dtype != DType::u8 || scales != Type{DType::f32, {code_blocks(codes.elements())}})
    return wrong(fmt::format("dequantize_blocks: {} with scales {}: {} bytes need f32[{}]", to_string(codes),
                             to_string(scales), codes.elements(), code_blocks(codes.elements())));
  return Types{{DType::f32, codes.dims}};
}

void reference(const ReferenceArgs& a) {
  const DynamicCode& code = dynamic_code(a.attrs.flag("signed"));
  for (int64_t i = 0; i < a.in_types[0].elements(); ++i)
    a.out[0][i] =
        static_cast<double>(code.values[static_cast<uint8_t>(a.in[0][i])]) * a.in[1][i / kCodeBlock];
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
    decode_blocks(*s.code, args.at<const uint8_t>(0) + at, args.at<const float>(1) + begin,
                  args.at<float>(2) + at, n);
  });
}

PrepareResult prepare(const KernelRequest& r) {
  const int64_t n = r.in[0].elements();
  return Prepared{run, std::make_shared<const Sizes>(Sizes{&dynamic_code(r.attrs.flag("signed")), n,
                                                           n >= kWorthThreads ? r.target.threads : 1})};
}
const Kernel kKernels[] = {{"table", prepare}};

}  // namespace

extern const OpDef dequantize_blocks_op{
    .name = "dequantize_blocks",
    .doc = "the numbers that 8-bit codes and their scales stand for",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "codes are steps",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
