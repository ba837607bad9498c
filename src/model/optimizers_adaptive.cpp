// Optimizers that divide the gradient by the root of a second moment of it: Adagrad and what came of it.
#include "model/optimizer_step.h"
#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

// The accumulator's first value is added where it is read, so that it begins at 0 like all.
Rule rule(const Adagrad& o, Step& step) {
  Value rate = step.rate();
  if (o.lr_decay != 0) rate = rate / ((step.steps() - 1.0) * o.lr_decay + 1.0);
  return [=, ok = step.ok()](Weight& w) {
    const Value d = w.gradient(o.weight_decay), sum = w.moment("squares") + ops::square(d) * ok;
    w.keep("squares", sum);
    const Value root = ops::sqrt(o.initial_accumulator_value == 0 ? sum : sum + o.initial_accumulator_value);
    w.become(w.value() - d * w.rate(rate) / at_least(root + o.eps, kTiny));
  };
}

Rule rule(const Adadelta& o, Step& step) {
  return [=, share = step.ok() * (1 - o.rho)](Weight& w) {
    const Value d = w.gradient(o.weight_decay), v = w.average("v", ops::square(d), share);
    const Value delta = d * ops::sqrt((w.moment("delta") + o.eps) / at_least(v + o.eps, kTiny));
    w.average("delta", ops::square(delta), share);
    w.become(w.value() - delta * w.rate());
  };
}

Rule rule(const RmsProp& o, Step& step) {
  const Value share = step.ok() * (1 - o.alpha), keep = choose(step.ok(), o.momentum, 1);
  return [=, ok = step.ok()](Weight& w) {
    Value d = w.gradient(o.weight_decay), v = w.average("v", ops::square(d), share);
    // Rounding must not make a variance negative.
    if (o.centered) v = at_least(v - ops::square(w.average("m", d, share)), 0);
    d = d / at_least(ops::sqrt(v) + o.eps, kTiny);
    if (o.momentum != 0) {
      d = w.moment("momentum") * keep + d * ok;
      w.keep("momentum", d);
    }
    w.become(w.value() - d * w.rate());
  };
}

// A matrix remembers the means of its rows and its columns in place of v; what is divided by is their outer
// product over the mean of all.
Rule rule(const Adafactor& o, Step& step) {
  constexpr double kSquare = 1e-30, kLeastScale = 1e-3;
  const Value share = ops::pow(step.steps(), step.one() * -0.8) * step.ok();
  return [=](Weight& w) {
    const Value g = w.gradient(), squares = ops::square(g) + kSquare;
    Value u;
    if (g.dims().rank() == 2) {
      const Shape& dims = g.dims();
      const Value rows = w.average("rows", ops::reduce_mean(squares, {1}), share),
                  columns = w.average("columns", ops::reduce_mean(squares, {0}), share);
      const Value mean = at_least(ops::reduce_mean(rows), kTiny);
      const Value by_row = ops::rsqrt(at_least(rows / mean, kTiny)),
                  by_column = ops::rsqrt(at_least(columns, kTiny));
      u = g * ops::broadcast(ops::reshape(by_row, {dims[0], 1}), dims) * ops::broadcast(by_column, dims);
    } else {
      u = g * ops::rsqrt(at_least(w.average("v", squares, share), kTiny));
    }
    Value rate = w.rate() / at_least(root_mean_square(u), 1);
    if (o.scale_parameter) rate = rate * at_least(root_mean_square(w.value()), kLeastScale);
    w.become(w.value() - u * rate);
  };
}

}  // namespace shoestring::model
