// What optimizers are written with: the step, which all parameters share, and one parameter in it. A rule
// asks for what it remembers by name; which states there are follows from what it asks for.
//
//   Rule rule(const Lion& o, Step& step) {
//     const Value keep = ...;                            // scalars, once a step
//     return [=](Weight& w) { ... w.become(...); };      // for each parameter
//   }
//
// In a step that is skipped (`ok` is 0) the rate and every gradient are 0, and no state may change, to the
// bit: what is counted is multiplied by ok, and what is averaged is lerp(m, .., ok * share).
#pragma once

#include <functional>
#include <vector>

#include "model/optimizers.h"

namespace shoestring::model {

class Step {
 public:
  Step(Value learning_rate, Value ok, std::vector<StateUpdate>& updates);

  Value ok() const { return ok_; }      // f32[] 1 or 0
  Value rate() const { return rate_; }  // f32[] the learning rate, times ok
  Value one() const { return ok_.graph().scalar(DType::f32, 1); }

  // A number f32[] that all parameters share: as it was before the step (0 before the first), and its
  // value after it.
  Value counter(const std::string& name);
  void count(const std::string& name, Value after);

  // How many good steps there were, this one included; at least 1. Exact up to 2^24.
  Value steps();
  // 1 - keep^t after t good steps, this one included, without the cancellation of that formula in f32: the
  // moment, with this share kept, of a gradient that is always 1. At least 1e-30.
  Value correction(const std::string& name, double keep);

 private:
  friend class Weight;
  Value ok_, rate_, steps_;
  std::vector<StateUpdate>* updates_;
};

class Weight {
 public:
  Weight(Step& step, const Trained& trained) : step_(&step), trained_(&trained) {}

  Value value() const { return trained_->value; }
  Value gradient() const { return trained_->gradient; }
  const Trained& trained() const { return *trained_; }

  // f32[] a rate that all parameters share, for this one.
  Value rate(Value shared) const;
  Value rate() const { return rate(step_->rate()); }
  // A weight decay of the optimizer, for this one.
  double decay(double shared) const { return shared * trained_->decay_factor; }
  // The gradient with decay times the value added.
  Value gradient(double decay) const;
  // The value, less rate times decay times itself.
  Value shrunk(double decay) const;

  // What is remembered: as it was before the step (zeros before the first), and its value after it. The
  // only place that knows how moments are stored.
  Value moment(const std::string& name, const Shape& dims);
  Value moment(const std::string& name) { return moment(name, value().dims()); }
  void keep(const std::string& name, Value after);
  // moment <- lerp(moment, x, share), which is returned; share f32[].
  Value average(const std::string& name, Value x, Value share);

  void become(Value after);

 private:
  Step* step_;
  const Trained* trained_;
};

using Rule = std::function<void(Weight&)>;

Rule rule(const Sgd& options, Step& step);
Rule rule(const Lars& options, Step& step);
Rule rule(const Lion& options, Step& step);
Rule rule(const Adam& options, Step& step);
Rule rule(const AdamW& options, Step& step);
Rule rule(const Adamax& options, Step& step);
Rule rule(const Nadam& options, Step& step);
Rule rule(const Radam& options, Step& step);
Rule rule(const Lamb& options, Step& step);
Rule rule(const Adadelta& options, Step& step);
Rule rule(const Adagrad& options, Step& step);
Rule rule(const RmsProp& options, Step& step);
Rule rule(const Adafactor& options, Step& step);
Rule rule(const Muon& options, Step& step);
Rule rule(const ScheduleFreeAdamW& options, Step& step);
// Where the schedule-free method takes the gradient, of a parameter that holds the average.
Value ahead(const ScheduleFreeAdamW& options, const std::string& parameter, Value average);

// ---- small things that rules share ----

StateInfo moment_state(const std::string& parameter, const std::string& name, const Type& type);

// Smaller than any epsilon that is of use and far from f32's subnormals: keeps 0 / 0 out of a first step
// that is skipped.
inline constexpr double kTiny = 1e-30;
Value at_least(Value x, double low);
Value spread(Value scalar, Value like);
// a where the mask is 1, else b; all f32[].
Value choose(Value mask, Value a, Value b);
Value choose(Value mask, double a, double b);
Value norm(Value x);              // f32[]
Value root_mean_square(Value x);  // f32[]
// a / b, or 1 where either is 0: how far a step may go beside the size of what it changes. Both f32[], not
// negative.
Value trust(Value a, Value b);

}  // namespace shoestring::model
