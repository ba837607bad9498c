// Augmentation of pictures: the list of steps that the operator `augment` takes (ops/augment.h builds it),
// and its text form. A step says what may happen to a picture; what happens to a row is drawn for that row
// alone, so a resumed, accumulated or recomputed step sees the very same pictures.
//
// The transformations are those of Pillow 8-bit pictures: enhancements cut to whole levels, geometry reads
// between pixel centres (bilinear) and what comes from outside is black.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"

namespace shoestring::ops {

namespace augmentation {

// ---- geometry ----
struct HorizontalFlip {
  double probability = 0.5;
  // Not by chance but where the row's number is odd: the loop feeds a number of the row plus the epoch, so
  // that each picture is flipped in every second epoch (Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024).
  bool alternating = false;
  bool operator==(const HorizontalFlip&) const = default;
};
struct VerticalFlip {
  double probability = 0.5;
  bool operator==(const VerticalFlip&) const = default;
};
// A window of the picture's own size somewhere in the picture with `padding` pixels around it: mirrored ones
// without the edge repeated, or black ones.
struct Crop {
  double probability = 1;
  int64_t padding = 4;
  bool reflect = true;
  bool operator==(const Crop&) const = default;
};
struct Rotate {  // by -degrees to degrees about the centre
  double probability = 0.5, degrees = 15;
  bool operator==(const Rotate&) const = default;
};
struct Scale {  // by min to max about the centre
  double probability = 1, min = 0.8, max = 1.2;
  bool operator==(const Scale&) const = default;
};
struct Shear {  // each axis by -degrees to degrees about the centre
  double probability = 1, degrees = 10;
  bool operator==(const Shear&) const = default;
};
struct Translate {  // by whole pixels, up to this share of width and height
  double probability = 1, share = 0.1;
  bool operator==(const Translate&) const = default;
};

// ---- levels: factors of 1 leave a picture as it is ----
struct Brightness {
  double probability = 0.5, min = 0.5, max = 2;
  bool operator==(const Brightness&) const = default;
};
struct Contrast {
  double probability = 0.5, min = 0.5, max = 2;
  bool operator==(const Contrast&) const = default;
};
struct Saturation {
  double probability = 0.5, min = 0.5, max = 1.5;
  bool operator==(const Saturation&) const = default;
};
struct Sharpness {
  double probability = 0.5, min = 0.5, max = 2;
  bool operator==(const Sharpness&) const = default;
};
struct Blur {  // Gaussian, odd kernel size; sigma follows from it: 0.3 ((kernel_size - 1) / 2 - 1) + 0.8
  double probability = 0.5;
  int64_t kernel_size = 3;
  bool operator==(const Blur&) const = default;
};
struct Posterize {  // keeps the highest bits of each level
  double probability = 0.5;
  int64_t bits = 4;
  bool operator==(const Posterize&) const = default;
};
struct Solarize {  // inverts levels from the threshold on
  double probability = 0.5;
  int64_t threshold = 128;
  bool operator==(const Solarize&) const = default;
};
struct AutoContrast {  // stretches each channel to 0 .. 255
  double probability = 0.5;
  bool operator==(const AutoContrast&) const = default;
};
struct Equalize {  // flattens each channel's histogram
  double probability = 0.5;
  bool operator==(const Equalize&) const = default;
};
struct Invert {
  double probability = 0.5;
  bool operator==(const Invert&) const = default;
};

// ---- holes ----
struct Cutout {  // a square centred anywhere, cut at the edges (DeVries, Taylor 2017)
  double probability = 1;
  int64_t size = 8, fill = 128;
  bool operator==(const Cutout&) const = default;
};
struct Erase {  // a rectangle of random area (share of the picture) and aspect (Zhong and others 2017)
  double probability = 0.5, min_area = 0.02, max_area = 0.33, min_aspect = 0.3, max_aspect = 3.3;
  int64_t fill = 128;
  bool operator==(const Erase&) const = default;
};

// ---- policies ----
struct RandAugment {  // `operations` of 14 at random, all of one magnitude (Cubuk and others 2019)
  int64_t operations = 2, magnitude = 9;
  bool operator==(const RandAugment&) const = default;
};
struct TrivialAugment {  // one of 14 at a random magnitude of the wide ranges (Müller, Hutter 2021)
  bool operator==(const TrivialAugment&) const = default;
};

using Step = std::variant<HorizontalFlip, VerticalFlip, Crop, Rotate, Scale, Shear, Translate, Brightness,
                          Contrast, Saturation, Sharpness, Blur, Posterize, Solarize, AutoContrast, Equalize,
                          Invert, Cutout, Erase, RandAugment, TrivialAugment>;

// "horizontal_flip, crop(padding=2), rotate(degrees=10, probability=1)": names in lower case, in brackets
// what is not the default. The inverse names what it does not know or what is out of range.
std::string to_text(std::span<const Step> steps);
Result<std::vector<Step>> steps_from(std::string_view text);
// Whether the operator needs a number of each row.
bool needs_numbers(std::span<const Step> steps);

}  // namespace augmentation

}  // namespace shoestring::ops
