// Measures this machine: the rates that the time of a plan is made of, and what a process costs on it. Each
// is the median of several runs of a tiny graph (budget/probes.h).
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "compile/compile.h"
#include "compile/machine.h"

namespace shoestring::budget {

struct CalibrateOptions {
  Target target;                  // native_target(): its threads are all cores
  std::string folder;             // in which a file is written and read; empty: files are not measured
  double seconds = 15;            // after which nothing more is measured: the rest keeps what is built in
  const Clock* clock = nullptr;   // none: the machine's
  std::function<bool()> stopped;  // asked before each measurement
};

// All of it, in a few seconds. What a process costs is seen right only from a process that has done nothing
// yet. Says each rate to `log` as information, and what could not be measured as a note.
// ErrorKind::interrupted.
struct Calibrated {
  MachineProfile profile;
  int built_in = 0;  // rates that were not measured, for want of time or memory
};
Result<Calibrated> calibrate(const CalibrateOptions& options, const LogSink& log);

// `known` with the rates measured anew that decide the time of these plans, the weightiest first, as far as
// they fit into `seconds` and take no more than `most_bytes` meanwhile; oneDNN is opened only where a plan
// has it open. What kernels were chosen by stays in proportion: bf16 products keep their gain.
struct NeededOptions {
  Target target;  // its threads are those of the plans
  double seconds = 0.2;
  int64_t most_bytes = INT64_MAX;
  const Clock* clock = nullptr;  // none: the machine's
};
MachineProfile measure_needed(std::span<const Plan* const> plans, const MachineProfile& known,
                              const NeededOptions& options);

// What a profile that was kept says today: two quick measurements, of a small product and of memory, beside
// it. Empty where they agree within half as much again; else what differs, in words. A profile that was
// measured while other work ran is found out by it, and so is a machine that has become slower.
std::string differs(const MachineProfile& known, const Target& target, const Clock* clock = nullptr);

// The rates for the times of these plans: as they are known of this machine where that still holds, else with
// those measured anew that the plans hang on.
struct RatesNow {
  MachineProfile profile;
  std::string note;  // why what was known was not taken; empty: nothing to say
};
struct KnownMachine;
RatesNow rates_now(std::span<const Plan* const> plans, const KnownMachine& known,
                   const NeededOptions& options);

}  // namespace shoestring::budget
