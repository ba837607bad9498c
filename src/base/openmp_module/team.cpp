#include <omp.h>

#include "base/openmp_module.h"

namespace shoestring {
namespace {

void set_threads(int threads) noexcept {
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
}

void region(ParallelBody body, void* context, int threads) noexcept {
#pragma omp parallel num_threads(threads)
  body(context, omp_get_thread_num(), omp_get_num_threads());
}

constexpr OpenmpModule kModule{
    .version = kOpenmpModuleVersion,
    .thread_limit = []() noexcept { return omp_get_thread_limit(); },
    .threads = []() noexcept { return omp_get_max_threads(); },
    .set_threads = set_threads,
    .region = region,
};

}  // namespace
}  // namespace shoestring

extern "C" const shoestring::OpenmpModule* shoestring_openmp_module() { return &shoestring::kModule; }
