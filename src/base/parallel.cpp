#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/float_mode.h"
#include "base/limits.h"
#include "base/module.h"
#include "base/openmp_module.h"

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

#ifdef SHOESTRING_TSAN
// ThreadSanitizer cannot see libgomp's barriers.
void region_of_threads(ParallelBody body, void* context, int threads) noexcept {
  std::vector<std::thread> team;
  for (int t = 1; t < threads; ++t) team.emplace_back(body, context, t, threads);
  body(context, 0, threads);
  for (auto& t : team) t.join();
}
constexpr bool kOpenmp = false;
#else
void region_of_threads(ParallelBody body, void* context, int) noexcept { body(context, 0, 1); }
constexpr bool kOpenmp = true;
#endif

// In OpenMP's place: threads of our own, or none where the installation is not whole.
constexpr OpenmpModule kOwn{
    .version = kOpenmpModuleVersion,
    .thread_limit = []() noexcept { return kOpenmp ? 1 : 1 << 20; },
    .threads = []() noexcept { return 1; },
    .set_threads = [](int) noexcept {},
    .region = region_of_threads,
};

const OpenmpModule* open_team() {
  if (!kOpenmp) return &kOwn;
  if (!std::getenv("OMP_WAIT_POLICY")) ::setenv("GOMP_SPINCOUNT", kSpinTurns, 0);
  const auto entry = module_entry("shoestring_openmp.so", "shoestring_openmp_module");
  if (!entry) return &kOwn;
  const OpenmpModule* module = reinterpret_cast<decltype(&shoestring_openmp_module)>(*entry)();
  return module->version == kOpenmpModuleVersion ? module : &kOwn;
}

const OpenmpModule& team() {
  static const OpenmpModule* module = open_team();
  return *module;
}

int within_limit(int threads) { return std::clamp(threads, 1, std::max(1, team().thread_limit())); }

}  // namespace

int available_cores() { return read_limits().cores(); }

void set_thread_count(int cores) {
  g_threads = within_limit(cores);
  team().set_threads(g_threads);
}

int thread_count() {
  if (t_inside) return 1;
  int threads = g_threads;
  if (threads == 0) {  // several may be the first at once: one's number stands
    const int all = within_limit(available_cores());
    if (g_threads.compare_exchange_strong(threads, all)) threads = all;
    team().set_threads(threads);
  }
  return threads;
}

LibraryThreads::LibraryThreads(int threads) : before_(team().threads()) { team().set_threads(threads); }
LibraryThreads::~LibraryThreads() { team().set_threads(before_); }

void parallel_region(ParallelBody body, void* context) {
  const int n = thread_count();
  if (n == 1) return body(context, 0, 1);
  struct Region {
    ParallelBody body;
    void* context;
    uint64_t mode;
  } region{body, context, float_mode()};
  team().region(
      [](void* c, int thread, int threads) noexcept {
        const Region& r = *static_cast<const Region*>(c);
        const Inside inside(r.mode);
        r.body(r.context, thread, threads);
      },
      &region, n);
}

}  // namespace shoestring
