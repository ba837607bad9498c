#include "task/network_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/number_embeddings.h"

namespace shoestring::task {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

// ---- from the recipe's words to those of src/model ----

double gain_of(init::Gain nonlinearity, double a) {
  switch (nonlinearity) {
    case init::Gain::linear:
    case init::Gain::sigmoid:
      return 1;
    case init::Gain::tanh:
      return 5.0 / 3;
    case init::Gain::relu:
      return std::sqrt(2.0);
    case init::Gain::leaky_relu:
      return std::sqrt(2 / (1 + a * a));
    case init::Gain::selu:
      return 3.0 / 4;
  }
  return 1;
}

model::Initializer initializer(const InitializerSpec& spec, model::Fans fans) {
  const auto fan = [&](init::Fan mode) { return mode == init::Fan::fan_in ? fans.in : fans.out; };
  return std::visit(Overloaded{
                        [&](const init::XavierUniform& i) { return model::xavier_uniform(fans, i.gain); },
                        [&](const init::XavierNormal& i) { return model::xavier_normal(fans, i.gain); },
                        [&](const init::KaimingUniform& i) {
                          return model::kaiming_uniform(fan(i.mode), gain_of(i.nonlinearity, i.a));
                        },
                        [&](const init::KaimingNormal& i) {
                          return model::kaiming_normal(fan(i.mode), gain_of(i.nonlinearity, i.a));
                        },
                        [&](const init::Zeros&) { return model::zeros(); },
                        [&](const init::Ones&) { return model::ones(); },
                        [&](const init::Constant& i) { return model::constant(i.val); },
                        [&](const init::Uniform& i) { return model::uniform(i.a, i.b); },
                        [&](const init::Normal& i) { return model::normal(i.mean, i.std); },
                        [&](const init::Eye&) { return model::identity(); },
                        [&](const init::Identity&) { return model::identity(); },
                        [&](const init::Orthogonal& i) { return model::orthogonal(i.gain); },
                        [&](const init::Sparse& i) { return model::sparse(i.sparsity, i.std); },
                    },
                    spec);
}

model::InitializerOf initializer_of(const InitializerSpec& spec) {
  return [spec](model::Fans fans) { return initializer(spec, fans); };
}

model::Norm norm_of(Norm norm) {
  switch (norm) {
    case Norm::none:
      return model::Norm::none;
    case Norm::batch:
      return model::Norm::batch;
    case Norm::layer:
      return model::Norm::layer;
  }
  return model::Norm::none;
}

model::NormParams params_of(const NormParams& p) { return {.epsilon = p.eps, .momentum = p.momentum}; }

model::FcStack stack_of(const FcStack& stack, bool residual = false) {
  model::FcStack out{.input_norm = norm_of(stack.around.norm),
                     .input_norm_params = params_of(stack.around.norm_params),
                     .input_dropout = stack.around.dropout,
                     .residual = residual};
  for (const FcLayer& l : stack.layers)
    out.layers.push_back({.linear = {.output_size = l.output_size,
                                     .use_bias = l.use_bias,
                                     .weights = initializer_of(l.weights_initializer),
                                     .bias = initializer_of(l.bias_initializer)},
                          .norm = norm_of(l.norm),
                          .norm_params = params_of(l.norm_params),
                          .activation = l.activation,
                          .dropout = l.dropout});
  return out;
}

// ---- encoders ----

Value encode_category(model::Forward& f, Value numbers, const std::string& name, int64_t entries,
                      const CategoryInput& input) {
  const auto table = [&](const std::optional<InitializerSpec>& given, int64_t size,
                         model::Initializer otherwise, bool trainable, double dropout) {
    // torch.nn.init takes a table [entries, size] for a weight with `size` inputs.
    const model::Fans fans{size, entries};
    return model::dropout(f,
                          model::embedding(f, numbers, name,
                                           {.entries = entries,
                                            .size = size,
                                            .initializer = given ? initializer(*given, fans) : otherwise,
                                            .trainable = trainable}),
                          dropout);
  };
  return std::visit(
      Overloaded{
          [&](const EmbedEncoder& e) {
            return table(e.embedding_initializer, std::min(e.embedding_size, entries), model::uniform(-1, 1),
                         e.embeddings_trainable, e.dropout);
          },
          [&](const SparseEmbedEncoder& e) {
            // The identity that never learns is the one-hot code; no table is kept for it.
            if (!e.embedding_initializer && !e.embeddings_trainable)
              return model::dropout(f, ops::one_hot(numbers, entries), e.dropout);
            return table(e.embedding_initializer, entries, model::identity(), e.embeddings_trainable,
                         e.dropout);
          },
          [&](const OneHotEncoder&) { return ops::one_hot(numbers, entries); },
          [&](const HashEncoder& e) { return table({}, e.embedding_size, model::uniform(-1, 1), true, 0); },
          [&](const PassthroughEncoder&) {
            return ops::reshape(ops::cast(numbers, DType::f32), {numbers.dims()[0], 1});
          },
      },
      input.encoder);
}

// Columns of "numbers", by runs: as few pieces as they stand in.
std::vector<Value> columns_of(Value numbers, const std::vector<int64_t>& wanted) {
  if (numbers.valid() && std::ssize(wanted) == numbers.dims()[1]) return {numbers};
  std::vector<Value> pieces;
  for (size_t begin = 0; begin < wanted.size();) {
    size_t end = begin + 1;
    while (end < wanted.size() && wanted[end] == wanted[end - 1] + 1) ++end;
    pieces.push_back(ops::slice(numbers, 1, wanted[begin], static_cast<int64_t>(end - begin)));
    begin = end;
  }
  return pieces;
}

Value side_by_side(const std::vector<Value>& pieces) {
  return pieces.size() == 1 ? pieces[0] : ops::concat(pieces, 1);
}

// Number inputs whose encoders are equal, so that one group of nodes can encode them.
struct NumberGroup {
  NumberEncoderSpec encoder;
  size_t first;                  // of its features: the group's states bear its name
  std::vector<int64_t> columns;  // of "numbers"
  model::Edges edges;
};

// So many bins of those that were fitted, which are as many as the most demanding encoder asks for.
model::Edges coarser(const model::Edges& edges, int64_t bins) {
  model::Edges out;
  for (const auto& of_one : edges) {
    const auto fitted = static_cast<int64_t>(of_one.size()) - 1, most = std::min(bins, fitted);
    auto& kept = out.emplace_back();
    for (int64_t b = 0; b <= most; ++b) kept.push_back(of_one[static_cast<size_t>(b * fitted / most)]);
  }
  return out;
}

// Without fitted bins (of a recipe alone) one from 0 to 1.
std::vector<double> edges_of(const NetworkSpec& spec, size_t input) {
  const bool fitted = input < spec.input_edges.size() && spec.input_edges[input].size() > 1;
  return fitted ? spec.input_edges[input] : std::vector<double>{0, 1};
}

Value encode_group(model::Forward& f, Value numbers, const std::string& name, const NumberGroup& group) {
  const Value x = side_by_side(columns_of(numbers, group.columns));
  const auto embedding = [](int64_t size, Activation activation, bool plus_input) {
    return model::NumberEmbedding{size, activation, plus_input};
  };
  return std::visit(
      Overloaded{
          [&](const PassthroughEncoder&) { return x; },
          [&](const DenseEncoder& e) { return model::fc_stack(f, x, name, stack_of(e.stack)); },
          [&](const PleEncoder& e) {
            return model::piecewise_linear(f, x, name, coarser(group.edges, e.num_bins),
                                           embedding(e.output_size, e.activation, e.plus_input));
          },
          [&](const PeriodicEncoder& e) {
            const Value in = e.input == NumberView::quantile ? model::quantile_of(x, group.edges) : x;
            return model::periodic(f, in, name, {e.num_frequencies, e.sigma, e.shared_layer},
                                   embedding(e.output_size, e.activation, e.plus_input));
          },
          [&](const BinsEncoder& e) {
            return model::binned(f, x, name, coarser(group.edges, e.num_bins),
                                 embedding(e.output_size, Activation::none, false));
          },
      },
      group.encoder);
}

// What a feature that comes as a column of "numbers" is encoded by.
NumberEncoderSpec number_encoder(const InputFeature& input) {
  return std::visit(Overloaded{[](const NumberInput& n) { return n.encoder; },
                               [](const BinaryInput& b) {
                                 return std::visit([](const auto& e) { return NumberEncoderSpec(e); },
                                                   b.encoder);
                               },
                               [](const CategoryInput&) { return NumberEncoderSpec(); }},
                    input.spec);
}

// A stack of layers reads one value; without layers it passes the value through.
bool passes(const NumberEncoderSpec& encoder) {
  const auto* dense = std::get_if<DenseEncoder>(&encoder);
  return std::holds_alternative<PassthroughEncoder>(encoder) || (dense && dense->stack.layers.empty());
}

// The graph's inputs, declared once, whichever members read them.
struct Inputs {
  Value numbers;                  // invalid where there are none
  std::vector<Value> categories;  // of each input; invalid unless it is one
};
Inputs declare_inputs(Graph& graph, const NetworkSpec& spec, int64_t rows) {
  Inputs out{{}, std::vector<Value>(spec.recipe.inputs.size())};
  if (const int64_t columns = number_columns(spec); columns > 0)
    out.numbers = graph.input("numbers", {DType::f32, {rows, columns}});
  for (size_t i = 0; i < spec.recipe.inputs.size(); ++i)
    if (const InputFeature& input = spec.recipe.inputs[i]; input.type() == FeatureType::category)
      out.categories[i] = graph.input("category:" + input.name, {DType::i32, {rows}});
  return out;
}

// The encoders' columns side by side: [rows, n].
Value encode_inputs(model::Forward& f, const NetworkSpec& spec, const std::vector<InputFeature>& features,
                    const Inputs& inputs, const std::string& prefix) {
  std::vector<int64_t> passing;
  std::vector<NumberGroup> groups;
  int64_t column = 0;
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i].type() == FeatureType::category) continue;
    const NumberEncoderSpec encoder = number_encoder(features[i]);
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const NumberGroup& g) {
      return g.encoder == encoder && !std::holds_alternative<DenseEncoder>(encoder);
    });
    if (passes(encoder)) {
      passing.push_back(column++);
    } else if (same != groups.end()) {
      same->columns.push_back(column++);
      same->edges.push_back(edges_of(spec, i));
    } else {
      groups.push_back({encoder, i, {column++}, {edges_of(spec, i)}});
    }
  }
  std::vector<Value> pieces;
  if (!passing.empty()) pieces = columns_of(inputs.numbers, passing);
  size_t next = 0;  // groups stand in the order of their first features
  for (size_t i = 0; i < features.size(); ++i) {
    const std::string name = prefix + "input." + state_name(features[i].name);
    if (const auto* category = std::get_if<CategoryInput>(&features[i].spec))
      pieces.push_back(encode_category(f, inputs.categories[i], name, spec.input_sizes[i], *category));
    else if (next < groups.size() && groups[next].first == i)
      pieces.push_back(encode_group(f, inputs.numbers, name, groups[next++]));
  }
  if (pieces.empty()) return f.graph().error("the recipe has no input features");
  return side_by_side(pieces);
}

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
  if (output.type() == FeatureType::category || !x.valid()) return x;
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
      if (auto* category = std::get_if<CategoryInput>(&input.spec); category && member->category_encoder)
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
Value to_answer(FeatureType type, Value logits) {
  switch (type) {
    case FeatureType::number:
      return logits;
    case FeatureType::binary:
      return ops::sigmoid(logits);
    case FeatureType::category:
      return ops::softmax(logits);
  }
  return logits;
}
// One member's answer; of a batch ensemble the mean over its members.
Value answer_of(FeatureType type, Value logits) {
  const Value answer = to_answer(type, logits);
  const bool several = answer.valid() && answer.dims().rank() > (type == FeatureType::category ? 2 : 1);
  return several ? ops::reduce_mean(answer, {0}) : answer;
}
Value from_answer(FeatureType type, Value answer) {
  if (!answer.valid() || type == FeatureType::number) return answer;
  constexpr double kLeast = 1e-30, kLeastOfTwo = 6e-8;
  const auto at_least = [](Value x, double low) {
    return ops::maximum(x, ops::broadcast_like(x.graph().scalar(DType::f32, low), x));
  };
  if (type == FeatureType::category) return ops::log(at_least(answer, kLeast));
  using namespace ops;  // arithmetic, spelled with operators
  return ops::log(at_least(answer, kLeastOfTwo)) - ops::log(at_least(1.0 - answer, kLeastOfTwo));
}

Value blend_weights(model::Forward& f, int64_t members) {
  return f.parameter({.name = std::string(kBlendWeights),
                      .type = {DType::f32, {members}},
                      .initializer = model::constant(1.0 / static_cast<double>(members)),
                      .role = StateRole::statistic,
                      .trainable = false});
}

}  // namespace

std::string state_name(std::string_view feature) {
  std::string out;
  for (char c : feature) {
    if (c == '.' || c == '%')
      out += c == '.' ? "%2E" : "%25";
    else
      out += c;
  }
  return out;
}

std::vector<std::vector<Value>> forward_members(model::Forward& f, const NetworkSpec& spec, int64_t rows) {
  const Inputs inputs = declare_inputs(f.graph(), spec, rows);
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
    const FeatureType type = spec.recipe.outputs[i].type();
    const int rank = type == FeatureType::category ? 2 : 1;
    if (count == 1 && members[0][i].valid() && members[0][i].dims().rank() == rank) {
      out.push_back(members[0][i]);  // nothing to blend: the logits as they are
      continue;
    }
    Value sum;
    for (int64_t m = 0; m < count; ++m) {
      Value answer = answer_of(type, members[static_cast<size_t>(m)][i]);
      if (count > 1) answer = answer * ops::reshape(ops::slice(blend_weights(f, count), 0, m, 1), {});
      sum = sum.valid() ? sum + answer : answer;
    }
    out.push_back(from_answer(type, sum));
  }
  return out;
}

Value answers_of(const NetworkSpec& spec, size_t i, const std::vector<std::vector<Value>>& members) {
  std::vector<Value> pieces;
  for (const std::vector<Value>& logits : members) {
    const Value answer = answer_of(spec.recipe.outputs[i].type(), logits[i]);
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
  const DType dtype = output.type() == FeatureType::category ? DType::i32 : DType::f32;
  return graph.input("target:" + output.name, {dtype, {rows}});
}

Value row_losses(const NetworkSpec& spec, size_t i, Value logits, Value target) {
  if (!logits.valid() || !target.valid()) return logits;
  const bool category = spec.recipe.outputs[i].type() == FeatureType::category;
  // Of a batch ensemble each member's loss, all against the same targets.
  if (logits.dims().rank() > (category ? 2 : 1)) {
    const int64_t members = logits.dims()[0], rows = logits.dims()[1];
    target = ops::reshape(ops::broadcast(target, {members, rows}), {members * rows});
    logits = ops::reshape(logits, category ? Shape{members * rows, logits.dims()[2]} : Shape{members * rows});
  }
  const auto number = Overloaded{
      [&](const MeanSquaredError&) { return ops::squared_error(logits, target); },
      [&](const MeanAbsoluteError&) { return ops::absolute_error(logits, target); },
      [&](const RootMeanSquaredError&) { return ops::squared_error(logits, target); },
      [&](const Huber& h) { return ops::huber(logits, target, h.delta); },
  };
  return std::visit(
      Overloaded{
          [&](const NumberOutput& o) { return std::visit(number, o.loss); },
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
      },
      spec.recipe.outputs[i].spec);
}

Value mean_loss(const NetworkSpec& spec, size_t i, Value row_losses) {
  const Value mean = ops::reduce_mean(row_losses);
  const auto* number = std::get_if<NumberOutput>(&spec.recipe.outputs[i].spec);
  if (!number || !std::holds_alternative<RootMeanSquaredError>(number->loss) || !mean.valid()) return mean;
  // The root has no slope at 0, where nothing is left to learn.
  return ops::sqrt(ops::maximum(mean, mean.graph().scalar(DType::f32, 1e-30)));
}

void add_prediction(Graph& graph, const NetworkSpec& spec, size_t i, Value logits) {
  const OutputFeature& output = spec.recipe.outputs[i];
  switch (output.type()) {
    case FeatureType::number:
      graph.output("prediction:" + output.name, logits);
      break;
    case FeatureType::binary:
      graph.output("probability:" + output.name, ops::sigmoid(logits));
      break;
    case FeatureType::category:
      graph.output("probabilities:" + output.name, ops::softmax(logits));
      break;
  }
}

}  // namespace shoestring::task
