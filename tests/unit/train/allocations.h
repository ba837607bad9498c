// Counts what the process takes from the heap.
#pragma once

#include <cstdint>

namespace shoestring {

int64_t
allocation_count();  // calls of malloc, calloc, realloc and aligned_alloc so far, operator new included

}  // namespace shoestring
