#include "ops/guarded.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/arith.h"
#include "base/memory.h"

namespace shoestring::optest {
namespace {

constexpr size_t kPage = 4096;
constexpr int64_t kFront = 256;  // guard bytes before the data
constexpr std::byte kGuard{0xA5};

}  // namespace

Guarded::Guarded(int64_t bytes, int64_t shift) : bytes_(bytes) {
  const auto used = static_cast<size_t>(round_up(shift + bytes, kAlignment));
  const size_t touchable = static_cast<size_t>(round_up(static_cast<int64_t>(used) + kFront, kPage));
  mapped_ = touchable + kPage;
  void* p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  base_ = static_cast<std::byte*>(p);
  mprotect(base_ + touchable, kPage, PROT_NONE);
  std::memset(base_, static_cast<int>(kGuard), touchable);
  data_ = base_ + touchable - used + shift;
}

Guarded::~Guarded() {
  if (base_) munmap(base_, mapped_);
}

std::byte* Guarded::end() const { return base_ + mapped_ - kPage; }

void Guarded::fill(std::byte poison) {
  if (bytes_) std::memset(data_, static_cast<int>(poison), static_cast<size_t>(bytes_));
}
void Guarded::fill(std::span<const std::byte> contents) {
  if (!contents.empty()) std::memcpy(data_, contents.data(), contents.size());
}

bool Guarded::intact() const {
  auto guard = [](std::byte b) { return b == kGuard; };
  return std::all_of(base_, data_, guard) && std::all_of(data_ + bytes_, end(), guard);
}

}  // namespace shoestring::optest
