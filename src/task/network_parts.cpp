#include "task/network_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.h"
#include "ops/rows.h"
#include "task/layer_words.h"
#include "task/network_inputs.h"

namespace shoestring::task {
namespace {

// [rows, n] -> [rows, m], of a batch ensemble [members, rows, m].
Value combine(model::Forward& f, Value x, const std::string& name, const ConcatCombiner& c) {
  if (c.scale_inputs) x = model::scale_columns(f, x, name);
  if (!c.batch_ensemble) return model::fc_stack(f, x, name, stack_of(c.stack, c.residual));
  if (!x.valid()) return x;
  const int64_t rows = x.dims()[0], members = c.num_ensemble_members;
  x = model::spread_over_members(f, x, name, members);
  x = ops::reshape(x, {members * rows, x.dims()[2]});
  x = model::fc_stack(f, x, name, stack_of(c.stack, c.residual));
  return x.valid() ? ops::reshape(x, {members, rows, x.dims()[1]}) : x;
}

// Whether the softmax stands in the loss and in the answer, and not in the decoder's values.
bool softmax_is_last(const VectorOutput& output) {
  return output.softmax && std::holds_alternative<VectorCrossEntropy>(output.loss);
}

// What follows the last layer of a vector.
Value project(model::Forward& f, Value x, const std::string& name, const VectorOutput& output) {
  if (!x.valid()) return x;
  const ProjectorDecoder& d = output.decoder;
  x = model::activate(f, x, name, d.activation);
  if (d.multiplier != 1) x = ops::mul(x, ops::broadcast_like(f.graph().scalar(DType::f32, d.multiplier), x));
  if (d.clip) x = ops::clamp(x, (*d.clip)[0], (*d.clip)[1]);
  return output.softmax && !softmax_is_last(output) ? ops::softmax(x) : x;
}

Value decode(model::Forward& f, Value x, const std::string& name, const OutputFeature& output, int64_t size) {
  if (!x.valid()) return x;
  const LinearDecoder& decoder = output.decoder();
  const model::Linear last{.output_size = size,
                           .use_bias = decoder.use_bias,
                           .head = true,
                           .weights = initializer_of(decoder.weights_initializer),
                           .bias = initializer_of(decoder.bias_initializer)};
  const bool each = x.dims().rank() == 3;
  if (each && !decoder.stack.layers.empty()) {
    const int64_t members = x.dims()[0], rows = x.dims()[1];
    x = model::fc_stack(f, ops::reshape(x, {members * rows, x.dims()[2]}), name, stack_of(decoder.stack));
    x = x.valid() ? ops::reshape(x, {members, rows, x.dims()[1]}) : x;
  } else {
    x = model::fc_stack(f, x, name, stack_of(decoder.stack));
  }
  x = each ? model::linear_of_each(f, x, name, last) : model::linear(f, x, name, last);
  if (const auto* vector = std::get_if<VectorOutput>(&output.spec)) return project(f, x, name, *vector);
  if (is_wide(output.type()) || !x.valid()) return x;
  return ops::reshape(x, each ? Shape{x.dims()[0], x.dims()[1]} : Shape{x.dims()[0]});
}

// The network of one member.
std::vector<Value> forward_member(model::Forward& f, const NetworkSpec& spec, const EnsembleMember* member,
                                  const Inputs& declared, const std::string& prefix) {
  std::vector<InputFeature> inputs = spec.recipe.inputs;
  if (member)
    for (InputFeature& input : inputs) {
      if (auto* number = std::get_if<NumberInput>(&input.spec); number && member->number_encoder)
        number->encoder = *member->number_encoder;
      if (auto* category = std::get_if<CategoryInput>(&input.spec);
          category && member->category_encoder && !std::holds_alternative<TargetEncoder>(category->encoder))
        category->encoder = *member->category_encoder;
    }
  const CombinerSpec& combiner = member && member->combiner ? *member->combiner : spec.recipe.combiner;
  f.set_rate_factor(member ? member->learning_rate_factor : 1);
  const Value combined = combine(f, encode_inputs(f, spec, inputs, declared, prefix), prefix + "combiner",
                                 std::get<ConcatCombiner>(combiner));
  std::vector<Value> out;
  for (size_t i = 0; i < spec.recipe.outputs.size(); ++i) {
    const OutputFeature& output = spec.recipe.outputs[i];
    out.push_back(
        decode(f, combined, prefix + "output." + state_name(output.name), output, spec.output_sizes[i]));
  }
  return out;
}

// Logits to the scale on which answers are averaged, and back. Probabilities stay so far from 0 and 1 that
// their logits are finite.
Value to_answer(const OutputFeature& output, Value logits) {
  return std::visit(
      Overloaded{[&](const NumberOutput&) { return logits; },
                 [&](const BinaryOutput&) { return ops::sigmoid(logits); },
                 [&](const CategoryOutput&) { return ops::softmax(logits); },
                 [&](const VectorOutput& v) { return softmax_is_last(v) ? ops::softmax(logits) : logits; },
                 [&](const SetOutput&) { return ops::sigmoid(logits); }},
      output.spec);
}
// One member's answer; of a batch ensemble the mean over its members.
Value answer_of(const OutputFeature& output, Value logits) {
  const Value answer = to_answer(output, logits);
  const bool several = answer.valid() && answer.dims().rank() > (is_wide(output.type()) ? 2 : 1);
  return several ? ops::reduce_mean(answer, {0}) : answer;
}
Value at_least(Value x, double low) {
  return ops::maximum(x, ops::broadcast_like(x.graph().scalar(DType::f32, low), x));
}
Value log_of_distribution(Value answer) { return ops::log(at_least(answer, 1e-30)); }
Value logit(Value answer) {
  using namespace ops;  // arithmetic, spelled with operators
  constexpr double kLeast = 6e-8;
  return ops::log(at_least(answer, kLeast)) - ops::log(at_least(1.0 - answer, kLeast));
}
Value from_answer(const OutputFeature& output, Value answer) {
  if (!answer.valid()) return answer;
  return std::visit(
      Overloaded{
          [&](const NumberOutput&) { return answer; }, [&](const BinaryOutput&) { return logit(answer); },
          [&](const CategoryOutput&) { return log_of_distribution(answer); },
          [&](const VectorOutput& v) { return softmax_is_last(v) ? log_of_distribution(answer) : answer; },
          [&](const SetOutput&) { return logit(answer); }},
      output.spec);
}

Value blend_weights(model::Forward& f, int64_t members) {
  return f.parameter({.name = std::string(kBlendWeights),
                      .type = {DType::f32, {members}},
                      .initializer = model::constant(1.0 / static_cast<double>(members)),
                      .role = StateRole::statistic,
                      .trainable = false});
}

}  // namespace

std::vector<std::vector<Value>> forward_members(model::Forward& f, const NetworkSpec& spec, int64_t rows,
                                                const BatchMixing& mixing) {
  Inputs inputs = declare_inputs(f, spec, rows);
  inputs.mixing = mixing;
  if (spec.recipe.ensemble.members.empty()) return {forward_member(f, spec, nullptr, inputs, "")};
  std::vector<std::vector<Value>> out;
  for (const EnsembleMember& member : spec.recipe.ensemble.members)
    for (int64_t i = 0; i < member.count; ++i)
      out.push_back(forward_member(f, spec, &member, inputs, fmt::format("member{}.", out.size())));
  return out;
}

std::vector<Value> blended(model::Forward& f, const NetworkSpec& spec,
                           const std::vector<std::vector<Value>>& members) {
  using namespace ops;  // arithmetic, spelled with operators
  const auto count = static_cast<int64_t>(members.size());
  std::vector<Value> out;
  for (size_t i = 0; i < spec.recipe.outputs.size(); ++i) {
    const OutputFeature& output = spec.recipe.outputs[i];
    const int rank = is_wide(output.type()) ? 2 : 1;
    if (count == 1 && members[0][i].valid() && members[0][i].dims().rank() == rank) {
      out.push_back(members[0][i]);  // nothing to blend: the logits as they are
      continue;
    }
    Value sum;
    for (int64_t m = 0; m < count; ++m) {
      Value answer = answer_of(output, members[static_cast<size_t>(m)][i]);
      if (count > 1) answer = answer * ops::reshape(ops::slice(blend_weights(f, count), 0, m, 1), {});
      sum = sum.valid() ? sum + answer : answer;
    }
    out.push_back(from_answer(output, sum));
  }
  return out;
}

Value answers_of(const NetworkSpec& spec, size_t i, const std::vector<std::vector<Value>>& members) {
  std::vector<Value> pieces;
  for (const std::vector<Value>& logits : members) {
    const Value answer = answer_of(spec.recipe.outputs[i], logits[i]);
    if (!answer.valid()) return answer;
    const auto dims = answer.dims().dims();
    std::vector<int64_t> wide{1};
    wide.insert(wide.end(), dims.begin(), dims.end());
    pieces.push_back(ops::reshape(answer, Shape(wide)));
  }
  return ops::concat(pieces, 0);
}

Value target_input(Graph& graph, const NetworkSpec& spec, size_t i, int64_t rows) {
  const OutputFeature& output = spec.recipe.outputs[i];
  const bool category = output.type() == FeatureType::category, wide = is_wide(output.type()) && !category;
  return graph.input("target:" + output.name, {category ? DType::i32 : DType::f32,
                                               wide ? Shape{rows, spec.output_sizes[i]} : Shape{rows}});
}

namespace {

// Of each number of a vector, or of a number: what the loss is made of.
Value element_losses(const auto& loss, Value values, Value target) {
  return std::visit(
      Overloaded{
          [&](const MeanSquaredError&) { return ops::squared_error(values, target); },
          [&](const MeanAbsoluteError&) { return ops::absolute_error(values, target); },
          [&](const RootMeanSquaredError&) { return ops::squared_error(values, target); },
          [&](const RootMeanSquaredPercentageError&) {
            return ops::square(
                ops::div(ops::absolute_error(values, target), at_least(ops::abs(target), 1.17e-6)));
          },
          [&](const Huber& h) { return ops::huber(values, target, h.delta); },
          [&](const MeanAbsolutePercentageError&) {
            return ops::div(ops::absolute_error(values, target), at_least(ops::abs(target), 1.17e-6));
          },
          [&](const VectorCrossEntropy&) { return ops::neg(ops::mul(target, ops::log_softmax(values))); }},
      loss);
}

// [rows, words] -> [rows]. On a word that is in the set its weight.
Value set_losses(Value logits, Value target, const std::vector<double>& weights) {
  using namespace ops;  // arithmetic, spelled with operators
  Value losses = ops::binary_cross_entropy(logits, target);
  if (!weights.empty()) {
    const auto words = static_cast<int64_t>(weights.size());
    const Value weight = logits.graph().constant({DType::f32, {1, words}}, weights);
    losses = losses * (1.0 + target * (ops::broadcast_like(weight, target) - 1.0));
  }
  return ops::reduce_sum(losses, {1});
}

}  // namespace

Value row_losses(const NetworkSpec& spec, size_t i, Value logits, Value target) {
  if (!logits.valid() || !target.valid()) return logits;
  const FeatureType type = spec.recipe.outputs[i].type();
  const bool wide = is_wide(type);
  // Of a batch ensemble each member's loss, all against the same targets.
  if (logits.dims().rank() > (wide ? 2 : 1)) {
    const int64_t members = logits.dims()[0], rows = logits.dims()[1];
    const int64_t n = wide ? logits.dims()[2] : 1;
    if (target.dims().rank() == 2)
      target = ops::reshape(ops::broadcast(target, {members, rows, n}), {members * rows, n});
    else
      target = ops::reshape(ops::broadcast(target, {members, rows}), {members * rows});
    logits = ops::reshape(logits, wide ? Shape{members * rows, n} : Shape{members * rows});
  }
  return std::visit(
      Overloaded{
          [&](const NumberOutput& o) { return element_losses(o.loss, logits, target); },
          [&](const BinaryOutput& o) {
            const auto& loss = std::get<BinaryCrossEntropy>(o.loss);
            return ops::binary_cross_entropy(logits, target, loss.positive_class_weight.value_or(1));
          },
          [&](const CategoryOutput& o) {
            const auto& loss = std::get<SoftmaxCrossEntropy>(o.loss);
            const std::vector<double>& weights = spec.class_weights[i];
            const auto classes = static_cast<int64_t>(weights.size());
            return ops::cross_entropy(logits, target, loss.label_smoothing,
                                      weights.empty() || !logits.valid()
                                          ? Value()
                                          : logits.graph().constant({DType::f32, {classes}}, weights));
          },
          [&](const VectorOutput& o) {
            const Value losses = element_losses(o.loss, logits, target);
            const bool sums = std::holds_alternative<VectorCrossEntropy>(o.loss);
            return sums ? ops::reduce_sum(losses, {1}) : ops::reduce_mean(losses, {1});
          },
          [&](const SetOutput&) { return set_losses(logits, target, spec.class_weights[i]); },
      },
      spec.recipe.outputs[i].spec);
}

Value mixed_losses(const NetworkSpec& spec, size_t i, Value logits, Value target, const BatchMixing& mixing) {
  using namespace ops;  // arithmetic, spelled with operators
  const Value own = row_losses(spec, i, logits, target);
  if (!mixing.of_loss.valid() || !own.valid()) return own;
  return own * (1.0 - mixing.of_loss) + row_losses(spec, i, logits, partners(target)) * mixing.of_loss;
}

Value mean_loss(const NetworkSpec& spec, size_t i, Value row_losses) {
  const Value mean = ops::reduce_mean(row_losses);
  const auto* number = std::get_if<NumberOutput>(&spec.recipe.outputs[i].spec);
  if (!number || !number->loss_is_root() || !mean.valid()) return mean;
  // The root has no slope at 0, where nothing is left to learn.
  return ops::sqrt(ops::maximum(mean, mean.graph().scalar(DType::f32, 1e-30)));
}

void add_prediction(Graph& graph, const NetworkSpec& spec, size_t i, Value logits) {
  const OutputFeature& output = spec.recipe.outputs[i];
  graph.output(answer_port_of(output), to_answer(output, logits));
}

}  // namespace shoestring::task
