// Activations by the names that recipes use: one table of name and builder. Parameters are PyTorch's
// defaults: leakyRelu's slope below 0 is 0.01, alpha of elu and celu 1, prelu's one slope is learned from
// 0.25 on. None overflows or becomes NaN for large |x|.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace shoestring {
class Value;
}

namespace shoestring::model {

class Forward;

enum class Activation : unsigned char {
  none,
  relu,
  tanh,
  sigmoid,
  gelu,
  elu,
  leaky_relu,
  log_sigmoid,
  softmax,  // over the last axis
  silu,
  swish,  // silu by its other name
  mish,
  selu,
  prelu,
  relu6,
  hardswish,
  hardsigmoid,
  softplus,
  celu,
  swiglu,  // gated: see below
  geglu,
  reglu,
  sparsemax,  // over the last axis (Martins, Astudillo 2016)
  entmax15,   // over the last axis: alpha-entmax with alpha 1.5 (Peters, Niculae, Martins 2019)
};

// In the order of the enum; none is "null".
inline constexpr std::string_view kActivationNames[] = {
    "null",        "relu",     "tanh",  "sigmoid", "gelu",  "elu",   "leakyRelu", "logSigmoid",
    "softmax",     "silu",     "swish", "mish",    "selu",  "prelu", "relu6",     "hardswish",
    "hardsigmoid", "softplus", "celu",  "swiglu",  "geglu", "reglu", "sparsemax", "entmax15"};

// A gated activation halves the last axis [.., 2 n] -> [.., n]: f(first half) times the second half (Shazeer
// 2020). The layer before it is twice as wide.
bool gated(Activation activation);

// x [.., n] -> [.., n], or half as wide if gated. NAME.slope is prelu's parameter [1].
Value activate(Forward& forward, Value x, const std::string& name, Activation activation);

}  // namespace shoestring::model
