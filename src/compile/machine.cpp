#include "compile/machine.h"

#include <algorithm>
#include <cmath>
#include <span>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace shoestring {
namespace {

struct Features {
  bool avx512_bf16 = false, avx512_fp16 = false, amx_bf16 = false;
};

Features features() {
  Features f;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return f;
  const unsigned subleaves = a;
  f.avx512_fp16 = d >> 23 & 1;
  f.amx_bf16 = d >> 22 & 1;
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) f.avx512_bf16 = a >> 5 & 1;
#endif
  return f;
}

// Cores with fp16 arithmetic but without tiles take two steps for a bf16 dot product, those without fp16 one.
double usual_bf16_gain(Isa isa) {
  const Features f = features();
  if (isa != Isa::avx512 || !f.avx512_bf16) return 0;
  if (f.amx_bf16) return 4;
  return f.avx512_fp16 ? 0.5 : 1.9;
}

// What `calibrate` measured on servers' cores of 2021 to 2024.
struct Typical {
  ProductRates products;
  double arithmetic, element_ops;
};
Typical typical(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return {{20e9, 45e9, 70e9, 90e9}, 20e9, 6e9};
    case Isa::avx2:
      return {{10e9, 25e9, 40e9, 40e9}, 10e9, 4e9};
    case Isa::neon:
      return {{5e9, 12e9, 16e9, 16e9}, 5e9, 2e9};
    case Isa::scalar:
      break;
  }
  return {{1.5e9, 1.8e9, 1.8e9, 1.5e9}, 1.2e9, 0.6e9};
}

constexpr double kMiB = 1 << 20;

// Entries of 0 are not there.
double interpolated(std::span<const double> at, std::span<const double> values, double x) {
  double below = 0, below_at = 0;
  for (size_t i = 0; i < at.size(); ++i) {
    if (values[i] <= 0) continue;
    if (x <= at[i]) {
      if (below <= 0) return values[i];
      const double share = std::log(x / below_at) / std::log(at[i] / below_at);
      return below * std::pow(values[i] / below, share);
    }
    below = values[i], below_at = at[i];
  }
  return below;
}

}  // namespace

MachineProfile built_in_profile(const Target& target) {
  const Typical rates = typical(target.isa);
  MachineProfile p{.f32_products = rates.products,
                   .arithmetic = rates.arithmetic,
                   .element_ops = rates.element_ops,
                   .read = {40e9, 25e9, 15e9, 10e9},
                   .copy = {40e9, 25e9, 14e9, 8e9},
                   .gathered_rows = 30e6,
                   .step_seconds = 60e-9,
                   .region_seconds = 2e-6,
                   .scaling = {{1, 1, 1}},
                   .file_read = 2e9,
                   .file_write = 1e9,
                   .sync_seconds = 10e-3,
                   .process_bytes = 6 * kMiB,
                   .openmp_bytes = 1 * kMiB,
                   .thread_bytes = 0.2 * kMiB,
                   .onednn_bytes = 6 * kMiB,
                   .arrow_bytes = 20 * kMiB,
                   .primitive_bytes = 0.25 * kMiB,
                   .scratch_bytes = 16 * kMiB,
                   .core_watts = 3.5};
  p.machine.cores = target.threads;
  const double large = rates.products.back();
  p.f32_convolutions = {large, large, 0.8 * large};
  if (const double gain = usual_bf16_gain(target.isa); gain > 0) {
    p.bf16_products = {0, 0, 0, gain * large};
    for (size_t i = 0; i < p.f32_convolutions.size(); ++i)
      p.bf16_convolutions[i] = gain * p.f32_convolutions[i];
  }
  // Two threads of one core share its units, and memory is shared by all.
  if (target.threads > 1) p.scaling.push_back({target.threads, 0.85 * target.threads, 0.6 * target.threads});
  return p;
}

double product_rate(const ProductRates& rates, double flops) {
  return interpolated(kProductFlops, rates, std::max(flops, 1.0));
}

double bytes_a_second(const Bandwidth& bandwidth, double distance) {
  return interpolated(kReuseBytes, bandwidth, std::max(distance, 1.0));
}

double bf16_gain(const MachineProfile& machine) {
  const double f32 = machine.f32_products.back();
  return f32 > 0 ? machine.bf16_products.back() / f32 : 0;
}

double bf16_gain(const MachineProfile& machine, Convolving what) {
  const auto i = static_cast<size_t>(what);
  return machine.f32_convolutions[i] > 0 ? machine.bf16_convolutions[i] / machine.f32_convolutions[i] : 0;
}

std::optional<Convolving> convolving(std::string_view op) {
  if (op == "conv2d") return Convolving::forward;
  if (op == "conv2d_transpose") return Convolving::pictures;
  if (op == "conv2d_filter") return Convolving::filters;
  return std::nullopt;
}

}  // namespace shoestring
