#include "task/network.h"

#include <fmt/format.h>

#include <array>
#include <numeric>

#include "base/text.h"
#include "compile/differentiate.h"
#include "data/columns.h"
#include "model/optimizers.h"
#include "task/network_inputs.h"
#include "task/network_parts.h"
#include "task/table_rows.h"

namespace shoestring::task {
namespace {

using namespace ops;  // arithmetic, spelled with operators

constexpr int64_t kInitialStreams = 65537;
constexpr std::string_view kRows = "accumulated/rows";

model::Clipping clipping_of(const GradientClipping& c) {
  return {.global_norm = c.clipglobalnorm, .norm = c.clipnorm, .value = c.clipvalue};
}

double rate_factor(const Trainer& trainer, model::ParameterKind kind) {
  const LearningRateFactors& factors = trainer.learning_rate_factors;
  switch (kind) {
    case model::ParameterKind::weight:
      return 1;
    case model::ParameterKind::bias:
      return factors.bias;
    case model::ParameterKind::norm:
      return factors.norm;
    case model::ParameterKind::scale:
      return factors.scale;
    case model::ParameterKind::embedding:
      return factors.embedding;
    case model::ParameterKind::frequency:
      return factors.frequency;
  }
  return 1;
}

// Whether weight decay takes hold of it.
bool decays(const Trainer& trainer, model::ParameterKind kind) {
  return !trainer.decay_weights_only || kind == model::ParameterKind::weight ||
         kind == model::ParameterKind::embedding;
}

StateInfo sum_of(const std::string& parameter, const Type& type) {
  return {parameter + "/sum", type, StateRole::accumulator};
}
StateInfo rows_state() { return {std::string(kRows), {DType::f32, {}}, StateRole::accumulator}; }

Value zeros_like(Value x) { return ops::broadcast(x.graph().scalar(x.type().dtype, 0), x.dims()); }

// Where the optimizer takes the gradient.
model::View seen_in_training(const NetworkSpec& spec) {
  return [optimizer = spec.recipe.trainer.optimizer](const model::Parameter& p, Value value) {
    return p.trainable ? model::training_value(optimizer, p.name, value) : value;
  };
}

// Fewer are kept as they are: they take little memory, and small tensors (biases, norms) are sensitive.
constexpr int64_t kLeastCoded = 4096;

// Moments in 8 bits, where the optimizer is of that kind. Those that are never negative have no sign.
StateForms moment_forms(const Graph& graph, const model::Optimizer& optimizer) {
  StateForms out;
  if (!std::visit([]<class O>(const O&) { return model::kEightBit<O>; }, optimizer)) return out;
  for (const StateInfo& s : graph.states()) {
    if (s.role != StateRole::moment || s.type.dtype != DType::f32 || s.type.elements() < kLeastCoded)
      continue;
    const std::string_view name = std::string_view(s.name).substr(s.name.rfind('/') + 1);
    const bool has_sign = name != "v" && name != "v_max" && name != "squares";
    out.emplace(s.name, cast_form(s, has_sign ? DType::dyn8 : DType::udyn8));
  }
  return out;
}

// One training step while it is built.
class Training {
 public:
  Training(Graph& graph, const NetworkSpec& spec, int64_t rows, StepKind kind)
      : g_(graph),
        spec_(spec),
        rows_(static_cast<double>(rows)),
        kind_(kind),
        forward_(graph, true, seen_in_training(spec)) {
    mixing_ = draw_mixing(g_, spec.recipe);
    losses(forward_members(forward_, spec, rows, mixing_), rows);
  }

  // States that are kept in another form than the graph has them: for restate().
  StateForms forms() const {
    StateForms out = tables_.forms(g_);
    out.merge(moment_forms(g_, spec_.recipe.trainer.optimizer));
    return out;
  }

  void build(TrainingPart until) {
    if (!g_.status() || until == TrainingPart::forward) return;
    gradients();
    if (until == TrainingPart::differentiate) return;
    if (!g_.status()) return;
    const Value finite = ops::is_finite(loss_);
    if (kind_ == StepKind::accumulate)
      accumulate(finite);
    else
      apply(finite);
    write();
  }

 private:
  // The losses as results, and what is minimised: their weighted sum, and the regularization.
  void losses(const std::vector<std::vector<Value>>& members, int64_t rows) {
    const auto count = static_cast<double>(members.size());
    for (size_t i = 0; i < spec_.recipe.outputs.size(); ++i) {
      const OutputFeature& output = spec_.recipe.outputs[i];
      const Value target = target_input(g_, spec_, i, rows);
      Value loss;
      for (const std::vector<Value>& logits : members) {
        const Value own = mean_loss(spec_, i, mixed_losses(spec_, i, logits[i], target, mixing_));
        loss = loss.valid() ? loss + own : own;
      }
      if (count > 1) loss = loss * (1 / count);
      g_.output("loss:" + output.name, loss);
      const Value weighted = output.loss_weight() == 1 ? loss : loss * output.loss_weight();
      loss_ = loss_.valid() ? loss_ + weighted : weighted;
    }
    if (!loss_.valid()) {
      g_.error("the recipe has no output features");
      return;
    }
    g_.output("loss", loss_);
  }

  // lambda * sum |w| and lambda * sum w², over the weights and embeddings (no biases, no norms).
  Value penalty() const {
    const Trainer& trainer = spec_.recipe.trainer;
    const bool l1 = trainer.regularization_type != Regularization::l2;
    const bool l2 = trainer.regularization_type != Regularization::l1;
    Value sum;
    const auto plus = [&](Value v) { sum = sum.valid() ? sum + v : v; };
    for (const model::Parameter& p : forward_.parameters()) {
      if (!p.penalised) continue;
      if (l1) plus(ops::reduce_sum(ops::abs(forward_.value(p))));
      if (l2) plus(ops::sum_squares(forward_.value(p)));
    }
    return sum.valid() ? sum * trainer.regularization_lambda : sum;
  }

  void gradients() {
    // Members of an ensemble share nothing: each gets the gradient of its own loss.
    const auto members = static_cast<double>(member_count(spec_.recipe));
    Value objective = members > 1 ? loss_ * members : loss_;
    if (spec_.recipe.trainer.regularization_lambda > 0)
      if (const Value p = penalty(); p.valid()) objective = objective + p;
    // Sums over rows add up over steps of any size; the mean is taken in the update.
    if (kind_ != StepKind::update) objective = objective * rows_;

    std::vector<Value> values;
    for (const model::Parameter& p : forward_.parameters()) {
      if (!p.trainable) continue;
      trained_.push_back({.name = p.name,
                          .value = g_.read({p.name, p.type, p.role}),
                          .hidden = p.hidden,
                          .rate_factor = p.rate_factor * rate_factor(spec_.recipe.trainer, p.kind),
                          .decay_factor = decays(spec_.recipe.trainer, p.kind) ? 1.0 : 0.0});
      values.push_back(trained_.back().value);
    }
    const std::vector<Value> out = differentiate(g_, objective, values);
    for (size_t i = 0; i < out.size(); ++i) trained_[i].gradient = out[i];
  }

  // This step's sums on top of the accumulators; `rows` becomes all rows. A bad loss makes it infinite,
  // so that the update, which is of one large batch, is skipped whole.
  Value add_accumulators(Value finite) {
    const Value rows = g_.read(rows_state()) + rows_ / finite;
    for (model::Trained& t : trained_) t.gradient = t.gradient + g_.read(sum_of(t.name, t.value.type()));
    return rows;
  }
  std::vector<Value> means(Value rows) const {
    std::vector<Value> out;
    const Value share = rows.valid() ? 1.0 / rows : Value();
    for (const model::Trained& t : trained_) out.push_back(rows.valid() ? t.gradient * share : t.gradient);
    return out;
  }

  void accumulate(Value finite) {
    const Value rows = add_accumulators(finite);
    const model::Clipped now = model::clip(means(rows), {}, finite * ops::is_finite(rows));
    report(now);
    for (const model::Trained& t : trained_)
      updates_.push_back({sum_of(t.name, t.value.type()).name, t.gradient});
    updates_.push_back({std::string(kRows), rows});
    statistics(now.ok);
  }

  void apply(Value finite) {
    Value rows;
    if (kind_ == StepKind::accumulate_and_update) {
      rows = add_accumulators(finite);
      finite = finite * ops::is_finite(rows);
      for (const model::Trained& t : trained_)
        updates_.push_back({sum_of(t.name, t.value.type()).name, zeros_like(t.value)});
      updates_.push_back({std::string(kRows), g_.scalar(DType::f32, 0)});
    }
    if (kind_ == StepKind::update && updates_rows(spec_.recipe.trainer.optimizer)) tables_.take(g_, trained_);
    const bool early = spec_.early_updates;
    if (early && (kind_ != StepKind::update || !can_update_early(spec_.recipe))) {
      g_.error("early_updates: clipping by the global norm and accumulation need all gradients first");
      return;
    }
    const model::Clipped clipped =
        model::clip(means(rows), clipping_of(spec_.recipe.trainer.gradient_clipping), finite, early);
    report(clipped);
    for (size_t i = 0; i < trained_.size(); ++i) trained_[i].gradient = clipped.gradients[i];
    const Value rate = g_.input("learning_rate", {DType::f32, {}});
    const Value ok = early ? finite : clipped.ok;
    for (model::StateUpdate& u : model::update(spec_.recipe.trainer.optimizer, trained_, rate, ok)) {
      if (early) hold_back(u, clipped);
      updates_.push_back(std::move(u));
    }
    tables_.put(updates_);
    statistics(clipped.ok);
  }

  // Parameter and moments stay as they are where the parameter's own gradient is bad.
  void hold_back(model::StateUpdate& u, const model::Clipped& clipped) {
    for (size_t i = 0; i < trained_.size(); ++i) {
      const model::Trained& t = trained_[i];
      const bool itself = u.state == t.name;
      if (!itself && !u.state.starts_with(t.name + "/")) continue;
      const Value before = itself ? t.value : g_.read(*g_.state(u.state));
      u.value = ops::where(ops::broadcast_like(clipped.each[i], u.value), u.value, before);
      return;
    }
  }

  void report(const model::Clipped& clipped) {
    g_.output("gradient_norm", clipped.norm);
    g_.output("finite", clipped.ok);
  }

  // Running statistics move on in good steps only. An activation may have swallowed a NaN before the
  // loss, so each number is looked at.
  void statistics(Value ok) {
    for (const NamedValue& u : forward_.updates()) {
      const Value next = g_.value(u.value);
      const Value old = g_.read(*g_.state(u.name));
      const Value good = ops::is_finite(next) * ok;
      updates_.push_back({u.name, ops::where(good, next, old)});
    }
  }

  void write() {
    for (const model::StateUpdate& u : updates_) g_.write(u.state, u.value);
  }

  Graph& g_;
  const NetworkSpec& spec_;
  double rows_;
  StepKind kind_;
  model::Forward forward_;
  BatchMixing mixing_;
  Value loss_;
  std::vector<model::Trained> trained_;
  std::vector<model::StateUpdate> updates_;
  TableRows tables_;
};

// With all encoders, whatever is kept of what they make.
NetworkSpec whole(NetworkSpec spec) {
  spec.kept_features.clear();
  return spec;
}

std::string_view name_of(StepKind kind) {
  constexpr std::string_view names[] = {"train", "accumulate", "accumulate_and_update"};
  return names[static_cast<size_t>(kind)];
}

}  // namespace

bool can_update_early(const Recipe& recipe) { return !recipe.trainer.gradient_clipping.clipglobalnorm; }

int64_t number_columns(const NetworkSpec& spec) {
  int64_t n = 0;
  for (const InputFeature& input : spec.recipe.inputs) n += port_of(input).empty();
  return n;
}

std::string port_of(const InputFeature& input) {
  const FeatureType type = input.type();
  if (type == FeatureType::number || type == FeatureType::binary) return {};
  return fmt::format("{}:{}", name_of(type), input.name);
}

std::string features_port_of(const InputFeature& input) { return "features:" + input.name; }

int64_t kept_features(const NetworkSpec& spec, size_t input) {
  return input < spec.kept_features.size() ? spec.kept_features[input] : 0;
}

std::string answer_port_of(const OutputFeature& output) {
  // In the order of FeatureType.
  constexpr std::string_view kNames[] = {"prediction", "probability", "probabilities", "prediction",
                                         "probabilities"};
  return fmt::format("{}:{}", kNames[static_cast<size_t>(output.type())], output.name);
}

bool is_wide(FeatureType type) { return type != FeatureType::number && type != FeatureType::binary; }

Type port_type(const NetworkSpec& spec, size_t i, int64_t rows) {
  switch (spec.recipe.inputs[i].type()) {
    case FeatureType::vector:
      return {DType::f32, {rows, spec.input_sizes[i]}};
    case FeatureType::set:
    case FeatureType::bag:
      return {DType::i32, {rows, spec.input_widths[i]}};
    case FeatureType::date:
      return {DType::f32, {rows, data::DateRows::kWidth}};
    case FeatureType::image: {
      const ImagePreprocessing& p = std::get<ImageInput>(spec.recipe.inputs[i].spec).preprocessing;
      return {DType::u8, {rows, p.height.value_or(1), p.width.value_or(1), p.num_channels.value_or(1)}};
    }
    default:
      return {DType::i32, {rows}};
  }
}

Graph build_initial(const NetworkSpec& spec) {
  Graph scratch("forward");
  model::Forward forward(scratch, true);
  blended(forward, spec, forward_members(forward, whole(spec), 1));
  Graph g("initial");
  if (auto s = scratch.status(); !s) {
    g.error(s.error().what);
    return g;
  }

  struct Initial {
    StateInfo state;
    model::Initializer initializer;
  };
  std::vector<Initial> all;
  const model::Optimizer& optimizer = spec.recipe.trainer.optimizer;
  for (const model::Parameter& p : forward.parameters())
    all.push_back({{p.name, p.type, p.role}, p.initializer});
  for (const model::Parameter& p : forward.parameters()) {
    if (!p.trainable) continue;
    for (const StateInfo& s : model::states_of(optimizer, p.name, p.type, p.hidden))
      all.push_back({s, model::zeros()});
    if (spec.accumulates) all.push_back({sum_of(p.name, p.type), model::zeros()});
  }
  for (const StateInfo& s : model::shared_states_of(optimizer)) all.push_back({s, model::zeros()});
  if (spec.accumulates) all.push_back({rows_state(), model::zeros()});

  int64_t stream = kInitialStreams;
  for (const Initial& i : all) {
    g.read(i.state);  // declares it with its role
    g.write(i.state.name, model::draw(g, i.state.type, i.initializer, stream++));
  }
  return restate(g, moment_forms(g, spec.recipe.trainer.optimizer));
}

Graph build_training(const NetworkSpec& spec, int64_t rows, StepKind kind, TrainingPart until) {
  Graph g{std::string(name_of(kind))};
  Training training(g, spec, rows, kind);
  training.build(until);
  return restate(g, training.forms());
}

Graph build_evaluation(const NetworkSpec& spec, int64_t rows) {
  Graph g("evaluate");
  model::Forward forward(g);
  const std::vector<Value> logits = blended(forward, spec, forward_members(forward, spec, rows));
  for (size_t i = 0; i < logits.size(); ++i) {
    const Value target = target_input(g, spec, i, rows);
    g.output("losses:" + spec.recipe.outputs[i].name, row_losses(spec, i, logits[i], target));
    add_prediction(g, spec, i, logits[i]);
  }
  return g;
}

Graph build_prediction(const NetworkSpec& spec, int64_t rows) {
  Graph g("predict");
  model::Forward forward(g);
  const std::vector<Value> logits = blended(forward, spec, forward_members(forward, whole(spec), rows));
  for (size_t i = 0; i < logits.size(); ++i) add_prediction(g, spec, i, logits[i]);
  return g;
}

Graph build_members(const NetworkSpec& spec, int64_t rows) {
  Graph g("members");
  model::Forward forward(g);
  const auto members = forward_members(forward, spec, rows);
  for (size_t i = 0; i < spec.recipe.outputs.size(); ++i)
    g.output("answers:" + spec.recipe.outputs[i].name, answers_of(spec, i, members));
  return g;
}

Graph build_features(const NetworkSpec& spec, int64_t rows) {
  Graph g("features");
  model::Forward forward(g);
  add_features(forward, spec, rows);
  return g;
}

int64_t member_count(const Recipe& recipe) {
  int64_t count = 0;
  for (const EnsembleMember& member : recipe.ensemble.members) count += member.count;
  return std::max<int64_t>(count, 1);
}

Result<std::vector<double>> resolve_class_weights(const ClassWeights& weights, const std::string& output,
                                                  std::span<const std::string> labels,
                                                  std::span<const int64_t> counts) {
  if (weights.empty()) return std::vector<double>{};
  const std::string where = "output '" + output + "', loss.class_weights";
  std::vector<double> out = weights.by_order;
  if (weights.by_order.empty()) {
    out.assign(labels.size(), 1);
    for (const auto& [name, weight] : weights.by_name) {
      const auto at = std::find(labels.begin(), labels.end(), name);
      if (at == labels.end()) {
        const std::string near = nearest(name, labels);
        return fail(ErrorKind::usage, fmt::format("'{}' is no class of this output", name), where,
                    near.empty() ? "use the labels as they stand in the data"
                                 : fmt::format("did you mean '{}'?", near));
      }
      out[static_cast<size_t>(at - labels.begin())] = weight;
    }
  }
  if (out.size() != labels.size())
    return fail(ErrorKind::usage, fmt::format("{} weights for {} classes", out.size(), labels.size()), where,
                "give one weight for each class, the most frequent class first");
  double rows = 0, sum = 0;
  for (size_t i = 0; i < out.size() && i < counts.size(); ++i) {
    rows += static_cast<double>(counts[i]);
    sum += out[i] * static_cast<double>(counts[i]);
  }
  if (sum > 0)
    for (double& w : out) w *= rows / sum;
  return out;
}

}  // namespace shoestring::task
