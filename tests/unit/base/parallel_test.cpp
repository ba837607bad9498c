#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace shoestring {
namespace {

TEST(ShareOf, CoversEveryItemOnceInOrder) {
  for (const int64_t count : {0, 1, 2, 7, 64, 1000})
    for (const int threads : {1, 2, 3, 7, 64})
      for (const int64_t grain : {1, 4, 16}) {
        int64_t next = 0;
        for (int t = 0; t < threads; ++t) {
          const Share s = share_of(count, t, threads, grain);
          EXPECT_EQ(s.begin, next);
          EXPECT_LE(s.begin, s.end);
          if (s.begin < count) {
            EXPECT_EQ(s.begin % grain, 0);
          }
          next = s.end;
        }
        EXPECT_EQ(next, count);
      }
}

TEST(ShareOf, IsEven) {
  for (const int64_t count : {10, 97, 1000})
    for (const int threads : {2, 3, 8})
      for (int t = 0; t < threads; ++t) {
        const Share s = share_of(count, t, threads);
        EXPECT_NEAR(static_cast<double>(s.end - s.begin), static_cast<double>(count) / threads, 1.0);
      }
}

TEST(Parallel, EveryThreadRunsOnce) {
  for (const int team : {1, 2, 3}) {
    set_thread_count(team);
    EXPECT_EQ(thread_count(), team);
    std::vector<std::atomic<int>> runs(static_cast<size_t>(team));
    for (int region = 0; region < 20; ++region)
      parallel([&](int thread, int threads) noexcept {
        EXPECT_EQ(threads, team);
        ++runs[static_cast<size_t>(thread)];
      });
    for (const auto& n : runs) EXPECT_EQ(n, 20);
  }
}

TEST(Parallel, WithinARegionAThreadIsATeamOfItsOwn) {
  set_thread_count(3);
  std::atomic<int> runs = 0;
  parallel([&](int, int) noexcept {
    EXPECT_EQ(thread_count(), 1);
    parallel([&](int thread, int threads) noexcept {
      EXPECT_EQ(thread, 0);
      EXPECT_EQ(threads, 1);
      ++runs;
    });
    EXPECT_EQ(thread_count(), 1);
  });
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(thread_count(), 3);
}

TEST(Parallel, AtLeastOneThread) {
  set_thread_count(0);
  EXPECT_EQ(thread_count(), 1);
  EXPECT_GE(available_cores(), 1);
}

}  // namespace
}  // namespace shoestring
