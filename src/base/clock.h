// Time for code that reports or bounds it; tests pass a scripted clock instead of waiting.
#pragma once

#include <chrono>

namespace shoestring {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual double seconds() const = 0;  // monotonic, from an arbitrary origin
};

class SteadyClock final : public Clock {
 public:
  double seconds() const override {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

class ScriptedClock final : public Clock {
 public:
  double seconds() const override { return now_; }
  void advance(double seconds) { now_ += seconds; }

 private:
  double now_ = 0;
};

// When this process was started, on the SteadyClock: as the kernel says, to a hundredth of a second early;
// where it does not say, or says more than a second ago (a shell that became this program by exec began
// earlier), the moment of the first call. main calls it first of all.
double process_started();

}  // namespace shoestring
