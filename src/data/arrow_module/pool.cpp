#include "data/arrow_module/pool.h"

#include <arrow/memory_pool.h>
#include <arrow/status.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace shoestring::data {
namespace {

constexpr int64_t kMapBytes = 64 << 10;  // from this size on a buffer is a mapping
constexpr int64_t kPage = 4096;          // and its alignment

alignas(64) uint8_t empty_buffer[64];

bool is_mapped(int64_t size, int64_t alignment) { return size >= kMapBytes && alignment <= kPage; }

uint8_t* take(int64_t size, int64_t alignment) {
  if (size == 0) return empty_buffer;
  if (is_mapped(size, alignment)) {
    void* p = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<uint8_t*>(p);
  }
  const int64_t rounded = (size + alignment - 1) / alignment * alignment;
  return static_cast<uint8_t*>(
      std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(rounded)));
}

void give(uint8_t* p, int64_t size, int64_t alignment) {
  if (p == empty_buffer) return;
  if (is_mapped(size, alignment))
    ::munmap(p, static_cast<size_t>(size));
  else
    std::free(p);
}

class CountingPool final : public arrow::MemoryPool {
 public:
  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    *out = take(size, alignment);
    if (*out == nullptr) return arrow::Status::OutOfMemory("the system has no memory left");
    count(size);
    return arrow::Status::OK();
  }

  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override {
    uint8_t* moved = nullptr;
    if (is_mapped(old_size, alignment) && is_mapped(new_size, alignment)) {
      void* p = ::mremap(*ptr, static_cast<size_t>(old_size), static_cast<size_t>(new_size), MREMAP_MAYMOVE);
      moved = p == MAP_FAILED ? nullptr : static_cast<uint8_t*>(p);
    } else {
      moved = take(new_size, alignment);
      if (moved != nullptr) {
        std::memcpy(moved, *ptr, static_cast<size_t>(old_size < new_size ? old_size : new_size));
        give(*ptr, old_size, alignment);
      }
    }
    if (moved == nullptr) return arrow::Status::OutOfMemory("the system has no memory left");
    *ptr = moved;
    count(new_size - old_size);
    return arrow::Status::OK();
  }

  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override {
    give(buffer, size, alignment);
    bytes_ -= size;
  }

  int64_t bytes_allocated() const override { return bytes_; }
  int64_t max_memory() const override { return peak_; }
  int64_t total_bytes_allocated() const override { return total_; }
  int64_t num_allocations() const override { return allocations_; }
  std::string backend_name() const override { return "system"; }

 private:
  void count(int64_t more) {
    const int64_t now = bytes_ += more;
    int64_t peak = peak_;
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
    if (more > 0) total_ += more;
    ++allocations_;
  }

  std::atomic<int64_t> bytes_ = 0, peak_ = 0, total_ = 0, allocations_ = 0;
};

}  // namespace

arrow::MemoryPool* counting_pool() {
  static auto* const pool = new CountingPool;  // never destroyed
  return pool;
}

}  // namespace shoestring::data
