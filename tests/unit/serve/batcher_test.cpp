// The queue alone: what shares a pass, what is refused, and that nothing is lost. The passes are scripted.
#include "serve/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace shoestring::serve {
namespace {

using Where = BatcherOptions::Where;

// Notes the rows of each pass; a pass waits while the gate is closed.
struct Passes {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int64_t> rows;
  bool open = true;

  Batcher::Pass pass() {
    return [this](std::span<const Batcher::Piece> pieces, int64_t count) {
      std::unique_lock lock(mutex);
      rows.push_back(count);
      changed.notify_all();
      changed.wait(lock, [this] { return open; });
      for (const Batcher::Piece& piece : pieces)
        for (int64_t r = 0; r < piece.count; ++r)
          piece.request->answers[static_cast<size_t>(piece.first + r)] += 1;
    };
  }
  void wait_for(size_t passes) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return rows.size() >= passes; });
  }
  void set_open(bool value) {
    const std::scoped_lock lock(mutex);
    open = value;
    changed.notify_all();
  }
};

Request request_of(int64_t rows, std::atomic<int>& done) {
  Request request;
  request.rows = rows;
  request.when_done = [&done](Request& r) {
    for (const float times : r.answers) EXPECT_EQ(times, 1);
    EXPECT_EQ(static_cast<int64_t>(r.answers.size()), r.rows);
    ++done;
  };
  return request;
}

TEST(Batcher, RowsThatWaitShareAPass) {
  Passes passes;
  std::atomic<int> done = 0;
  Batcher batcher(passes.pass(), 1, {{1, 1e-5}, {4, 1e-5}, {16, 2e-5}}, {});
  ASSERT_TRUE(batcher.on_caller());
  EXPECT_FALSE(batcher.run());
  std::vector<Request> requests;
  for (const int64_t rows : {1, 2, 1, 20, 1}) requests.push_back(request_of(rows, done));
  for (Request& request : requests) EXPECT_EQ(batcher.submit(request), Batcher::Taken::yes);
  EXPECT_EQ(batcher.counts().waiting_rows, 25);
  EXPECT_TRUE(batcher.run());
  EXPECT_EQ(done, 3);  // of the fourth 12 rows; it queues up again behind the fifth
  EXPECT_TRUE(batcher.run());
  EXPECT_EQ(done, 5);
  EXPECT_FALSE(batcher.run());
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{16, 9}));
  const auto counts = batcher.counts();
  EXPECT_EQ(counts.requests, 5);
  EXPECT_EQ(counts.rows, 25);
  EXPECT_EQ(counts.passes, 2);
  EXPECT_EQ(counts.waiting_rows, 0);
}

TEST(Batcher, ThePlanIsTheOneThatAnswersMostInItsTime) {
  Passes passes;
  std::atomic<int> done = 0;
  Batcher batcher(passes.pass(), 1, {{1, 4e-6}, {4, 7e-6}, {16, 27e-6}, {64, 110e-6}}, {});
  std::vector<Request> requests;
  for (const int64_t rows : {1, 1, 1, 1, 1, 16, 64}) requests.push_back(request_of(rows, done));
  for (size_t i = 0; i < 5; ++i) batcher.submit(requests[i]);
  while (batcher.run()) {
  }
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{4, 1}));
  passes.rows.clear();
  batcher.submit(requests[5]);
  while (batcher.run()) {
  }
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{16}));
  passes.rows.clear();
  batcher.submit(requests[6]);
  while (batcher.run()) {
  }
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{16, 16, 16, 16}));
  EXPECT_EQ(done, 7);
}

TEST(Batcher, AThreadTakesWhatCameDuringItsPass) {
  Passes passes;
  passes.open = false;
  std::atomic<int> done = 0;
  Batcher batcher(passes.pass(), 1, {{1, 5e-3}, {4, 5e-3}, {16, 5e-3}}, {});
  ASSERT_FALSE(batcher.on_caller());
  std::vector<Request> requests;
  for (int i = 0; i < 8; ++i) requests.push_back(request_of(1, done));
  batcher.submit(requests[0]);
  passes.wait_for(1);
  for (size_t i = 1; i < 8; ++i) EXPECT_EQ(batcher.submit(requests[i]), Batcher::Taken::yes);
  passes.set_open(true);
  batcher.drain();
  EXPECT_EQ(done, 8);
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{1, 7}));
  Request late = request_of(1, done);
  EXPECT_EQ(batcher.submit(late), Batcher::Taken::stopping);
}

TEST(Batcher, AFullQueueRefuses) {
  for (const Where where : {Where::caller, Where::thread}) {
    Passes passes;
    passes.open = where == Where::caller;
    std::atomic<int> done = 0;
    // A pass of 16 rows would keep those who wait for it too long: 4 is the most, and one pass the queue.
    Batcher batcher(passes.pass(), 1, {{1, 5e-3}, {4, 6e-3}, {16, 20e-3}}, {.where = where});
    EXPECT_EQ(batcher.counts().queue_rows, 4);
    std::vector<Request> requests;
    for (int i = 0; i < 8; ++i) requests.push_back(request_of(1, done));
    requests[7].rows = 100;
    size_t next = 0;
    if (where == Where::thread) {
      batcher.submit(requests[next++]);
      passes.wait_for(1);
    }
    for (int i = 0; i < 4; ++i) EXPECT_EQ(batcher.submit(requests[next++]), Batcher::Taken::yes);
    EXPECT_EQ(batcher.submit(requests[next]), Batcher::Taken::full);
    EXPECT_EQ(batcher.submit(requests[7]), Batcher::Taken::full);
    EXPECT_NEAR(batcher.retry_seconds(), 6e-3, 1e-9);
    EXPECT_EQ(batcher.counts().refused, 2);
    passes.set_open(true);
    while (batcher.counts().waiting_rows > 0)
      if (!batcher.run()) std::this_thread::yield();
    // With nothing waiting, one of any size is taken.
    EXPECT_EQ(batcher.submit(requests[7]), Batcher::Taken::yes);
    batcher.drain();
    EXPECT_EQ(done, static_cast<int>(next) + 1);
  }
}

TEST(Batcher, TheQueueIsAsLongAsItsTime) {
  Passes passes;
  const auto queue = [&](std::vector<PassTime> times) {
    return Batcher(passes.pass(), 1, std::move(times), {}).counts().queue_rows;
  };
  // Short passes: 2 ms, of which one pass runs.
  EXPECT_EQ(queue({{1, 10e-6}, {4, 15e-6}, {16, 40e-6}, {64, 99e-6}}), 64 * 19);
  EXPECT_EQ(queue({{1, 0.6e-3}}), 2);
  // Longer ones: with the pass that runs no more than 2.5 times what one alone takes.
  EXPECT_EQ(queue({{1, 5e-3}}), 1);
  EXPECT_EQ(queue({{1, 5e-3}, {4, 6e-3}, {16, 6.5e-3}}), 4);
  Batcher told(passes.pass(), 1, {{1, 10e-6}}, {.queue_rows = 3});
  EXPECT_EQ(told.counts().queue_rows, 3);
}

// However long a pass is: whoever is taken while all of the queue waits behind a pass is answered in time.
TEST(Batcher, WhoIsTakenIsAnsweredInTime) {
  for (const double alone : {0.05e-3, 0.3e-3, 0.6e-3, 1e-3, 5e-3, 13e-3})
    for (const double of_four : {1.1, 1.6, 3.5}) {
      Passes passes;
      passes.open = false;
      std::atomic<int> done = 0;
      const std::vector<PassTime> plans = {{1, alone}, {4, of_four * alone}, {16, 3 * of_four * alone}};
      Batcher batcher(passes.pass(), 1, plans, {.where = Where::thread});
      std::vector<Request> requests;
      for (int i = 0; i < 2000; ++i) requests.push_back(request_of(1, done));
      const auto full = [&](size_t& next) {
        while (next < requests.size() && batcher.submit(requests[next]) == Batcher::Taken::yes) ++next;
      };
      size_t next = 0;
      batcher.submit(requests[next++]);
      passes.wait_for(1);
      full(next);
      passes.set_open(true);
      batcher.drain();
      ASSERT_EQ(done, static_cast<int>(next));
      double seconds = 0;
      for (const int64_t rows : passes.rows) seconds += plans[rows > 4 ? 2 : rows > 1 ? 1 : 0].seconds;
      EXPECT_LE(seconds, std::max(2.5 * alone, 2e-3) * 1.0001) << alone << " " << of_four;
      EXPECT_GE(batcher.counts().queue_rows, 1);
    }
}

TEST(Batcher, WaitsForCompanyWhereToldTo) {
  Passes passes;
  std::atomic<int> done = 0;
  Batcher batcher(passes.pass(), 1, {{1, 10e-6}, {4, 10e-6}}, {.wait_seconds = 60});
  EXPECT_FALSE(batcher.on_caller());
  std::vector<Request> requests;
  for (int i = 0; i < 4; ++i) requests.push_back(request_of(1, done));
  for (Request& request : requests) batcher.submit(request);  // a full pass does not wait
  passes.wait_for(1);
  batcher.drain();
  EXPECT_EQ(passes.rows, (std::vector<int64_t>{4}));
  EXPECT_EQ(done, 4);
}

TEST(Batcher, NothingIsLostWhileManyAsk) {
  for (const Where where : {Where::caller, Where::thread}) {
    Passes passes;
    std::atomic<int> done = 0;
    constexpr int kThreads = 4, kEach = 200;
    std::atomic<int> taken = 0;
    {
      std::vector<Request> requests;
      for (int i = 0; i < kThreads * kEach; ++i) requests.push_back(request_of(1 + i % 3, done));
      Batcher batcher(passes.pass(), 1, {{1, 1e-5}, {4, 1e-5}}, {.where = where, .queue_rows = 8});
      std::vector<std::thread> threads;
      for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
          for (int i = 0; i < kEach; ++i) {
            taken += batcher.submit(requests[static_cast<size_t>(t * kEach + i)]) == Batcher::Taken::yes;
            batcher.run();
          }
        });
      for (auto& thread : threads) thread.join();
      EXPECT_EQ(batcher.counts().requests + batcher.counts().refused, kThreads * kEach);
      batcher.drain();
      EXPECT_EQ(done, taken);
    }
    EXPECT_GT(taken, 0);
  }
}

TEST(Batcher, MayEndInWhenDone) {
  for (const Where where : {Where::caller, Where::thread}) {
    Passes passes;
    auto batcher = std::make_unique<Batcher>(passes.pass(), 1, std::vector<PassTime>{{1, 1e-5}},
                                             BatcherOptions{.where = where});
    Batcher* const raw = batcher.get();
    std::atomic<bool> gone = false;
    Request request;
    request.rows = 1;
    request.when_done = [&](Request&) {
      batcher.reset();
      gone = true;
    };
    raw->submit(request);
    if (where == Where::caller) raw->run();
    while (!gone) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace shoestring::serve
