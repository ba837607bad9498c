#include "budget/calibrate.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "base/memory.h"
#include "base/parallel.h"
#include "budget/energy.h"
#include "budget/machine_profile.h"
#include "budget/machine_rates.h"
#include "budget/probes.h"
#include "budget/resident.h"
#include "budget/step_time.h"
#include "ops/ops.h"

namespace shoestring::budget {
namespace {

std::string today() {
  const std::time_t now = std::time(nullptr);
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(now));
}

const Clock& clock_of(const Clock* given) {
  static const SteadyClock machine;
  return given ? *given : machine;
}

// 2, 4, 8 … and all of them.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int t = 2; t < most; t *= 2) counts.push_back(t);
  if (most > 1) counts.push_back(most);
  return counts;
}

// A whole calibration: the profile as far as it has come.
class Calibration {
 public:
  Calibration(const CalibrateOptions& options, const LogSink& log)
      : options_(options), log_(log), clock_(clock_of(options.clock)), begun_(clock_.seconds()) {
    p_ = built_in_profile(options.target);
    p_.machine = this_machine(options.target);
    p_.measured = today();
  }

  Result<Calibrated> run() {
    note_company();
    take_resident();
    for (const Rate& rate : overheads_first())
      if (auto ok = take(rate); !ok) return fail(ok.error());
    if (auto ok = take_scaling(); !ok) return fail(ok.error());
    take_files();
    take_power();
    if (skipped_ > 0)
      say(LogLevel::note,
          fmt::format("{} were not measured for want of time or memory and keep what is built in",
                      skipped_ == 1 ? "one rate" : fmt::format("{} rates", skipped_)));
    return Calibrated{std::move(p_), skipped_};
  }

 private:
  void say(LogLevel level, const std::string& text) const {
    if (log_) log_(level, text);
  }
  // Waiting for a thread that something else keeps off its core makes teams look slow, and caches are shared.
  void note_company() const {
    double load = 0;
    if (::getloadavg(&load, 1) == 1 && load > 0.5)
      say(LogLevel::note,
          fmt::format(
              "other work ran on this machine in the last minute (load {:.1f}), which makes it slower "
              "than it is: measure again when it is quiet",
              load));
  }
  bool time_left() const { return clock_.seconds() - begun_ < options_.seconds; }
  Status go_on() const {
    if (!options_.stopped || !options_.stopped()) return {};
    return fail(ErrorKind::interrupted, "stopped while the machine was measured", {},
                "run the same command again");
  }
  Care care(bool team) const { return {.clock = options_.clock || team ? clock_ : thread_clock()}; }

  // Those that the others take off.
  static std::vector<Rate> overheads_first() {
    std::vector<Rate> all(rates().begin(), rates().end());
    std::ranges::stable_partition(all, [](const Rate& r) { return r.unit == RateUnit::seconds; });
    return all;
  }

  Status take(const Rate& rate) {
    if (auto ok = go_on(); !ok) return ok;
    if (!has_probe(rate.key())) return {};
    const auto value =
        time_left() ? probe(rate.key(), options_.target, p_, care(needs_team(rate.key()))) : std::nullopt;
    if (!value || (*value <= 0 && !rate.may_be_none)) {
      ++skipped_;
      return {};
    }
    rate.of(p_) = *value;
    say(LogLevel::info, fmt::format("{}: {}", rate.key(), human_rate(*value, rate.unit)));
    return {};
  }

  Status take_scaling() {
    p_.scaling = {{1, 1, 1}};
    for (const int threads : thread_counts(options_.target.threads)) {
      if (auto ok = go_on(); !ok) return ok;
      if (!time_left()) {
        ++skipped_;
        continue;
      }
      p_.scaling.push_back(probe_scaling(threads, options_.target, care(true)));
      say(LogLevel::info, fmt::format("{} threads: {:.2f} times one in arithmetic, {:.2f} in memory", threads,
                                      p_.scaling.back().arithmetic, p_.scaling.back().memory));
    }
    return {};
  }

  // What was open already keeps what is built in.
  void take_resident() {
    const Resident r = measure_resident(options_.target);
    p_.process_bytes = r.process;
    const std::pair<double*, double> parts[] = {
        {&p_.openmp_bytes, r.openmp}, {&p_.thread_bytes, r.thread},       {&p_.onednn_bytes, r.onednn},
        {&p_.arrow_bytes, r.arrow},   {&p_.primitive_bytes, r.primitive}, {&p_.scratch_bytes, r.scratch}};
    for (const auto& [place, bytes] : parts)
      if (bytes > 0) *place = bytes;
  }

  void take_files() {
    if (options_.folder.empty() || !time_left()) return;
    const auto files = measure_files(options_.folder, clock_);
    if (!files) return say(LogLevel::note, "files were not measured: " + files.error().message());
    p_.file_read = files->read;
    p_.file_write = files->write;
    p_.sync_seconds = files->sync;
  }

  // All cores at work, where the processor counts its energy.
  void take_power() {
    auto meter = EnergyMeter::open();
    if (!meter || !time_left()) return;
    const double begun = clock_.seconds();
    probe_scaling(options_.target.threads, options_.target, care(true));
    const double seconds = clock_.seconds() - begun, watts = seconds > 0 ? meter->joules() / seconds : 0;
    if (watts > 0) p_.core_watts = watts / std::max(1, p_.machine.cores);
  }

  const CalibrateOptions& options_;
  const LogSink& log_;
  const Clock& clock_;
  const double begun_;
  MachineProfile p_;
  int skipped_ = 0;
};

// A fraction of the care of a calibration: a millisecond for each.
Care quick(const Clock* given, bool team) {
  return {.clock = given || team ? clock_of(given) : thread_clock(),
          .block_seconds = 2e-4,
          .blocks = 5,
          .whole = false};
}

// How much of the plans' time hangs on each rate: what a rate half as good would add.
struct Weighed {
  const Rate* rate;
  double share;
};
std::vector<Weighed> weigh(std::span<const Plan* const> plans, const MachineProfile& known, int threads) {
  const auto seconds = [&](const MachineProfile& p) {
    double sum = 0;
    for (const Plan* plan : plans) sum += seconds_of(*plan, p, threads);
    return sum;
  };
  const double now = seconds(known);
  std::vector<Weighed> all;
  for (const Rate& rate : rates()) {
    if (!has_probe(rate.key()) || rate.in(known) <= 0) continue;
    MachineProfile worse = known;
    rate.of(worse) *= rate.unit == RateUnit::seconds ? 2 : 0.5;
    all.push_back({&rate, (seconds(worse) - now) / std::max(now, 1e-12)});
  }
  std::ranges::stable_sort(all, std::greater{}, &Weighed::share);
  return all;
}

}  // namespace

Result<Calibrated> calibrate(const CalibrateOptions& options, const LogSink& log) {
  return Calibration(options, log).run();
}

MachineProfile measure_needed(std::span<const Plan* const> plans, const MachineProfile& known,
                              const NeededOptions& options) {
  constexpr double kLeastShare = 0.02;
  const Clock& clock = clock_of(options.clock);
  const double begun = clock.seconds();
  const auto left = [&] { return options.seconds - (clock.seconds() - begun); };
  const bool onednn = std::ranges::any_of(plans, [](const Plan* plan) {
    return std::ranges::any_of(plan->steps, [](const Step& step) { return step.kernel == "onednn"; });
  });
  MachineProfile p = known;
  // The overhead of a step is in every other measurement.
  for (const Weighed& w : weigh(plans, known, options.target.threads)) {
    if (w.share < kLeastShare) break;
    const std::string key = w.rate->key();
    if (probe_bytes(key) > options.most_bytes || (opens_onednn(key) && !onednn)) continue;
    // A large product or a walk through memory takes some tens of milliseconds, all else a few.
    const bool heavy = w.rate->name == "large" || w.rate->name == "128MiB";
    if (left() < (heavy ? 0.3 : 0.05) * options.seconds) continue;
    const auto value = probe(key, options.target, p, quick(options.clock, needs_team(key)));
    if (value && *value > 0) w.rate->of(p) = *value;
  }
  // Gains that chose kernels stay.
  const double gain = bf16_gain(known);
  if (gain > 0 && p.f32_products.back() != known.f32_products.back())
    p.bf16_products.back() = gain * p.f32_products.back();
  for (size_t i = 0; i < p.f32_convolutions.size(); ++i)
    if (const double conv_gain = bf16_gain(known, static_cast<Convolving>(i));
        conv_gain > 0 && p.f32_convolutions[i] != known.f32_convolutions[i])
      p.bf16_convolutions[i] = conv_gain * p.f32_convolutions[i];
  return p;
}

std::string differs(const MachineProfile& known, const Target& target, const Clock* clock) {
  constexpr double kAgreeing = 1.5;
  std::vector<std::string> words;
  for (const Rate& rate : rates()) {
    const std::string key = rate.key();
    if (key != "f32_products.small" && key != "copy.1MiB") continue;
    const auto now = probe(key, target, known, quick(clock, false));
    const double before = rate.in(known);
    if (!now || *now <= 0 || (*now < kAgreeing * before && before < kAgreeing * *now)) continue;
    words.push_back(fmt::format("{} are {} where it says {}",
                                key == "copy.1MiB" ? "copies" : "small products", human_rate(*now, rate.unit),
                                human_rate(before, rate.unit)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

RatesNow rates_now(std::span<const Plan* const> plans, const KnownMachine& known,
                   const NeededOptions& options) {
  RatesNow now{*known.profile, known.note};
  if (!known.path.empty()) {
    const std::string found = differs(*known.profile, options.target, options.clock);
    if (found.empty()) return now;
    now.note = fmt::format(
        "the machine differs from its profile of {}: {}. Times are told by what it does now; 'shoestring "
        "calibrate' measures all of it again, best when nothing else runs",
        known.profile->measured, found);
  }
  now.profile = measure_needed(plans, *known.profile, options);
  return now;
}

}  // namespace shoestring::budget
