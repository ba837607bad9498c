// Energy that the processor counts itself (RAPL), where the system lets it be read. It is that of the whole
// machine, whoever uses it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace shoestring::budget {

class EnergyMeter {
 public:
  // Nothing where there is no counter that may be read. Files are read below `root`, for tests.
  static std::optional<EnergyMeter> open(const std::string& root = {});
  // Since it was opened; to be asked at least once an hour, for counters begin again.
  double joules();

 private:
  struct Counter {
    std::string path;
    double range = 0, last = 0;  // microjoules
  };
  std::vector<Counter> counters_;
  double microjoules_ = 0;
};

}  // namespace shoestring::budget
