// Resizing with antialiasing: each pixel of the result is a weighted mean of those under it, the weights a
// triangle that is as wide as the scale (two pixels at least, where the picture grows: that is bilinear
// interpolation). Row by row: first down the columns, which is a sum of whole rows, then along the row.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/picture_formats.h"

namespace shoestring::data {
namespace {

using Four = float __attribute__((vector_size(16)));

Four four_at(const float* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

uint8_t rounded(float value) {
  const int v = static_cast<int>(value + 0.5f);
  return static_cast<uint8_t>(std::clamp(v, 0, 255));
}

// Which values of `size` each of `to_size` is the mean of, and how they weigh.
class Taps {
 public:
  Taps(int64_t size, int64_t to_size, std::vector<int32_t>& spans, std::vector<float>& weights)
      : spans_(spans), weights_(weights), span_at_(spans.size()), weight_at_(weights.size()) {
    const double scale = static_cast<double>(size) / static_cast<double>(to_size);
    const double reach = std::max(scale, 1.0);
    stride_ = static_cast<int64_t>(std::ceil(reach)) * 2 + 1;
    spans.resize(span_at_ + 2 * static_cast<size_t>(to_size));
    weights.resize(weight_at_ + static_cast<size_t>(to_size * stride_));
    for (int64_t i = 0; i < to_size; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
      const auto end = std::min(size, static_cast<int64_t>(centre + reach + 0.5));
      double sum = 0;
      const auto weigh = [&](int64_t at) {
        return std::max(0.0, 1.0 - std::abs((static_cast<double>(at) + 0.5 - centre) / reach));
      };
      for (int64_t at = first; at < end; ++at) sum += weigh(at);
      float* w = weights.data() + weight_at_ + static_cast<size_t>(i * stride_);
      for (int64_t at = first; at < end; ++at) *w++ = static_cast<float>(weigh(at) / sum);
      spans[span_at_ + 2 * static_cast<size_t>(i)] = static_cast<int32_t>(first);
      spans[span_at_ + 2 * static_cast<size_t>(i) + 1] = static_cast<int32_t>(end - first);
    }
  }

  int64_t first(int64_t i) const { return spans_[span_at_ + 2 * static_cast<size_t>(i)]; }
  int64_t count(int64_t i) const { return spans_[span_at_ + 2 * static_cast<size_t>(i) + 1]; }
  const float* weights(int64_t i) const {
    return weights_.data() + weight_at_ + static_cast<size_t>(i * stride_);
  }

 private:
  const std::vector<int32_t>& spans_;
  const std::vector<float>& weights_;
  size_t span_at_, weight_at_;
  int64_t stride_;
};

// line[i] = sum over k of weights[k] * rows[k * width + i]
void mix_rows(const uint8_t* rows, int64_t width, const float* weights, int64_t count,
              float* __restrict line) {
  std::fill_n(line, width, 0.0f);
  int64_t k = 0;
  for (; k + 2 <= count; k += 2, rows += 2 * width) {
    const float w0 = weights[k], w1 = weights[k + 1];
    const uint8_t *r0 = rows, *r1 = rows + width;
    for (int64_t i = 0; i < width; ++i)
      line[i] += w0 * static_cast<float>(r0[i]) + w1 * static_cast<float>(r1[i]);
  }
  if (k == count) return;
  for (int64_t i = 0; i < width; ++i) line[i] += weights[k] * static_cast<float>(rows[i]);
}

// One row of the result. Behind the line stand three floats more, as four are read at a time.
template <int kChannels>
void mix_columns(const float* line, const Taps& taps, int64_t to_width, uint8_t* to) {
  for (int64_t x = 0; x < to_width; ++x, to += kChannels) {
    const float* from = line + taps.first(x) * kChannels;
    const float* w = taps.weights(x);
    const int64_t count = taps.count(x);
    if constexpr (kChannels >= 3) {
      Four sum{};
      for (int64_t k = 0; k < count; ++k) sum += w[k] * four_at(from + k * kChannels);
      for (int c = 0; c < kChannels; ++c) to[c] = rounded(sum[c]);
    } else {
      float sum[kChannels] = {};
      for (int64_t k = 0; k < count; ++k)
        for (int c = 0; c < kChannels; ++c) sum[c] += w[k] * from[k * kChannels + c];
      for (int c = 0; c < kChannels; ++c) to[c] = rounded(sum[c]);
    }
  }
}

}  // namespace

void interpolate(const uint8_t* from, int64_t height, int64_t width, int64_t channels, uint8_t* to,
                 int64_t to_height, int64_t to_width, PictureRoom& room) {
  if (height == to_height && width == to_width) {
    std::copy_n(from, height * width * channels, to);
    return;
  }
  room.spans.clear();
  room.weights.clear();
  const Taps down(height, to_height, room.spans, room.weights);
  const Taps along(width, to_width, room.spans, room.weights);
  const int64_t row = width * channels;
  room.line.assign(static_cast<size_t>(row + 3), 0.0f);
  float* line = room.line.data();
  for (int64_t y = 0; y < to_height; ++y, to += to_width * channels) {
    mix_rows(from + down.first(y) * row, row, down.weights(y), down.count(y), line);
    if (width == to_width)
      std::transform(line, line + row, to, rounded);
    else if (channels == 1)
      mix_columns<1>(line, along, to_width, to);
    else if (channels == 2)
      mix_columns<2>(line, along, to_width, to);
    else if (channels == 3)
      mix_columns<3>(line, along, to_width, to);
    else
      mix_columns<4>(line, along, to_width, to);
  }
}

}  // namespace shoestring::data
