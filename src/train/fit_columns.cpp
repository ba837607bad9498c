#include "train/fit_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.h"

namespace shoestring::train {
namespace {

// What is learnt about one feature, by its type.
Result<task::Fit> fit_one(const task::Recipe& recipe, const task::FitContext& context, RawColumn& column,
                          const auto& feature) {
  const auto as_fit = [](auto fitted) { return task::Fit(std::move(fitted)); };
  const auto words = [&](const task::WordsPreprocessing& p, bool repeats) {
    return task::fit_words(p, repeats, context, std::get<WordLists>(column).view()).map(as_fit);
  };
  const auto number = [&](const task::NumberPreprocessing& p, int64_t bins) {
    return task::fit_number(p, context, std::get<Numbers>(column).view(), bins).map(as_fit);
  };
  const auto category = [&](const task::CategoryPreprocessing& p, int64_t buckets) {
    return task::fit_category(p, context, std::get<Words>(column).view(), buckets).map(as_fit);
  };
  const auto by_preprocessing =
      Overloaded{[&](const task::BinaryPreprocessing& p) {
                   return task::fit_binary(p, context, std::get<Words>(column).view()).map(as_fit);
                 },
                 [&](const task::VectorPreprocessing& p) {
                   return task::fit_vector(p, context, std::get<Vectors>(column).view()).map(as_fit);
                 },
                 [&](const task::DatePreprocessing& p) {
                   return task::fit_date(p, context, std::get<Dates>(column).view()).map(as_fit);
                 },
                 [&](const task::NumberPreprocessing& p) { return number(p, 0); },
                 [&](const task::CategoryPreprocessing& p) { return category(p, 0); },
                 [&](const task::WordsPreprocessing& p) { return words(p, false); }};
  return std::visit(
      Overloaded{[&](const task::NumberInput& i) {
                   return number(i.preprocessing, task::bins_of(i, recipe.ensemble));
                 },
                 [&](const task::CategoryInput& i) { return category(i.preprocessing, task::buckets_of(i)); },
                 [&](const task::ImageInput& i) {
                   return task::fit_pictures(i, context, std::get<Pictures>(column).view()).map(as_fit);
                 },
                 [&](const task::BagInput& i) { return words(i.preprocessing, true); },
                 [&](const auto& spec) { return by_preprocessing(spec.preprocessing); }},
      feature.spec);
}

}  // namespace

Result<task::Fits> fit_columns(const task::Recipe& recipe, RawColumns& columns,
                               std::span<const uint32_t> training, std::vector<std::string>& notes) {
  task::Fits fits;
  const auto fit_all = [&](const auto& features, std::vector<RawColumn>& raw, bool are_outputs,
                           std::vector<task::Fit>& out) -> Status {
    for (size_t i = 0; i < features.size(); ++i) {
      const task::FitContext context{
          fmt::format("{} feature '{}'", are_outputs ? "output" : "input", features[i].name), are_outputs,
          training, &notes};
      auto one = fit_one(recipe, context, raw[i], features[i]);
      if (!one) return fail(one.error());
      out.push_back(std::move(*one));
    }
    return {};
  };
  if (auto ok = fit_all(recipe.inputs, columns.inputs, false, fits.inputs); !ok) return fail(ok.error());
  for (size_t i = 0; i < fits.inputs.size(); ++i)
    if (const auto& tied = recipe.inputs[i].tied)
      fits.inputs[i] = fits.inputs[static_cast<size_t>(
          std::ranges::find(recipe.inputs, *tied, &task::InputFeature::name) - recipe.inputs.begin())];
  if (auto ok = fit_all(recipe.outputs, columns.outputs, true, fits.outputs); !ok) return fail(ok.error());
  return fits;
}

}  // namespace shoestring::train
