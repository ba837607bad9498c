// OpenMP's team. It sits in shoestring_openmp.so, which is opened for the first region, because GNU OpenMP
// reads how long a waiting thread spins (GOMP_SPINCOUNT) when it is loaded, and its default of 300,000 turns
// (4 ms) is far too long wherever something else runs beside us: with two compilers on two cores, steps of
// 0.6 ms took 116 ms, and take 3.4 ms with 4,000 turns (55 µs). A process that has loaded OpenMP already, or
// has set GOMP_SPINCOUNT or OMP_WAIT_POLICY, keeps what it has.
#pragma once

#include "base/parallel.h"

namespace shoestring {

inline constexpr int kOpenmpModuleVersion = 1;
inline constexpr const char* kSpinTurns = "4000";

struct OpenmpModule {
  int version;
  int (*thread_limit)() noexcept;  // that OMP_THREAD_LIMIT sets, whatever is asked for
  // Threads of the regions that libraries open on the calling thread.
  int (*threads)() noexcept;
  void (*set_threads)(int threads) noexcept;
  // Calls body(context, thread, threads) on every thread of a team of at most `threads`.
  void (*region)(ParallelBody body, void* context, int threads) noexcept;
};

}  // namespace shoestring

extern "C" const shoestring::OpenmpModule* shoestring_openmp_module();
