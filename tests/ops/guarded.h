// Memory that notices: guard bytes before and after, and a page that faults where the last cache line
// ends, because a kernel may read to the end of a slot (slots are whole cache lines) and no further.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace shoestring::optest {

class Guarded {
 public:
  // `shift` bytes past a cache line: 0, or an element's size for an operand that is a view.
  explicit Guarded(int64_t bytes, int64_t shift = 0);
  Guarded(Guarded&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        mapped_(other.mapped_),
        data_(other.data_),
        bytes_(other.bytes_) {}
  Guarded& operator=(Guarded&&) = delete;
  ~Guarded();

  std::byte* data() const { return data_; }
  std::span<std::byte> bytes() const { return {data_, static_cast<size_t>(bytes_)}; }
  void fill(std::byte poison);  // the data
  void fill(std::span<const std::byte> contents);
  bool intact() const;  // the guard bytes

 private:
  std::byte* end() const;  // of what can be touched
  std::byte* base_ = nullptr;
  size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace shoestring::optest
