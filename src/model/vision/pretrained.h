// Weights of torchvision's and timm's files (safetensors) for the networks of this folder: which tensor is
// which state, and in what order its elements lie.
//
//   NAME.weights [kh,kw,c,n]  is  NAME.weight [n,c,kh,kw];  NAME.weights [m,n]  is  NAME.weight [n,m] or
//   [n,m,1,1];
//   NAME.scale, .shift, .mean, .variance  are  NAME.weight, .bias, .running_mean, .running_var
//   NAME.in_proj.weights  is  NAME.in_proj_weight; every other name is the same
//
// A vision transformer's table of places, encoder.pos_embedding [1, 1 + rows * columns, d], may be of
// pictures of another size: it is read between its places, bicubic with the corners on the corners, as
// torchvision's interpolate_embeddings does it. The first place, of the word in front, stays.
#pragma once

#include <functional>
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

// Patches of a picture, down and across.
struct PatchGrid {
  int64_t rows = 0, columns = 0;
  bool operator==(const PatchGrid&) const = default;
};

// What the file holds for each parameter whose name begins with the prefix. Tensors that no state wants, a
// head or a counter, are passed over. ErrorKind::data where a tensor is missing or has another shape; names
// it, with the file. `patches` are those of the network's pictures: with them a table of places may be of
// others.
struct ForeignState {
  std::string state;
  ForeignTensor tensor;
  DType dtype = DType::f32;      // of the file's
  std::vector<int> order;        // the axes of theirs in the order of the state's; empty: the same
  PatchGrid from = {}, to = {};  // of a table of places that is resized; else empty
};
using FindTensor = std::function<const Type*(std::string_view name)>;  // null: there is no such tensor
Result<std::vector<ForeignState>> match_foreign(const FindTensor& find, const std::string& path,
                                                std::span<const Parameter> parameters,
                                                const std::string& prefix, PatchGrid patches = {});

// Puts elements [first, first + count) of the tensor, which are `bytes`, to their places in the state
// (row-major f32). Of a table of places that is resized, the pieces are to come one after the other, the
// first first.
void put_foreign(const ForeignState& state, int64_t first, std::span<const std::byte> bytes,
                 std::span<float> values);

// Reads the tensor into the state, a piece of `buffer` (at least 8 bytes) at a time.
Status read_foreign(const ForeignTensors& file, const ForeignState& state, std::span<float> values,
                    std::span<std::byte> buffer);

}  // namespace shoestring::model::vision
