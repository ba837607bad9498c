// Schedule-free AdamW (arXiv 2405.15682). A state of each parameter is x, the average, so whoever reads the
// parameter - evaluation, the model file, another run - has what the method promises. What takes the steps,
// z, is kept as "lead" = z - x, which like every moment begins at 0; the gradient is that at y = (1 - beta1)
// z + beta1 x = x + (1 - beta1) lead.
#include "model/optimizer_step.h"
#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

constexpr double kEpsilon = 1e-8;

}  // namespace

Value ahead(const ScheduleFreeAdamW& o, const std::string& parameter, Value x) {
  return x + x.graph().read(moment_state(parameter, "lead", x.type())) * (1 - o.betas[0]);
}

// gamma = lr sqrt(1 - beta2^t) min(1, t / warmup_steps); z <- z - gamma (g / (sqrt(v) + epsilon) + decay y);
// x <- (1 - c) x + c z with c = gamma² / (the sum of all gamma² so far).
Rule rule(const ScheduleFreeAdamW& o, Step& step) {
  const Value share = step.ok() * (1 - o.betas[1]);
  Value gamma = step.rate() * ops::sqrt(step.correction("q2", o.betas[1]));
  if (o.warmup_steps > 0)
    gamma = gamma * ops::minimum(step.steps() / static_cast<double>(o.warmup_steps), step.one());
  const Value weight = ops::square(gamma), sum = step.counter("weights") + weight;
  step.count("weights", sum);
  const Value c = weight / at_least(sum, kTiny), rest = 1.0 - c;
  return [=](Weight& w) {
    const Value x = w.value(), before = w.moment("lead"), y = x + before * (1 - o.betas[0]);
    const Value v = w.average("v", ops::square(w.gradient()), share);
    Value d = w.gradient() / (ops::sqrt(v) + kEpsilon);
    if (const double decay = w.decay(o.weight_decay); decay != 0) d = d + y * decay;
    const Value lead = before - d * w.rate(gamma);
    w.keep("lead", lead * rest);
    w.become(x + lead * c);
  };
}

}  // namespace shoestring::model
