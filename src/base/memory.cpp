#include "base/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/arith.h"
#include "base/limits.h"
#include "base/text.h"

namespace shoestring {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kMuch = int64_t{64} << 20;  // from here on what is available is looked up first

// The number after `key`, which begins a line of the file.
std::optional<int64_t> number_in(const char* path, const char* key) {
  std::FILE* file = std::fopen(path, "re");
  if (!file) return std::nullopt;
  char line[256];
  std::optional<int64_t> found;
  const size_t n = std::strlen(key);
  long long number = 0;
  while (!found && std::fgets(line, sizeof line, file))
    if (std::strncmp(line, key, n) == 0 && std::sscanf(line + n, "%lld", &number) == 1) found = number;
  std::fclose(file);
  return found;
}
int64_t status_bytes(const char* key) { return number_in("/proc/self/status", key).value_or(0) * 1024; }

}  // namespace

bool memory_is_checked() {
#ifdef NDEBUG
  static const bool checked = std::getenv("SHOESTRING_CHECK_MEMORY") != nullptr;
  return checked;
#else
  return true;
#endif
}

Result<Block> Block::reserve(int64_t bytes, bool touch) {
  Block block;
  block.bytes_ = bytes;
  if (bytes == 0) return block;
  const auto refused = [&](std::string_view why) {
    return fail(ErrorKind::machine, fmt::format("cannot reserve {} of memory: {}", human_bytes(bytes), why),
                {}, "use a smaller batch_size or model, or free memory");
  };
  // The kernel grants more than it has and kills whoever touches it.
  if (const int64_t available = available_bytes(); bytes > kMuch && bytes > available)
    return refused(fmt::format("{} are available", human_bytes(available)));
  const int64_t usable = round_up(bytes, kPage), guard = memory_is_checked() ? kPage : 0;
  block.mapped_ = usable + guard;
  void* p = ::mmap(nullptr, static_cast<size_t>(block.mapped_), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return refused(std::strerror(errno));
  block.data_ = block.base_ = static_cast<std::byte*>(p);
  if (guard) {
    ::mprotect(block.base_ + usable, static_cast<size_t>(guard), PROT_NONE);
    block.data_ += usable - round_up(bytes, kAlignment);
  }
  // Huge pages make the first touch eight times cheaper; below a few of them they would only round up.
  if (usable >= 4 * kHugePage) ::madvise(p, static_cast<size_t>(usable), MADV_HUGEPAGE);
  if (touch)
    for (int64_t i = 0; i < usable; i += kPage)
      static_cast<volatile std::byte*>(block.base_)[i] = std::byte{0};
  return block;
}

Block::Block(Block&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      base_(std::exchange(other.base_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

Block::~Block() {
  if (base_) ::munmap(base_, static_cast<size_t>(mapped_));
}

void give_back_memory() { ::malloc_trim(0); }

int64_t available_bytes() {
  int64_t bytes = INT64_MAX;
  if (const auto free = number_in("/proc/meminfo", "MemAvailable:"))
    bytes = (*free + number_in("/proc/meminfo", "SwapFree:").value_or(0)) * 1024;
  const Limits limits = read_limits();
  bytes = std::min(bytes, limits.memory_left);
  if (limits.address_space_bytes != kNoLimit)
    bytes = std::min(bytes, limits.address_space_bytes - status_bytes("VmSize:"));
  if (limits.data_bytes != kNoLimit) bytes = std::min(bytes, limits.data_bytes - status_bytes("VmData:"));
  return std::max<int64_t>(bytes, 0);
}

int64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }
int64_t resident_bytes() { return status_bytes("VmRSS:"); }

}  // namespace shoestring
