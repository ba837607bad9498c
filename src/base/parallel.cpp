#include "base/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/float_mode.h"

namespace shoestring {
namespace {

std::atomic<int> g_threads = 0;      // 0: not set yet
thread_local bool t_inside = false;  // a region

// The team computes as its caller does. Its threads live in regions only, so nothing is put back.
struct Inside {
  explicit Inside(uint64_t mode) {
    t_inside = true;
    set_float_mode(mode);
  }
  ~Inside() { t_inside = false; }
};

// cpu.max of cgroup v2, or cfs_quota of v1; infinity when there is no limit.
int cgroup_cores() {
  {
    std::ifstream in("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (in >> quota >> period && quota != "max" && period > 0)
      return std::max(1, static_cast<int>(std::ceil(std::stod(quota) / period)));
  }
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
      period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = -1, period = 0;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
    return std::max(1, static_cast<int>(std::ceil(quota / period)));
  return 1 << 20;
}

// OMP_THREAD_LIMIT holds for a team whatever is asked for.
int within_limit(int threads) { return std::clamp(threads, 1, std::max(1, omp_get_thread_limit())); }

// For the regions that libraries open on this thread.
void tell_openmp(int threads) {
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
}

}  // namespace

int available_cores() {
  cpu_set_t set;
  int affinity = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) affinity = std::max(1, CPU_COUNT(&set));
  return std::min(affinity, cgroup_cores());
}

void set_thread_count(int cores) {
  g_threads = within_limit(cores);
  tell_openmp(g_threads);
}

int thread_count() {
  if (t_inside) return 1;
  int threads = g_threads;
  if (threads == 0) {  // several may be the first at once: one's number stands
    const int all = within_limit(available_cores());
    if (g_threads.compare_exchange_strong(threads, all)) threads = all;
    tell_openmp(threads);
  }
  return threads;
}

LibraryThreads::LibraryThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
LibraryThreads::~LibraryThreads() { omp_set_num_threads(before_); }

#ifdef SHOESTRING_TSAN
void parallel_region(ParallelBody body, void* context) {
  const int n = thread_count();
  if (n == 1) return body(context, 0, 1);
  const uint64_t mode = float_mode();
  const auto part = [=](int thread) {
    const Inside inside(mode);
    body(context, thread, n);
  };
  std::vector<std::thread> team;
  for (int t = 1; t < n; ++t) team.emplace_back(part, t);
  part(0);
  for (auto& t : team) t.join();
}
#else
void parallel_region(ParallelBody body, void* context) {
  const int n = thread_count();
  if (n == 1) return body(context, 0, 1);
  const uint64_t mode = float_mode();
#pragma omp parallel num_threads(n)
  {
    const Inside inside(mode);
    body(context, omp_get_thread_num(), omp_get_num_threads());
  }
}
#endif

}  // namespace shoestring
