// random_beta: numbers of the beta distribution, as g / (g + h) of two gamma numbers. These are Marsaglia and
// Tsang's ("A simple method for generating gamma variables", 2000), below 1 by their boost g(a) = g(a+1)
// u^(1/a) in logarithms, as for small alpha both may be smaller than any number.
#include "ops/random_beta.h"

#include <cmath>
#include <numbers>

#include "ops/shared/random.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"dtype", std::string("f32")},
                          {"dims", std::vector<int64_t>{}},
                          {"alpha", 1.0},
                          {"beta", 1.0},
                          {"stream", int64_t{0}}};

// The numbers of one element, one block after the other.
class ElementRandom {
 public:
  ElementRandom(const RandomStream& stream, uint32_t row, uint32_t element)
      : stream_(stream), row_(row), next_(element * kBlocks) {}
  PhiloxBlock block() { return stream_.block(row_, next_++); }
  static constexpr uint32_t kBlocks = 64;  // of each element

 private:
  const RandomStream& stream_;
  uint32_t row_, next_;
};

// In (0, 1].
double above_zero(uint32_t bits) { return (static_cast<double>(bits) + 1) * 0x1p-32; }

// The logarithm of a gamma number. Of 20 tries less than one in 20 fails, so their end is never seen.
double log_gamma_number(ElementRandom& random, double shape) {
  const bool boosted = shape < 1;
  const double d = (boosted ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  double log_v = 0, log_boost = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const PhiloxBlock bits = random.block();
    const double x =
        std::sqrt(-2 * std::log(above_zero(bits[0]))) * std::cos(2 * std::numbers::pi * above_zero(bits[1]));
    log_boost = std::log(above_zero(bits[3]));
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v <= 0) continue;
    log_v = std::log(v);
    if (std::log(above_zero(bits[2])) < 0.5 * x * x + d - d * v + d * log_v) break;
  }
  return std::log(d) + log_v + (boosted ? log_boost / shape : 0);
}

RandomSizes sizes(const Type& out, const Attrs& attrs, int threads = 1) {
  constexpr int64_t kWorthThreads = 128;  // elements, at a tenth of a microsecond each
  return random_sizes(out, attrs, attrs.number("alpha"), attrs.number("beta"), threads, kWorthThreads);
}

template <class T>
void fill(const RandomSizes& s, const RunContext& context, T* out) noexcept {
  const RandomStream stream = s.at(context);
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t e = 0; e < s.width; ++e) {
        ElementRandom random(stream, context.row_offset + static_cast<uint32_t>(r), static_cast<uint32_t>(e));
        const double g = log_gamma_number(random, s.a), h = log_gamma_number(random, s.b);
        out[r * s.width + e] = static_cast<T>(static_cast<float>(1 / (1 + std::exp(h - g))));
      }
  });
}

Result<Types> infer(const OpArgs& args) {
  for (const char* name : {"alpha", "beta"})
    if (const double shape = args.attrs.number(name); !(shape > 0 && std::isfinite(shape)))
      return wrong(fmt::format("random_beta: {} is {}, not above 0", name, shape));
  return random_type("random_beta", args.attrs);
}

const Kernel kKernels[] = {
    {"scalar", [](const KernelRequest& r) -> PrepareResult {
       const KernelFn of_f32 = [](const void* data, const KernelArgs& a) noexcept {
         fill(*static_cast<const RandomSizes*>(data), *a.context, a.at<float>(0));
       };
       const KernelFn of_f64 = [](const void* data, const KernelArgs& a) noexcept {
         fill(*static_cast<const RandomSizes*>(data), *a.context, a.at<double>(0));
       };
       return Prepared{r.out[0].dtype == DType::f32 ? of_f32 : of_f64,
                       std::make_shared<const RandomSizes>(sizes(r.out[0], r.attrs, r.target.threads))};
     }}};

}  // namespace

extern const OpDef random_beta_op;

Value random_beta(Graph& graph, Type type, double alpha, double beta, int64_t stream) {
  const auto dims = type.dims.dims();
  return graph.add(random_beta_op, {},
                   {{"dtype", std::string(info(type.dtype).name)},
                    {"dims", std::vector<int64_t>(dims.begin(), dims.end())},
                    {"alpha", alpha},
                    {"beta", beta},
                    {"stream", stream == 0 ? graph.next_stream() : stream}});
}

extern const OpDef random_beta_op{
    .name = "random_beta",
    .doc = "numbers of the beta distribution",
    .min_inputs = 0,
    .max_inputs = 0,
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 1000 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .no_grad = "it has no operand",
    .reference = [](const ReferenceArgs& a) { fill(sizes(a.out_types[0], a.attrs), a.context, a.out[0]); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
