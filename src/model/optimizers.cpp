#include "model/optimizers.h"

#include "model/optimizer_step.h"
#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

Value zeros_like(Value x) { return spread(x.graph().scalar(x.type().dtype, 0), x); }

// The factor that brings a norm down to `limit`; 1 if it is not above.
Value shrink(Value norm, double limit) {
  return ops::minimum(limit / (norm + 1e-6), norm.graph().scalar(norm.type().dtype, 1));
}

Value norm_of(std::span<const Value> squares) {
  Value sum = squares[0];
  for (const Value& s : squares.subspan(1)) sum = sum + s;
  return ops::sqrt(sum);
}

}  // namespace

Clipped clip(std::span<const Value> gradients, const Clipping& clipping, Value finite, bool alone) {
  if (!finite.valid()) return {};
  if (gradients.empty()) return {{}, finite.graph().error("clip: nothing is trained"), {}, {}};
  std::vector<Value> squares;
  for (const Value& g : gradients) squares.push_back(ops::sum_squares(g));
  const Value norm = norm_of(squares);
  // What hangs on one gradient alone must not become one step with what hangs on all: `after` keeps them
  // apart.
  const auto good = [&](Value squared) {
    if (!alone || !squared.valid()) return finite * ops::is_finite(squared);
    return finite.graph().add(*ops::find("after"), {finite, squared}) * ops::is_finite(squared);
  };
  const Value ok = good(norm);
  Clipped out{.gradients = {}, .norm = norm, .ok = ok, .each = {}};
  const Value shared = clipping.global_norm ? shrink(norm, *clipping.global_norm) : Value();
  for (size_t i = 0; i < gradients.size(); ++i) {
    Value scale = shared;
    if (clipping.norm) {
      const Value own = ops::sqrt(squares[i]);
      scale = scale.valid() ? scale * shrink(own * scale, *clipping.norm) : shrink(own, *clipping.norm);
    }
    Value g = scale.valid() ? gradients[i] * scale : gradients[i];
    if (clipping.value) {
      const Value limit = g.valid() ? g.graph().scalar(g.type().dtype, *clipping.value) : Value();
      g = ops::minimum(ops::maximum(g, spread(-limit, g)), spread(limit, g));
    }
    out.each.push_back(alone ? good(squares[i]) : ok);
    out.gradients.push_back(ops::where(spread(out.each.back(), g), g, zeros_like(g)));
  }
  return out;
}

namespace {

template <class T>
Rule rule(const Paged<T>& options, Step& step) {
  return rule(static_cast<const T&>(options), step);
}

// The states with this role that a step over one parameter reads.
std::vector<StateInfo> states_read(const Optimizer& optimizer, const std::string& parameter, const Type& type,
                                   bool hidden, StateRole role) {
  Graph g("states");
  const Value value = g.read({parameter, type, StateRole::parameter});
  const Trained trained{
      .name = parameter, .value = value, .gradient = g.input("gradient", type), .hidden = hidden};
  update(optimizer, {&trained, 1}, g.input("learning_rate", {DType::f32, {}}),
         g.input("ok", {DType::f32, {}}));
  std::vector<StateInfo> out;
  for (const StateInfo& s : g.states())
    if (s.role == role) out.push_back(s);
  return out;
}

}  // namespace

std::vector<StateUpdate> update(const Optimizer& optimizer, std::span<const Trained> parameters,
                                Value learning_rate, Value ok) {
  std::vector<StateUpdate> updates;
  if (!learning_rate.valid() || !ok.valid()) return updates;
  Step step(learning_rate, ok, updates);
  const Rule one = std::visit([&](const auto& o) { return rule(o, step); }, optimizer);
  for (const Trained& p : parameters) {
    Weight w(step, p);
    if (p.value.valid() && p.gradient.valid()) one(w);
  }
  return updates;
}

std::vector<StateInfo> states_of(const Optimizer& optimizer, const std::string& parameter, const Type& type,
                                 bool hidden) {
  return states_read(optimizer, parameter, type, hidden, StateRole::moment);
}

std::vector<StateInfo> shared_states_of(const Optimizer& optimizer) {
  return states_read(optimizer, "", {DType::f32, {1, 1}}, false, StateRole::counter);
}

Value training_value(const Optimizer& optimizer, const std::string& parameter, Value value) {
  const auto* schedule_free = std::get_if<ScheduleFreeAdamW>(&optimizer);
  return schedule_free ? ahead(*schedule_free, parameter, value) : value;
}

}  // namespace shoestring::model
