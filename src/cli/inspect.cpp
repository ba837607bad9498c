// inspect: what is in a model file.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "model/model_file.h"
#include "task/recipe.h"
#include "train/run_folder.h"

namespace shoestring::cli {
namespace {

Result<task::Recipe> recipe_of(const model::ModelFile& model, const std::string& path) {
  return task::parse_document(model.recipe, path).and_then([](const task::Document& d) {
    return task::parse_recipe(d);
  });
}

int64_t total_bytes(const model::ModelFile& model) {
  int64_t bytes = 0;
  for (const auto& tensor : model.tensors) bytes += tensor.type.bytes();
  return bytes;
}

void show(const model::ModelFile& model, const task::Recipe& recipe, const std::string& path) {
  int64_t numbers = 0;
  for (const auto& tensor : model.tensors) numbers += tensor.type.elements();
  print(fmt::format("{}: {} numbers in {} tensors, {}\n\n", path, human_count(static_cast<double>(numbers)),
                    model.tensors.size(), human_bytes(total_bytes(model))));
  std::vector<std::vector<std::string>> features{{"feature", "type", "column", "labels"}};
  const auto labels = [&](const std::string& name) {
    const auto found = model.labels.find(name);
    if (found == model.labels.end()) return std::string();
    std::string text;
    for (size_t i = 0; i < found->second.size() && i < 5; ++i) text += (i ? ", " : "") + found->second[i];
    return found->second.size() > 5 ? fmt::format("{}, … ({})", text, found->second.size()) : text;
  };
  for (const auto& input : recipe.inputs)
    features.push_back({input.name, std::string(name_of(input.type())), input.column, ""});
  for (const auto& output : recipe.outputs)
    features.push_back({output.name, std::string(name_of(output.type())) + " (predicted)", output.column,
                        labels(output.name)});
  print(table(features) + "\n");
  std::vector<std::vector<std::string>> tensors{{"tensor", "type", "bytes"}};
  for (const auto& tensor : model.tensors)
    tensors.push_back({tensor.name, to_string(tensor.type), human_bytes(tensor.type.bytes())});
  print(table(tensors));
  if (!model.card.empty()) print("\n" + model.card + (model.card.back() == '\n' ? "" : "\n"));
}

void show_json(const model::ModelFile& model, const task::Recipe& recipe) {
  nlohmann::ordered_json out;
  for (const auto& input : recipe.inputs)
    out["inputs"].push_back(
        {{"name", input.name}, {"type", name_of(input.type())}, {"column", input.column}});
  for (const auto& output : recipe.outputs)
    out["outputs"].push_back(
        {{"name", output.name}, {"type", name_of(output.type())}, {"column", output.column}});
  out["labels"] = model.labels;
  for (const auto& tensor : model.tensors)
    out["tensors"].push_back(
        {{"name", tensor.name}, {"type", to_string(tensor.type)}, {"bytes", tensor.type.bytes()}});
  out["bytes"] = total_bytes(model);
  print(out.dump() + "\n");
}

}  // namespace

int inspect(Arguments arguments) {
  std::string positional, path, part;
  bool json = false;
  const Options options{
      "inspect",
      "shows what is in a model file or a run folder",
      {{"", "", "PATH", "model file, model folder or run folder (or --model_path)", &positional},
       {"model-path", "m", "PATH", "the same", &path},
       {"show", "", "PART", "print one part as it is: recipe, preprocessing, graph or card", &part},
       {"json", "", "", "for programs", &json}}};
  if (const auto done = options.read(arguments)) return *done;
  if (path.empty()) path = positional;
  if (path.empty())
    return report({ErrorKind::usage, "a model is needed", "inspect", "give a model file or a run folder"});
  const auto file = train::find_model(path);
  if (!file) return report(file.error());
  const auto model = model::read_model(*file);
  if (!model) return report(model.error());
  if (!part.empty()) {
    const std::string* text = part == "recipe"          ? &model->recipe
                              : part == "preprocessing" ? &model->preprocessing
                              : part == "graph"         ? &model->graph
                              : part == "card"          ? &model->card
                                                        : nullptr;
    if (!text)
      return report({ErrorKind::usage, fmt::format("a model has no part '{}'", part), "inspect",
                     "ask for recipe, preprocessing, graph or card"});
    print(*text);
    return 0;
  }
  const auto recipe = recipe_of(*model, *file);
  if (!recipe) return report(recipe.error());
  if (json)
    show_json(*model, *recipe);
  else
    show(*model, *recipe, *file);
  return 0;
}

}  // namespace shoestring::cli
