// Optimizers and gradient clipping as graph builders, with the arithmetic of torch.optim and
// torch.nn.utils.clip_grad_*. An update is a chain of elementwise nodes for each parameter, which
// becomes one fused step; what is the same for all parameters is a handful of scalars, made once a step.
//
// Adam's bias corrections are moments too, those of a gradient that is always 1: q1 <- lerp(q1, 1, 1 - b1)
// starts at 0 and is 1 - b1^t after t steps, without the cancellation of 1 - power(b1, t) in f32.
//
// `ok` is 1 or 0. With 0 nothing changes, to the bit: every rate is multiplied by it and every gradient
// that comes out of clip() is 0, so lerp(m, 0, 0) = m and w - 0 = w.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ir/graph.h"

namespace shoestring::model {

struct Clipping {
  std::optional<double> global_norm;  // all gradients times min(1, max / (norm + 1e-6))
  std::optional<double> norm;         // then each by its own norm
  std::optional<double> value;        // then each element to [-value, value]
};

struct Clipped {
  std::vector<Value> gradients;  // 0 where ok is 0
  Value norm;                    // f32[] of all gradients, before clipping
  Value ok;                      // f32[] 1 where the norm and `finite` are good, else 0
};
// `finite` is a mask f32[] of what else must be good, such as is_finite(loss).
Clipped clip(std::span<const Value> gradients, const Clipping& clipping, Value finite);

// torch.optim.SGD: d = g + weight_decay w; b <- momentum b + (1 - dampening) d (at first b <- d);
// w <- w - lr b, or with nesterov w - lr (d + momentum b).
struct Sgd {
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
};
// torch.optim.Adam: d = g + weight_decay w; m <- lerp(m, d, 1 - beta1); v <- lerp(v, d², 1 - beta2);
// w <- w - lr (m / q1) / (sqrt(v / q2) + epsilon). AdamW: decoupled, w is first scaled by
// 1 - lr weight_decay. amsgrad: the largest v so far in its place.
struct Adam {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false;
};
using Optimizer = std::variant<Adam, Sgd>;

// What it remembers of a parameter, and of all; zeros before the first step.
std::vector<StateInfo> states_of(const Optimizer& optimizer, const std::string& parameter, const Type& type);
std::vector<StateInfo> shared_states_of(const Optimizer& optimizer);

struct Trained {
  std::string name;
  Value value, gradient;
  double rate_factor = 1;   // its learning rate is the shared one times this
  double decay_factor = 1;  // its weight decay is the optimizer's times this; 0: none
};
// A state's value after the step. The caller writes them when everything else has been built.
struct StateUpdate {
  std::string state;
  Value value;
};
std::vector<StateUpdate> update(const Optimizer& optimizer, std::span<const Trained> parameters,
                                Value learning_rate, Value ok);

}  // namespace shoestring::model
