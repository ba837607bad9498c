#include "budget/deadline.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace shoestring::budget {
namespace {

// Before anything was written: a disk of no great speed.
constexpr double kSyncSeconds = 0.02, kByteSeconds = 10e-9;
// A number as text; a byte given back at the end.
constexpr double kAnswerSeconds = 0.5e-6, kHeldByteSeconds = 0.15e-9, kExitSeconds = 0.01;
// Finishing is kept more time for than it would take as things went lately: another job may come.
constexpr double kFinishMargin = 1.4, kSyncMargin = 2;

}  // namespace

void Durations::add(double seconds) { last_[count_++ % kKept] = seconds; }

double Durations::typical() const {
  if (count_ == 0) return 0;
  std::array<double, kKept> sorted = last_;
  const size_t n = std::min(count_, kKept);
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((n - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(n));
  return *middle;
}

double Durations::slow() const {
  const double most = kHiccup * typical();
  double slow = 0;
  for (size_t i = 0; i < std::min(count_, kKept); ++i)
    if (last_[i] <= most) slow = std::max(slow, last_[i]);
  return slow;
}

void Rates::evaluated(int64_t rows, double seconds) {
  evaluation.add(seconds);
  if (rows > 0) row.add(seconds / static_cast<double>(rows));
}

void Rates::saved(int64_t bytes, double seconds) {
  constexpr int64_t kSmall = 64 << 10;
  if (bytes <= kSmall)
    sync.add(seconds);
  else
    byte.add(std::max(0.0, seconds - sync.typical()) / static_cast<double>(bytes));
}

double Rates::save_seconds(int64_t bytes) const {
  return (sync.any() ? sync.slow() : kSyncSeconds) +
         static_cast<double>(bytes) * (byte.any() ? byte.slow() : kByteSeconds);
}

Deadline::Deadline(const Clock& clock, double end, double limit) : clock_(&clock), end_(end), limit_(limit) {}

void Deadline::stepped(int64_t steps, double seconds) {
  group_steps_ += steps;
  group_seconds_ += seconds;
  if (group_steps_ == 0 || group_seconds_ < limit_ / 200) return;
  rates_.step.add(group_seconds_ / static_cast<double>(group_steps_));
  group_steps_ = 0;
  group_seconds_ = 0;
}

// For what nobody measures: a busy scheduler, the last lines that are printed.
double Deadline::margin() const { return 0.02 + std::min(0.01 * limit_, 1.0); }

double Deadline::finishing(int64_t rows) const {
  const double computed = static_cast<double>(rows) * rates_.row.slow() +
                          static_cast<double>(finish_.answers) * kAnswerSeconds + finish_.seconds +
                          static_cast<double>(finish_.held_bytes) * kHeldByteSeconds + kExitSeconds;
  double written = 0;
  if (finish_.synced_files > 0)
    written = rates_.save_seconds(finish_.synced_bytes) +
              static_cast<double>(finish_.synced_files - 1) * rates_.save_seconds(0);
  return kFinishMargin * computed + kSyncMargin * written;
}

double Deadline::finishing() const {
  constexpr double kShare = 0.04;  // of the time: a sample tells what all of them would
  const double row = rates_.row.slow(), optional = static_cast<double>(finish_.optional_rows);
  const double rows = row > 0 ? std::min(optional, kShare * limit_ / row) : optional;
  return finishing(finish_.rows - finish_.optional_rows + static_cast<int64_t>(rows));
}

int64_t Deadline::rows_that_fit(int64_t rows) const {
  const double row = kFinishMargin * rates_.row.slow(), time = std::max(left() - margin() - closing(), 0.0);
  return row * static_cast<double>(rows) <= time ? rows : static_cast<int64_t>(time / row);
}

double Deadline::left_to_train() const {
  return left() - ahead_ - margin() - finishing() - rates_.evaluation.slow();
}

bool Deadline::room_for_checkpoint() const {
  return left_to_train() >= 4 * rates_.save_seconds(checkpoint_bytes_);
}

// Of the time of training, by the rule of the loop: not more often than `save_every_`, nor than each 20 times
// what one takes.
double Deadline::checkpoints_share() const {
  if (checkpoint_bytes_ == 0) return 0;
  const double one = rates_.save_seconds(checkpoint_bytes_);
  return one / (one + std::max(save_every_, 20 * one));
}

double Deadline::seconds_of(int64_t step, int64_t per_evaluation, int64_t steps) const {
  if (steps <= 0) return 0;
  // The evaluation after the last step is kept time for by left_to_train().
  const int64_t evaluations = (step + steps - 1) / per_evaluation - step / per_evaluation;
  return (static_cast<double>(steps) * rates_.step.typical() +
          static_cast<double>(evaluations) * rates_.evaluation.typical()) /
         (1 - checkpoints_share());
}

int64_t Deadline::steps_that_fit(int64_t step, int64_t per_evaluation, int64_t most) const {
  const double left = left_to_train();
  if (most <= 0 || left < rates_.step.slow()) return 0;
  int64_t fit = 0, beyond = most + 1;
  if (const double one = rates_.step.typical(); one > 0 && left / one < static_cast<double>(most))
    beyond = static_cast<int64_t>(left / one) + 1;
  while (beyond - fit > 1) {
    const int64_t middle = fit + (beyond - fit) / 2;
    (seconds_of(step, per_evaluation, middle) <= left ? fit : beyond) = middle;
  }
  return fit;
}

Alarm::Alarm(double seconds, const std::atomic<bool>* other)
    : end_(::eventfd(0, EFD_CLOEXEC)), thread_([this, seconds, other] { watch(seconds, other); }) {}

void Alarm::stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!::write(end_, &one, sizeof one);
  thread_.join();
}

Alarm::~Alarm() {
  stop();
  ::close(end_);
}

void Alarm::watch(double seconds, const std::atomic<bool>* other) {
  constexpr int kMilliseconds = 50;
  const SteadyClock clock;
  const double end = clock.seconds() + seconds;
  while (!flag_) {
    rang_ = clock.seconds() >= end;
    flag_ = rang_ || (other && other->load(std::memory_order_relaxed));
    pollfd over{.fd = end_, .events = POLLIN, .revents = 0};
    if (!flag_ && ::poll(&over, 1, kMilliseconds) > 0) return;
  }
}

}  // namespace shoestring::budget
