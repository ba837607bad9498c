#include "model/optimizer_step.h"

#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

StateInfo counter_state(const std::string& name) {
  return {"optimizer/" + name, {DType::f32, {}}, StateRole::counter};
}

}  // namespace

Step::Step(Value learning_rate, Value ok, std::vector<StateUpdate>& updates)
    : ok_(ok), rate_(learning_rate * ok), updates_(&updates) {}

Value Step::counter(const std::string& name) { return ok_.graph().read(counter_state(name)); }
void Step::count(const std::string& name, Value after) {
  updates_->push_back({counter_state(name).name, after});
}

Value Step::steps() {
  if (!steps_.valid()) {
    steps_ = counter("steps") + ok_;
    count("steps", steps_);
    steps_ = at_least(steps_, 1);
  }
  return steps_;
}

Value Step::correction(const std::string& name, double keep) {
  const Value q = ops::lerp(counter(name), one(), ok_ * (1 - keep));
  count(name, q);
  return at_least(q, kTiny);
}

Value Weight::rate(Value shared) const {
  return trained_->rate_factor == 1 ? shared : shared * trained_->rate_factor;
}

Value Weight::gradient(double shared) const {
  return decay(shared) == 0 ? gradient() : gradient() + value() * decay(shared);
}

Value Weight::shrunk(double shared) const {
  return decay(shared) == 0 ? value() : value() * (1.0 - rate() * decay(shared));
}

Value Weight::moment(const std::string& name, const Shape& dims) {
  return value().graph().read(moment_state(trained_->name, name, {value().type().dtype, dims}));
}
void Weight::keep(const std::string& name, Value after) {
  step_->updates_->push_back({moment_state(trained_->name, name, after.type()).name, after});
}

Value Weight::average(const std::string& name, Value x, Value share) {
  const Value after = ops::lerp(moment(name, x.dims()), x, spread(share, x));
  keep(name, after);
  return after;
}

void Weight::become(Value after) { step_->updates_->push_back({trained_->name, after}); }

StateInfo moment_state(const std::string& parameter, const std::string& name, const Type& type) {
  return {parameter + "/" + name, type, StateRole::moment};
}

Value at_least(Value x, double low) {
  return ops::maximum(x, spread(x.graph().scalar(x.type().dtype, low), x));
}
Value spread(Value scalar, Value like) { return ops::broadcast_like(scalar, like); }
Value choose(Value mask, Value a, Value b) { return ops::where(mask, a, b); }
Value choose(Value mask, double a, double b) {
  Graph& g = mask.graph();
  return ops::where(mask, g.scalar(mask.type().dtype, a), g.scalar(mask.type().dtype, b));
}
Value norm(Value x) { return ops::sqrt(ops::sum_squares(x)); }
Value root_mean_square(Value x) {
  return ops::sqrt(ops::sum_squares(x) / static_cast<double>(x.type().elements()));
}

Value trust(Value a, Value b) {
  const Value zero = a.graph().scalar(a.type().dtype, 0), one = a.graph().scalar(a.type().dtype, 1);
  return ops::where(ops::less(zero, ops::minimum(a, b)), a / at_least(b, kTiny), one);
}

}  // namespace shoestring::model
