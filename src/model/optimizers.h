// Optimizers and gradient clipping as graph builders, with the arithmetic of torch.optim and
// torch.nn.utils.clip_grad_*, or of the paper where PyTorch has none. An update is a chain of elementwise
// nodes for each parameter, which becomes one fused step; what is the same for all parameters is a handful of
// scalars, made once a step. How one is written: optimizer_step.h.
//
// With gradient g, learning rate r, weight w, d = g + weight_decay w, moments that begin at 0, and
// m <- lerp(m, d, 1 - beta1), v <- lerp(v, d², 1 - beta2), q1 = 1 - beta1^t and q2 = 1 - beta2^t after t
// steps:
//
//   Sgd        b <- momentum b + (1 - dampening) d (at first b <- d); w <- w - r b, or with nesterov
//              w - r (d + momentum b)
//   Adam       w <- w - r (m / q1) / (sqrt(v / q2) + eps); amsgrad: the largest v so far in its place
//   AdamW      Adam of g, after w <- w (1 - r weight_decay)
//   Adamax     u <- max(beta2 u, |d| + eps); w <- w - r (m / q1) / u
//   Nadam      Adam with the momentum mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and a look ahead by
//   mu_(t+1) Radam      Adam times the variance's rectification (arXiv 1908.03265), and without v while it
//   has none Lamb       u = Adam's step without r, plus weight_decay w (adam_w_mode; else in d);
//              w <- w - r u max_unorm |w| / |u| (arXiv 1904.00962); the factor is 1 where either norm is 0,
//              and max_unorm 0 means 1
//   Adagrad    s <- s + d²; w <- w - r / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps), s beginning at
//              initial_accumulator_value
//   Adadelta   v with rho; e = d sqrt(a + eps) / sqrt(v + eps); a <- lerp(a, e², 1 - rho); w <- w - r e
//   RmsProp    v with alpha; d / (sqrt(v) + eps), of centered with v - m² for v; then momentum
//   Adafactor  v, of a matrix the outer product of its row and column means, with t^-0.8 for 1 - beta2;
//              u = g / sqrt(v), over its root mean square where that is above 1; w <- w - r u, with
//              scale_parameter times w's root mean square, at least 0.001 (arXiv 1804.04235). With
//              relative_step r is not the recipe's: train/schedule.h
//   Lars       Sgd of d max_unorm |w| / (|g| + weight_decay |w|) (arXiv 1708.03888); factor as for Lamb,
//              and max_unorm 0 means no factor
//   Lion       w <- w (1 - r weight_decay) - r sign(lerp(m, g, 1 - beta1)); m <- lerp(m, g, 1 - beta2)
//              (arXiv 2302.06675)
//   Muon       of a hidden matrix [inputs, outputs], as which filters [kh,kw,c,n] are taken too: Sgd's
//              direction, made orthogonal (kellerjordan.github.io/posts/muon), times 0.2 sqrt(the longer
//              side), so that one learning rate serves (arXiv 2502.16982). With normalize_weights it is
//              w <- w sqrt(outputs) / |w| - r times that direction (KellerJordan/cifar10-airbench). All else
//              by AdamW or Sgd, r times others_learning_rate_factor
//   ScheduleFreeAdamW   optimizers_schedule_free.cpp
//
// q1 and q2 are moments too, those of a gradient that is always 1, without the cancellation of 1 - power(b1,
// t) in f32. `ok` is 1 or 0. With 0 nothing changes, to the bit.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "model/optimizer_options.h"

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
  std::vector<Value> each;       // f32[] of each gradient: 1 where it and `finite` are good
};
// `finite` is a mask f32[] of what else must be good, such as is_finite(loss).
// With `alone` a gradient is 0 only where itself or `finite` is bad, so that none waits for the others.
Clipped clip(std::span<const Value> gradients, const Clipping& clipping, Value finite, bool alone = false);

struct Trained {
  std::string name;
  Value value, gradient;
  bool hidden = false;      // a matrix, or filters, from features to features: no embedding, no head
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

// What it remembers of a parameter (of `trained` the name, the value's type and `hidden` count), and of all;
// zeros before the first step.
std::vector<StateInfo> states_of(const Optimizer& optimizer, const std::string& parameter, const Type& type,
                                 bool hidden);
std::vector<StateInfo> shared_states_of(const Optimizer& optimizer);

// The value of a parameter with which the training graph is to compute the loss: the parameter's own, but for
// schedule_free_adamw. The gradient by the one is the gradient by the other.
Value training_value(const Optimizer& optimizer, const std::string& parameter, Value value);

}  // namespace shoestring::model
