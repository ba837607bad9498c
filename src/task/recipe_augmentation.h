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

// Every picture of a batch with the next one's (task/mixing.h): blended, or with a box of it put in.
struct Mixup {  // Zhang and others 2017
  double alpha = 0.2, probability = 1;
  bool operator==(const Mixup&) const = default;
};
struct Cutmix {  // Yun and others 2019
  double alpha = 1, probability = 1;
  bool operator==(const Cutmix&) const = default;
};

namespace steps = ops::augmentation;
using AugmentationSpec =
    std::variant<steps::HorizontalFlip, steps::VerticalFlip, steps::Crop, steps::Translate, steps::Rotate,
                 steps::Scale, steps::Shear, steps::Blur, steps::Brightness, steps::Contrast,
                 steps::Saturation, steps::Sharpness, steps::Posterize, steps::Solarize, steps::AutoContrast,
                 steps::Equalize, steps::Invert, steps::Cutout, steps::Erase, AutoAugmentation,
                 steps::RandAugment, Mixup, Cutmix>;
struct AugmentationItem {
  AugmentationSpec spec;
  bool operator==(const AugmentationItem&) const = default;
};

// In order; none: pictures stay as they are.
struct Augmentation {
  std::vector<AugmentationItem> items;
  static Augmentation usual();             // what `true` stands for: a horizontal flip and a turn
  std::vector<steps::Step> steps() const;  // what happens to each picture by itself
  bool operator==(const Augmentation&) const = default;
};

}  // namespace shoestring::task
