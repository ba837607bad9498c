// Memory that a plan owns: one aligned block from the operating system, touched before the first
// step so that nothing page-faults (or fails) while running.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "base/error.h"

namespace shoestring {

inline constexpr int64_t kAlignment = 64;  // of every slot: a cache line and an AVX-512 vector

// Whether memory is watched while running: in debug builds, and where SHOESTRING_CHECK_MEMORY is in the
// environment, as it is for every test. Blocks then end at a page that faults, and executors poison their
// arena.
bool memory_is_checked();

// Zero-filled pages, owned. Move-only.
class Block {
 public:
  Block() = default;
  static Result<Block> reserve(int64_t bytes, bool touch = true);
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  ~Block();

  std::byte* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  std::byte *data_ = nullptr, *base_ = nullptr;  // base_: of what is mapped
  int64_t bytes_ = 0, mapped_ = 0;
};

// Bytes on the heap, aligned like a slot.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t n) {
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kAlignment}));
  }
  void deallocate(T* p, size_t) { ::operator delete (p, std::align_val_t{kAlignment}); }
  bool operator==(const AlignedAllocator&) const { return true; }
};
using AlignedBytes = std::vector<std::byte, AlignedAllocator<std::byte>>;

// Hands pages of the heap that nothing lives in back to the system.
void give_back_memory();

// What this process may still take without being refused or killed for it: the machine's free memory and
// swap, and what its limits leave (base/limits.h). INT64_MAX where nothing says.
int64_t available_bytes();

// Peak and current resident memory of this process in bytes (VmHWM, VmRSS).
int64_t peak_resident_bytes();
int64_t resident_bytes();

}  // namespace shoestring
