// What can be set of each optimizer, as recipes name it; the formulas stand in optimizers.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

namespace shoestring::model {

using Betas = std::array<double, 2>;  // shares of the old first and second moment that are kept

struct Sgd {
  double momentum = 0, weight_decay = 0, dampening = 0;
  bool nesterov = false;
  bool operator==(const Sgd&) const = default;
};

struct Adam {  // weight_decay is added to the gradient
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool amsgrad = false;
  bool operator==(const Adam&) const = default;
};
struct AdamW {  // weight_decay shrinks the weight itself
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool amsgrad = false;
  bool operator==(const AdamW&) const = default;
};
struct Adamax {
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool operator==(const Adamax&) const = default;
};
struct Nadam {
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0, momentum_decay = 0.004;
  bool operator==(const Nadam&) const = default;
};
struct Radam {
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool operator==(const Radam&) const = default;
};
struct Lamb {
  Betas betas{0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool bias_correction = true, amsgrad = false;
  bool adam_w_mode = true;  // false: weight_decay is added to the gradient
  double max_unorm = 1;     // 0: none
  bool operator==(const Lamb&) const = default;
};

struct Adadelta {
  double rho = 0.9, eps = 1e-6, weight_decay = 0;
  bool operator==(const Adadelta&) const = default;
};
struct Adagrad {
  double initial_accumulator_value = 0, lr_decay = 0, weight_decay = 0, eps = 1e-10;
  bool operator==(const Adagrad&) const = default;
};
struct RmsProp {
  double momentum = 0, alpha = 0.99, eps = 1e-8;
  bool centered = false;
  double weight_decay = 0;
  bool operator==(const RmsProp&) const = default;
};
struct Adafactor {
  std::optional<double> lr;  // absent: the trainer's
  bool scale_parameter = true, relative_step = true, warmup_init = false;
  bool operator==(const Adafactor&) const = default;
};

struct Lars {
  double momentum = 0.9, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  double max_unorm = 1;  // 0: plain momentum
  bool operator==(const Lars&) const = default;
};
struct Lion {
  Betas betas{0.9, 0.999};
  double weight_decay = 0;
  bool operator==(const Lion&) const = default;
};
enum class MuonOthers { adamw, sgd };
struct Muon {
  double momentum = 0.95;
  bool nesterov = true;
  int64_t ns_steps = 5;                   // of Newton and Schulz
  bool normalize_weights = false;         // to the norm sqrt(outputs), before each step
  MuonOthers others = MuonOthers::adamw;  // what changes all that is no hidden matrix
  double others_learning_rate_factor = 1, others_weight_decay = 0;
  double others_momentum = 0.9;  // of sgd, with Nesterov's look ahead
  bool operator==(const Muon&) const = default;
};
struct ScheduleFreeAdamW {
  Betas betas{0.9, 0.999};
  double weight_decay = 0;
  int64_t warmup_steps = 0;
  bool operator==(const ScheduleFreeAdamW&) const = default;
};

// The same arithmetic under another name: where moments lie in memory that has room for them, there is
// nothing to page.
template <class T>
struct Paged : T {
  bool operator==(const Paged&) const = default;
};

// The same arithmetic with moments that are kept in 8 bits, those of small tensors excepted
// (task/network.cpp).
template <class T>
struct EightBit : T {
  bool operator==(const EightBit&) const = default;
};
template <class T>
inline constexpr bool kEightBit = false;
template <class T>
inline constexpr bool kEightBit<EightBit<T>> = true;
template <class T>
inline constexpr bool kEightBit<Paged<EightBit<T>>> = true;

using Optimizer = std::variant<Adam, AdamW, Sgd, Adadelta, Adagrad, Adamax, Nadam, RmsProp, Lamb, Lars, Lion,
                               Radam, Adafactor, ScheduleFreeAdamW, Muon, Paged<Adam>, Paged<AdamW>,
                               Paged<Lion>, EightBit<Adam>, EightBit<AdamW>, EightBit<Sgd>, EightBit<Adagrad>,
                               EightBit<RmsProp>, EightBit<Lamb>, EightBit<Lars>, EightBit<Lion>,
                               Paged<EightBit<Adam>>, Paged<EightBit<AdamW>>, Paged<EightBit<Lion>>>;

}  // namespace shoestring::model
