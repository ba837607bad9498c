#include "ops/shared/augment_draw.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace shoestring::ops::augmentation {
namespace {

// The numbers of one row, one after the other.
class RowRandom {
 public:
  RowRandom(const RandomStream& stream, uint32_t row) : stream_(stream), row_(row) {}
  uint32_t bits() {
    if (used_ == 4) {
      block_ = stream_.block(row_, next_++);
      used_ = 0;
    }
    return block_[used_++];
  }
  double uniform() { return uniform01(bits()); }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double either_way(double size) { return uniform(-size, size); }
  bool chance(double probability) { return uniform() < probability; }
  int32_t below(int64_t n) {
    return static_cast<int32_t>((uint64_t{bits()} * static_cast<uint64_t>(n)) >> 32);
  }

 private:
  const RandomStream& stream_;
  uint32_t row_, next_ = 0;
  PhiloxBlock block_{};
  unsigned used_ = 4;
};

void add(Changes& changes, const Change& change) {
  if (changes.count < kMostChanges) changes.list[static_cast<size_t>(changes.count++)] = change;
}
Change* last(Changes& changes) {
  return changes.count ? &changes.list[static_cast<size_t>(changes.count - 1)] : nullptr;
}

// `second` after `first` as one move. A mirroring alone leaves no edge to be padded, so one of two may pad.
void add_move(Changes& changes, const change::Move& second, const PictureSize& size) {
  const auto pads = [&](const change::Move& m) {
    return m.ox != (m.sx < 0 ? size.width - 1 : 0) || m.oy != (m.sy < 0 ? size.height - 1 : 0);
  };
  Change* before = last(changes);
  auto* first = before ? std::get_if<change::Move>(before) : nullptr;
  if (!first || (pads(*first) && pads(second))) return add(changes, second);
  // Where the second pads, the edges are mirrored in the first's sense, which comes to the same.
  *first = {first->sx * second.sx, first->sx * second.ox + first->ox, first->sy * second.sy,
            first->sy * second.oy + first->oy, pads(*first) ? first->reflect : second.reflect};
}

void add_warp(Changes& changes, const change::Warp& second) {
  Change* before = last(changes);
  auto* first = before ? std::get_if<change::Warp>(before) : nullptr;
  if (!first) return add(changes, second);
  const change::Warp m = *first, n = second;
  *first = {m.a * n.a + m.b * n.d, m.a * n.b + m.b * n.e, m.a * n.c + m.b * n.f + m.c,
            m.d * n.a + m.e * n.d, m.d * n.b + m.e * n.e, m.d * n.c + m.e * n.f + m.f};
}

// The warp of that matrix about the centre.
change::Warp about_centre(double a, double b, double d, double e, const PictureSize& size) {
  const double x = size.width / 2.0, y = size.height / 2.0;
  const auto f = [](double v) { return static_cast<float>(v); };
  return {f(a), f(b), f(x - a * x - b * y), f(d), f(e), f(y - d * x - e * y)};
}
change::Warp rotation(double degrees, const PictureSize& size) {  // counter-clockwise
  const double radians = degrees * std::numbers::pi / 180, c = std::cos(radians), s = std::sin(radians);
  return about_centre(c, -s, s, c, size);
}
change::Warp translation(double x, double y) {
  return {1, 0, static_cast<float>(-x), 0, 1, static_cast<float>(-y)};
}

// ---- what a step does to a row, once chance has said that it happens ----
struct Draw {
  RowRandom& random;
  const PictureSize& size;
  Changes& changes;

  void mirror_columns() { add_move(changes, {.sx = -1, .ox = size.width - 1}, size); }

  void operator()(const HorizontalFlip&) { mirror_columns(); }
  void operator()(const VerticalFlip&) { add_move(changes, {.sy = -1, .oy = size.height - 1}, size); }
  void operator()(const Crop& s) {
    const int64_t places = 2 * s.padding + 1;
    const auto padding = static_cast<int32_t>(s.padding);
    const int32_t x = random.below(places) - padding, y = random.below(places) - padding;
    add_move(changes, {.ox = x, .oy = y, .reflect = s.reflect}, size);
  }
  void operator()(const Rotate& s) { add_warp(changes, rotation(random.either_way(s.degrees), size)); }
  void operator()(const Scale& s) {
    const double factor = 1 / random.uniform(s.min, s.max);
    add_warp(changes, about_centre(factor, 0, 0, factor, size));
  }
  void operator()(const Shear& s) {
    const auto slope = [&] { return std::tan(random.either_way(s.degrees) * std::numbers::pi / 180); };
    const double x = slope(), y = slope();
    add_warp(changes, about_centre(1, x, y, 1, size));
  }
  void operator()(const Translate& s) {
    const double x = std::round(random.either_way(s.share * size.width));
    const double y = std::round(random.either_way(s.share * size.height));
    add_warp(changes, translation(x, y));
  }
  template <class C>
  void factor(const auto& s) {
    add(changes, C{static_cast<float>(random.uniform(s.min, s.max))});
  }
  void operator()(const Brightness& s) { factor<change::Brightness>(s); }
  void operator()(const Contrast& s) { factor<change::Contrast>(s); }
  void operator()(const Saturation& s) { factor<change::Saturation>(s); }
  void operator()(const Sharpness& s) { factor<change::Sharpness>(s); }
  void operator()(const Blur& s) {
    const double sigma = 0.3 * ((static_cast<double>(s.kernel_size) - 1) / 2 - 1) + 0.8;
    add(changes, change::Blur{static_cast<int32_t>(s.kernel_size), static_cast<float>(sigma)});
  }
  void operator()(const Posterize& s) { add(changes, change::Posterize{static_cast<int32_t>(s.bits)}); }
  void operator()(const Solarize& s) { add(changes, change::Solarize{static_cast<int32_t>(s.threshold)}); }
  void operator()(const AutoContrast&) { add(changes, change::AutoContrast{}); }
  void operator()(const Equalize&) { add(changes, change::Equalize{}); }
  void operator()(const Invert&) { add(changes, change::Invert{}); }
  void operator()(const Cutout& s) {
    const auto half = static_cast<int32_t>(s.size / 2), side = static_cast<int32_t>(s.size);
    const int32_t x = random.below(size.width) - half, y = random.below(size.height) - half;
    add_hole(y, x, side, side, s.fill);
  }
  // Ten tries for a rectangle that is smaller than the picture both ways, as torchvision makes them.
  void operator()(const Erase& s) {
    const double area = static_cast<double>(size.height) * size.width;
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double part = area * random.uniform(s.min_area, s.max_area);
      const double aspect = std::exp(random.uniform(std::log(s.min_aspect), std::log(s.max_aspect)));
      const auto height = static_cast<int32_t>(std::lround(std::sqrt(part * aspect)));
      const auto width = static_cast<int32_t>(std::lround(std::sqrt(part / aspect)));
      if (height >= size.height || width >= size.width) continue;
      const int32_t top = random.below(size.height - height + 1), left = random.below(size.width - width + 1);
      return add_hole(top, left, height, width, s.fill);
    }
  }
  void add_hole(int32_t top, int32_t left, int32_t height, int32_t width, int64_t fill) {
    const int32_t bottom = std::min(top + height, size.height), right = std::min(left + width, size.width);
    top = std::max(top, 0), left = std::max(left, 0);
    if (bottom > top && right > left)
      add(changes, change::Erase{top, left, bottom - top, right - left, static_cast<int32_t>(fill)});
  }

  // Magnitudes stand in 31 bins from nothing to the most.
  static constexpr int64_t kBins = 31;
  struct Most {
    double shear, x, y, degrees, factor;
    double bits;  // fewer than 8
  };
  void operation(int64_t bin, const Most& most) {
    const auto operation = static_cast<Operation>(random.below(kOperations));
    const double share = static_cast<double>(bin) / (kBins - 1);
    const double sign = random.below(2) ? -1 : 1;
    double magnitude = 0;
    switch (operation) {
      case Operation::shear_x:
      case Operation::shear_y:
        magnitude = sign * share * most.shear;
        break;
      case Operation::translate_x:
        magnitude = sign * share * most.x;
        break;
      case Operation::translate_y:
        magnitude = sign * share * most.y;
        break;
      case Operation::rotate:
        magnitude = sign * share * most.degrees;
        break;
      case Operation::posterize:
        magnitude = 8 - std::nearbyint(share * most.bits);
        break;
      case Operation::solarize:
        magnitude = 255 - share * 255;
        break;
      default:
        magnitude = sign * share * most.factor;
    }
    add_operation(changes, operation, magnitude, size);
  }
  void operator()(const RandAugment& s) {
    const Most most{0.3, 150.0 / 331 * size.width, 150.0 / 331 * size.height, 30, 0.9, 4};
    for (int64_t i = 0; i < s.operations; ++i) operation(s.magnitude, most);
  }
  void operator()(const TrivialAugment&) {
    const int64_t bin = random.below(kBins);
    operation(bin, {0.99, 32, 32, 135, 0.99, 6});
  }
};

}  // namespace

void add_operation(Changes& changes, Operation operation, double magnitude, const PictureSize& size) {
  const auto factor = static_cast<float>(1 + magnitude);
  const auto level = static_cast<float>(magnitude);
  switch (operation) {
    case Operation::identity:
      return;
    case Operation::shear_x:  // about the upper left corner, as AutoAugment has it
      return add_warp(changes, {1, level, 0, 0, 1, 0});
    case Operation::shear_y:
      return add_warp(changes, {1, 0, 0, level, 1, 0});
    case Operation::translate_x:
      return add_warp(changes, translation(std::trunc(magnitude), 0));
    case Operation::translate_y:
      return add_warp(changes, translation(0, std::trunc(magnitude)));
    case Operation::rotate:
      return add_warp(changes, rotation(magnitude, size));
    case Operation::brightness:
      return add(changes, change::Brightness{factor});
    case Operation::color:
      return add(changes, change::Saturation{factor});
    case Operation::contrast:
      return add(changes, change::Contrast{factor});
    case Operation::sharpness:
      return add(changes, change::Sharpness{factor});
    case Operation::posterize:
      return add(changes, change::Posterize{static_cast<int32_t>(magnitude)});
    case Operation::solarize:
      return add(changes, change::Solarize{static_cast<int32_t>(std::ceil(magnitude))});
    case Operation::autocontrast:
      return add(changes, change::AutoContrast{});
    case Operation::equalize:
      return add(changes, change::Equalize{});
  }
}

int most_changes(std::span<const Step> steps) {
  int64_t count = 0;
  for (const Step& step : steps) {
    const auto* policy = std::get_if<RandAugment>(&step);
    count += policy ? policy->operations : 1;
  }
  return static_cast<int>(std::min<int64_t>(count, kMostChanges + 1));
}

void draw_changes(std::span<const Step> steps, const RandomStream& stream, uint32_t row, int32_t number,
                  const PictureSize& size, Changes& changes) {
  RowRandom random(stream, row);
  Draw draw{random, size, changes};
  changes.count = 0;
  for (const Step& step : steps)
    std::visit(
        [&](const auto& s) {
          bool happens = true;
          if constexpr (requires { s.probability; }) happens = random.chance(s.probability);
          if constexpr (requires { s.alternating; })
            if (s.alternating) happens = number & 1;
          if (happens) draw(s);
        },
        step);
}

}  // namespace shoestring::ops::augmentation
