#include "train/start_from.h"

#include <algorithm>

namespace shoestring::train {
namespace {

Failure differs(std::string what, std::string where) {
  return fail(ErrorKind::data, std::move(what), std::move(where),
              "use the recipe and such data as it was trained with, or leave --model_load_path out");
}

Status follow_one(const task::NumberFit& model, task::NumberFit& now, const std::string& where) {
  if (model.normalization != now.normalization)
    return differs("the model that training would start from normalizes this column in another way", where);
  now.shift = model.shift;
  now.scale = model.scale;
  return {};
}

Status follow_one(const task::BinaryFit& model, task::BinaryFit& now, const std::string& where) {
  const bool same = model.true_label == now.true_label && model.false_label == now.false_label;
  if (same || (model.usual_words && now.usual_words)) return {};
  return differs(fmt::format("the words are '{}' and '{}', in the model that training would start from '{}' "
                             "and '{}'",
                             now.false_label, now.true_label, model.false_label, model.true_label),
                 where);
}

// The same words, numbered as the model has them.
Status follow_one(const task::CategoryFit& model, task::CategoryFit& now, const std::string& where) {
  if (model.buckets != now.buckets)
    return differs("the model that training would start from hashes its values another way", where);
  const auto place = [](const std::vector<std::string>& words, const std::string& word) {
    return static_cast<size_t>(std::find(words.begin(), words.end(), word) - words.begin());
  };
  for (const std::string& word : now.vocabulary)
    if (place(model.vocabulary, word) == model.vocabulary.size())
      return differs(fmt::format("the model that training would start from does not know '{}'", word), where);
  std::vector<int64_t> counts;
  std::vector<size_t> order;
  for (const std::string& word : model.vocabulary) {
    const size_t at = place(now.vocabulary, word);
    if (at == now.vocabulary.size())
      return differs(
          fmt::format("the model that training would start from knows '{}', the training rows do not", word),
          where);
    counts.push_back(now.counts[at]);
    order.push_back(at);
  }
  task::reorder(now.targets, order);
  now.vocabulary = model.vocabulary;
  now.counts = std::move(counts);
  now.unknown = model.unknown;
  return {};
}

Status follow_one(const task::VectorFit& model, task::VectorFit& now, const std::string& where) {
  now.shift = model.shift;
  now.scale = model.scale;
  if (model.size == now.size) return {};
  return differs(fmt::format("the vectors have {} numbers, in the model that training would start from {}",
                             now.size, model.size),
                 where);
}

// Its words and their numbers. Unlike a category's, words that the training rows lack may go without.
Status follow_one(const task::WordsFit& model, task::WordsFit& now, const std::string& where) {
  for (const std::string& word : now.vocabulary)
    if (std::ranges::find(model.vocabulary, word) == model.vocabulary.end())
      return differs(fmt::format("the model that training would start from does not know '{}'", word), where);
  const auto width = std::max(now.width, model.width);
  now = model;
  now.width = width;
  return {};
}

Status follow_one(const task::DateFit& model, task::DateFit& now, const std::string&) {
  now.year_shift = model.year_shift;
  now.year_scale = model.year_scale;
  return {};
}

Status follow_one(const task::PictureFit& model, task::PictureFit& now, const std::string& where) {
  if (model.height != now.height || model.width != now.width || model.channels != now.channels)
    return differs(
        fmt::format("the pictures are {} x {} x {}, in the model that training would start from {} x {} x {}",
                    now.height, now.width, now.channels, model.height, model.width, model.channels),
        where);
  now = model;
  return {};
}

template <class Feature>
Status follow_all(const std::vector<Feature>& of_model, const std::vector<Feature>& features,
                  const std::vector<task::Fit>& fits_of_model, std::vector<task::Fit>& fits,
                  const char* kind) {
  for (size_t i = 0; i < std::max(of_model.size(), features.size()); ++i) {
    const auto told = [&](const std::vector<Feature>& list) {
      return i < list.size() ? fmt::format("'{}' ({})", list[i].name, name_of(list[i].type()))
                             : std::string("none");
    };
    if (told(of_model) != told(features))
      return differs(fmt::format("{} feature {} is {}, of the model that training would start from {}", kind,
                                 i + 1, told(features), told(of_model)),
                     {});
    const auto ok = std::visit(
        [&](auto& now) -> Status {
          const auto* then = std::get_if<std::decay_t<decltype(now)>>(&fits_of_model[i]);
          const std::string where = fmt::format("column '{}'", features[i].column);
          return then ? follow_one(*then, now, where)
                      : differs("the model has another preprocessing for it", where);
        },
        fits[i]);
    if (!ok) return ok;
  }
  return {};
}

}  // namespace

Status follow(const SavedModel& model, const task::Recipe& recipe, task::Fits& fits) {
  const task::Recipe& then = model.spec.recipe;
  if (auto ok = follow_all(then.inputs, recipe.inputs, model.fits.inputs, fits.inputs, "input"); !ok)
    return ok;
  return follow_all(then.outputs, recipe.outputs, model.fits.outputs, fits.outputs, "output");
}

Status start_from(const SavedModel& model, Engine& engine) {
  const auto& tensors = model.file.tensors;
  for (const StateSlot& slot : engine.layout().slots()) {
    const StateInfo& info = slot.info;
    if (info.role != StateRole::parameter && info.role != StateRole::statistic) continue;
    const auto at = std::ranges::find(tensors, info.name, &model::TensorView::name);
    if (at == tensors.end() || at->type != info.type)
      return differs(
          fmt::format("the network's '{}' is {}, the model that training would start from has {}", info.name,
                      to_string(info.type), at == tensors.end() ? "no such weights" : to_string(at->type)),
          {});
  }
  for (const auto& tensor : tensors)
    if (!engine.layout().find(tensor.name))
      return differs(fmt::format("the model that training would start from has '{}', which the network lacks",
                                 tensor.name),
                     {});
  return load_states(model, engine);
}

}  // namespace shoestring::train
