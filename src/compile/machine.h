// What is known of a machine's speed and of what a process costs on it, as a plain record: choices between
// ways to compute are made from it when compiling, never by timing inside a run and never by a CPU's name;
// and the time of a plan is a sum over it (budget/step_time.h). It is measured by `shoestring calibrate`
// (budget/calibrate.h) and kept as a file (budget/machine_profile.h); until then a built-in table speaks.
//
// Rates are of one thread, per second; `scaling` says what more threads give. There is no
// rate for f16, in which no kernel computes.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/op.h"

namespace shoestring {

// Which machine it is. Where one of these changes, what was measured no longer counts.
struct MachineIdentity {
  std::string cpu;           // as the system names it
  int cores = 0;             // that a process may use: affinity and quotas
  std::string isa;           // that plans are compiled for
  int64_t memory_bytes = 0;  // of the machine
  std::string kernel;        // of the operating system, and its release
};

// Matrix products are measured at four sizes, by their FLOPs: tiny, small, middle, large. Rates between two
// sizes are interpolated over the logarithm.
inline constexpr std::array<double, 4> kProductFlops{1 << 14, 1 << 18, 1 << 25, 1 << 30};
using ProductRates = std::array<double, 4>;  // FLOP/s; 0 where no kernel is made for it

// Convolutions are measured by what they make: results, the gradient of the pictures, that of the filters.
enum class Convolving : uint8_t { forward, pictures, filters };
using ConvRates = std::array<double, 3>;  // FLOP/s; 0 where no kernel is made for it
// Which one an operator is, if any.
std::optional<Convolving> convolving(std::string_view op);

// Memory is measured at four distances: the bytes that are touched before the same byte is touched again.
inline constexpr std::array<double, 4> kReuseBytes{1 << 17, 1 << 20, 1 << 23, 1 << 27};
using Bandwidth = std::array<double, 4>;  // bytes/s

// How much faster `threads` are than one.
struct ThreadScaling {
  int threads = 1;
  double arithmetic = 1, memory = 1;
};

struct MachineProfile {
  MachineIdentity machine;
  std::string measured;  // "2026-11-26"; empty: built in

  ProductRates f32_products{}, bf16_products{};
  ConvRates f32_convolutions{}, bf16_convolutions{};  // of 3 x 3 filters
  double arithmetic = 0;   // FLOP/s of elementwise functions in cache, as an operator's cost counts them
  double element_ops = 0;  // elements/s that one operator of a fused step reads and writes in cache
  Bandwidth read{}, copy{};
  double gathered_rows = 0;   // rows/s at random places of a table beyond the caches, besides their bytes
  double step_seconds = 0;    // to enter one step of a plan
  double region_seconds = 0;  // to enter the team and leave it
  std::vector<ThreadScaling> scaling;

  double file_read = 0, file_write = 0;  // bytes/s, of files that the system keeps in memory
  double sync_seconds = 0;               // to make a file of a few MiB durable

  // Resident bytes: of a process that has done nothing yet, and what each of these adds.
  double process_bytes = 0, openmp_bytes = 0, thread_bytes = 0, onednn_bytes = 0, arrow_bytes = 0;
  double primitive_bytes = 0;  // code and tables of one of oneDNN's products, kept for good
  double scratch_bytes = 0;    // the most that one of the measured products asked for

  double core_watts = 0;  // of a busy core
};

// Until a machine is calibrated: by the instructions that it has and a plan may use.
MachineProfile built_in_profile(const Target& target);

// A rate between the measured points of its table, over logarithms; beyond its ends the nearest.
double product_rate(const ProductRates& rates, double flops);        // of a product of so many FLOPs
double bytes_a_second(const Bandwidth& bandwidth, double distance);  // of what was touched so long ago

// How much faster large products of bf16 operands are than those of f32; 0: there are none. The same for
// convolutions.
double bf16_gain(const MachineProfile& machine);
double bf16_gain(const MachineProfile& machine, Convolving what);

}  // namespace shoestring
