// What the parts of a recipe's network share, as plain values: layers, initial values, and what a missing
// value becomes. A part of recipe.h.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "model/activations.h"

namespace shoestring::task {

// What sizes may be asked for: more is a slip of the keyboard on any machine.
inline constexpr int64_t kMostBatchRows = 1'000'000'000, kMostLayerOutputs = 1'000'000;
// What a layer gives where nobody says, and where auto was not chosen yet.
inline constexpr int64_t kUsualOutputs = 256;

// A value that the program may choose: written `auto`. What is chosen is set before a network is built
// (task/auto_values.h).
template <class T>
struct OrAuto {
  std::optional<T> value;  // absent: auto
  OrAuto() = default;
  OrAuto(T given) : value(std::move(given)) {}
  bool is_auto() const { return !value; }
  T or_else(T chosen) const { return value.value_or(chosen); }
  bool operator==(const OrAuto&) const = default;
};

// ---- layers ------------------------------------------------------------------------------------

using model::Activation;
enum class Norm { none, batch, layer };

struct NormParams {
  double eps = 1e-5;
  double momentum = 0.1;  // batch norm: running = (1 - momentum) * running + momentum * batch
  bool operator==(const NormParams&) const = default;
};

// Initial values of a weight [fan_in, fan_out]; names and parameters are those of torch.nn.init.
namespace init {
struct Zeros {
  bool operator==(const Zeros&) const = default;
};
struct Ones {
  bool operator==(const Ones&) const = default;
};
struct Constant {
  double val = 0;
  bool operator==(const Constant&) const = default;
};
struct Uniform {
  double a = 0, b = 1;
  bool operator==(const Uniform&) const = default;
};  // in [a, b)
struct Normal {
  double mean = 0, std = 1;
  bool operator==(const Normal&) const = default;
};
// U(-l, l) with l = gain * sqrt(6 / (fan_in + fan_out)); N(0, s²) with s = gain * sqrt(2 / (fan_in +
// fan_out)).
struct XavierUniform {
  double gain = 1;
  bool operator==(const XavierUniform&) const = default;
};
struct XavierNormal {
  double gain = 1;
  bool operator==(const XavierNormal&) const = default;
};
enum class Fan { fan_in, fan_out };
// 1, 1, 5/3, sqrt 2, sqrt(2 / (1 + a²)), 3/4
enum class Gain { linear, sigmoid, tanh, relu, leaky_relu, selu };
// U(-l, l) with l = gain * sqrt(3 / fan); N(0, s²) with s = gain / sqrt(fan).
struct KaimingUniform {
  double a = 0;
  Fan mode = Fan::fan_in;
  Gain nonlinearity = Gain::leaky_relu;
  bool operator==(const KaimingUniform&) const = default;
};
struct KaimingNormal {
  double a = 0;
  Fan mode = Fan::fan_in;
  Gain nonlinearity = Gain::leaky_relu;
  bool operator==(const KaimingNormal&) const = default;
};
struct Eye {
  bool operator==(const Eye&) const = default;
};
struct Identity {
  bool operator==(const Identity&) const = default;
};
struct Orthogonal {
  double gain = 1;
  bool operator==(const Orthogonal&) const = default;
};
// Normal, with this share of each input's weights 0.
struct Sparse {
  double sparsity = 0, std = 0.01;
  bool operator==(const Sparse&) const = default;
};
}  // namespace init

using InitializerSpec =
    std::variant<init::XavierUniform, init::XavierNormal, init::KaimingUniform, init::KaimingNormal,
                 init::Zeros, init::Ones, init::Constant, init::Uniform, init::Normal, init::Eye,
                 init::Identity, init::Orthogonal, init::Sparse>;

// One fully connected layer: linear, norm, activation, dropout, in that order.
struct FcLayer {
  OrAuto<int64_t> output_size = kUsualOutputs;
  bool use_bias = true;
  InitializerSpec weights_initializer = init::XavierUniform{};
  InitializerSpec bias_initializer = init::Zeros{};
  Norm norm = Norm::none;
  NormParams norm_params;
  Activation activation = Activation::relu;
  double dropout = 0;  // the share that is dropped
  bool operator==(const FcLayer&) const = default;
};

// Layers in a row. `layers` is what to build, each layer complete. With at least one layer the stack
// begins with `around.norm` of its input and then `around.dropout` of it, where they are set; with
// none it passes its input on untouched.
struct FcStack {
  FcLayer around;  // the keys beside fc_layers: what a layer leaves out comes from here
  // How many layers like `around` there are where fc_layers is not written; while it is auto, there are none.
  OrAuto<int64_t> num_layers = 0;
  std::vector<FcLayer> layers;
  std::vector<FcLayer> alike() const {
    return std::vector<FcLayer>(static_cast<size_t>(num_layers.or_else(0)), around);
  }
  bool operator==(const FcStack&) const = default;
};

// What becomes of a cell without a value.
enum class MissingValues {
  fill_with_const,
  fill_with_mode,
  fill_with_mean,
  fill_with_false,
  fill_with_true,
  bfill,
  ffill,
  drop_row
};

}  // namespace shoestring::task
