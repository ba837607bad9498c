#include "task/network_parts.h"

#include <algorithm>
#include <cmath>

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
                    },
                    spec);
}

model::InitializerOf initializer_of(const InitializerSpec& spec) {
  return [spec](model::Fans fans) { return initializer(spec, fans); };
}

ops::Activation activation_of(Activation a) {
  switch (a) {
    case Activation::none:
      return ops::Activation::none;
    case Activation::relu:
      return ops::Activation::relu;
    case Activation::tanh:
      return ops::Activation::tanh;
    case Activation::sigmoid:
      return ops::Activation::sigmoid;
    case Activation::gelu:
      return ops::Activation::gelu;
  }
  return ops::Activation::none;
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
                          .activation = activation_of(l.activation),
                          .dropout = l.dropout});
  return out;
}

// ---- encoders ----

// A feature that comes as a column of "numbers": its stack, or none if it passes through.
const FcStack* number_stack(const InputFeature& input) {
  const auto dense = [](const auto& spec) -> const FcStack* {
    const auto* encoder = std::get_if<DenseEncoder>(&spec.encoder);
    return encoder && !encoder->stack.layers.empty() ? &encoder->stack : nullptr;
  };
  return std::visit(Overloaded{[&](const NumberInput& n) { return dense(n); },
                               [&](const BinaryInput& b) { return dense(b); },
                               [](const CategoryInput&) -> const FcStack* { return nullptr; }},
                    input.spec);
}

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
  return std::visit(Overloaded{
                        [&](const EmbedEncoder& e) {
                          return table(e.embedding_initializer, std::min(e.embedding_size, entries),
                                       model::uniform(-1, 1), e.embeddings_trainable, e.dropout);
                        },
                        [&](const SparseEmbedEncoder& e) {
                          // The identity that never learns is the one-hot code; no table is kept for it.
                          if (!e.embedding_initializer && !e.embeddings_trainable)
                            return model::dropout(f, ops::one_hot(numbers, entries), e.dropout);
                          return table(e.embedding_initializer, entries, model::identity(),
                                       e.embeddings_trainable, e.dropout);
                        },
                        [&](const OneHotEncoder&) { return ops::one_hot(numbers, entries); },
                        [&](const PassthroughEncoder&) {
                          return ops::reshape(ops::cast(numbers, DType::f32), {numbers.dims()[0], 1});
                        },
                    },
                    input.encoder);
}

// The columns of "numbers" that pass through, as few pieces as they stand in.
std::vector<Value> passing_columns(Value numbers, const std::vector<char>& passes) {
  const auto n = static_cast<int64_t>(passes.size());
  std::vector<Value> pieces;
  for (int64_t begin = 0; begin < n;) {
    int64_t end = begin;
    while (end < n && passes[static_cast<size_t>(end)]) ++end;
    if (begin == 0 && end == n) return {numbers};
    if (end > begin) pieces.push_back(ops::slice(numbers, 1, begin, end - begin));
    begin = std::max(end, begin + 1);
  }
  return pieces;
}

Value encode_inputs(model::Forward& f, const NetworkSpec& spec, int64_t rows) {
  const std::vector<InputFeature>& inputs = spec.recipe.inputs;
  std::vector<char> passes;
  for (const InputFeature& input : inputs)
    if (input.type() != FeatureType::category) passes.push_back(number_stack(input) == nullptr);

  std::vector<Value> pieces;
  Value numbers;
  if (!passes.empty()) {
    numbers = f.graph().input("numbers", {DType::f32, {rows, static_cast<int64_t>(passes.size())}});
    pieces = passing_columns(numbers, passes);
  }
  int64_t column = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "input." + state_name(inputs[i].name);
    if (const auto* category = std::get_if<CategoryInput>(&inputs[i].spec)) {
      const Value in = f.graph().input("category:" + inputs[i].name, {DType::i32, {rows}});
      pieces.push_back(encode_category(f, in, name, spec.input_sizes[i], *category));
      continue;
    }
    if (const FcStack* stack = number_stack(inputs[i]))
      pieces.push_back(model::fc_stack(f, ops::slice(numbers, 1, column, 1), name, stack_of(*stack)));
    ++column;
  }
  if (pieces.empty()) return f.graph().error("the recipe has no input features");
  return pieces.size() == 1 ? pieces[0] : ops::concat(pieces, 1);
}

Value combine(model::Forward& f, Value x, const CombinerSpec& combiner) {
  return std::visit(
      [&](const ConcatCombiner& c) {
        return model::fc_stack(f, x, "combiner", stack_of(c.stack, c.residual));
      },
      combiner);
}

Value decode(model::Forward& f, Value x, const OutputFeature& output, int64_t size) {
  const LinearDecoder& decoder = output.decoder();
  const std::string name = "output." + state_name(output.name);
  x = model::fc_stack(f, x, name, stack_of(decoder.stack));
  x = model::linear(f, x, name,
                    {.output_size = size,
                     .use_bias = decoder.use_bias,
                     .weights = initializer_of(decoder.weights_initializer),
                     .bias = initializer_of(decoder.bias_initializer)});
  return output.type() == FeatureType::category || !x.valid() ? x : ops::reshape(x, {x.dims()[0]});
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

std::vector<Value> forward_network(model::Forward& f, const NetworkSpec& spec, int64_t rows) {
  const Value combined = combine(f, encode_inputs(f, spec, rows), spec.recipe.combiner);
  std::vector<Value> out;
  for (size_t i = 0; i < spec.recipe.outputs.size(); ++i)
    out.push_back(decode(f, combined, spec.recipe.outputs[i], spec.output_sizes[i]));
  return out;
}

Value target_input(Graph& graph, const NetworkSpec& spec, size_t i, int64_t rows) {
  const OutputFeature& output = spec.recipe.outputs[i];
  const DType dtype = output.type() == FeatureType::category ? DType::i32 : DType::f32;
  return graph.input("target:" + output.name, {dtype, {rows}});
}

Value row_losses(const NetworkSpec& spec, size_t i, Value logits, Value target) {
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
