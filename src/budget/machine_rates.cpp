#include "budget/machine_rates.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace shoestring::budget {
namespace {

using P = MachineProfile;
using U = RateUnit;

template <auto member>
double& plain(P& p) {
  return p.*member;
}
template <auto member, size_t i>
double& item(P& p) {
  return (p.*member)[i];
}

constexpr std::string_view kProducts = "matrix products of one thread",
                           kConvolutions = "3 x 3 convolutions of one thread: results, the gradients of both",
                           kRead = "reading what was touched so many bytes ago",
                           kCopy = "reading and writing, each byte counted";

constexpr Rate kRates[] = {
    {"f32_products", "tiny", U::flops, false, kProducts, item<&P::f32_products, 0>},
    {"f32_products", "small", U::flops, false, kProducts, item<&P::f32_products, 1>},
    {"f32_products", "middle", U::flops, false, kProducts, item<&P::f32_products, 2>},
    {"f32_products", "large", U::flops, false, kProducts, item<&P::f32_products, 3>},
    {"bf16_products", "tiny", U::flops, true, kProducts, item<&P::bf16_products, 0>},
    {"bf16_products", "small", U::flops, true, kProducts, item<&P::bf16_products, 1>},
    {"bf16_products", "middle", U::flops, true, kProducts, item<&P::bf16_products, 2>},
    {"bf16_products", "large", U::flops, true, kProducts, item<&P::bf16_products, 3>},
    {"f32_convolutions", "forward", U::flops, false, kConvolutions, item<&P::f32_convolutions, 0>},
    {"f32_convolutions", "pictures", U::flops, false, kConvolutions, item<&P::f32_convolutions, 1>},
    {"f32_convolutions", "filters", U::flops, false, kConvolutions, item<&P::f32_convolutions, 2>},
    {"bf16_convolutions", "forward", U::flops, true, kConvolutions, item<&P::bf16_convolutions, 0>},
    {"bf16_convolutions", "pictures", U::flops, true, kConvolutions, item<&P::bf16_convolutions, 1>},
    {"bf16_convolutions", "filters", U::flops, true, kConvolutions, item<&P::bf16_convolutions, 2>},
    {"arithmetic", "", U::flops, false, "elementwise functions, in cache", plain<&P::arithmetic>},
    {"element_ops", "", U::a_second, false, "elements through one operator of a fused step, in cache",
     plain<&P::element_ops>},
    {"read", "128KiB", U::bytes_a_second, false, kRead, item<&P::read, 0>},
    {"read", "1MiB", U::bytes_a_second, false, kRead, item<&P::read, 1>},
    {"read", "8MiB", U::bytes_a_second, false, kRead, item<&P::read, 2>},
    {"read", "128MiB", U::bytes_a_second, false, kRead, item<&P::read, 3>},
    {"copy", "128KiB", U::bytes_a_second, false, kCopy, item<&P::copy, 0>},
    {"copy", "1MiB", U::bytes_a_second, false, kCopy, item<&P::copy, 1>},
    {"copy", "8MiB", U::bytes_a_second, false, kCopy, item<&P::copy, 2>},
    {"copy", "128MiB", U::bytes_a_second, false, kCopy, item<&P::copy, 3>},
    {"gathered_rows", "", U::a_second, false, "rows at random places of a table beyond the caches",
     plain<&P::gathered_rows>},
    {"step_seconds", "", U::seconds, false, "to enter one step of a plan", plain<&P::step_seconds>},
    {"region_seconds", "", U::seconds, false, "to enter the team of threads and leave it",
     plain<&P::region_seconds>},
    {"file_read", "", U::bytes_a_second, false, "a file that the system keeps in memory",
     plain<&P::file_read>},
    {"file_write", "", U::bytes_a_second, false, "a file, into the system's memory", plain<&P::file_write>},
    {"sync_seconds", "", U::seconds, false, "to make 8 MiB of a file durable", plain<&P::sync_seconds>},
    {"process_bytes", "", U::bytes, false, "resident: a process that has done nothing yet",
     plain<&P::process_bytes>},
    {"openmp_bytes", "", U::bytes, true, "OpenMP, opened", plain<&P::openmp_bytes>},
    {"thread_bytes", "", U::bytes, true, "a thread", plain<&P::thread_bytes>},
    {"onednn_bytes", "", U::bytes, true, "oneDNN, opened", plain<&P::onednn_bytes>},
    {"arrow_bytes", "", U::bytes, true, "Arrow and Parquet, opened", plain<&P::arrow_bytes>},
    {"primitive_bytes", "", U::bytes, true, "code and tables of one of oneDNN's products",
     plain<&P::primitive_bytes>},
    {"scratch_bytes", "", U::bytes, true, "the most that a measured product asked for as scratch",
     plain<&P::scratch_bytes>},
    {"core_watts", "", U::watts, false, "of a busy core", plain<&P::core_watts>},
};

}  // namespace

std::span<const Rate> rates() { return kRates; }

std::string Rate::key() const {
  return name.empty() ? std::string(group) : fmt::format("{}.{}", group, name);
}

std::string human_rate(double value, RateUnit unit) {
  const auto scaled = [&](std::string_view what) {
    constexpr std::string_view prefixes[] = {"", "k", "M", "G", "T"};
    size_t i = 0;
    double v = value;
    for (; v >= 999.5 && i + 1 < std::size(prefixes); ++i) v /= 1e3;
    return fmt::format("{:.{}f} {}{}", v, v < 9.95 ? 1 : 0, prefixes[i], what);
  };
  switch (unit) {
    case RateUnit::flops:
      return value > 0 ? scaled("FLOP/s") : "–";
    case RateUnit::bytes_a_second:
      return scaled("B/s");
    case RateUnit::a_second:
      return scaled("/s");
    case RateUnit::seconds:
      return value < 1e-6 ? fmt::format("{:.0f} ns", value * 1e9) : human_seconds(value);
    case RateUnit::bytes:
      return human_bytes(std::llround(value));
    case RateUnit::watts:
      return fmt::format("{:.1f} W", value);
  }
  return {};
}

}  // namespace shoestring::budget
