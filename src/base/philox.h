// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011). A value is a pure function of (seed, stream, step, row, element), so a
// recomputed, accumulated or resumed step draws the very same numbers, whichever thread draws them.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace shoestring {

using PhiloxBlock = std::array<uint32_t, 4>;

constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = 0xD2511F53ull * counter[0];
    const uint64_t p1 = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// Uniform on [0, 1) with 24 random bits, exact in f32.
constexpr float uniform01(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// The draws of one random node at one step. Four consecutive elements of a row share one block.
struct RandomStream {
  uint64_t seed = 0;
  uint32_t stream = 0;  // the number a node keeps through every pass
  uint32_t step = 0;

  PhiloxBlock block(uint32_t row, uint32_t element_block) const {
    return philox4x32({element_block, row, step, stream},
                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  }
};

// A sequential generator over one stream, for the host (shuffles, splits).
class Philox {
 public:
  Philox(uint64_t seed, uint32_t stream) : stream_{seed, stream, 0} {}
  uint32_t next() {
    if (used_ == 4) {
      block_ = stream_.block(static_cast<uint32_t>(count_ >> 32), static_cast<uint32_t>(count_));
      ++count_;
      used_ = 0;
    }
    return block_[used_++];
  }
  // Uniform on [0, n), without bias (Lemire 2019: multiply, reject the short interval). n >= 1.
  uint32_t below(uint32_t n) {
    uint64_t m = uint64_t{next()} * n;
    if (static_cast<uint32_t>(m) < n) {
      const uint32_t threshold = -n % n;
      while (static_cast<uint32_t>(m) < threshold) m = uint64_t{next()} * n;
    }
    return static_cast<uint32_t>(m >> 32);
  }

 private:
  RandomStream stream_;
  uint64_t count_ = 0;
  PhiloxBlock block_{};
  unsigned used_ = 4;
};

}  // namespace shoestring
