#include "train/saved_model.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "ir/text.h"
#include "ops/ops.h"
#include "train/run_folder.h"

namespace shoestring::train {
namespace {

std::string joined_names(const auto& features) {
  std::string text;
  for (const auto& feature : features)
    text += fmt::format("{}`{}` ({})", text.empty() ? "" : ", ", feature.name, name_of(feature.type()));
  return text;
}

// What a person who finds the file wants to know.
std::string card_of(const task::NetworkSpec& spec, const BestModel& best, const ModelNotes& notes) {
  int64_t parameters = 0;
  for (const StateSlot& slot : best.slots())
    if (slot.info.role == StateRole::parameter) parameters += slot.info.type.elements();
  std::string text = fmt::format("# Predicts {}\n\nFrom {}.\n\n{}, trained in {} on {}, random seed {}.\n",
                                 joined_names(spec.recipe.outputs), joined_names(spec.recipe.inputs),
                                 count_of(parameters, "parameter"), count_of(notes.step, "step"),
                                 count_of(notes.training_rows, "row"), notes.seed);
  if (!notes.held_out) return text;
  text += fmt::format(
      "\nMeasured on {} {} rows that it was not trained on:\n\n| output | metric | value |\n|---|---|---|\n",
      notes.held_out->rows, notes.held_out_name);
  for (const auto& output : notes.held_out->outputs)
    for (const auto& [name, value] : output.values)
      if (std::isfinite(value)) text += fmt::format("| {} | {} | {:.5g} |\n", output.name, name, value);
  return text;
}

// The network is built from the recipe; it has to be the one that was trained.
Status same_network(const task::NetworkSpec& spec, const std::string& stored, const std::string& path) {
  const Graph built = task::build_prediction(spec, 1);
  if (auto ok = built.status(); !ok) return ok;
  const std::string now = to_text(built);
  if (now == stored) return {};
  const auto graph = parse_graph(stored, ops::all(), path + ", its graph");
  if (!graph) return fail(graph.error());
  const std::string then = to_text(*graph);  // as this version writes it
  if (now == then) return {};
  size_t at = 0, line = 0;  // of the first difference, and where its line begins
  while (at < std::min(now.size(), then.size()) && now[at] == then[at])
    if (now[at++] == '\n') line = at;
  const auto from = [&](const std::string& text) {
    const size_t begin = text.find_first_not_of(' ', line);
    return begin == std::string::npos ? std::string("nothing")
                                      : text.substr(begin, text.find('\n', begin) - begin);
  };
  return fail(ErrorKind::data,
              fmt::format("its network has `{}` where this version builds `{}` from its recipe", from(then),
                          from(now)),
              path, "use the version that trained it, or train again");
}

}  // namespace

Result<SavedModel> load_model(const std::string& path) {
  const auto file = find_model(path);
  if (!file) return fail(file.error());
  auto content = model::read_model(*file);
  if (!content) return fail(content.error());
  const auto unreadable = [&](const Error& error) {
    return fail(ErrorKind::data, fmt::format("the model cannot be read ({})", error.message()), *file,
                "it is damaged or from another version: train again");
  };
  auto recipe = task::parse_document(content->recipe, *file).and_then([](const task::Document& d) {
    return task::parse_recipe(d);
  });
  if (!recipe) return unreadable(recipe.error());
  auto fits = task::fits_from_json(content->preprocessing);
  if (!fits) return unreadable(fits.error());
  if (fits->inputs.size() != recipe->inputs.size() || fits->outputs.size() != recipe->outputs.size())
    return unreadable({ErrorKind::data, "its preprocessing is of another recipe", {}, {}});
  auto spec = network_spec(std::move(*recipe), *fits);
  if (!spec) return unreadable(spec.error());
  if (auto same = same_network(*spec, content->graph, *file); !same) return fail(same.error());
  SavedModel model{.spec = std::move(*spec), .fits = std::move(*fits), .file = std::move(*content)};
  const std::string& seed = model.file.extra["seed"];
  std::from_chars(seed.data(), seed.data() + seed.size(), model.seed);
  return model;
}

Status load_states(const SavedModel& model, Engine& engine) {
  for (const auto& tensor : model.file.tensors)
    if (engine.layout().find(tensor.name))
      if (auto ok = engine.load(tensor.name, tensor.type, tensor.bytes); !ok) return ok;
  return {};
}

int64_t saving_bytes(const task::NetworkSpec& spec, const task::Fits& fits) {
  constexpr int64_t kCopies =
      5;  // the graph itself, its text, that text in the header, and what grows to hold them
  const Graph graph = task::build_prediction(spec, 1);
  const size_t text = task::render(spec.recipe).size() + task::to_json(fits).size() + to_text(graph).size();
  return kCopies * static_cast<int64_t>(text);
}

Status save_model(const std::string& path, const task::NetworkSpec& spec, const task::Fits& fits,
                  const BestModel& best, const ModelNotes& notes) {
  const Graph graph = task::build_prediction(spec, 1);
  if (auto ok = graph.status(); !ok) return ok;
  task::Recipe recipe = spec.recipe;
  recipe
      .notes = {};  // how it came about is no part of the model: a run that goes on does not know it any more
  model::ModelFile file{.recipe = task::render(recipe),
                        .preprocessing = task::to_json(fits),
                        .graph = to_text(graph),
                        .card = card_of(spec, best, notes)};
  for (size_t o = 0; o < fits.outputs.size(); ++o)
    if (auto classes = classes_of(fits.outputs[o]); !classes.labels.empty())
      file.labels[spec.recipe.outputs[o].name] = std::move(classes.labels);
  file.extra = {{"seed", fmt::format("{}", notes.seed)}, {"step", fmt::format("{}", notes.step)}};
  for (size_t i = 0; i < best.slots().size(); ++i) {
    const StateInfo& info = best.slots()[i].info;
    file.tensors.push_back({info.name, info.type, best.bytes(i), info.layout});
  }
  return model::write_model(path, file);
}

}  // namespace shoestring::train
