#include "task/auto_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"
#include "task/keys.h"

namespace shoestring::task {
namespace {

enum class Part { combiner, decoder, number, other };

struct StackAt {
  Part part;
  std::string path;
  const StackNames& names;
  FcStack* stack;
};
struct ColumnsAt {  // of a number that is spread out
  std::string path;
  OrAuto<int64_t>* size;
};
struct Sizes {
  std::vector<StackAt> stacks;  // combiners first
  std::vector<ColumnsAt> columns;
};

template <class Encoder>
void add_encoder(Sizes& sizes, Part part, const std::string& path, Encoder& encoder) {
  if constexpr (requires { encoder.stack; }) {
    const StackNames& names = std::is_same_v<Encoder, DenseEncoder>        ? kDenseNames
                              : std::is_same_v<Encoder, StackedCnnEncoder> ? kFcNames
                                                                           : kPlainNames;
    sizes.stacks.push_back({part, path, names, &encoder.stack});
  } else if constexpr (requires { encoder.output_size; }) {
    sizes.columns.push_back({path + ".output_size", &encoder.output_size});
  }
}

template <class... Ts>
void add_encoder(Sizes& sizes, Part part, const std::string& path, std::variant<Ts...>& encoder) {
  std::visit([&](auto& one) { add_encoder(sizes, part, path, one); }, encoder);
}

void add_combiner(Sizes& sizes, const std::string& path, CombinerSpec& combiner) {
  std::visit(
      [&](auto& c) {
        sizes.stacks.push_back({Part::combiner, path, kPlainNames, &c.stack});
      },
      combiner);
}

// All sizes of the network; those of two recipes of the same features and members come in the same order.
Sizes sizes_of(Recipe& recipe) {
  Sizes sizes;
  auto& members = recipe.ensemble.members;
  const auto path_of = [](size_t member) { return fmt::format("ensemble.members.{}", member); };
  add_combiner(sizes, "combiner", recipe.combiner);
  for (size_t m = 0; m < members.size(); ++m)
    if (members[m].combiner) add_combiner(sizes, path_of(m) + ".combiner", *members[m].combiner);
  for (InputFeature& input : recipe.inputs)
    std::visit(
        [&]<class Spec>(Spec& spec) {
          constexpr bool kNumber = std::is_same_v<Spec, NumberInput> || std::is_same_v<Spec, BinaryInput>;
          add_encoder(sizes, kNumber ? Part::number : Part::other,
                      fmt::format("input_features.{}.encoder", input.name), spec.encoder);
        },
        input.spec);
  for (size_t m = 0; m < members.size(); ++m)
    if (members[m].number_encoder)
      add_encoder(sizes, Part::number, path_of(m) + ".number_encoder", *members[m].number_encoder);
  for (OutputFeature& output : recipe.outputs) {
    LinearDecoder& decoder =
        std::visit(Overloaded{[](VectorOutput& o) -> LinearDecoder& { return o.decoder.linear; },
                              [](auto& o) -> LinearDecoder& { return o.decoder; }},
                   output.spec);
    sizes.stacks.push_back({Part::decoder, fmt::format("output_features.{}.decoder", output.name),
                            kDecoderNames, &decoder.stack});
  }
  return sizes;
}

bool is_auto(const FcLayer& layer) { return layer.output_size.is_auto(); }
bool has_auto(const FcStack& stack) {
  return stack.num_layers.is_auto() || is_auto(stack.around) || std::ranges::any_of(stack.layers, is_auto);
}

// What the rules say.
struct Chosen {
  int64_t width, layers, columns;
};

int64_t width_for(int64_t rows) {
  return rows < 1'000 ? 32 : rows < 4'000 ? 64 : rows < 16'000 ? 128 : rows < 500'000 ? 256 : 512;
}

Chosen chosen_for(const Recipe& recipe, int64_t rows) {
  constexpr int64_t kColumns = 12, kAllTogether = 320, kFewRows = 4'000;
  const int64_t numbers = std::ranges::count_if(
      recipe.inputs, [](const InputFeature& i) { return i.type() == FeatureType::number; });
  return {.width = width_for(rows),
          .layers = rows < kFewRows ? 2 : 3,
          .columns = std::clamp<int64_t>(kAllTogether / std::max<int64_t>(numbers, 1), 2, kColumns)};
}

void set_auto(Recipe& recipe, const Chosen& chosen) {
  const Sizes sizes = sizes_of(recipe);
  bool combined = false;  // a combiner has layers
  for (const StackAt& at : sizes.stacks) {
    FcStack& stack = *at.stack;
    const bool of_network = at.part == Part::combiner || at.part == Part::decoder;
    const int64_t size = of_network                ? chosen.width
                         : at.part == Part::number ? chosen.columns
                                                   : std::max<int64_t>(chosen.width / 4, 8);
    const int64_t layers = !of_network ? 1 : at.part == Part::decoder && combined ? 0 : chosen.layers;
    if (is_auto(stack.around)) stack.around.output_size = size;
    for (FcLayer& layer : stack.layers)
      if (is_auto(layer)) layer.output_size = size;
    if (stack.num_layers.is_auto()) {
      stack.num_layers = layers;
      stack.layers = stack.alike();
    }
    combined |= at.part == Part::combiner && !stack.layers.empty();
  }
  for (const ColumnsAt& at : sizes.columns)
    if (at.size->is_auto()) *at.size = chosen.columns;
}

// Of the forward part and about twice as much for the gradients.
double flop_of_row(const NetworkSpec& spec) {
  constexpr int64_t kRows = 64;
  const Graph graph = build_training(spec, kRows, StepKind::update, TrainingPart::forward);
  if (!graph.status()) return 0;
  double flop = 0;
  for (const shoestring::Node& node : graph.nodes()) {
    if (!node.op || !node.op->cost) continue;
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
    flop += node.op->cost({in, node.attrs, node.body.get()}, node.types).flops;
  }
  return 3 * flop / kRows;
}

std::vector<AutoChoice> told(Recipe& written, Recipe& now, const std::string& why) {
  std::vector<AutoChoice> choices;
  const Sizes before = sizes_of(written), after = sizes_of(now);
  for (size_t i = 0; i < before.stacks.size(); ++i) {
    const StackAt &was = before.stacks[i], &is = after.stacks[i];
    const auto tell = [&](std::string_view key, int64_t value) {
      choices.push_back({fmt::format("{}.{}", is.path, key), std::to_string(value), why});
    };
    if (was.stack->num_layers.is_auto()) tell(is.names.count, *is.stack->num_layers.value);
    if (is.stack->layers.empty()) continue;
    if (is_auto(was.stack->around)) tell(is.names.size, *is.stack->around.output_size.value);
    for (size_t l = 0; l < was.stack->layers.size(); ++l)
      if (is_auto(was.stack->layers[l]) && !is_auto(was.stack->around))
        tell(fmt::format("{}.{}.output_size", is.names.layers, l), *is.stack->layers[l].output_size.value);
  }
  for (size_t i = 0; i < before.columns.size(); ++i)
    if (before.columns[i].size->is_auto())
      choices.push_back({after.columns[i].path, std::to_string(*after.columns[i].size->value), why});
  return choices;
}

bool agree(const Node& written, const Node& resolved) {
  if (written.is_scalar() && !written.quoted && written.text == "auto") return true;
  if (written.kind != resolved.kind || written.text != resolved.text ||
      written.items.size() != resolved.items.size() || written.entries.size() != resolved.entries.size())
    return false;
  return std::ranges::equal(written.items, resolved.items, agree) &&
         std::ranges::equal(written.entries, resolved.entries, [](const Entry& a, const Entry& b) {
           return a.key == b.key && agree(a.value, b.value);
         });
}

// How an optimizer's rate goes with the rows behind an update and the width of the layers.
struct UsualRate {
  double rate = 0.002;
  bool by_gradient =
      false;             // a step is as large as the gradient: it grows with the rows, and not with the width
  bool by_width = true;  // wider layers need smaller steps
};

UsualRate usual_rate(const OptimizerSpec& optimizer) {
  return std::visit(
      []<class O>(const O& o) -> UsualRate {
        const auto is = []<class T>(const T*) { return std::is_base_of_v<T, O>; };
        if constexpr (std::is_base_of_v<Sgd, O>) return {0.1 * (1 - o.momentum), true, false};
        if (is(static_cast<const Lars*>(nullptr))) return {1, true, false};
        if (is(static_cast<const Adagrad*>(nullptr))) return {0.01};
        if (is(static_cast<const Adadelta*>(nullptr))) return {1};
        if (is(static_cast<const RmsProp*>(nullptr))) return {0.001};
        if (is(static_cast<const Lion*>(nullptr))) return {0.0002};
        if constexpr (std::is_base_of_v<Muon, O>) return {o.normalize_weights ? 0.12 : 0.02, false, false};
        if (is(static_cast<const Adafactor*>(nullptr))) return {0.01, false, false};
        if (is(static_cast<const Lamb*>(nullptr))) return {0.002, false, false};
        return {};
      },
      optimizer);
}

}  // namespace

std::vector<AutoChoice> choose_sizes(NetworkSpec& spec, int64_t training_rows, double flop) {
  Recipe written = spec.recipe;
  const Sizes sizes = sizes_of(written);
  if (std::ranges::none_of(sizes.stacks, [](const StackAt& at) { return has_auto(*at.stack); }) &&
      std::ranges::none_of(sizes.columns, [](const ColumnsAt& at) { return at.size->is_auto(); }))
    return {};
  constexpr double kEpochs = 16, kRows = 500'000;
  constexpr int64_t kNarrowest = 16;
  const double seen = std::min(kEpochs * static_cast<double>(training_rows), kRows);
  Chosen chosen = chosen_for(written, training_rows);
  set_auto(spec.recipe, chosen);
  bool in_time = true;
  while (flop > 0 && chosen.width > kNarrowest && seen * flop_of_row(spec) > flop) {
    in_time = false;
    chosen.width /= 2;
    spec.recipe = written;
    set_auto(spec.recipe, chosen);
  }
  return told(written, spec.recipe,
              fmt::format("for {} training rows{}", training_rows, in_time ? "" : " and the time"));
}

std::optional<Narrower> narrower(const Recipe& written, const Recipe& now) {
  constexpr int64_t kNarrowest = 8;
  Recipe before = written, after = now;
  const Sizes was = sizes_of(before), is = sizes_of(after);
  std::string sizes;
  const auto halve = [&](FcLayer& layer, const StackAt& at) {
    const int64_t size = layer.output_size.or_else(0) / 2;
    if (size < kNarrowest) return;
    layer.output_size = size;
    const std::string key = fmt::format("{}.{}: {}", at.path, at.names.size, size);
    if (!sizes.ends_with(key)) sizes += (sizes.empty() ? "" : ", ") + key;
  };
  for (size_t i = 0; i < was.stacks.size(); ++i) {
    const FcStack& of = *was.stacks[i].stack;
    FcStack& stack = *is.stacks[i].stack;
    for (size_t l = 0; l < stack.layers.size(); ++l)
      if (is_auto(l < of.layers.size() ? of.layers[l] : of.around)) halve(stack.layers[l], is.stacks[i]);
    if (is_auto(of.around) && !stack.layers.empty()) halve(stack.around, is.stacks[i]);
  }
  if (sizes.empty()) return std::nullopt;
  return Narrower{std::move(after), std::move(sizes)};
}

double auto_learning_rate(const Recipe& recipe, int64_t rows_per_update) {
  constexpr double kRows = 256;
  int64_t widest = 256;
  Recipe copy = recipe;
  for (const StackAt& at : sizes_of(copy).stacks)
    if (at.part == Part::combiner || at.part == Part::decoder)
      for (const FcLayer& layer : at.stack->layers) widest = std::max(widest, layer.output_size.or_else(0));
  const UsualRate usual = usual_rate(recipe.trainer.optimizer);
  const double rows = static_cast<double>(rows_per_update) / kRows;
  const double exact = usual.rate * (usual.by_gradient ? rows : std::sqrt(rows)) *
                       (usual.by_width ? 256.0 / static_cast<double>(widest) : 1);
  const double unit = std::pow(10, std::floor(std::log10(exact)) - 1);  // two digits: it is no exact science
  return std::stod(fmt::format("{:.12g}", std::round(exact / unit) * unit));
}

std::vector<AutoChoice> choose_training(Recipe& recipe, int64_t training_rows) {
  Trainer& trainer = recipe.trainer;
  const BatchSizes sizes = batch_sizes(trainer, training_rows);
  if (trainer.batch_size.is_auto()) trainer.batch_size = sizes.batch;
  if (trainer.gradient_accumulation_steps.is_auto()) trainer.gradient_accumulation_steps = sizes.accumulation;
  if (trainer.eval_batch_size.is_auto()) trainer.eval_batch_size = sizes.eval;
  const int64_t rows = sizes.batch * sizes.accumulation;
  if (trainer.effective_batch_size.is_auto() && *trainer.batch_size.value == sizes.batch)
    trainer.effective_batch_size = rows;
  if (!trainer.learning_rate.is_auto()) return {};
  trainer.learning_rate = auto_learning_rate(recipe, rows);
  return {{"trainer.learning_rate", fmt::format("{:g}", *trainer.learning_rate.value),
           fmt::format("for {} rows behind an update", rows)}};
}

bool may_resolve_to(const Recipe& written, const Recipe& resolved) {
  return agree(write_component(recipe_component(), &written, nullptr),
               write_component(recipe_component(), &resolved, nullptr));
}

}  // namespace shoestring::task
