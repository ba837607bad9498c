// random_normal: numbers of mean `mean` and standard deviation `deviation`, two at a time from two uniform
// ones (Box and Muller, 1958).
#include <cmath>

#include "ops/ops.h"
#include "ops/shared/random.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"dtype", std::string("f32")},
                          {"dims", std::vector<int64_t>{}},
                          {"mean", 0.0},
                          {"deviation", 1.0},
                          {"stream", int64_t{0}}};

template <class T>
void draw(const RandomSizes& s, const RunContext& context, T* out) {
  draw_rows(s, context, out, [&](const PhiloxBlock& bits, double* four) {
    for (size_t i = 0; i < 4; i += 2) {
      const double radius = std::sqrt(-2 * std::log(1.0 - uniform01(bits[i])));  // 1 - u is never 0
      const double angle = 2 * M_PI * uniform01(bits[i + 1]);
      four[i] = s.a + s.b * radius * std::cos(angle);
      four[i + 1] = s.a + s.b * radius * std::sin(angle);
    }
  });
}

RandomSizes sizes(const Type& out, const Attrs& attrs, int threads = 1) {
  return random_sizes(out, attrs, attrs.number("mean"), attrs.number("deviation"), threads);
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

extern const OpDef random_normal_op{
    .name = "random_normal",
    .doc = "normal numbers",
    .min_inputs = 0,
    .max_inputs = 0,
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return random_type("random_normal", args.attrs); },
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 60 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .no_grad = "it has no operand",
    .reference = [](const ReferenceArgs& a) { draw(sizes(a.out_types[0], a.attrs), a.context, a.out[0]); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
