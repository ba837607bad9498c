// The memory that Arrow works in: counted, never refused (Arrow's CSV reader aborts when it is), and
// given back to the system at once. Large buffers are mappings of their own: what is reserved and not
// touched costs nothing, and shrinking one moves nothing.
#pragma once

namespace arrow {
class MemoryPool;
}
namespace shoestring::data {

// One for the process; outlives every buffer.
arrow::MemoryPool* counting_pool();

}  // namespace shoestring::data
