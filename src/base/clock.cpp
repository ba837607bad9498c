#include "base/clock.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace shoestring {
namespace {

// Seconds since this process was forked: field 22 of its stat is the time since boot, in ticks.
std::optional<double> process_age() {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen("/proc/self/stat", "re"));
  char text[1024];
  if (!file || !std::fgets(text, sizeof text, file.get())) return std::nullopt;
  const char* at = std::strrchr(text, ')');  // the name before it may hold blanks
  for (int field = 2; at && field < 22; ++field) at = std::strchr(at + 1, ' ');
  unsigned long long ticks = 0;
  timespec now{};
  if (!at || std::sscanf(at, "%llu", &ticks) != 1 || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0)
    return std::nullopt;
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) -
         static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

double process_started() {
  constexpr double kLongestLoading = 1;  // from fork to main
  static const double started = [] {
    const double now = SteadyClock().seconds();
    const auto age = process_age();
    return age && *age >= 0 && *age <= kLongestLoading ? now - *age : now;
  }();
  return started;
}

}  // namespace shoestring
