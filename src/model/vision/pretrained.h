// Weights of torchvision's and timm's files (safetensors) for the networks of this folder: which tensor is
// which state, and in what order its elements lie.
//
//   NAME.weights [kh,kw,c,n]  is  NAME.weight [n,c,kh,kw];  NAME.weights [m,n]  is  NAME.weight [n,m] or
//   [n,m,1,1] NAME.scale, .shift, .mean, .variance  are  NAME.weight, .bias, .running_mean, .running_var
//   NAME.in_proj.weights  is  NAME.in_proj_weight; every other name is the same
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/layers.h"
#include "model/tensor_file.h"

namespace shoestring::model::vision {

// A state as their files hold it.
struct ForeignTensor {
  std::string name;
  Shape dims;
};
// `prefix` is what the network was built with as its name; it is no part of theirs.
ForeignTensor foreign_form(const Parameter& parameter, const std::string& prefix);

// What the file holds for each parameter whose name begins with the prefix, in the state's own order of
// elements (row-major f32). Tensors that no state wants, a head or a counter, are passed over.
// ErrorKind::data where a tensor is missing or has another shape; names it, with the file.
struct LoadedState {
  std::string state;
  std::vector<float> values;
};
Result<std::vector<LoadedState>> load_foreign(const TensorFile& file, const std::string& path,
                                              std::span<const Parameter> parameters,
                                              const std::string& prefix);

}  // namespace shoestring::model::vision
