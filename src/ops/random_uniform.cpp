// random_uniform: numbers in [low, high), in steps of 2^-24 of the range.
#include "ops/ops.h"
#include "ops/random.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"dtype", std::string("f32")},
                          {"dims", std::vector<int64_t>{}},
                          {"low", 0.0},
                          {"high", 1.0},
                          {"stream", int64_t{0}}};

// In f32, so that every dtype and every machine gives the same numbers.
template <class T>
void draw(const RandomSizes& s, const RunContext& context, T* out) {
  const auto low = static_cast<float>(s.a), range = static_cast<float>(s.b) - static_cast<float>(s.a);
  draw_rows(s, context, out, [=](const PhiloxBlock& bits, double* four) {
    for (size_t i = 0; i < 4; ++i) {
      const float scaled = uniform01(bits[i]) * range;  // rounded before the sum: no fused multiply-add
      four[i] = low + scaled;
    }
  });
}

RandomSizes sizes(const Type& out, const Attrs& attrs, int threads = 1) {
  return random_sizes(out, attrs, attrs.number("low"), attrs.number("high"), threads);
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  draw(*static_cast<const RandomSizes*>(data), *args.context, args.at<T>(0));
}

const Kernel kKernels[] = {
    {"scalar", [](const KernelRequest& r) -> PrepareResult {
       return Prepared{r.out[0].dtype == DType::f32 ? run<float> : run<double>,
                       std::make_shared<const RandomSizes>(sizes(r.out[0], r.attrs, r.target.threads))};
     }}};

}  // namespace

extern const OpDef random_uniform_op{
    .name = "random_uniform",
    .doc = "uniform numbers in [low, high)",
    .min_inputs = 0,
    .max_inputs = 0,
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return random_type("random_uniform", args.attrs); },
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 20 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .no_grad = "it has no operand",
    .reference = [](const ReferenceArgs& a) { draw(sizes(a.out_types[0], a.attrs), a.context, a.out[0]); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
