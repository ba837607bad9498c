// A promise of time, and what is known about keeping it: how long steps, evaluations and writing have taken
// lately, what is yet to be done once training has ended, and so whether there is time for one thing more.
// It looks at a Clock and at what it is told; nothing here waits or measures by itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "base/clock.h"

namespace shoestring::budget {

// How long one kind of work took the last times, robust against a hiccup: a stopped process, a disk that was
// busy for once.
class Durations {
 public:
  void add(double seconds);
  bool any() const { return count_ > 0; }
  double typical() const;  // the median; of an even number the smaller of the two; 0 if there are none
  double slow() const;     // the longest that is at most kHiccup times the typical one
  static constexpr double kHiccup = 4;

 private:
  static constexpr size_t kKept = 15;
  std::array<double, kKept> last_{};
  size_t count_ = 0;
};

// What this machine has been seen to do in this run.
struct Rates {
  Durations step;        // seconds of an optimizer step, its share of looking up included
  Durations row;         // seconds of a row in an evaluation
  Durations feature;     // seconds of a row that a frozen encoder sees before training
  Durations evaluation;  // seconds of an evaluation of the training loop
  Durations sync;        // seconds of writing a small file and syncing it
  Durations byte;        // seconds of a byte of a large one beyond that

  void evaluated(int64_t rows, double seconds);
  void saved(int64_t bytes, double seconds);
  double save_seconds(int64_t bytes) const;  // of a synced file, on the slow side
};

// What remains to be done once training has ended.
struct Finish {
  int64_t rows = 0;           // evaluated for the last time, all splits together
  int64_t optional_rows = 0;  // those of them that may be left out where the time is short
  int64_t answers = 0;        // numbers written as text
  double seconds = 0;         // of what cannot be told in such numbers
  int64_t synced_files = 0, synced_bytes = 0;
  int64_t held_bytes = 0;  // memory that the process gives back
};

class Deadline {
 public:
  // Until clock.seconds() is `end`; `limit` is how long that was at the beginning. The clock must outlive it.
  Deadline(const Clock& clock, double end, double limit);

  double limit() const { return limit_; }
  double now() const { return clock_->seconds(); }
  double left() const { return end_ - clock_->seconds(); }
  double used() const { return limit_ - left(); }
  // An earlier process of the same run took so long already.
  void used_before(double seconds) { end_ -= seconds; }

  Rates& rates() { return rates_; }
  const Rates& rates() const { return rates_; }
  void set_finish(const Finish& finish) { finish_ = finish; }
  // Seconds of what has to be done before the first step.
  void set_ahead(double seconds) { ahead_ = seconds; }
  void set_checkpoint(int64_t bytes, double every) { checkpoint_bytes_ = bytes, save_every_ = every; }
  // Steps that were done one after another. They are judged in groups of a two-hundredth of the limit, or
  // each for itself where it takes longer.
  void stepped(int64_t steps, double seconds);

  // What is kept for finishing, with a margin: for the optional rows at most a 25th of the limit; or only
  // for what cannot be left out.
  double finishing() const;
  double least_finishing() const { return finishing(finish_.rows - finish_.optional_rows); }
  double closing() const { return finishing(0); }  // once all is evaluated
  // How many of these rows can be evaluated before that.
  int64_t rows_that_fit(int64_t rows) const;
  // Until training has to end, with time for a last evaluation; below 0 when that is over.
  double left_to_train() const;
  // Whether another step would not end in time.
  bool stop() const { return left_to_train() < rates_.step.slow(); }
  // Whether afterwards as much time again is left to train on.
  bool room_for_evaluation() const { return left_to_train() >= 2 * rates_.evaluation.slow(); }
  bool room_for_checkpoint() const;

  // How many steps from `step` on end in time, evaluations after each `per_evaluation` and checkpoints
  // included; at most `most`.
  int64_t steps_that_fit(int64_t step, int64_t per_evaluation, int64_t most) const;
  // What so many steps take, likewise.
  double seconds_of(int64_t step, int64_t per_evaluation, int64_t steps) const;

 private:
  double margin() const;
  double finishing(int64_t rows) const;
  double checkpoints_share() const;

  const Clock* clock_;
  double end_, limit_;
  Rates rates_;
  Finish finish_;
  int64_t checkpoint_bytes_ = 0;
  double save_every_ = 1, ahead_ = 0;
  int64_t group_steps_ = 0;
  double group_seconds_ = 0;
};

// For work that can only be told by a flag to give up: sets one when the time is over or when another flag,
// which may be null, is set. Looks twenty times a second.
class Alarm {
 public:
  Alarm(double seconds, const std::atomic<bool>* other);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  const std::atomic<bool>* flag() const { return &flag_; }
  void stop();                         // looks no more; the flag stays as it is
  bool rang() const { return rang_; }  // by the time, not by the other

 private:
  void watch(double seconds, const std::atomic<bool>* other);
  std::atomic<bool> flag_{false}, rang_{false};
  int end_ = -1;  // an eventfd: there is something to read once it is over
  std::thread thread_;
};

}  // namespace shoestring::budget
