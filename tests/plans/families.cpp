#include "plans/families.h"

#include <cmath>

namespace shoestring::test {
namespace {

using namespace task;

InputFeature number_input(const std::string& name) { return {name, name, NumberInput{}}; }
std::vector<InputFeature> number_inputs(int n) {
  std::vector<InputFeature> out;
  for (int i = 0; i < n; ++i) out.push_back(number_input("n" + std::to_string(i)));
  return out;
}
InputFeature category_input(const std::string& name, auto encoder) {
  return {name, name, CategoryInput{.encoder = encoder}};
}

FcStack stack(const std::vector<int64_t>& sizes, FcLayer like = {}) {
  FcStack out{.around = like};
  for (int64_t size : sizes) {
    like.output_size = size;
    out.layers.push_back(like);
  }
  return out;
}

OutputFeature category_output(const std::string& name, SoftmaxCrossEntropy loss = {}) {
  return {name, name, CategoryOutput{.loss = loss}};
}
OutputFeature binary_output(const std::string& name, BinaryCrossEntropy loss = {}) {
  return {name, name, BinaryOutput{.loss = loss}};
}
OutputFeature number_output(const std::string& name, auto loss, FcStack fc = {}) {
  return {name, name, NumberOutput{.decoder = {.stack = fc}, .loss = loss}};
}

Port classes(int64_t size, int64_t offset = 0) {
  return {.kind = Port::Kind::categories, .offset = offset, .size = size};
}
Port words(int64_t size, int64_t offset = 0) {
  return {.kind = Port::Kind::words, .offset = offset, .size = size};
}
Port sines(int64_t offset, double scale) { return {.offset = offset, .scale = scale}; }

// The sizes that preprocessing would have found.
Family family(Recipe recipe, int64_t rows, std::map<std::string, Port> ports) {
  Family out{.spec = {.recipe = std::move(recipe)}, .rows = rows, .ports = std::move(ports)};
  const auto size_of = [&](const std::string& port, FeatureType type) {
    return is_wide(type) && type != FeatureType::date ? out.ports.at(port).size : 1;
  };
  for (const InputFeature& f : out.spec.recipe.inputs) {
    out.spec.input_sizes.push_back(size_of(port_of(f), f.type()));
    out.spec.input_widths.push_back(f.type() == FeatureType::set ? 3 : 4);
  }
  for (const OutputFeature& f : out.spec.recipe.outputs)
    out.spec.output_sizes.push_back(size_of("target:" + f.name, f.type()));
  out.spec.class_weights.resize(out.spec.output_sizes.size());
  out.spec.recipe.trainer.gradient_clipping.clipglobalnorm.reset();
  return out;
}

Family mlp(FcLayer like = {}) {
  return family({.inputs = number_inputs(5),
                 .outputs = {category_output("y")},
                 .combiner = ConcatCombiner{stack({10}, like)}},
                70, {{"target:y", classes(2)}});
}

Family deep(Norm norm, bool residual = false) {
  return family({.inputs = number_inputs(6),
                 .outputs = {category_output("y")},
                 .combiner = ConcatCombiner{stack({8, 8}, {.norm = norm}), residual}},
                32, {{"target:y", classes(3)}});
}

Family table() {
  const DenseEncoder dense{stack({4}, {.activation = Activation::tanh})};
  return family({.inputs = {number_input("income"),
                            {"age", "age", NumberInput{.encoder = dense}},
                            category_input("job", EmbedEncoder{.embedding_size = 3}),
                            {"rich", "rich", BinaryInput{}},
                            category_input("state", SparseEmbedEncoder{.embeddings_trainable = true}),
                            category_input("sex", OneHotEncoder{})},
                 .outputs = {category_output("y")},
                 .combiner = ConcatCombiner{stack({6}, {.activation = Activation::gelu})}},
                40,
                {{"category:job", classes(7)},
                 {"category:state", classes(5, 1)},
                 {"category:sex", classes(2, 2)},
                 {"target:y", classes(2)}});
}

Family regression(auto loss) {
  return family({.inputs = number_inputs(4),
                 .outputs = {number_output("y", loss)},
                 .combiner = ConcatCombiner{stack({9}, {.activation = Activation::sigmoid})}},
                48, {{"target:y", sines(3, 2)}});
}

Family binary(BinaryCrossEntropy loss) {
  return family({.inputs = number_inputs(4),
                 .outputs = {binary_output("y", loss)},
                 .combiner = ConcatCombiner{stack({9})}},
                48, {{"target:y", classes(2)}});
}

Family three(double smoothing, std::vector<double> class_weights) {
  Family out = family({.inputs = number_inputs(4),
                       .outputs = {category_output("y", {.label_smoothing = smoothing})},
                       .combiner = ConcatCombiner{stack({9})}},
                      48, {{"target:y", classes(3)}});
  out.spec.class_weights[0] = std::move(class_weights);
  return out;
}

Family several() {
  return family(
      {.inputs = number_inputs(4),
       .outputs = {category_output("y"), number_output("z", MeanSquaredError{.weight = 0.5}, stack({5})),
                   binary_output("w", {.weight = 2})},
       .combiner = ConcatCombiner{stack({9})}},
      48, {{"target:y", classes(3)}, {"target:z", sines(3, 1)}, {"target:w", classes(2)}});
}

// A vector, a set, a bag and a date, a set to predict; `waves` the other way with each.
std::map<std::string, Port> list_ports() {
  return {{"vector:v", {.size = 3}},
          {"set:tags", words(6)},
          {"bag:notes", words(5, 1)},
          {"date:when", {.kind = Port::Kind::dates}},
          {"target:y", {.kind = Port::Kind::set, .size = 5}},
          {"target:z", {.offset = 2, .size = 3}}};
}
Family lists() {
  const DenseEncoder dense{stack({4})};
  WordsEncoder notes{.stack = stack({4}, {.activation = Activation::tanh})};
  notes.embedding_size = 7;  // cut to the five words
  const DateEmbedEncoder date{.embedding_size = 2};
  return family({.inputs = {{"v", "v", VectorInput{.encoder = dense}},
                            {"tags", "tags", SetInput{.encoder = {.embedding_size = 3}}},
                            {"notes", "notes", BagInput{.encoder = notes}},
                            {"when", "when", DateInput{.encoder = date}}},
                 .outputs = {{"y", "y", SetOutput{}},
                             {"z", "z", VectorOutput{.loss = MeanSquaredError{.weight = 0.5}}}},
                 .combiner = ConcatCombiner{stack({6})}},
                40, list_ports());
}
Family waves() {
  const WordsEncoder counts{.representation = Representation::sparse, .embeddings_trainable = false};
  Family out =
      family({.inputs = {{"v", "v", VectorInput{.encoder = PassthroughEncoder{}}},
                         {"tags", "tags", SetInput{.encoder = counts}},
                         {"notes", "notes", BagInput{.encoder = {.representation = Representation::sparse}}},
                         {"when", "when", DateInput{.encoder = DateWaveEncoder{stack({4})}}}},
              .outputs = {{"y", "y", SetOutput{}}},
              .combiner = ConcatCombiner{stack({6})}},
             40, list_ports());
  out.spec.class_weights[0] = {1, 0.5, 2, 3, 1.5};
  return out;
}
Family cnn() {
  StackedCnnEncoder encoder{.stack = stack({8})};
  ConvLayer layer{.padding = {.kind = Padding::Kind::same}, .activation = Activation::tanh};
  encoder.conv.layers.clear();
  for (const int64_t filters : {6, 5}) {
    layer.out_channels = filters;
    encoder.conv.layers.push_back(layer);
  }
  const ImageInput image{.preprocessing = {.height = 8, .width = 8, .num_channels = 3}, .encoder = encoder};
  return family({.inputs = {{"p", "p", image}},
                 .outputs = {category_output("y")},
                 .combiner = ConcatCombiner{stack({})}},
                24, {{"image:p", {.kind = Port::Kind::pixels}}, {"target:y", classes(3)}});
}
Family vectors(VectorOutput output) {
  return family(
      {.inputs = number_inputs(4), .outputs = {{"y", "y", output}}, .combiner = ConcatCombiner{stack({9})}},
      48, {{"target:y", {.offset = 3, .size = 3, .scale = 2}}});
}

Family with(Family f, OptimizerSpec optimizer, double learning_rate,
            GradientClipping clipping = {.clipglobalnorm = {}}) {
  f.spec.recipe.trainer.optimizer = optimizer;
  f.spec.recipe.trainer.gradient_clipping = clipping;
  f.learning_rate = learning_rate;
  return f;
}
Family penalised(Family f, Regularization type) {
  f.spec.recipe.trainer.regularization_type = type;
  f.spec.recipe.trainer.regularization_lambda = 0.01;
  return f;
}

std::map<std::string, Family> make() {
  const GradientClipping half{.clipglobalnorm = 0.5};
  const auto sgd = [&](Family f) { return with(std::move(f), Sgd{}, 0.1); };
  return {
      {"mlp_adam", mlp()},
      {"mlp_sgd", sgd(mlp())},
      {"mlp_momentum", with(mlp(), Sgd{.momentum = 0.9}, 0.1)},
      {"mlp_nesterov", with(mlp(), Sgd{.momentum = 0.9, .weight_decay = 0.01, .nesterov = true}, 0.1)},
      {"mlp_dampening", with(mlp(), Sgd{.momentum = 0.9, .weight_decay = 0.01, .dampening = 0.5}, 0.1)},
      {"mlp_adam_decay", with(mlp(), Adam{.betas = {0.8, 0.95}, .weight_decay = 0.1}, 0.01)},
      {"mlp_amsgrad", with(mlp(), Adam{.amsgrad = true}, 0.05)},
      {"mlp_adamw", with(mlp(), AdamW{.weight_decay = 0.1}, 0.01)},
      {"mlp_adadelta", with(mlp(), Adadelta{.rho = 0.8, .weight_decay = 0.01}, 1)},
      {"mlp_adagrad",
       with(mlp(), Adagrad{.initial_accumulator_value = 0.01, .lr_decay = 0.1, .weight_decay = 0.01}, 0.05)},
      {"mlp_adamax", with(mlp(), Adamax{.betas = {0.8, 0.95}, .weight_decay = 0.01}, 0.01)},
      {"mlp_nadam", with(mlp(), Nadam{.weight_decay = 0.01}, 0.01)},
      {"mlp_rmsprop", with(mlp(), RmsProp{.weight_decay = 0.01}, 0.01)},
      {"mlp_rmsprop_centered", with(mlp(), RmsProp{.momentum = 0.9, .alpha = 0.9, .centered = true}, 0.01)},
      {"mlp_radam", with(mlp(), Radam{.weight_decay = 0.01}, 0.01)},
      {"mlp_lamb", with(mlp(), Lamb{.weight_decay = 0.1}, 0.01)},
      {"mlp_lamb_other", with(mlp(),
                              Lamb{.weight_decay = 0.1,
                                   .bias_correction = false,
                                   .amsgrad = true,
                                   .adam_w_mode = false,
                                   .max_unorm = 0.5},
                              0.01)},
      {"mlp_lars", with(mlp(), Lars{.weight_decay = 0.1, .max_unorm = 0.7}, 0.05)},
      {"mlp_lars_nesterov", with(mlp(), Lars{.momentum = 0.8, .nesterov = true}, 0.05)},
      {"mlp_lion", with(mlp(), Lion{.betas = {0.9, 0.99}, .weight_decay = 0.1}, 0.005)},
      {"mlp_adafactor", with(mlp(), Adafactor{}, 0.01)},  // the rate of its first ten steps
      {"mlp_adafactor_fixed", with(mlp(), Adafactor{.scale_parameter = false}, 0.01)},
      {"mlp_schedule_free", with(mlp(), ScheduleFreeAdamW{.weight_decay = 0.1}, 0.02)},
      {"mlp_schedule_free_warm", with(mlp(), ScheduleFreeAdamW{.betas = {0.7, 0.99}, .warmup_steps = 6}, 0.02,
                                      {.clipglobalnorm = 0.2})},
      {"deep_muon", with(deep(Norm::none), Muon{}, 0.01)},
      {"deep_muon_plain", with(deep(Norm::none), Muon{.momentum = 0.8, .nesterov = false}, 0.01)},
      {"table_muon", with(table(), Muon{}, 0.01)},
      {"cnn_muon", with(cnn(),
                        Muon{.ns_steps = 4,
                             .others = MuonOthers::sgd,
                             .others_learning_rate_factor = 3,
                             .others_weight_decay = 0.01},
                        0.01)},
      {"cnn_muon_normalized", with(cnn(),
                                   Muon{.momentum = 0.6,
                                        .ns_steps = 3,
                                        .normalize_weights = true,
                                        .others = MuonOthers::sgd,
                                        .others_learning_rate_factor = 0.5,
                                        .others_momentum = 0.85},
                                   0.1)},
      {"mlp_clip_global", with(mlp(), Sgd{}, 0.1, {.clipglobalnorm = 0.05})},
      {"mlp_clip_each", with(mlp(), Sgd{}, 0.1, {.clipglobalnorm = {}, .clipnorm = 0.02})},
      {"mlp_clip_value", with(mlp(), Sgd{}, 0.1, {.clipglobalnorm = {}, .clipvalue = 0.01})},
      {"mlp_l1", penalised(sgd(mlp()), Regularization::l1)},
      {"mlp_l2", penalised(sgd(mlp()), Regularization::l2)},
      {"mlp_l1_l2", penalised(with(mlp(), Adam{}, 0.01, half), Regularization::l1_l2)},
      {"mlp_tanh", mlp({.activation = Activation::tanh})},
      {"deep_residual", deep(Norm::none, true)},
      {"deep_batch_norm", sgd(deep(Norm::batch))},
      {"deep_layer_norm", deep(Norm::layer)},
      {"table", with(table(), AdamW{.weight_decay = 0.01}, 0.01, half)},  // PyTorch's default decay
      {"squared_error", regression(MeanSquaredError{})},
      {"absolute_error", regression(MeanAbsoluteError{})},
      {"root_squared_error", regression(RootMeanSquaredError{})},
      {"huber", regression(Huber{.delta = 0.7})},
      {"percentage", regression(MeanAbsolutePercentageError{})},
      {"root_squared_percentage", regression(RootMeanSquaredPercentageError{})},
      {"binary", binary({})},
      {"binary_weighted", binary({.positive_class_weight = 3})},
      {"class_weights", three(0, {0.5, 1.5, 1.0})},
      {"label_smoothing", three(0.1, {})},
      {"weights_and_smoothing", three(0.1, {0.5, 1.5, 1.0})},
      {"several", with(several(), Adam{}, 0.01, half)},
      {"lists", with(lists(), Adam{}, 0.01, half)},
      {"waves", waves()},
      {"vector_absolute", vectors({.decoder = {.activation = Activation::tanh, .multiplier = 1.5},
                                   .loss = MeanAbsoluteError{}})},
      {"vector_percentage", vectors({.loss = MeanAbsolutePercentageError{}})},
      {"vector_huber", vectors({.decoder = {.clip = {{-0.5, 0.5}}}, .loss = Huber{.delta = 0.7}})},
      {"vector_cross_entropy", vectors({.loss = VectorCrossEntropy{}})},
      {"vector_softmax", vectors({.softmax = true})},
  };
}

}  // namespace

const std::map<std::string, Family>& families() {
  static const std::map<std::string, Family> all = make();
  return all;
}

task::NetworkSpec adult_spec() {
  NetworkSpec spec;
  const std::pair<const char*, int64_t> columns[] = {{"age", 1},
                                                     {"workclass", 9},
                                                     {"fnlwgt", 1},
                                                     {"education", 16},
                                                     {"education_num", 1},
                                                     {"marital_status", 7},
                                                     {"occupation", 15},
                                                     {"relationship", 6},
                                                     {"race", 5},
                                                     {"sex", 2},
                                                     {"capital_gain", 1},
                                                     {"capital_loss", 1},
                                                     {"hours_per_week", 1},
                                                     {"native_country", 42}};
  for (const auto& [name, size] : columns) {
    spec.recipe.inputs.push_back(size == 1 ? number_input(name) : category_input(name, EmbedEncoder{}));
    spec.input_sizes.push_back(size);
  }
  spec.recipe.combiner = ConcatCombiner{stack({256})};
  spec.recipe.outputs = {binary_output("income")};
  spec.output_sizes = {1};
  spec.class_weights.resize(1);
  return spec;
}

double Port::value(int64_t row, int64_t column, int step) const {
  constexpr int64_t kPeriods[] = {12, 31, 7, 366, 24, 60, 60, 86400};
  const double number = scale * std::sin(0.7 * static_cast<double>(row) + 1.9 * static_cast<double>(column) +
                                         step + static_cast<double>(offset));
  const int64_t code = 7 * row + row / 3 + step + offset;
  switch (kind) {
    case Kind::numbers:
      return number;
    case Kind::categories:
      return static_cast<double>(code % size);
    case Kind::words:
      return static_cast<double>((code + 2 * column) % (size + 1));
    case Kind::set:
      return code % (size + 1) == column || (code + 2) % (size + 1) == column;
    case Kind::pixels:
      return static_cast<double>((code + 31 * column) % 256);
    case Kind::dates:
      break;
  }
  if (column == 0) return number;
  return static_cast<double>((code + 3 * (column - 1)) % kPeriods[column - 1]);
}

std::map<std::string, Tensor64> Family::inputs(const Graph& graph, int step, int64_t first) const {
  std::map<std::string, Tensor64> out;
  for (const shoestring::Node& node : graph.nodes()) {
    if (node.op != &input_op) continue;
    if (node.name == "learning_rate") {
      out[node.name] = {learning_rate};
      continue;
    }
    const Port port = node.name == "numbers" ? Port{} : ports.at(node.name);
    const Shape& dims = node.types[0].dims;
    Tensor64& values = out[node.name];
    for (int64_t r = first; r < first + dims[0]; ++r)
      for (int64_t c = 0; c < dims.elements() / dims[0]; ++c) values.push_back(port.value(r, c, step));
  }
  return out;
}

Tensor64 first_values(const StateInfo& state) {
  Tensor64 out(static_cast<size_t>(state.type.elements()));
  if (state.role != StateRole::parameter && state.role != StateRole::statistic) return out;
  const bool around_one = state.name.ends_with(".scale") || state.name.ends_with(".variance");
  const double size = state.name.ends_with(".weights") || state.name.ends_with(".embedding") ? 0.4 : 0.1;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] =
        around_one + size * std::sin(1.3 * static_cast<double>(i) + static_cast<double>(state.name.size()));
  return out;
}

}  // namespace shoestring::test
