// A recipe made from the columns of a table, and the names of the recipe's words.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "task/keys.h"

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

}  // namespace

std::string_view name_of(FeatureType type) { return word(type); }
std::string_view name_of(Activation activation) { return word(activation); }
std::string_view name_of(Normalization normalization) { return word(normalization); }
std::string_view name_of(MissingValues strategy) { return word(strategy); }

Result<Recipe> infer_recipe(const std::vector<ColumnType>& columns, const std::vector<std::string>& targets) {
  Node inputs = Node::list(), outputs = Node::list();
  for (const ColumnType& column : columns)
    if (std::find(targets.begin(), targets.end(), column.name) == targets.end())
      inputs.items.push_back(feature(column));
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
    if (column->type == FeatureType::number) {  // a network's answers begin near 0
      Node preprocessing = Node::map();
      preprocessing.set("normalization", Node::string("zscore"));
      output.set("preprocessing", std::move(preprocessing));
    }
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
  Node combiner = Node::map();
  combiner.set("type", Node::string("concat"));
  combiner.set("num_fc_layers", Node::integer(2));
  combiner.set("output_size", Node::integer(128));
  document.root.set("combiner", std::move(combiner));
  // Of few rows, the loss says more surely than a metric of ranks or counts which model is better.
  Node trainer = Node::map();
  trainer.set("validation_field", Node::string("combined"));
  trainer.set("validation_metric", Node::string("loss"));
  trainer.set("early_stop", Node::integer(10));
  document.root.set("trainer", std::move(trainer));
  return parse_recipe(document);
}

}  // namespace shoestring::task
