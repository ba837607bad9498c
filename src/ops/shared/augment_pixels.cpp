// Compiled without fused multiply-adds (src/CMakeLists.txt), so that every machine gives the same levels.
#include "ops/shared/augment_pixels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace shoestring::ops::augmentation {
namespace {

using Table = std::array<uint8_t, 256>;

// Channel `channel` through a table.
void look_up(const Table& table, const PictureSize& size, int32_t channel, const uint8_t* from, uint8_t* to) {
  const int64_t n = size.bytes();
  for (int64_t i = channel; i < n; i += size.channels) to[i] = table[from[i]];
}

// Every colour through one table; what covers them stays.
void look_up(const Table& table, const PictureSize& size, const uint8_t* from, uint8_t* to) {
  if (const int32_t n = colours(size); n == size.channels) {
    for (int64_t i = 0; i < size.bytes(); ++i) to[i] = table[from[i]];
  } else {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    for (int32_t c = 0; c < n; ++c) look_up(table, size, c, from, to);
  }
}

template <class F>
Table table_of(F&& level) {
  Table table;
  for (int32_t i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = level(i);
  return table;
}

std::array<int32_t, 256> histogram(const PictureSize& size, int32_t channel, const uint8_t* from) {
  std::array<int32_t, 256> counts{};
  for (int64_t i = channel; i < size.bytes(); i += size.channels) ++counts[from[i]];
  return counts;
}

Table stretched(const std::array<int32_t, 256>& counts) {
  int32_t low = 0, high = 255;
  while (low < 255 && !counts[static_cast<size_t>(low)]) ++low;
  while (high > 0 && !counts[static_cast<size_t>(high)]) --high;
  if (high <= low) return table_of([](int32_t i) { return static_cast<uint8_t>(i); });
  const double scale = 255.0 / (high - low), offset = -low * scale;
  return table_of(
      [&](int32_t i) { return static_cast<uint8_t>(std::clamp(i * scale + offset, 0.0, 255.0)); });
}

Table flattened(const std::array<int32_t, 256>& counts) {
  const Table same = table_of([](int32_t i) { return static_cast<uint8_t>(i); });
  int32_t all = 0, last = 0;
  for (const int32_t n : counts) all += n, last = n ? n : last;
  const int32_t step = (all - last) / 255;
  if (step == 0) return same;
  int32_t below = step / 2;
  return table_of([&](int32_t i) {
    const int32_t level = below / step;
    below += counts[static_cast<size_t>(i)];
    return static_cast<uint8_t>(std::min(level, 255));
  });
}

// The mean grey level, rounded.
int32_t mean_grey(const PictureSize& size, const uint8_t* from) {
  const int64_t pixels = int64_t{size.height} * size.width;
  const int32_t n = colours(size);
  int64_t sum = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    const uint8_t* p = from + i * size.channels;
    if (n == 3)
      sum += grey_level(p[0], p[1], p[2]);
    else
      for (int32_t c = 0; c < n; ++c) sum += p[c];
  }
  const int64_t count = n == 3 ? pixels : pixels * n;
  return static_cast<int32_t>((2 * sum + count) / (2 * count));
}

struct Apply {
  const PictureSize& size;
  const uint8_t* from;
  uint8_t* to;
  float* line;

  // ---- geometry ----
  template <int kChannels>
  void move_line(const change::Move& m, const uint8_t* source, uint8_t* target) {
    const int32_t w = size.width, n = kChannels ? kChannels : size.channels;
    const auto pixel = [&](int32_t x) {
      const int32_t u = m.sx * x + m.ox;
      const bool inside = u >= 0 && u < w;
      const uint8_t* p = source + int64_t{mirrored(u, w)} * n;
      for (int32_t c = 0; c < n; ++c) target[int64_t{x} * n + c] = inside || m.reflect ? p[c] : uint8_t{0};
    };
    // [begin, end) comes from inside of the line.
    const int32_t begin = std::clamp(m.sx > 0 ? -m.ox : m.ox - (w - 1), 0, w);
    const int32_t end = std::clamp(m.sx > 0 ? w - m.ox : m.ox + 1, begin, w);
    if (!m.reflect) {
      std::memset(target, 0, static_cast<size_t>(begin) * static_cast<size_t>(n));
      std::memset(target + int64_t{end} * n, 0, static_cast<size_t>(w - end) * static_cast<size_t>(n));
    } else {
      for (int32_t x = 0; x < begin; ++x) pixel(x);
      for (int32_t x = end; x < w; ++x) pixel(x);
    }
    if (begin == end) return;
    if (m.sx > 0) {
      std::memcpy(target + int64_t{begin} * n, source + int64_t{begin + m.ox} * n,
                  static_cast<size_t>(end - begin) * static_cast<size_t>(n));
      return;
    }
    const uint8_t* p = source + int64_t{m.ox - begin} * n;
    for (int32_t x = begin; x < end; ++x, p -= n)
      for (int32_t c = 0; c < n; ++c) target[int64_t{x} * n + c] = p[c];
  }
  void operator()(const change::Move& m) {
    const int64_t line_bytes = size.line();
    for (int32_t y = 0; y < size.height; ++y) {
      const int32_t v = m.sy * y + m.oy;
      uint8_t* target = to + y * line_bytes;
      if ((v < 0 || v >= size.height) && !m.reflect) {
        std::memset(target, 0, static_cast<size_t>(line_bytes));
        continue;
      }
      const uint8_t* source = from + mirrored(v, size.height) * line_bytes;
      if (size.channels == 1)
        move_line<1>(m, source, target);
      else if (size.channels == 3)
        move_line<3>(m, source, target);
      else
        move_line<0>(m, source, target);
    }
  }

  template <int kChannels>
  void warp(const change::Warp& m) {
    const int32_t w = size.width, h = size.height, n = kChannels ? kChannels : size.channels;
    const auto fw = static_cast<float>(w), fh = static_cast<float>(h);
    for (int32_t y = 0; y < h; ++y) {
      const float py = static_cast<float>(y) + 0.5f;
      const float u0 = m.b * py + m.c, v0 = m.e * py + m.f;
      uint8_t* target = to + y * size.line();
      for (int32_t x = 0; x < w; ++x, target += n) {
        const float px = static_cast<float>(x) + 0.5f;
        const float u = m.a * px + u0, v = m.d * px + v0;
        if (!(u >= 0 && u < fw && v >= 0 && v < fh)) {
          for (int32_t c = 0; c < n; ++c) target[c] = 0;
          continue;
        }
        // u - 1/2 is at least -1/2, where the pixel on the left is the first once more.
        const auto i = static_cast<int32_t>(u + 0.5f) - 1, j = static_cast<int32_t>(v + 0.5f) - 1;
        const float right = u - 0.5f - static_cast<float>(i), down = v - 0.5f - static_cast<float>(j);
        const int64_t i0 = std::max(i, 0), i1 = std::min(i + 1, w - 1), j0 = std::max(j, 0),
                      j1 = std::min(j + 1, h - 1);
        const uint8_t *above = from + j0 * size.line(), *below = from + j1 * size.line();
        for (int32_t c = 0; c < n; ++c) {
          const float a = above[i0 * n + c], b = above[i1 * n + c], d = below[i0 * n + c],
                      e = below[i1 * n + c];
          const float top = a + (b - a) * right, bottom = d + (e - d) * right;
          target[c] = static_cast<uint8_t>(top + (bottom - top) * down + 0.5f);
        }
      }
    }
  }
  void operator()(const change::Warp& m) {
    if (size.channels == 1) return warp<1>(m);
    if (size.channels == 3) return warp<3>(m);
    warp<0>(m);
  }

  // ---- levels ----
  void operator()(const change::Brightness& s) {
    look_up(table_of([&](int32_t i) { return cut(s.factor * static_cast<float>(i)); }), size, from, to);
  }
  void operator()(const change::Contrast& s) {
    const int32_t mean = mean_grey(size, from);
    look_up(table_of([&](int32_t i) {
              return cut(static_cast<float>(mean) + s.factor * static_cast<float>(i - mean));
            }),
            size, from, to);
  }
  void operator()(const change::Saturation& s) {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    if (colours(size) != 3) return;
    for (int64_t i = 0; i < size.bytes(); i += size.channels) {
      const uint8_t* p = from + i;
      const int32_t grey = grey_level(p[0], p[1], p[2]);
      for (int c = 0; c < 3; ++c)
        to[i + c] = cut(static_cast<float>(grey) + s.factor * static_cast<float>(p[c] - grey));
    }
  }
  void operator()(const change::Sharpness& s) {
    const int64_t n = size.channels, line_bytes = size.line();
    std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    for (int32_t y = 1; y + 1 < size.height; ++y) {
      const uint8_t* p = from + y * line_bytes;
      const uint8_t *above = p - line_bytes, *below = p + line_bytes;
      uint8_t* target = to + y * line_bytes;
      for (int64_t i = n; i < line_bytes - n; ++i) {
        if (i % n >= colours(size)) continue;
        const int32_t sum = above[i - n] + above[i] + above[i + n] + p[i - n] + 5 * p[i] + p[i + n] +
                            below[i - n] + below[i] + below[i + n];
        const int32_t smooth = (2 * sum + 13) / 26;
        target[i] = cut(static_cast<float>(smooth) + s.factor * static_cast<float>(p[i] - smooth));
      }
    }
  }
  void operator()(const change::Blur& s) {
    float weights[kMostBlur];
    blur_weights(s, weights);
    const int32_t half = s.size / 2, n = size.channels;
    for (int32_t y = 0; y < size.height; ++y) {
      std::fill_n(line, size.line(), 0.0f);
      for (int32_t k = 0; k < s.size; ++k) {
        const uint8_t* p = from + mirrored(y + k - half, size.height) * size.line();
        for (int64_t i = 0; i < size.line(); ++i) line[i] += weights[k] * static_cast<float>(p[i]);
      }
      uint8_t* target = to + y * size.line();
      for (int32_t x = 0; x < size.width; ++x)
        for (int32_t c = 0; c < n; ++c) {
          float sum = 0;
          for (int32_t k = 0; k < s.size; ++k)
            sum += weights[k] * line[int64_t{mirrored(x + k - half, size.width)} * n + c];
          target[int64_t{x} * n + c] = cut(sum + 0.5f);
        }
    }
  }
  void operator()(const change::Posterize& s) {
    const int32_t mask = 256 - (1 << (8 - s.bits));
    look_up(table_of([&](int32_t i) { return static_cast<uint8_t>(i & mask); }), size, from, to);
  }
  void operator()(const change::Solarize& s) {
    look_up(table_of([&](int32_t i) { return static_cast<uint8_t>(i < s.threshold ? i : 255 - i); }), size,
            from, to);
  }
  void operator()(const change::Invert&) { (*this)(change::Solarize{0}); }
  template <class F>
  void by_histogram(F&& table) {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    for (int32_t c = 0; c < colours(size); ++c) look_up(table(histogram(size, c, from)), size, c, from, to);
  }
  void operator()(const change::AutoContrast&) { by_histogram(stretched); }
  void operator()(const change::Equalize&) { by_histogram(flattened); }

  void operator()(const change::Erase& s) {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    for (int32_t y = s.top; y < s.top + s.height; ++y) {
      uint8_t* p = to + y * size.line() + int64_t{s.left} * size.channels;
      for (int32_t x = 0; x < s.width; ++x, p += size.channels)
        std::memset(p, s.fill, static_cast<size_t>(colours(size)));
    }
  }
};

// Whether a change may be made in the picture's own memory.
bool in_place(const Change& c) {
  return !std::holds_alternative<change::Move>(c) && !std::holds_alternative<change::Warp>(c) &&
         !std::holds_alternative<change::Sharpness>(c) && !std::holds_alternative<change::Blur>(c);
}

int64_t rounded_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

void blur_weights(const change::Blur& blur, float* weights) {
  const int32_t half = blur.size / 2;
  float sum = 0;
  for (int32_t k = 0; k < blur.size; ++k) {
    const float x = static_cast<float>(k - half) / blur.sigma;
    weights[k] = std::exp(-0.5f * x * x);
    sum += weights[k];
  }
  for (int32_t k = 0; k < blur.size; ++k) weights[k] /= sum;
}

int64_t scratch_bytes(const PictureSize& size) {
  return rounded_up(size.bytes()) + rounded_up(size.line() * static_cast<int64_t>(sizeof(float)));
}

void apply(std::span<const Change> changes, const PictureSize& size, const uint8_t* from, uint8_t* to,
           std::byte* scratch) noexcept {
  if (changes.empty()) {
    std::memcpy(to, from, static_cast<size_t>(size.bytes()));
    return;
  }
  auto* other = reinterpret_cast<uint8_t*>(scratch);
  auto* line = reinterpret_cast<float*>(scratch + rounded_up(size.bytes()));
  // Pictures go to and fro between `to` and `other` so that the last one is `to`.
  int fresh = 1;
  for (size_t i = 1; i < changes.size(); ++i) fresh += !in_place(changes[i]);
  uint8_t *target = fresh % 2 ? to : other, *next = fresh % 2 ? other : to;
  const uint8_t* source = from;
  for (const Change& c : changes) {
    if (source != from && in_place(c)) {
      std::visit(Apply{size, source, const_cast<uint8_t*>(source), line}, c);
      continue;
    }
    std::visit(Apply{size, source, target, line}, c);
    source = target;
    std::swap(target, next);
  }
}

}  // namespace shoestring::ops::augmentation
