// Single measurements, each by a tiny graph of the project's own operators that is compiled and run. They
// take what they need of memory while they last.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "compile/compile.h"
#include "compile/machine.h"

namespace shoestring::budget {

// How carefully: `blocks` blocks of at least `block_seconds`, of which the median counts.
struct Care {
  const Clock& clock;
  double block_seconds = 1e-3;
  int blocks = 7;
  bool whole =
      true;  // products forward and backward, memory far beyond the caches; else the least that tells
};
double median_seconds(const Care& care, const std::function<void()>& run);

// The time that the calling thread has had a core to itself. What one thread does is measured by it, so that
// other work on the machine does not pass for slowness; what a team does is not, for it waits on purpose.
const Clock& thread_clock();

// A rate of the table (budget/machine_rates.h) by its key, measured with one thread on `target.isa`; `known`
// brings the overheads that are taken off. Nothing where it is not to be had: no memory for it, no kernel, or
// a rate that is measured otherwise.
std::optional<double> probe(const std::string& key, const Target& target, const MachineProfile& known,
                            const Care& care);
bool has_probe(const std::string& key);
// Of memory while it lasts, where it is not a whole measurement (Care::whole).
int64_t probe_bytes(const std::string& key);
// Whether it multiplies by oneDNN, which stays in the process once it was opened.
bool opens_onednn(const std::string& key);
bool needs_team(const std::string& key);

// What so many threads give, beside one.
ThreadScaling probe_scaling(int threads, const Target& target, const Care& care);

}  // namespace shoestring::budget
