// Layers as graph builders. A layer asks the Forward that it is built with for its parameters; what was
// asked for is then initialised, trained, penalised and saved, so a layer says each thing once.
//
//   Graph g("prediction");
//   Forward f{g};
//   Value y = linear(f, x, "head", {.output_size = 2});     // x [rows, n] -> y [rows, 2]
//   f.parameters()                                          // head.weights [n, 2], head.bias [2]
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "model/activations.h"
#include "model/initializers.h"
#include "ops/ops.h"

namespace shoestring::model {

// What a parameter does in its layer: learning rates and weight decay may differ by it.
enum class ParameterKind { weight, bias, norm, scale, embedding, frequency };

struct Parameter {
  std::string name;
  Type type;
  Initializer initializer;
  StateRole role = StateRole::parameter;
  ParameterKind kind = ParameterKind::weight;
  double rate_factor = 1;  // its learning rate, relative to that of the others
  bool trainable = true;
  bool hidden = false;     // a matrix, or filters, from features to features: no embedding, no head
  bool penalised = false;  // by L1 and L2 regularization: matrices and embeddings, no biases, no norms
};

// The value that a network sees of a parameter, where it is not the parameter itself.
using View = std::function<Value(const Parameter&, Value)>;

// A graph while layers are added to it. The graph must outlive it.
class Forward {
 public:
  explicit Forward(Graph& graph, bool training = false, View view = {})
      : graph_(&graph), training_(training), view_(std::move(view)) {}
  Graph& graph() const { return *graph_; }
  bool training() const { return training_ && !frozen_; }

  // The parameter's value; a name that is asked for again is the same parameter.
  Value parameter(Parameter parameter);
  // After the step a statistic has another value (in training).
  void update(const std::string& statistic, Value value) { updates_.push_back({statistic, value.id()}); }

  // The learning rates of the parameters that are asked for from now on, relative to the others'.
  void set_rate_factor(double factor) { rate_factor_ = factor; }
  // Until it is taken back, layers are built as in prediction and training does not change their parameters.
  void set_frozen(bool frozen) { frozen_ = frozen; }

  const std::vector<Parameter>& parameters() const { return parameters_; }
  Value value(const Parameter& parameter) const;
  const std::vector<NamedValue>& updates() const { return updates_; }

 private:
  Graph* graph_;
  bool training_;
  View view_;
  double rate_factor_ = 1;
  bool frozen_ = false;
  std::vector<Parameter> parameters_;
  std::vector<NamedValue> updates_;
};

// An initializer that waits for the sizes of its parameter.
using InitializerOf = std::function<Initializer(Fans)>;
InitializerOf always(Initializer initializer);

struct Linear {
  int64_t output_size = 256;
  bool use_bias = true;
  bool head = false;  // the last one, to logits or values
  InitializerOf weights = [](Fans f) { return xavier_uniform(f); };
  InitializerOf bias = always(zeros());
};
// [rows, n] -> [rows, output_size]: x W + b, with NAME.weights [n, output_size] and NAME.bias.
Value linear(Forward& forward, Value x, const std::string& name, const Linear& layer);

enum class Norm { none, batch, layer };
struct NormParams {
  double epsilon = 1e-5;
  double momentum = 0.1;  // running <- (1 - momentum) running + momentum batch
  bool scales = true;     // batch norm: whether there is NAME.scale; else it is 1
};
// [rows, n] -> [rows, n], with NAME.scale and NAME.shift [n]; batch norm keeps NAME.mean and
// NAME.variance, with which it works outside training and on a single row, which has no variance.
Value norm(Forward& forward, Value x, const std::string& name, Norm kind, const NormParams& params = {});

// Drops a share `rate` of the elements and scales the others by 1 / (1 - rate); in training only.
Value dropout(Forward& forward, Value x, double rate);

// Linear, norm, activation, dropout, in that order. Before a gated activation the linear part is twice as
// wide, so that linear.output_size is the layer's.
struct FcLayer {
  Linear linear;
  Norm norm = Norm::none;
  NormParams norm_params;
  Activation activation = Activation::relu;
  double dropout = 0;
};
Value fc_layer(Forward& forward, Value x, const std::string& name, const FcLayer& layer);

// Layers NAME.fc0, NAME.fc1, ... in a row; with at least one, after a norm (NAME.norm) and a dropout of
// the input where these are set.
struct FcStack {
  Norm input_norm = Norm::none;
  NormParams input_norm_params;
  double input_dropout = 0;
  std::vector<FcLayer> layers;
  bool residual = false;  // adds a layer's input to its output where their sizes agree
};
Value fc_stack(Forward& forward, Value x, const std::string& name, const FcStack& stack);

// i32[rows] -> [rows, size]: rows of NAME.embedding [entries, size].
struct Embedding {
  int64_t entries = 1, size = 1;
  Initializer initializer = uniform(-1, 1);
  bool trainable = true;
};
Value embedding(Forward& forward, Value numbers, const std::string& name, const Embedding& layer);

// [rows, n] -> [rows, n]: a learnt factor for each column, 1 at first: NAME.scale [n].
Value scale_columns(Forward& forward, Value x, const std::string& name);

// A batch ensemble: members that share all layers but the first factors and the last layer (Gorishniy,
// Kotelnikov, Babenko, "TabM", 2024, its "mini" form). [rows, n] -> [members, rows, n], each member's columns
// times its own learnt factors NAME.adapter [members, 1, n], N(0, 1) at first; layers between work on
// [members * rows, n]; the last one is each member's own: [members, rows, n] -> [members, rows, output_size]
// with NAME.weights [members, n, output_size] and NAME.bias [members, 1, output_size].
Value spread_over_members(Forward& forward, Value x, const std::string& name, int64_t members);
Value linear_of_each(Forward& forward, Value x, const std::string& name, const Linear& layer);

}  // namespace shoestring::model
