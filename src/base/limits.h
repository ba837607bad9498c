// What the system lets this process use: control groups of either version, with every group above its own,
// its affinity, and its resource limits.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace shoestring {

inline constexpr int64_t kNoLimit = INT64_MAX;

struct Limits {
  int64_t memory_bytes = kNoLimit;  // the smallest limit among the groups that the process is in
  int64_t memory_left =
      kNoLimit;  // the least that one of them still grants; pages of files can be taken back
  double quota = std::numeric_limits<double>::infinity();  // cores' worth of time, the smallest
  int affinity = 1;                                        // cores that its threads may run on
  int64_t address_space_bytes = kNoLimit;                  // RLIMIT_AS: of all that is mapped
  int64_t data_bytes = kNoLimit;                           // RLIMIT_DATA: of what is private and writable

  // Threads that can run at once.
  int cores() const;
};

// Reads them anew: a limit may change while the process runs. Files are read below `root`, so that tests
// bring made-up /proc and /sys; what cannot be read limits nothing.
Limits read_limits(const std::string& root = {});

}  // namespace shoestring
