#include "model/optimizers.h"

#include "ops/ops.h"

namespace shoestring::model {
namespace {

using namespace ops;  // arithmetic, spelled with operators

// Smaller than any epsilon that is of use and far from f32's subnormals: keeps 0 / 0 out of a first step
// that is skipped.
constexpr double kTiny = 1e-30;

Value at_least(Value x, double low) { return ops::maximum(x, x.graph().scalar(x.type().dtype, low)); }
Value spread(Value scalar, Value like) { return ops::broadcast_like(scalar, like); }
Value zeros_like(Value x) { return spread(x.graph().scalar(x.type().dtype, 0), x); }
// a where the mask is 1, else b; all scalars.
Value choose(Value mask, double a, double b) {
  Graph& g = mask.graph();
  return ops::where(mask, g.scalar(mask.type().dtype, a), g.scalar(mask.type().dtype, b));
}

// x * factor, without a node where the factor is 1.
Value times(Value x, double factor) { return factor == 1 ? x : x * factor; }

// The factor that brings a norm down to `limit`; 1 if it is not above.
Value shrink(Value norm, double limit) {
  return ops::minimum(limit / (norm + 1e-6), norm.graph().scalar(norm.type().dtype, 1));
}

Value norm_of(std::span<const Value> squares) {
  Value sum = squares[0];
  for (const Value& s : squares.subspan(1)) sum = sum + s;
  return ops::sqrt(sum);
}

// ---- one optimizer each: its states, its scalars, its update of one parameter ----

StateInfo moment(const std::string& name, const Type& type) { return {name, type, StateRole::moment}; }
StateInfo counter(const std::string& name) { return {name, {DType::f32, {}}, StateRole::counter}; }

std::vector<StateInfo> states(const Sgd& o, const std::string& parameter, const Type& type) {
  if (o.momentum == 0) return {};
  return {moment(parameter + "/momentum", type)};
}
std::vector<StateInfo> states(const Adam& o, const std::string& parameter, const Type& type) {
  std::vector<StateInfo> out{moment(parameter + "/m", type), moment(parameter + "/v", type)};
  if (o.amsgrad) out.push_back(moment(parameter + "/v_max", type));
  return out;
}

// Only dampening tells the first step from the others: without it 0 * momentum + d is d.
bool counts_steps(const Sgd& o) { return o.momentum != 0 && o.dampening != 0; }

std::vector<StateInfo> shared(const Sgd& o) {
  if (counts_steps(o)) return {counter("optimizer/started")};
  return {};
}
std::vector<StateInfo> shared(const Adam&) { return {counter("optimizer/q1"), counter("optimizer/q2")}; }

class SgdUpdate {
 public:
  SgdUpdate(const Sgd& options, Value learning_rate, Value ok, std::vector<StateUpdate>& updates)
      : o_(options), updates_(updates), rate_(learning_rate * ok) {
    if (o_.momentum == 0) return;
    keep_ = choose(ok, o_.momentum, 1);
    // With weight decay d is not 0 in a step that is skipped, and the buffer must not notice.
    if (o_.weight_decay != 0) take_ = ok;
    if (!counts_steps(o_)) return;
    const StateInfo started = shared(o_)[0];
    const Value before = ok.graph().read(started), share = 1.0 - o_.dampening * before;
    take_ = take_.valid() ? take_ * share : share;
    updates_.push_back({started.name, ops::maximum(before, ok)});
  }

  void operator()(const Trained& p) {
    Value d = p.gradient;
    if (const double decay = o_.weight_decay * p.decay_factor; decay != 0) d = d + p.value * decay;
    if (o_.momentum != 0) {
      const StateInfo state = states(o_, p.name, p.value.type())[0];
      const Value buffer = p.value.graph().read(state) * keep_ + (take_.valid() ? d * take_ : d);
      updates_.push_back({state.name, buffer});
      d = o_.nesterov ? d + buffer * o_.momentum : buffer;
    }
    updates_.push_back({p.name, p.value - d * times(rate_, p.rate_factor)});
  }

 private:
  Sgd o_;
  std::vector<StateUpdate>& updates_;
  Value rate_, keep_, take_;  // take_ is 1 where it is not there
};

class AdamUpdate {
 public:
  AdamUpdate(const Adam& options, Value learning_rate, Value ok, std::vector<StateUpdate>& updates)
      : o_(options), updates_(updates), share1_(ok * (1 - o_.beta1)), share2_(ok * (1 - o_.beta2)) {
    const Value q1 = next(0, share1_), q2_root = ops::sqrt(next(1, share2_));
    // lr (m / q1) / (sqrt(v / q2) + epsilon) = [lr sqrt(q2) / q1] m / (sqrt(v) + [epsilon sqrt(q2)])
    rate_ = learning_rate * ok * q2_root / at_least(q1, kTiny);
    epsilon_ = at_least(q2_root * o_.epsilon, kTiny);
    decay_ = learning_rate * ok * o_.weight_decay;
  }

  void operator()(const Trained& p) {
    Graph& g = p.value.graph();
    const std::vector<StateInfo> names = states(o_, p.name, p.value.type());
    const double decay = o_.weight_decay * p.decay_factor;
    Value d = p.gradient;
    if (!o_.decoupled && decay != 0) d = d + p.value * decay;
    const Value m = ops::lerp(g.read(names[0]), d, spread(share1_, d));
    Value v = ops::lerp(g.read(names[1]), ops::square(d), spread(share2_, d));
    updates_.push_back({names[0].name, m});
    updates_.push_back({names[1].name, v});
    if (o_.amsgrad) {
      v = ops::maximum(g.read(names[2]), v);
      updates_.push_back({names[2].name, v});
    }
    const Value kept = o_.decoupled && decay != 0
                           ? p.value * (1.0 - times(decay_, p.rate_factor * p.decay_factor))
                           : p.value;
    const Value rate = times(rate_, p.rate_factor);
    updates_.push_back({p.name, kept - m * rate / (ops::sqrt(v) + epsilon_)});
  }

 private:
  // The bias correction after this step.
  Value next(size_t which, Value share) {
    const StateInfo state = shared(o_)[which];
    Graph& g = share.graph();
    const Value q = ops::lerp(g.read(state), g.scalar(DType::f32, 1), share);
    updates_.push_back({state.name, q});
    return q;
  }

  Adam o_;
  std::vector<StateUpdate>& updates_;
  Value share1_, share2_, rate_, epsilon_, decay_;
};

SgdUpdate updater(const Sgd& o, Value lr, Value ok, std::vector<StateUpdate>& out) {
  return {o, lr, ok, out};
}
AdamUpdate updater(const Adam& o, Value lr, Value ok, std::vector<StateUpdate>& out) {
  return {o, lr, ok, out};
}

}  // namespace

Clipped clip(std::span<const Value> gradients, const Clipping& clipping, Value finite) {
  if (!finite.valid()) return {};
  if (gradients.empty()) return {{}, finite.graph().error("clip: nothing is trained"), {}};
  std::vector<Value> squares;
  for (const Value& g : gradients) squares.push_back(ops::sum_squares(g));
  const Value norm = norm_of(squares);
  const Value ok = finite * ops::is_finite(norm);
  Clipped out{{}, norm, ok};
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
    out.gradients.push_back(ops::where(spread(ok, g), g, zeros_like(g)));
  }
  return out;
}

std::vector<StateInfo> states_of(const Optimizer& optimizer, const std::string& parameter, const Type& type) {
  return std::visit([&](const auto& o) { return states(o, parameter, type); }, optimizer);
}

std::vector<StateInfo> shared_states_of(const Optimizer& optimizer) {
  return std::visit([](const auto& o) { return shared(o); }, optimizer);
}

std::vector<StateUpdate> update(const Optimizer& optimizer, std::span<const Trained> parameters,
                                Value learning_rate, Value ok) {
  std::vector<StateUpdate> updates;
  if (!learning_rate.valid() || !ok.valid()) return updates;
  std::visit(
      [&](const auto& o) {
        auto step = updater(o, learning_rate, ok, updates);
        for (const Trained& p : parameters) step(p);
      },
      optimizer);
  return updates;
}

}  // namespace shoestring::model
