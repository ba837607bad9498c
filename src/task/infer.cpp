// A recipe made from the columns of a table, and the names of the recipe's words.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "task/default_images.h"
#include "task/default_recipe.h"
#include "task/keys.h"
#include "task/metric_table.h"

namespace shoestring::task {
namespace {

template <class E>
std::string_view word(E value) {
  return Words<E>::names[static_cast<size_t>(value)];
}

Node feature(const ColumnType& column) {
  Node node = Node::map();
  node.set("name", Node::string(column.name));
  node.set("type", Node::string(name_of(column.type)));
  return node;
}

// `encoder: {type: TYPE}` with one more key.
void set_encoder(Node& feature, std::string_view type, std::string_view key, Node value) {
  Node encoder = Node::map();
  encoder.set("type", Node::string(type));
  encoder.set(std::string(key), std::move(value));
  feature.set("encoder", std::move(encoder));
}

Node map_of(std::string_view key, std::string_view word) {
  Node map = Node::map();
  map.set(std::string(key), Node::string(word));
  return map;
}

// Outliers do no harm and a missing number is a usual one; a category of few values has a column for each; a
// date is its waves, as its parts are many and most of them say nothing.
Node input(const ColumnType& column) {
  Node node = feature(column);
  if (column.type == FeatureType::number) {
    Node preprocessing = Node::map();
    preprocessing.set("normalization", Node::string("robust"));
    preprocessing.set("missing_value_strategy", Node::string("fill_with_mean"));
    node.set("preprocessing", std::move(preprocessing));
  }
  constexpr int64_t kFew = 64, kEmbedding = 16;
  if (column.type == FeatureType::category) {
    Node encoder = Node::map();
    encoder.set("type", Node::string(column.distinct <= kFew ? "onehot" : "dense"));
    if (column.distinct > kFew) encoder.set("embedding_size", Node::integer(kEmbedding));
    node.set("encoder", std::move(encoder));
  }
  constexpr int64_t kWaves = 32;
  if (column.type == FeatureType::date) set_encoder(node, "wave", "output_size", Node::integer(kWaves));
  if (column.type == FeatureType::set)
    set_encoder(node, "embed", "embedding_size", Node::integer(kEmbedding));
  if (column.type == FeatureType::vector) {
    node.set("preprocessing", map_of("normalization", "zscore"));
    node.set("encoder", map_of("type", "passthrough"));
  }
  return node;
}

// Lays what a default recipe says of features of a type under those that there are.
Status add_to(std::string_view section, FeatureType type, const std::string& text, Node& root) {
  if (text.empty()) return {};
  auto more = parse_document(text, "the default recipe");
  if (!more) return fail(more.error());
  for (Node& feature : root.find(section)->value.items)
    if (feature.find("type")->value.text == name_of(type))
      for (const Entry& entry : more->root.entries) feature.entries.push_back(entry);
  return {};
}

// Numbers and vectors are answered with values.
bool is_number(std::string_view type) {
  return type == name_of(FeatureType::number) || type == name_of(FeatureType::vector);
}

}  // namespace

std::string_view name_of(FeatureType type) { return word(type); }
std::string_view name_of(Activation activation) { return word(activation); }
std::string_view name_of(Normalization normalization) { return word(normalization); }
std::string_view name_of(MissingValues strategy) { return word(strategy); }
std::string_view name_of(SplitName split) { return word(split); }

Result<std::vector<Recipe>> infer_recipes(const std::vector<ColumnType>& columns,
                                          const std::vector<std::string>& targets, int64_t rows,
                                          const Effort& effort) {
  for (auto target = targets.begin(); target != targets.end(); ++target) {
    if (std::find(targets.begin(), target, *target) != target)
      return fail(ErrorKind::usage, fmt::format("the target '{}' is named twice", *target), {},
                  "name it once");
    if (*target == kCombined)
      return fail(
          ErrorKind::usage, "a target cannot be called 'combined', which stands for all outputs together", {},
          "rename the column, or give a recipe whose output feature has another name and 'column: combined'");
  }
  Node inputs = Node::list(), outputs = Node::list();
  for (const ColumnType& column : columns)
    if (std::find(targets.begin(), targets.end(), column.name) == targets.end())
      inputs.items.push_back(input(column));
  for (const std::string& target : targets) {
    const auto column =
        std::find_if(columns.begin(), columns.end(), [&](const ColumnType& c) { return c.name == target; });
    if (column == columns.end()) {
      std::vector<std::string> names;
      for (const ColumnType& c : columns) names.push_back(c.name);
      const std::string near = nearest(target, names);
      return fail(
          ErrorKind::data, fmt::format("there is no column '{}' to predict", target), {},
          near.empty() ? "name a column of the data as the target" : fmt::format("did you mean '{}'?", near));
    }
    Node output = feature(*column);
    if (is_number(name_of(column->type)))  // a network's answers begin near 0
      output.set("preprocessing", map_of("normalization", "zscore"));
    outputs.items.push_back(std::move(output));
  }
  if (outputs.items.empty())
    return fail(ErrorKind::usage, "there is no target", {}, "name the column to predict with --target");
  if (inputs.items.empty())
    return fail(ErrorKind::data, "there is no column to predict from", {},
                "give data with more columns than the target");
  Document document{"the inferred recipe", Node::map()};
  document.root.set("input_features", std::move(inputs));
  document.root.set("output_features", std::move(outputs));
  const auto& answers = document.root.find("output_features")->value.items;
  const bool numbers = std::all_of(answers.begin(), answers.end(), [](const Node& output) {
    return is_number(output.find("type")->value.text);
  });
  const auto number_inputs = std::count_if(columns.begin(), columns.end(), [&](const ColumnType& c) {
    return c.type == FeatureType::number &&
           std::find(targets.begin(), targets.end(), c.name) == targets.end();
  });
  const auto picture = std::ranges::find(columns, FeatureType::image, &ColumnType::type);
  std::vector<DefaultRecipe> networks;
  if (picture == columns.end())
    for (std::string& text : default_recipe_texts({rows, number_inputs}, numbers, effort.flop()))
      networks.push_back({.rest = std::move(text)});
  else
    networks = image_recipe_texts({rows, picture->height, picture->width, picture->channels}, effort);
  std::vector<Recipe> recipes;
  for (const DefaultRecipe& text : networks) {
    auto network = parse_document(text.rest, "the default recipe");
    if (!network) return fail(network.error());
    Document whole = document;
    if (auto ok = add_to("input_features", FeatureType::image, text.image, whole.root); !ok)
      return fail(ok.error());
    if (auto ok = add_to("output_features", FeatureType::category, text.output, whole.root); !ok)
      return fail(ok.error());
    for (Entry& entry : network->root.entries) whole.root.entries.push_back(std::move(entry));
    auto recipe = parse_recipe(whole);
    if (!recipe) return fail(recipe.error());
    recipes.push_back(std::move(*recipe));
  }
  return recipes;
}

Result<Recipe> infer_recipe(const std::vector<ColumnType>& columns, const std::vector<std::string>& targets,
                            int64_t rows, const Effort& effort) {
  auto recipes = infer_recipes(columns, targets, rows, effort);
  if (!recipes) return fail(recipes.error());
  return std::move(recipes->front());
}

}  // namespace shoestring::task
