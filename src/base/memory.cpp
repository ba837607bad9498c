#include "base/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "base/arith.h"

namespace shoestring {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kHugePage = int64_t{2} << 20;

int64_t status_kib(const char* key) {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (!file) return 0;
  char line[256];
  long long kib = 0;
  const size_t n = std::strlen(key);
  while (std::fgets(line, sizeof line, file))
    if (std::strncmp(line, key, n) == 0) std::sscanf(line + n, "%lld", &kib);
  std::fclose(file);
  return kib;
}

}  // namespace

Result<Block> Block::reserve(int64_t bytes, bool touch) {
  Block block;
  block.bytes_ = bytes;
  if (bytes == 0) return block;
  block.mapped_ = round_up(bytes, kPage);
  void* p = ::mmap(nullptr, static_cast<size_t>(block.mapped_), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    return fail(ErrorKind::machine, fmt::format("cannot reserve {} bytes: {}", bytes, std::strerror(errno)),
                {}, "use a smaller batch_size or model, or free memory");
  }
  block.data_ = static_cast<std::byte*>(p);
  // Huge pages make the first touch eight times cheaper; below a few of them they would only round up.
  if (block.mapped_ >= 4 * kHugePage) ::madvise(p, static_cast<size_t>(block.mapped_), MADV_HUGEPAGE);
  if (touch)
    for (int64_t i = 0; i < block.mapped_; i += kPage)
      static_cast<volatile std::byte*>(block.data_)[i] = std::byte{0};
  return block;
}

Block::Block(Block&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

Block::~Block() {
  if (data_) ::munmap(data_, static_cast<size_t>(mapped_));
}

int64_t peak_resident_bytes() { return status_kib("VmHWM:") * 1024; }
int64_t resident_bytes() { return status_kib("VmRSS:") * 1024; }

}  // namespace shoestring
