// A graph while it becomes an ONNX graph.
//
// Our pictures are [b,h,w,c], ONNX's operators want [b,c,h,w]. So each value is remembered as it stands in
// the ONNX graph: as it is, or with its channels first, which elementwise nodes keep, so that there are
// transposes only where something else reads it. Our broadcasts are nodes, ONNX's elementwise operators
// broadcast by themselves: a broadcast value stands as what it was made of, until something else reads it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deploy/onnx_file.h"
#include "deploy/row_sizes.h"

namespace shoestring::deploy {

// How a value stands in the ONNX graph.
struct Standing {
  std::string name = {};
  Axes axes = {};     // in our order; they broadcast to the value's
  Axes picture = {};  // of a value with its channels first: the axes [b,h,w,c] that it has, once broadcast.
                      // The value itself may be these or [b h w,c], as norms have it
  bool channels_first() const { return !picture.empty(); }
};

// Where an axis of [b,h,w,c] is once the channels are first.
inline constexpr int64_t kChannelsFirst[] = {0, 2, 3, 1};

class Translation {
 public:
  // The bytes of a state, row-major, which have to outlive the records; empty where there are none.
  using StateBytes = std::function<std::span<const std::byte>(const std::string& name)>;

  Translation(const RowSizes& sizes, StateBytes states) : sizes_(sizes), states_(std::move(states)) {}

  // Everything that the outputs need. ErrorKind::usage where an operator has no translation.
  Result<onnx::Model> run();

  // ---- reading ----
  const Axes& axes(ValueId id) const { return sizes_(id); }
  const Type& type(ValueId id) const {
    return sizes_.graph.type(id);
  }  // for its dtype: the sizes are of some rows
  bool used(ValueId id) const { return used_.contains(id); }
  Standing standing(ValueId id);
  std::string plain(ValueId id);           // as it is
  std::string channels_first(ValueId id);  // of [b,h,w,c]: [b,c,h,w]
  // A state or a constant with its axes in another order: no transposing when running. Other values are
  // transposed.
  std::string permuted(ValueId id, const std::vector<int64_t>& permutation);

  // ---- writing ----
  void set(NodeId node, Standing standing, uint32_t output = 0);
  void set_plain(NodeId node, std::string name);  // output 0, of the node's own axes
  std::string emit(std::string type, std::vector<std::string> inputs,
                   std::vector<onnx::Attribute> attributes = {});
  // The first of two outputs; the other one is nobody's.
  std::string first_of_two(std::string type, std::vector<std::string> inputs,
                           std::vector<onnx::Attribute> attributes);
  std::string scalar(DType dtype, double value);
  std::string integers(const std::vector<int64_t>& values);  // i64[n]
  std::string numbers(const Type& type, std::span<const double> values);
  std::string shape(const Axes& axes);  // i64[rank], made when running where rows are in it
  std::string reshaped(const std::string& name, const Axes& axes);
  std::string expanded(const std::string& name, const Axes& from, const Axes& to);

 private:
  Status translate(NodeId id);
  Status add_port(const Node& node, NodeId id);
  Status source(const Node& node, NodeId id);
  std::string tensor(onnx::Tensor tensor);

  const RowSizes& sizes_;
  StateBytes states_;
  onnx::Model out_;
  std::set<ValueId> used_;
  std::map<ValueId, Standing> standing_;
  std::map<ValueId, onnx::Tensor> sources_;                // states and constants, not written yet
  std::map<ValueId, std::string> plain_, channels_first_;  // what has been made of values
  std::map<std::string, std::string> constants_, shapes_;  // by their content
  std::string rows_;                                       // i64[1], by the first port that tells them
  bool rows_asked_ = false;
  int64_t names_ = 0;
};

// ---- the table (onnx_operators.cpp): one row for each operator that can be exported ----

// A node that works element by element: operands that broadcast, in; the result's name, out.
using Pointwise = std::string (*)(Translation&, const Node&, std::span<const std::string> in);
struct Translator {
  std::string_view op;
  std::string_view onnx = {};                                   // the operator of ONNX that is the same
  Pointwise pointwise = nullptr;                                // what it is made of, element by element
  Status (*node)(Translation&, const Node&, NodeId) = nullptr;  // where it is not element by element
};
std::span<const Translator> translators();             // in the order of their names
const Translator* translator_of(std::string_view op);  // null where there is none

// Elementwise nodes, in whichever form their operands stand.
Status translate_pointwise(Translation& t, const Translator& row, const Node& node, NodeId id);

// ---- what rows of the table name ----
Status no_translation(const Node& node, const std::string& why);  // ErrorKind::usage

// onnx_pictures.cpp
Status translate_conv2d(Translation& t, const Node& node, NodeId id);
Status translate_max_pool(Translation& t, const Node& node, NodeId id);
Status translate_average_pool(Translation& t, const Node& node, NodeId id);
Status translate_augment(Translation& t, const Node& node, NodeId id);
// onnx_shapes.cpp
Status translate_broadcast(Translation& t, const Node& node, NodeId id);
Status translate_reshape(Translation& t, const Node& node, NodeId id);
Status translate_transpose(Translation& t, const Node& node, NodeId id);
Status translate_concat(Translation& t, const Node& node, NodeId id);
Status translate_slice(Translation& t, const Node& node, NodeId id);
Status translate_pad(Translation& t, const Node& node, NodeId id);
Status translate_reduce(Translation& t, const Node& node, NodeId id);
// onnx_layers.cpp
Status translate_matmul(Translation& t, const Node& node, NodeId id);
Status translate_attention(Translation& t, const Node& node, NodeId id);
Status translate_layer_norm(Translation& t, const Node& node, NodeId id);
Status translate_rms_norm(Translation& t, const Node& node, NodeId id);
Status translate_rows(Translation& t, const Node& node, NodeId id);  // row->onnx along the last axis
Status translate_gather(Translation& t, const Node& node, NodeId id);
Status translate_one_hot(Translation& t, const Node& node, NodeId id);
Status translate_argmax(Translation& t, const Node& node, NodeId id);
Status translate_cumsum(Translation& t, const Node& node, NodeId id);
Status translate_ordered(Translation& t, const Node& node, NodeId id);  // sort, top_k

// The result of a layer with what its attribute `activation` says behind it.
std::string activated(Translation& t, const Node& node, std::string name);

}  // namespace shoestring::deploy
