// Counts what the process takes from the heap.
#pragma once

#include <cstdint>

namespace shoestring {

// Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign so far, operator new included.
int64_t allocation_count();

// False under the sanitizers: they bring an allocator of their own, which counts nothing here and keeps freed
// memory back for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kOwnAllocator = false;
#else
inline constexpr bool kOwnAllocator = true;
#endif

}  // namespace shoestring
