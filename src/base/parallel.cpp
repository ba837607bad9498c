#include "base/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace shoestring {
namespace {

int g_threads = 0;                   // 0: not set yet
thread_local bool t_inside = false;  // a region

struct Inside {
  Inside() { t_inside = true; }
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

}  // namespace

int available_cores() {
  cpu_set_t set;
  int affinity = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) affinity = std::max(1, CPU_COUNT(&set));
  return std::min(affinity, cgroup_cores());
}

void set_thread_count(int cores) {
  g_threads = std::max(1, cores);
  omp_set_dynamic(0);
  omp_set_num_threads(g_threads);
}

int thread_count() {
  if (t_inside) return 1;
  if (g_threads == 0) set_thread_count(available_cores());
  return g_threads;
}

LibraryThreads::LibraryThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
LibraryThreads::~LibraryThreads() { omp_set_num_threads(before_); }

#ifdef SHOESTRING_TSAN
void parallel_region(ParallelBody body, void* context) {
  const int n = thread_count();
  if (n == 1) return body(context, 0, 1);
  const auto part = [=](int thread) {
    const Inside inside;
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
#pragma omp parallel num_threads(n)
  {
    const Inside inside;
    body(context, omp_get_thread_num(), n);
  }
}
#endif

}  // namespace shoestring
