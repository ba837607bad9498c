// How sums are split over threads and walked when their axes lie apart.
#pragma once

#include <array>
#include <vector>

#include "base/parallel.h"
#include "ir/op.h"

namespace shoestring::ops {

enum class SumWay : uint8_t { rows, all, down, down_parts, strided };

// x as [outer, size, inner] with the middle one summed: inner 1 is a sum along rows, outer 1 one down
// columns.
struct SumSizes {
  int64_t outer = 1, size = 1, inner = 1;
  int threads = 1;
};
// Elements from which two threads pay: one adds so many in ten microseconds, and a region costs two to five.
inline constexpr int64_t kSumWorthThreads = 1 << 18;

// part(thread, begin, end) for each thread's share of `count`; a plain call for one thread. Never more
// threads than were planned with.
template <class Part>
void each_share(int threads, int64_t count, int64_t grain, Part&& part) {
  if (threads == 1) return part(0, int64_t{0}, count);
  parallel([&](int thread, int team) {
    team = team < threads ? team : threads;
    if (thread >= team) return;
    const Share s = share_of(count, thread, team, grain);
    part(thread, s.begin, s.end);
  });
}

// The sum over [0, count) from the sums of each thread's part, which stand in operand `scratch`, a cache line
// each; one thread needs none.
inline constexpr int64_t kPartStride = 8;
inline int64_t parts_bytes(int threads) { return threads == 1 ? 0 : threads * kPartStride * 8; }
template <class Part>
double sum_of_parts(int threads, int64_t count, const KernelArgs& args, int scratch, Part&& part) {
  if (threads == 1) return part(int64_t{0}, count);
  double* const parts = args.at<double>(scratch);
  for (int t = 0; t < threads; ++t) parts[t * kPartStride] = 0;
  each_share(threads, count, 2048,
             [&](int thread, int64_t begin, int64_t end) { parts[thread * kPartStride] = part(begin, end); });
  double sum = 0;
  for (int t = 0; t < threads; ++t) sum += parts[t * kPartStride];
  return sum;
}

// Any pattern of summed axes.
struct StridedSum {
  struct Axis {
    int64_t size = 1;
    bool summed = false;
    int64_t out_stride = 0;
  };
  std::vector<Axis> axes;
  int64_t elements = 0, out_elements = 0;

  // run(from, to, n, summed): n elements along the last axis, from x[from] on, all for out[to] if that
  // axis is summed, else for out[to] on.
  template <class Run>
  void each_run(Run&& run) const {
    if (elements == 0) return;
    if (axes.empty()) return run(int64_t{0}, int64_t{0}, int64_t{1}, true);
    std::array<int64_t, Shape::kMaxRank> at{};
    const size_t last = axes.size() - 1;
    int64_t to = 0;
    for (int64_t from = 0; from < elements; from += axes[last].size) {
      run(from, to, axes[last].size, axes[last].summed);
      for (size_t a = last; a-- > 0;) {
        to += axes[a].out_stride;
        if (++at[a] < axes[a].size) break;
        to -= axes[a].size * axes[a].out_stride;
        at[a] = 0;
      }
    }
  }
};

}  // namespace shoestring::ops
