// Encoders of a recipe that begin with weights that others have trained, and those that training leaves as
// they are: what these make of a row never changes, so it can be computed once and kept.
#pragma once

#include <string>
#include <vector>

#include "model/layers.h"
#include "model/vision/pretrained.h"
#include "task/network.h"

namespace shoestring::task {

struct PretrainedEncoder {
  std::string key;      // "input_features.photo.encoder"
  std::string network;  // as torchvision names it: "resnet18"
  Pretrained from;
  // What the names of its states begin with, before a '.': one for each member of an ensemble.
  std::vector<std::string> prefixes;
  // Of a vision transformer the patches of its pictures, once their size is known.
  model::vision::PatchGrid patches = {};
};
// In the recipe's order, each network once, however many inputs are tied to it.
std::vector<PretrainedEncoder> pretrained_encoders(const Recipe& recipe);

// Of the whole network.
std::vector<model::Parameter> parameters_of(const NetworkSpec& spec);

// Of each input how many numbers its encoder makes of a row, where they can be kept: of a picture that
// nothing changes, by a frozen encoder that no ensemble has a copy of; else 0. Empty where all are 0.
std::vector<int64_t> features_to_keep(const NetworkSpec& spec);

// Why those of a frozen encoder cannot be kept, though the recipe does not forbid it; "" where they can be,
// or where there is nothing to keep.
std::string why_not_kept(const Recipe& recipe, const InputFeature& input);

// Has the features of no encoder kept: what that changes, as keys; "" where none are.
std::string forget_features(Recipe& recipe);

}  // namespace shoestring::task
