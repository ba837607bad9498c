// Philox in vectors, once per instruction set: many blocks of one stream at a time, and the walk over the
// rows of a tensor that is filled with what a kernel makes of them.
#if defined(SHOESTRING_OPS_RANDOM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_RANDOM_INL_H_
#undef SHOESTRING_OPS_RANDOM_INL_H_
#else
#define SHOESTRING_OPS_RANDOM_INL_H_
#endif

#include <hwy/highway.h>

#include "base/parallel.h"
#include "ops/shared/random.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Counters = hn::ScalableTag<uint64_t>;
inline constexpr size_t kChains = 4;  // vectors drawn together, so that rounds need not wait for products
inline constexpr size_t kBlocks = kChains * hn::MaxLanes(Counters());  // of four words, drawn together

// The words of kBlocks blocks: word w of block b at bits[4 * b + w]. Each lane holds 32 bits in the lower
// half of 64; the upper halves are garbage that products ignore.
HWY_INLINE void draw_blocks(const RandomStream& stream, const uint64_t* rows, const uint64_t* element_blocks,
                            uint32_t* bits) {
#if HWY_TARGET == HWY_SCALAR
  for (size_t b = 0; b < kBlocks; ++b) {
    const PhiloxBlock block =
        stream.block(static_cast<uint32_t>(rows[b]), static_cast<uint32_t>(element_blocks[b]));
    std::copy(block.begin(), block.end(), bits + 4 * b);
  }
#else
  const Counters d;
  const hn::Repartition<uint32_t, Counters> d32;
  constexpr size_t kLanes = hn::MaxLanes(d);
  using V = hn::Vec<Counters>;
  const auto multiply = [=](V x, uint32_t by)
                            HWY_ATTR { return hn::MulEven(hn::BitCast(d32, x), hn::Set(d32, by)); };
  V c0[kChains], c1[kChains], c2[kChains], c3[kChains];
#pragma GCC unroll 4
  for (size_t v = 0; v < kChains; ++v) {
    c0[v] = hn::LoadU(d, element_blocks + v * kLanes);
    c1[v] = hn::LoadU(d, rows + v * kLanes);
    c2[v] = hn::Set(d, uint64_t{stream.step});
    c3[v] = hn::Set(d, uint64_t{stream.stream});
  }
  auto k0 = static_cast<uint32_t>(stream.seed), k1 = static_cast<uint32_t>(stream.seed >> 32);
  for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kChains; ++v) {
      const auto p0 = multiply(c0[v], 0xD2511F53u), p1 = multiply(c2[v], 0xCD9E8D57u);
      c0[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1[v]), hn::Set(d, uint64_t{k0}));
      c2[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3[v]), hn::Set(d, uint64_t{k1}));
      c1[v] = p1;
      c3[v] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const auto low = hn::Set(d, uint64_t{0xFFFFFFFFu});
#pragma GCC unroll 4
  for (size_t v = 0; v < kChains; ++v) {
    const auto first = hn::Or(hn::And(c0[v], low), hn::ShiftLeft<32>(c1[v]));
    const auto second = hn::Or(hn::And(c2[v], low), hn::ShiftLeft<32>(c3[v]));
    hn::StoreInterleaved2(first, second, d, reinterpret_cast<uint64_t*>(bits + 4 * v * kLanes));
  }
#endif
}

// Fills rows [begin, end): make(bits, out) turns the 4 * kBlocks words of some blocks into as many numbers.
template <class T, class Make>
HWY_INLINE void fill_rows(const RandomSizes& s, const RunContext& context, T* out, int64_t begin, int64_t end,
                          Make make) {
  constexpr auto kCount = static_cast<int64_t>(kBlocks);
  const RandomStream stream = s.at(context);
  const int64_t per_row = (s.width + 3) / 4;
  int64_t row = begin, block = 0;  // the next to draw
  HWY_ALIGN uint32_t bits[4 * kBlocks];
  HWY_ALIGN T numbers[4 * kBlocks];
  HWY_ALIGN uint64_t rows[kBlocks] = {}, blocks[kBlocks] = {};
  while (row < end && s.width > 0) {
    const int64_t first_row = row, first_block = block;
    int64_t drawn = 0;
    for (; drawn < kCount && row < end; ++drawn) {
      rows[drawn] = context.row_offset + static_cast<uint32_t>(row);
      blocks[drawn] = static_cast<uint64_t>(block);
      if (++block < per_row) continue;
      block = 0;
      ++row;
    }
    draw_blocks(stream, rows, blocks, bits);
    T* to = out + first_row * s.width + first_block * 4;
    // All of it lies side by side if no row ends inside with less than four.
    if (drawn == kCount && (s.width % 4 == 0 || first_block + drawn < per_row)) {
      make(bits, to);
      continue;
    }
    make(bits, numbers);
    int64_t at = first_block;
    for (int64_t b = 0; b < drawn; ++b) {
      const int64_t count = std::min<int64_t>(4, s.width - at * 4);
      std::copy_n(numbers + 4 * b, count, to);
      to += count;
      if (++at == per_row) at = 0;
    }
  }
}

// The whole tensor, rows split over the threads.
template <class T, class Make>
HWY_INLINE void fill_all(const RandomSizes& s, const RunContext& context, T* out, Make make) {
  if (s.threads == 1) return fill_rows(s, context, out, 0, s.rows, make);
  parallel([&](int thread, int threads) HWY_ATTR {
    const Share share = share_of(s.rows, thread, threads);
    fill_rows(s, context, out, share.begin, share.end, make);
  });
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
