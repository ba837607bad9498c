// Denormal numbers cost a processor a hundred cycles where others cost one, and a network that has learnt its
// table by heart, or a moment of Adam that gets no gradient any more, is full of them. Training and
// prediction read and write them as 0.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace shoestring {

// How this thread rounds and flushes; what it is made of is the processor's.
inline uint64_t float_mode() {
#if defined(__x86_64__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}
inline void set_float_mode(uint64_t mode) {
#if defined(__x86_64__)
  // The flags of what has happened are not part of the mode.
  constexpr unsigned kFlags = 0x3F;
  _mm_setcsr(static_cast<unsigned>(mode) & ~kFlags);
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(mode));
#else
  static_cast<void>(mode);
#endif
}

// While it lives, denormal numbers are 0 on this thread, and on its team inside of parallel().
class FlushDenormals {
 public:
  FlushDenormals() : before_(float_mode()) { set_float_mode(before_ | kFlush); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
  ~FlushDenormals() { set_float_mode(before_); }

 private:
#if defined(__x86_64__)
  static constexpr uint64_t kFlush = 0x8040;  // results, operands
#else
  static constexpr uint64_t kFlush = uint64_t{1} << 24;
#endif
  uint64_t before_;
};

}  // namespace shoestring
