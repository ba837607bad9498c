// What a recipe says of changing pictures at random while a network is trained. A part of recipe.h.
#pragma once

#include <variant>
#include <vector>

#include "ops/augmentation.h"

namespace shoestring::task {

// One of the published policies, as it was published.
enum class AutoMethod { trivial_augment, rand_augment };
struct AutoAugmentation {
  AutoMethod method = AutoMethod::trivial_augment;
  bool operator==(const AutoAugmentation&) const = default;
};

namespace steps = ops::augmentation;
using AugmentationSpec =
    std::variant<steps::HorizontalFlip, steps::VerticalFlip, steps::Crop, steps::Translate, steps::Rotate,
                 steps::Scale, steps::Shear, steps::Blur, steps::Brightness, steps::Contrast,
                 steps::Saturation, steps::Sharpness, steps::Posterize, steps::Solarize, steps::AutoContrast,
                 steps::Equalize, steps::Invert, steps::Cutout, steps::Erase, AutoAugmentation,
                 steps::RandAugment>;
struct AugmentationItem {
  AugmentationSpec spec;
  bool operator==(const AugmentationItem&) const = default;
};

// In order; none: pictures stay as they are.
struct Augmentation {
  std::vector<AugmentationItem> items;
  static Augmentation usual();  // what `true` stands for: a horizontal flip and a turn
  std::vector<steps::Step> steps() const;
  bool operator==(const Augmentation&) const = default;
};

}  // namespace shoestring::task
