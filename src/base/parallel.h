// The one way into threads: a team of `cores` OpenMP threads, entered only by an executor's thread.
// A region costs about half a microsecond while the team spins and up to 100 when it sleeps, so
// callers enter few regions and none for small work. Splits are static: the same build, machine and
// thread count give the same bits. The TSan build uses std::thread in OpenMP's place, because it
// cannot see libgomp's barriers.
#pragma once

#include <cstdint>
#include <type_traits>

namespace shoestring {

// Sets the team's size for this process, once, before the first region. At least 1, at most OMP_THREAD_LIMIT.
void set_thread_count(int cores);
// The size that was set, else all cores that this process may use.
int thread_count();

// Calls body(thread, threads) on every thread of the team and waits; body must not throw. With one
// thread it is a plain call. Inside a region a thread is a team of its own (thread_count() is 1), so a
// kernel may run on one thread of a team as well as on all of it. `threads` is the team that came, which
// OpenMP may make smaller than thread_count() (within a region of the caller's own): divide by it, never by
// what was asked for.
using ParallelBody = void (*)(void* context, int thread, int threads) noexcept;
void parallel_region(ParallelBody body, void* context);

template <class F>
void parallel(F&& f) {
  using Fn = std::remove_reference_t<F>;
  parallel_region([](void* c, int thread, int threads) noexcept { (*static_cast<Fn*>(c))(thread, threads); },
                  &f);
}

// Libraries that divide their work when they prepare it (oneDNN) see `threads` on the calling thread while
// this lives.
class LibraryThreads {
 public:
  explicit LibraryThreads(int threads);
  LibraryThreads(const LibraryThreads&) = delete;
  LibraryThreads& operator=(const LibraryThreads&) = delete;
  ~LibraryThreads();

 private:
  int before_;
};

// The share [begin, end) of `count` items that thread `thread` of `threads` takes, in whole multiples
// of `grain` but for the last.
struct Share {
  int64_t begin, end;
};
inline Share share_of(int64_t count, int thread, int threads, int64_t grain = 1) {
  const int64_t blocks = (count + grain - 1) / grain;
  const int64_t lo = blocks * thread / threads * grain;
  const int64_t hi = blocks * (thread + 1) / threads * grain;
  return {lo < count ? lo : count, hi < count ? hi : count};
}

// Cores this process may use: affinity and control groups included (base/limits.h).
int available_cores();

}  // namespace shoestring
