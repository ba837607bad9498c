// Optimizers that follow the first two moments of the gradient: Adam and what came of it.
#include <cmath>

#include "model/optimizer_step.h"
#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

// m and v of a parameter's gradient after the step.
struct Moments {
  Value m, v;
};

// What Adam's kind shares: m <- lerp(m, d, 1 - beta1), v <- lerp(v, d², 1 - beta2); amsgrad: the largest v.
struct Averages {
  Value share1, share2;
  bool amsgrad;

  Averages(const Betas& betas, Step& step, bool largest = false)
      : share1(step.ok() * (1 - betas[0])), share2(step.ok() * (1 - betas[1])), amsgrad(largest) {}

  Moments operator()(Weight& w, Value d) const {
    const Value m = w.average("m", d, share1);
    Value v = w.average("v", ops::square(d), share2);
    if (amsgrad) {
      v = ops::maximum(w.moment("v_max"), v);
      w.keep("v_max", v);
    }
    return {m, v};
  }
};

// lr (m / q1) / (sqrt(v / q2) + epsilon) = [lr sqrt(q2) / q1] m / (sqrt(v) + [epsilon sqrt(q2)])
template <class Options>
Rule adam(const Options& o, Step& step, bool decoupled) {
  const Averages averages(o.betas, step, o.amsgrad);
  const Value q1 = step.correction("q1", o.betas[0]), root = ops::sqrt(step.correction("q2", o.betas[1]));
  const Value rate = step.rate() * root / q1, epsilon = at_least(root * o.eps, kTiny);
  return [=](Weight& w) {
    const auto [m, v] = averages(w, w.gradient(decoupled ? 0 : o.weight_decay));
    w.become(w.shrunk(decoupled ? o.weight_decay : 0) - m * w.rate(rate) / (ops::sqrt(v) + epsilon));
  };
}

}  // namespace

Rule rule(const Adam& o, Step& step) { return adam(o, step, false); }
Rule rule(const AdamW& o, Step& step) { return adam(o, step, true); }

Rule rule(const Adamax& o, Step& step) {
  const Value share = step.ok() * (1 - o.betas[0]), keep = choose(step.ok(), o.betas[1], 1);
  const Value rate = step.rate() / step.correction("q1", o.betas[0]), ok = step.ok();
  return [=](Weight& w) {
    const Value d = w.gradient(o.weight_decay), m = w.average("m", d, share);
    const Value largest = ops::maximum(w.moment("v_max") * keep, (ops::abs(d) + o.eps) * ok);
    w.keep("v_max", largest);
    w.become(w.value() - m * w.rate(rate) / at_least(largest, kTiny));
  };
}

// mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2); "q1" becomes 1 less the product of all mu so far, as
// correction() does it for equal ones.
Rule rule(const Nadam& o, Step& step) {
  const auto mu = [&o](Value t) {
    return o.betas[0] - ops::exp(t * (o.momentum_decay * std::log(0.96))) * (o.betas[0] / 2);
  };
  const Averages averages(o.betas, step);
  const Value t = step.steps(), one = step.one(), now = mu(t), next = mu(t + 1.0);
  const Value q1 = ops::lerp(step.counter("q1"), one, step.ok() * (1.0 - now));
  step.count("q1", q1);
  const Value root = ops::sqrt(step.correction("q2", o.betas[1])), epsilon = at_least(root * o.eps, kTiny);
  const Value rate_d = step.rate() * root * (1.0 - now) / at_least(q1, kTiny),
              rate_m = step.rate() * root * next / at_least(ops::lerp(q1, one, 1.0 - next), kTiny);
  return [=](Weight& w) {
    const Value d = w.gradient(o.weight_decay);
    const auto [m, v] = averages(w, d);
    w.become(w.value() - (d * w.rate(rate_d) + m * w.rate(rate_m)) / (ops::sqrt(v) + epsilon));
  };
}

// The length of the average of d², rho(t) = rho - 2 t beta^t / (1 - beta^t) with rho = (1 + beta) / (1 -
// beta), is a quotient of two sums of positive numbers, without cancellation in f32: sum (2k + 1) beta^k over
// sum beta^k, k < t. "rectified" is the upper one times 1 - beta, q2 the lower one times that.
Rule rule(const Radam& o, Step& step) {
  const double beta = o.betas[1], rho = (1 + beta) / (1 - beta);
  const Averages averages(o.betas, step);
  const Value power = 1.0 - step.counter("q2");  // beta^(t - 1)
  const Value sum = step.counter("rectified") + power * (step.steps() * 2.0 - 1.0) * (step.ok() * (1 - beta));
  step.count("rectified", sum);
  const Value q1 = step.correction("q1", o.betas[0]), q2 = step.correction("q2", beta), root = ops::sqrt(q2);
  const Value length = sum / q2, one = step.one(), zero = one - 1.0;
  const Value rectified = ops::less(5.0 * one, length);
  // Before there is enough to divide by, the step is that of m alone.
  const Value share = ops::sqrt(at_least((length - 4.0) * (length - 2.0), 0) /
                                (at_least(length, kTiny) * ((rho - 4) * (rho - 2) / rho)));
  const Value rate = step.rate() / q1 * ops::where(rectified, share * root, one);
  const Value factor = ops::where(rectified, one, zero),
              offset = ops::where(rectified, at_least(root * o.eps, kTiny), one);
  return [=](Weight& w) {
    const auto [m, v] = averages(w, w.gradient(o.weight_decay));
    w.become(w.value() - m * w.rate(rate) / (ops::sqrt(v) * factor + offset));
  };
}

Rule rule(const Lamb& o, Step& step) {
  const Averages averages(o.betas, step, o.amsgrad);
  Value scale = step.ok(), epsilon = at_least(scale * o.eps, kTiny);
  if (o.bias_correction) {
    const Value root = ops::sqrt(step.correction("q2", o.betas[1]));
    scale = root / step.correction("q1", o.betas[0]);
    epsilon = at_least(root * o.eps, kTiny);
  }
  const double limit = o.max_unorm == 0 ? 1 : o.max_unorm;
  return [=, rate = step.rate()](Weight& w) {
    const auto [m, v] = averages(w, w.gradient(o.adam_w_mode ? 0 : o.weight_decay));
    Value u = m * scale / (ops::sqrt(v) + epsilon);
    if (const double decay = w.decay(o.weight_decay); o.adam_w_mode && decay != 0) u = u + w.value() * decay;
    w.become(w.value() - u * (w.rate(rate) * trust(norm(w.value()) * limit, norm(u))));
  };
}

}  // namespace shoestring::model
