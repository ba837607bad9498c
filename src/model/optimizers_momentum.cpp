// Optimizers that follow one moment: a momentum of the gradient.
#include <algorithm>
#include <cmath>

#include "model/optimizer_step.h"
#include "model/orthogonal.h"
#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

// b <- momentum b + (1 - dampening) d, at first b <- d. d need not be 0 in a step that is skipped.
class Momentum {
 public:
  Momentum(double momentum, double dampening, Step& step) : momentum_(momentum), take_(step.ok()) {
    if (momentum == 0) return;
    keep_ = choose(step.ok(), momentum, 1);
    if (dampening == 0) return;  // only dampening tells the first step from the others
    const Value started = step.counter("started");
    take_ = take_ * (1.0 - dampening * started);
    step.count("started", ops::maximum(started, step.ok()));
  }

  // The direction to go in.
  Value operator()(Weight& w, Value d, bool nesterov) const {
    if (momentum_ == 0) return d;
    const Value b = w.moment("momentum") * keep_ + d * take_;
    w.keep("momentum", b);
    return nesterov ? d + b * momentum_ : b;
  }

 private:
  double momentum_;
  Value keep_, take_;
};

}  // namespace

Rule rule(const Sgd& o, Step& step) {
  return [o, momentum = Momentum(o.momentum, o.dampening, step)](Weight& w) {
    w.become(w.value() - momentum(w, w.gradient(o.weight_decay), o.nesterov) * w.rate());
  };
}

Rule rule(const Lars& o, Step& step) {
  return [o, momentum = Momentum(o.momentum, o.dampening, step)](Weight& w) {
    Value d = w.gradient(o.weight_decay);
    if (o.max_unorm != 0) {
      const Value weight = norm(w.value()), decay = weight * w.decay(o.weight_decay);
      d = d * trust(weight * o.max_unorm, norm(w.gradient()) + decay);
    }
    w.become(w.value() - momentum(w, d, o.nesterov) * w.rate());
  };
}

Rule rule(const Lion& o, Step& step) {
  return [o, share = step.ok() * (1 - o.betas[1])](Weight& w) {
    const Value g = w.gradient(), m = w.moment("m");
    const Value direction = ops::sign(m * o.betas[0] + g * (1 - o.betas[0]));
    w.average("m", g, share);
    w.become(w.shrunk(o.weight_decay) - direction * w.rate());
  };
}

namespace {

Rule rule_of_others(const Muon& o, Step& step) {
  if (o.others == MuonOthers::adamw) return rule(AdamW{.weight_decay = o.others_weight_decay}, step);
  const Sgd sgd{.momentum = o.others_momentum,
                .weight_decay = o.others_weight_decay,
                .nesterov = o.others_momentum > 0};
  return rule(sgd, step);
}

}  // namespace

Rule rule(const Muon& o, Step& step) {
  const Momentum momentum(o.momentum, 0, step);
  return [o, &step, momentum, others = rule_of_others(o, step)](Weight& w) {
    if (!w.trained().hidden) {
      Trained own = w.trained();
      own.rate_factor *= o.others_learning_rate_factor;
      Weight other(step, own);
      return others(other);
    }
    const Shape& dims = w.value().dims();  // [.., n]: a filter's taps and channels are one side
    const int64_t outputs = dims.back(), inputs = dims.elements() / std::max<int64_t>(outputs, 1);
    const Value matrix = ops::reshape(momentum(w, w.gradient(), o.nesterov), {inputs, outputs});
    const Value direction = ops::reshape(nearly_orthogonal(matrix, o.ns_steps), dims);
    if (!o.normalize_weights) {
      const double scale = 0.2 * std::sqrt(static_cast<double>(std::max(inputs, outputs)));
      return w.become(w.value() - direction * (w.rate() * scale));
    }
    const Value factor = std::sqrt(static_cast<double>(outputs)) / at_least(norm(w.value()), kTiny);
    w.become(w.value() * choose(step.ok(), factor, step.one()) - direction * w.rate());
  };
}

}  // namespace shoestring::model
