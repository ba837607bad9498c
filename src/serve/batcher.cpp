#include "serve/batcher.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace shoestring::serve {
namespace {

double now() { return SteadyClock().seconds(); }

// The largest plan of which two passes, the one that runs and the next, are over in time.
const PassTime& largest_in_time(const std::vector<PassTime>& passes) {
  const double most = most_seconds(passes[0].seconds);
  const PassTime* largest = &passes[0];
  for (const PassTime& pass : passes)
    if (2 * pass.seconds <= most) largest = &pass;
  return *largest;
}

}  // namespace

struct Batcher::Impl {
  Impl(Pass pass_, int64_t words, std::vector<PassTime> passes_, const BatcherOptions& given)
      : pass(std::move(pass_)), answer_words(words), passes(std::move(passes_)), options(given) {
    const PassTime& largest = largest_in_time(passes);
    batch_rows = largest.rows;
    batch_seconds = largest.seconds;
    const double waiting_passes =
        std::floor(most_seconds(passes[0].seconds) / std::max(batch_seconds, 1e-9) - 1);
    queue_rows = options.queue_rows > 0
                     ? options.queue_rows
                     : batch_rows * static_cast<int64_t>(std::clamp(waiting_passes, 1.0, 1e6));
    const bool is_short = passes[0].seconds < kShortPass;
    caller = options.where == BatcherOptions::Where::caller ||
             (options.where == BatcherOptions::Where::choose && is_short && options.wait_seconds <= 0);
    waiting.reserve(64);
    pieces.reserve(static_cast<size_t>(batch_rows));
    finished.reserve(static_cast<size_t>(batch_rows));
  }

  Pass pass;
  int64_t answer_words;
  std::vector<PassTime> passes;
  BatcherOptions options;
  int64_t batch_rows = 1, queue_rows = 1;
  double batch_seconds = 0;
  bool caller = true;

  mutable std::mutex mutex;
  std::condition_variable arrived;  // for the thread: something waits, or it is to stop
  std::condition_variable ended;    // for who drains: a pass
  std::vector<Request*> waiting;    // in the order of their turn
  Counts counts;
  bool running = false;  // a pass
  bool stopping = false;
  std::vector<Piece> pieces;  // of the pass
  std::vector<Request*> finished;

  // The rows of the plan that answers most of what waits in its time: five rows are better answered by a plan
  // of four and one of one than by one of sixteen.
  int64_t best_rows() const {
    int64_t best = 1;
    double most = 0;
    for (const PassTime& plan : passes) {
      if (plan.rows > batch_rows) break;
      const double rate =
          static_cast<double>(std::min(plan.rows, counts.waiting_rows)) / std::max(plan.seconds, 1e-9);
      if (rate > most) most = rate, best = plan.rows;
    }
    return best;
  }

  // Chooses the rows of the next pass: each request's in its turn; who needs several passes queues up again.
  int64_t choose() {
    pieces.clear();
    finished.clear();
    int64_t rows = 0;
    size_t taken = 0;
    const size_t queued = waiting.size();
    const int64_t most = best_rows();
    while (taken < queued && rows < most) {
      Request* request = waiting[taken++];
      const int64_t count = std::min(most - rows, request->rows - request->begun_rows);
      pieces.push_back({request, request->begun_rows, count});
      rows += count;
      if (request->begun_rows == 0) {
        request->queue_seconds = now() - request->submitted_at;
        counts.queue_seconds += request->queue_seconds;
      }
      request->begun_rows += count;
      if (request->begun_rows < request->rows)
        waiting.push_back(request);
      else
        finished.push_back(request);
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(taken));
    counts.waiting_rows -= rows;
    ++counts.passes;
    return rows;
  }

  // With the lock; gives it up for the pass and for those who wait for it.
  void one_pass(std::unique_lock<std::mutex>& lock) {
    running = true;
    const int64_t rows = choose();
    lock.unlock();
    const double began = now();
    pass(pieces, rows);
    const double took = now() - began;
    for (const Piece& piece : pieces) piece.request->compute_seconds += took;
    for (Request* request : finished) request->when_done(*request);
    lock.lock();
    counts.compute_seconds += took;
    running = false;
  }

  // Of a batcher with a thread of its own. Once it is to stop, it answers what waits and ends.
  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      arrived.wait(lock, [this] { return stopping || !waiting.empty(); });
      if (waiting.empty()) return;
      if (options.wait_seconds > 0)
        arrived.wait_for(lock, std::chrono::duration<double>(options.wait_seconds),
                         [this] { return stopping || counts.waiting_rows >= batch_rows; });
      one_pass(lock);
      ended.notify_all();
    }
  }

  void stop() {
    stopping = true;
    arrived.notify_all();
  }
};

Batcher::Batcher(Pass pass, int64_t answer_words, std::vector<PassTime> passes, const BatcherOptions& options)
    : impl_(std::make_shared<Impl>(std::move(pass), answer_words, std::move(passes), options)) {
  impl_->counts.queue_rows = impl_->queue_rows;
  // It holds what it needs: when_done may let go of the model, and so of this, on that very thread.
  if (!impl_->caller) thread_ = std::thread([impl = impl_] { impl->work(); });
}

Batcher::~Batcher() {
  {
    std::unique_lock lock(impl_->mutex);
    impl_->stop();
    while (impl_->caller && !impl_->running && !impl_->waiting.empty()) impl_->one_pass(lock);
  }
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

Batcher::Taken Batcher::submit(Request& request) {
  Impl& b = *impl_;
  request.answers.resize(static_cast<size_t>(request.rows * b.answer_words));
  request.begun_rows = 0;
  request.queue_seconds = request.compute_seconds = 0;
  {
    const std::scoped_lock lock(b.mutex);
    if (b.stopping) return Taken::stopping;
    const int64_t waiting = b.counts.waiting_rows;
    if (waiting > 0 && waiting + request.rows > b.queue_rows) {
      ++b.counts.refused;
      return Taken::full;
    }
    request.submitted_at = now();
    b.waiting.push_back(&request);
    b.counts.waiting_rows += request.rows;
    b.counts.rows += request.rows;
    ++b.counts.requests;
  }
  if (!b.caller) b.arrived.notify_one();
  return Taken::yes;
}

bool Batcher::on_caller() const { return impl_->caller; }

bool Batcher::run() {
  if (!impl_->caller) return false;
  const std::shared_ptr<Impl> b = impl_;  // as the thread does
  std::unique_lock lock(b->mutex);
  if (b->running || b->waiting.empty()) return false;
  b->one_pass(lock);
  if (b->stopping) b->ended.notify_all();
  return true;
}

void Batcher::drain() {
  Impl& b = *impl_;
  std::unique_lock lock(b.mutex);
  b.stop();
  while (b.running || !b.waiting.empty()) {
    if (b.caller && !b.running)
      b.one_pass(lock);
    else
      b.ended.wait(lock);
  }
}

double Batcher::retry_seconds() const {
  const std::scoped_lock lock(impl_->mutex);
  return static_cast<double>(impl_->counts.waiting_rows) / static_cast<double>(impl_->batch_rows) *
         impl_->batch_seconds;
}

Batcher::Counts Batcher::counts() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->counts;
}

}  // namespace shoestring::serve
