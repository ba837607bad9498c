#include <arrow/memory_pool.h>

#include "data/arrow_module/parts.h"
#include "data/arrow_module/pool.h"

namespace shoestring::data {
namespace {

constexpr ArrowModule kModule{
    .version = kArrowModuleVersion,
    .parse_csv = parse_csv,
    .zstd_open = zstd_open,
    .zstd_step = zstd_step,
    .zstd_close = zstd_close,
    .open_columnar = open_columnar,
    .next_columnar = next_columnar,
    .close_columnar = close_columnar,
    .pool_bytes = []() noexcept { return counting_pool()->bytes_allocated(); },
    .pool_peak_bytes = []() noexcept { return counting_pool()->max_memory(); },
};

}  // namespace
}  // namespace shoestring::data

extern "C" const shoestring::data::ArrowModule* shoestring_arrow_module() {
  return &shoestring::data::kModule;
}
