// The queue of a model. Rows that arrive while a pass runs share the next one, by the plan that answers most
// of them in its time.
//
// Where a pass is short (below kShortPass), a thread of its own would cost more than it gives: passes then
// run on the thread of whoever calls run(), which an event loop does when it has no ready event left:
//
//   if (batcher.on_caller()) while (batcher.run()) {}
//
// Else the model has an executor thread, and run() does nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "serve/request.h"

namespace shoestring::serve {

struct BatcherOptions {
  enum class Where { choose, caller, thread };
  Where where = Where::choose;
  double wait_seconds = 0;  // for company, before a pass that is not full; above 0: an executor thread
  // Rows that may wait for a pass; 0: as many as are answered within most_seconds(), and at least those of
  // one pass. A request with more rows is taken where nothing waits.
  int64_t queue_rows = 0;
};
inline constexpr double kShortPass = 0.3e-3;

// From a request's arrival to its answer, at most, however many ask: the pass that runs, those for whoever
// was there before, and its own. It is a multiple of what one row takes that is alone, or, where passes are
// so short that other things decide how long an answer takes, a time in which dozens of clients that ask at
// once are all answered. Who would have to wait longer is told so at once.
inline constexpr double kTimesAlone = 2.5, kLeastSeconds = 2e-3;
constexpr double most_seconds(double one_row) {
  return kTimesAlone * one_row > kLeastSeconds ? kTimesAlone * one_row : kLeastSeconds;
}

// A pass of up to so many rows, and what it takes.
struct PassTime {
  int64_t rows = 0;
  double seconds = 0;
};

class Batcher {
 public:
  // Rows of requests to answer together: a request's rows [first, first + count). Runs on one thread at a
  // time.
  struct Piece {
    Request* request = nullptr;
    int64_t first = 0, count = 0;
  };
  using Pass = std::function<void(std::span<const Piece> pieces, int64_t rows)>;

  // `passes`: what there is, by rows; never empty. `answer_words`: floats of a row's answers, for which
  // submit() makes room.
  Batcher(Pass pass, int64_t answer_words, std::vector<PassTime> passes, const BatcherOptions& options);
  ~Batcher();  // drains
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  enum class Taken {
    yes,
    full,      // HTTP 429: ask again after retry_seconds()
    stopping,  // HTTP 503
  };
  // The request was read for this model. It lives until its when_done is called, and is not touched before.
  Taken submit(Request& request);

  // Whether passes run in run(). It does one pass, calls when_done of the requests that it completed, and is
  // false where nothing waited. Several threads may call it: one at a time does a pass, the others return.
  bool on_caller() const;
  bool run();

  // No more requests are taken; returns once all that were are answered. Of a batcher on the caller's thread
  // it runs the passes itself. Never call it from when_done.
  void drain();

  double retry_seconds() const;  // until there is room again, about

  // For metrics; counted since the start.
  struct Counts {
    int64_t requests = 0, rows = 0, passes = 0, refused = 0;
    int64_t waiting_rows = 0, queue_rows = 0;       // now, and at most
    double queue_seconds = 0, compute_seconds = 0;  // sums, of requests and of passes
  };
  Counts counts() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
  std::thread thread_;
};

}  // namespace shoestring::serve
