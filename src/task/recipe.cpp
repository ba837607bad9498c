// Reading a recipe: the defaults section is laid under the features, the records read what they
// describe, and then the whole is checked.
#include "task/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/overloaded.h"
#include "base/text.h"
#include "task/metric_table.h"
#include "task/schema.h"
#include "task/type_defaults.h"

namespace shoestring::task {
namespace {

// The place of a feature's key, for errors about the whole.
Mark mark_of(const Node& root, std::string_view section, size_t index, std::string_view key) {
  const Entry* list = root.find(section);
  if (!list || index >= list->value.items.size()) return {};
  const Node& feature = list->value.items[index];
  const Entry* entry = feature.find(key);
  return entry ? entry->value.mark : feature.mark;
}

Status check_names(const Context& context, const Node& root, const Recipe& recipe) {
  if (recipe.inputs.empty())
    return context.refuse(root.find("input_features")->mark, "input_features is empty",
                          "name at least one column to predict from");
  if (recipe.outputs.empty())
    return context.refuse(root.find("output_features")->mark, "output_features is empty",
                          "name at least one column to predict");
  std::set<std::string> names, columns;
  for (size_t i = 0; i < recipe.inputs.size(); ++i) {
    const InputFeature& input = recipe.inputs[i];
    const auto refuse = [&](std::string what, std::string fix) {
      return context.refuse(mark_of(root, "input_features", i, "name"), std::move(what), std::move(fix));
    };
    if (input.name.empty()) return refuse("an input feature has an empty name", "give it a name");
    if (!names.insert(input.name).second)
      return refuse(fmt::format("two input features are named '{}'", input.name),
                    "rename one and give it 'column:'");
    columns.insert(input.column);
  }
  for (size_t i = 0; i < recipe.outputs.size(); ++i) {
    const OutputFeature& output = recipe.outputs[i];
    const auto refuse = [&](std::string what, std::string fix) {
      return context.refuse(mark_of(root, "output_features", i, "name"), std::move(what), std::move(fix));
    };
    if (output.name.empty()) return refuse("an output feature has an empty name", "give it a name");
    if (output.name == kCombined)
      return refuse("an output feature is named 'combined', which stands for all outputs together",
                    "give it another name and 'column: combined'");
    if (columns.count(output.column))
      return refuse(fmt::format("column '{}' is both an input and an output", output.column),
                    "take it out of input_features");
    if (!names.insert(output.name).second)
      return refuse(fmt::format("two features are named '{}'", output.name),
                    "rename one and give it 'column:'");
  }
  return {};
}

// A tied input has the encoder of another one: the two have to be alike, and the encoder to be one feature's.
Status check_tied(const Context& context, const Node& root, const Recipe& recipe) {
  for (size_t i = 0; i < recipe.inputs.size(); ++i) {
    const InputFeature& input = recipe.inputs[i];
    if (!input.tied) continue;
    const auto refuse = [&](std::string what, std::string fix) {
      return context.refuse(mark_of(root, "input_features", i, "tied"),
                            fmt::format("input_features.{}.tied: {}", input.name, what), std::move(fix));
    };
    const auto other = std::find_if(recipe.inputs.begin(), recipe.inputs.end(),
                                    [&](const InputFeature& f) { return f.name == *input.tied; });
    if (other == recipe.inputs.end() || other->name == input.name)
      return refuse(fmt::format("there is no other input '{}'", *input.tied), "name another input feature");
    if (other->tied)
      return refuse(fmt::format("'{}' is tied itself", *input.tied), fmt::format("name '{}'", *other->tied));
    if (other->spec != input.spec)
      return refuse(fmt::format("'{}' has another type, preprocessing or encoder", *input.tied),
                    "give both the same, all but name and column");
    const auto* number = std::get_if<NumberInput>(&input.spec);
    const bool has_member = std::any_of(recipe.ensemble.members.begin(), recipe.ensemble.members.end(),
                                        [](const EnsembleMember& m) { return m.number_encoder.has_value(); });
    if (number && (has_member || (!std::holds_alternative<DenseEncoder>(number->encoder) &&
                                  !std::holds_alternative<PassthroughEncoder>(number->encoder))))
      return refuse("encoders that spread numbers out have weights of their own for each",
                    "use the encoder dense");
  }
  return {};
}

// mixup and cutmix mix all that a network sees of a row, which is one picture; of the two one happens to a
// batch.
Status check_mixing(const Context& context, const Node& root, const Recipe& recipe) {
  for (size_t i = 0; i < recipe.inputs.size(); ++i) {
    const auto* image = std::get_if<ImageInput>(&recipe.inputs[i].spec);
    if (!image) continue;
    double shares = 0;
    std::string_view mixes;
    for (const AugmentationItem& item : image->augmentation.items) {
      if (const auto* mixup = std::get_if<Mixup>(&item.spec)) shares += mixup->probability, mixes = "mixup";
      if (const auto* cutmix = std::get_if<Cutmix>(&item.spec))
        shares += cutmix->probability, mixes = "cutmix";
    }
    const auto refuse = [&](std::string what, std::string fix) {
      return context.refuse(mark_of(root, "input_features", i, "augmentation"),
                            fmt::format("input_features.{}.augmentation: {}", recipe.inputs[i].name, what),
                            std::move(fix));
    };
    if (!mixes.empty() && recipe.inputs.size() > 1)
      return refuse(
          fmt::format("{} mixes the rows of a batch, and other inputs cannot be mixed with the pictures",
                      mixes),
          fmt::format("leave out {}, or the other inputs", mixes));
    constexpr int64_t kManyRows = 1 << 20;
    if (shares > 0 && batch_sizes(recipe.trainer, kManyRows).batch == 1)
      return refuse(fmt::format("{} mixes the rows of a batch, and trainer has batches of one", mixes),
                    fmt::format("give a batch_size of 2 at least, or leave out {}", mixes));
    if (shares > 1 + 1e-9)
      return refuse(
          fmt::format("the probabilities of mixup and cutmix add up to {:g}, and a batch is mixed once",
                      shares),
          "give each a share, such as 0.5");
  }
  return {};
}

Mark mark_in(const Node& root, std::initializer_list<std::string_view> path) {
  const Node* node = &root;
  for (const std::string_view key : path) {
    const Entry* entry = node->find(key);
    if (!entry) break;
    node = &entry->value;
  }
  return node->mark;
}

bool has_metric(const OutputFeature* output, std::string_view metric) {
  return output ? find_metric(output->type(), metric) != nullptr : metric == "loss";
}

Failure refuse_metric(const Context& context, Mark mark, const OutputFeature* output, std::string_view key,
                      std::string_view metric) {
  std::vector<std::string_view> names{"loss"};
  if (output) {
    names.clear();
    for (const MetricInfo& info : metrics_of(output->type())) names.push_back(info.name);
  }
  const std::string near = nearest(metric, std::vector<std::string>(names.begin(), names.end()));
  return context.refuse(
      mark,
      fmt::format("trainer.{}: '{}' is no metric of {}", key, metric,
                  output ? fmt::format("'{}'", output->name) : "the combined outputs"),
      near.empty() ? fmt::format("choose {}", joined(names)) : fmt::format("did you mean '{}'?", near));
}

// The output that `field` names, null for the combined ones.
Result<const OutputFeature*> watched_output(const Context& context, const Node& root, const Recipe& recipe) {
  const Trainer& trainer = recipe.trainer;
  if (trainer.validation_field == kCombined) return nullptr;
  std::vector<std::string> names{std::string(kCombined)};
  for (const OutputFeature& output : recipe.outputs) {
    if (output.name == trainer.validation_field) return &output;
    if (trainer.validation_field.empty() &&
        (trainer.validation_metric.empty() || has_metric(&output, trainer.validation_metric)))
      return &output;
    names.push_back(output.name);
  }
  if (trainer.validation_field.empty()) return &recipe.outputs.front();
  const std::string near = nearest(trainer.validation_field, names);
  return context.refuse(
      mark_in(root, {"trainer", "validation_field"}),
      fmt::format("trainer.validation_field: there is no output '{}'", trainer.validation_field),
      near.empty() ? "name an output feature, or combined" : fmt::format("did you mean '{}'?", near));
}

// Which class is rare is a question about one output.
Status check_balance(const Context& context, const Node& root, const Recipe& recipe) {
  const Preprocessing& p = recipe.preprocessing;
  if (!p.oversample_minority && !p.undersample_majority) return {};
  const std::string_view key = p.oversample_minority ? "oversample_minority" : "undersample_majority";
  const bool of_classes = recipe.outputs.size() == 1 && (recipe.outputs[0].type() == FeatureType::binary ||
                                                         recipe.outputs[0].type() == FeatureType::category);
  if (of_classes) return {};
  return context.refuse(mark_in(root, {"preprocessing", key}),
                        fmt::format("preprocessing.{} needs one output feature, binary or category", key),
                        recipe.outputs.size() == 1 ? "leave it out" : "predict one output, or leave it out");
}

Status resolve_validation(const Context& context, const Node& root, Recipe& recipe) {
  const Result<const OutputFeature*> output = watched_output(context, root, recipe);
  if (!output) return fail(output.error());
  Trainer& trainer = recipe.trainer;
  trainer.validation_field = *output ? (*output)->name : std::string(kCombined);
  if (trainer.validation_metric.empty())
    trainer.validation_metric = *output ? default_metric((*output)->type()) : "loss";
  if (!has_metric(*output, trainer.validation_metric))
    return refuse_metric(context, mark_in(root, {"trainer", "validation_metric"}), *output,
                         "validation_metric", trainer.validation_metric);
  const std::string& reduce = trainer.learning_rate_scheduler.reduce_eval_metric;
  if (!has_metric(*output, reduce))
    return refuse_metric(context, mark_in(root, {"trainer", "learning_rate_scheduler", "reduce_eval_metric"}),
                         *output, "learning_rate_scheduler.reduce_eval_metric", reduce);
  return {};
}

// A comment is said where it is first needed and not again.
void say_once(Node& node, std::set<std::string>& said) {
  if (!said.insert(node.comment).second) node.comment.clear();
  for (Node& item : node.items) say_once(item, said);
  for (Entry& entry : node.entries) say_once(entry.value, said);
}

}  // namespace

Result<Recipe> parse_recipe(const Document& document) {
  Recipe recipe;
  const Context context{&document, "", &recipe.notes.lines};
  if (document.root.is_null())
    return context.refuse({}, "the recipe is empty", "give it input_features and output_features");
  if (!document.root.is_map())
    return context.refuse(document.root.mark, "a recipe must be a map of keys",
                          "begin with 'input_features:'");
  const Result<Node> root = with_type_defaults(context, document.root);
  if (!root) return fail(root.error());
  if (Status read = read_component(context, *root, recipe_component(), &recipe); !read)
    return fail(std::move(read.error()));
  if (Status checked = check_names(context, *root, recipe); !checked) return fail(std::move(checked.error()));
  if (Status checked = check_tied(context, *root, recipe); !checked) return fail(std::move(checked.error()));
  if (Status checked = check_mixing(context, *root, recipe); !checked)
    return fail(std::move(checked.error()));
  if (Status checked = check_balance(context, *root, recipe); !checked)
    return fail(std::move(checked.error()));
  if (Status resolved = resolve_validation(context, *root, recipe); !resolved)
    return fail(std::move(resolved.error()));
  if (const Entry* combiner = root->find("combiner");
      (!combiner || combiner->value.is_null()) && recipe.inputs.size() >= 3)
    recipe.notes.lines.push_back(
        "combiner: none is given, so it is concat (ft_transformer is not supported yet)");
  return recipe;
}

std::string render(const Recipe& recipe, Detail detail) {
  static const Recipe plain;
  std::string out;
  for (const std::string& note : recipe.notes.lines) {
    std::string line = note;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += "# " + line + "\n";
  }
  Node tree = write_component(recipe_component(), &recipe, detail == Detail::brief ? &plain : nullptr);
  std::set<std::string> said;
  say_once(tree, said);
  return out + to_yaml(tree);
}

double OutputFeature::loss_weight() const {
  return std::visit(
      [](const auto& output) {
        return std::visit([](const auto& loss) { return loss.weight; }, output.loss);
      },
      spec);
}

const LinearDecoder& OutputFeature::decoder() const {
  return std::visit(
      Overloaded{[](const VectorOutput& output) -> const LinearDecoder& { return output.decoder.linear; },
                 [](const auto& output) -> const LinearDecoder& { return output.decoder; }},
      spec);
}

BatchSizes batch_sizes(const Trainer& trainer, int64_t training_rows) {
  const int64_t rows = std::max<int64_t>(1, training_rows);
  // Of one row no batch norm and no mixing of rows can make anything.
  int64_t chosen = std::min({std::max<int64_t>(rows / 10, 2), int64_t{256}, trainer.max_batch_size});
  BatchSizes sizes;
  if (const auto effective = trainer.effective_batch_size.value) {
    if (const auto steps = trainer.gradient_accumulation_steps.value) chosen = *effective / *steps;
    chosen = std::min(chosen, *effective);
    while (*effective % chosen != 0) --chosen;
    sizes.batch = trainer.batch_size.or_else(chosen);
    sizes.accumulation = *effective / sizes.batch;
  } else {
    sizes.batch = trainer.batch_size.or_else(chosen);
    sizes.accumulation = trainer.gradient_accumulation_steps.or_else(1);
  }
  sizes.batch = std::min(sizes.batch, rows);
  sizes.eval = trainer.eval_batch_size.or_else(sizes.batch);
  return sizes;
}

}  // namespace shoestring::task
