#include "base/parallel.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "base/float_mode.h"

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

// Every item of a team of three, once, however many threads come.
void expect_all_done() {
  std::vector<std::atomic<int>> done(100);
  parallel([&](int thread, int threads) noexcept {
    const Share s = share_of(100, thread, threads);
    for (int64_t i = s.begin; i < s.end; ++i) ++done[static_cast<size_t>(i)];
  });
  for (const auto& n : done) EXPECT_EQ(n, 1);
}

TEST(Parallel, LeavesNothingOut) {
  set_thread_count(3);
  expect_all_done();
}

// The test above in a process of its own, as OpenMP reads its environment when it starts. Without levels
// every region has one thread, as has a region within one of the caller's own.
TEST(Parallel, LeavesNothingOutWhereFewerThreadsCome) {
  std::string self(4096, '\0');
  self.resize(
      static_cast<size_t>(std::max<ssize_t>(0, readlink("/proc/self/exe", self.data(), self.size()))));
  for (const char* setting : {"OMP_THREAD_LIMIT=1", "OMP_THREAD_LIMIT=2", "OMP_MAX_ACTIVE_LEVELS=0"})
    EXPECT_EQ(std::system(
                  fmt::format("{} '{}' --gtest_filter=Parallel.LeavesNothingOut >&2", setting, self).c_str()),
              0)
        << setting;
}

TEST(Parallel, TheTeamFlushesDenormalsIfItsCallerDoes) {
  set_thread_count(3);
  const auto denormal_on_all = [] {
    std::atomic<int> count = 0;
    volatile float least = std::numeric_limits<float>::min();
    parallel([&](int, int) noexcept {
      if (least / 2 > 0) ++count;
    });
    return count.load();
  };
  EXPECT_EQ(denormal_on_all(), 3);
  {
    const FlushDenormals flush;
    EXPECT_EQ(denormal_on_all(), 0);
  }
  EXPECT_EQ(denormal_on_all(), 3);
}

TEST(Parallel, AtLeastOneThread) {
  set_thread_count(0);
  EXPECT_EQ(thread_count(), 1);
  EXPECT_GE(available_cores(), 1);
}

}  // namespace
}  // namespace shoestring
