#include "task/whitening.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace shoestring::task {

Eigen eigen(std::vector<double> a, int n) {
  const auto at = [n](std::vector<double>& m, int row, int column) -> double& {
    return m[static_cast<size_t>(row * n + column)];
  };
  std::vector<double> v(a.size());
  for (int i = 0; i < n; ++i) at(v, i, i) = 1;
  constexpr int kSweeps = 50;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0, on = 0;
    for (int p = 0; p < n; ++p)
      for (int q = 0; q < n; ++q) (p == q ? on : off) += at(a, p, q) * at(a, p, q);
    if (off <= 1e-24 * on) break;
    for (int p = 0; p < n; ++p)
      for (int q = p + 1; q < n; ++q) {
        if (at(a, p, q) == 0) continue;
        // The rotation of the plane p, q that makes a[p,q] zero.
        const double theta = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
        const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1)), theta);
        const double c = 1 / std::hypot(t, 1), s = t * c;
        for (int k = 0; k < n; ++k) {
          const double x = at(a, k, p), y = at(a, k, q);
          at(a, k, p) = c * x - s * y;
          at(a, k, q) = s * x + c * y;
        }
        for (int k = 0; k < n; ++k) {
          const double x = at(a, p, k), y = at(a, q, k);
          at(a, p, k) = c * x - s * y;
          at(a, q, k) = s * x + c * y;
        }
        for (int k = 0; k < n; ++k) {
          const double x = at(v, k, p), y = at(v, k, q);
          at(v, k, p) = c * x - s * y;
          at(v, k, q) = s * x + c * y;
        }
      }
  }
  std::vector<int> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int x, int y) { return at(a, x, x) > at(a, y, y); });
  Eigen out{{}, std::vector<double>(v.size())};
  for (int to = 0; to < n; ++to) {
    const int from = order[static_cast<size_t>(to)];
    out.values.push_back(at(a, from, from));
    for (int k = 0; k < n; ++k) at(out.vectors, k, to) = at(v, k, from);
  }
  return out;
}

std::vector<double> whitening_filters(std::span<const std::span<const uint8_t>> pictures,
                                      const PictureFit& fit) {
  constexpr double kFloor = 5e-4;
  const int64_t h = fit.height, w = fit.width, channels = fit.channels;
  const int n = static_cast<int>(4 * channels);
  std::vector<double> moments(static_cast<size_t>(n * n)), patch(static_cast<size_t>(n));
  int64_t patches = 0;
  for (const auto& picture : pictures)
    for (int64_t y = 0; y + 1 < h; ++y)
      for (int64_t x = 0; x + 1 < w; ++x, ++patches) {
        size_t to = 0;
        for (int64_t dy = 0; dy < 2; ++dy)
          for (int64_t dx = 0; dx < 2; ++dx)
            for (int64_t c = 0; c < channels; ++c, ++to)
              patch[to] = (picture[static_cast<size_t>(((y + dy) * w + x + dx) * channels + c)] -
                           fit.shift[static_cast<size_t>(c)]) /
                          fit.scale[static_cast<size_t>(c)];
        for (int i = 0; i < n; ++i)
          for (int j = 0; j <= i; ++j)
            moments[static_cast<size_t>(i * n + j)] +=
                patch[static_cast<size_t>(i)] * patch[static_cast<size_t>(j)];
      }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double& below = moments[static_cast<size_t>(i * n + j)];
      below /= static_cast<double>(std::max<int64_t>(patches, 1));
      moments[static_cast<size_t>(j * n + i)] = below;
    }
  const Eigen found = eigen(std::move(moments), n);
  std::vector<double> filters(static_cast<size_t>(2 * n * n));
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k) {
      const double value = found.vectors[static_cast<size_t>(i * n + k)] /
                           std::sqrt(std::max(found.values[static_cast<size_t>(k)], 0.0) + kFloor);
      filters[static_cast<size_t>(i * 2 * n + k)] = value;
      filters[static_cast<size_t>(i * 2 * n + n + k)] = -value;
    }
  return filters;
}

}  // namespace shoestring::task
