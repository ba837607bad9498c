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

Rule rule(const Muon& o, Step& step) {
  return [o, momentum = Momentum(o.momentum, 0, step), others = rule(AdamW{}, step)](Weight& w) {
    if (!w.trained().hidden) return others(w);
    const Shape& dims = w.value().dims();
    const double scale = 0.2 * std::sqrt(static_cast<double>(std::max(dims[0], dims[1])));
    const Value direction = nearly_orthogonal(momentum(w, w.gradient(), o.nesterov));
    w.become(w.value() - direction * (w.rate() * scale));
  };
}

}  // namespace shoestring::model
