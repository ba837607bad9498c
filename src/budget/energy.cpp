#include "budget/energy.h"

#include <filesystem>
#include <fstream>

namespace shoestring::budget {
namespace {

std::optional<double> number_in(const std::string& path) {
  std::ifstream in(path);
  double number = 0;
  return in >> number ? std::optional(number) : std::nullopt;
}

std::string word_in(const std::string& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

}  // namespace

std::optional<EnergyMeter> EnergyMeter::open(const std::string& root) {
  namespace fs = std::filesystem;
  EnergyMeter meter;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root + "/sys/class/powercap", error)) {
    const std::string folder = entry.path().string(), zone = entry.path().filename().string();
    if (!zone.starts_with("intel-rapl:")) continue;
    // A package counts its cores; memory is a zone of its own below it.
    const std::string name = word_in(folder + "/name");
    if (!name.starts_with("package") && name != "dram") continue;
    const auto now = number_in(folder + "/energy_uj"), range = number_in(folder + "/max_energy_range_uj");
    if (now) meter.counters_.push_back({folder + "/energy_uj", range.value_or(0), *now});
  }
  return meter.counters_.empty() ? std::nullopt : std::optional(std::move(meter));
}

double EnergyMeter::joules() {
  for (Counter& c : counters_) {
    const double now = number_in(c.path).value_or(c.last);
    microjoules_ += now >= c.last ? now - c.last : c.range - c.last + now;
    c.last = now;
  }
  return microjoules_ / 1e6;
}

}  // namespace shoestring::budget
