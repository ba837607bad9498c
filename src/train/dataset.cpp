#include "train/dataset.h"

#include <algorithm>
#include <numeric>

#include "base/overloaded.h"
#include "base/text.h"
#include "data/split.h"
#include "train/read_tables.h"
#include "train/start_from.h"
#include "train/target_columns.h"

namespace shoestring::train {
namespace {

// Rows that are left out before anything is fitted: their target is missing, or an input that the recipe
// says to drop for. Of targets above the tolerance it is an error.
Status drop_missing(const task::Recipe& recipe, Tables& tables, double tolerance, const LogSink& log,
                    std::vector<uint8_t>& drop) {
  drop.assign(static_cast<size_t>(tables.rows()), 0);
  const auto mark = [&](const auto& feature, RawColumn& column, bool is_target) -> Status {
    if (!task::drops_missing(feature)) return {};
    const task::MissingRows missing = mark_missing(column, drop);
    if (missing.count == 0) return {};
    const std::string what =
        fmt::format("{} of {} without a value", count_of(missing.count, "row"), tables.rows());
    const std::string where = fmt::format("{}, column '{}'", tables.place(missing.first_row), feature.column);
    if (is_target && static_cast<double>(missing.count) > tolerance * static_cast<double>(tables.rows()))
      return fail(ErrorKind::data, what + ", this is the first", where,
                  "a target needs its values: fill them in or take the rows out");
    if (log) log(LogLevel::note, fmt::format("{}: {} left out, this is the first", where, what));
    return {};
  };
  RawColumns& columns = tables.columns;
  for (size_t o = 0; o < recipe.outputs.size(); ++o)
    if (auto ok = mark(recipe.outputs[o], columns.outputs[o], true); !ok) return ok;
  for (size_t i = 0; i < recipe.inputs.size(); ++i)
    if (auto ok = mark(recipe.inputs[i], columns.inputs[i], false); !ok) return ok;
  return {};
}

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
                 [&](const task::BagInput& i) { return words(i.preprocessing, true); },
                 [&](const auto& spec) { return by_preprocessing(spec.preprocessing); }},
      feature.spec);
}

Result<task::Fits> fit(const task::Recipe& recipe, RawColumns& columns, std::span<const uint32_t> training,
                       std::vector<std::string>& notes) {
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

// Cells that are not what the fitted column takes (words that a binary feature does not know, vectors of
// another length): a note, or above the tolerance an error.
template <class Feature>
Status check_fitted(const std::vector<Feature>& features, const std::vector<task::Fit>& fits,
                    const std::vector<data::BadCells>& bad, const Tables& tables, double tolerance,
                    const LogSink& log) {
  for (size_t i = 0; i < bad.size(); ++i) {
    if (bad[i].count == 0) continue;
    const std::string where =
        fmt::format("{}, column '{}'", tables.place(bad[i].first_row), features[i].column);
    const bool is_binary = std::holds_alternative<task::BinaryFit>(fits[i]);
    const std::string what =
        fmt::format("'{}' is {}; {}", bad[i].first_value,
                    is_binary ? "neither true nor false" : "not " + task::cell_of(fits[i]),
                    count_of(bad[i].count, "cell"));
    if (static_cast<double>(bad[i].count) > tolerance * static_cast<double>(tables.rows()))
      return fail(ErrorKind::data, what + " like it", where,
                  "repair the cells, or give the column another type");
    if (log) log(LogLevel::note, fmt::format("{}: {} taken as missing", where, what));
  }
  return {};
}

// Rows of the data whose class the training rows lack: no metric can judge them.
void tell_unknown_classes(const Tables& tables, const std::vector<uint8_t>& split,
                          const std::vector<uint8_t>& drop, const LogSink& log, const Dataset& data) {
  if (!log) return;
  const auto& outputs = data.spec.recipe.outputs;
  for (size_t o = 0; o < outputs.size(); ++o) {
    const auto& codes = data.targets.codes[o];
    int64_t count = 0, first = -1;
    for (size_t row = 0; row < codes.size(); ++row) {
      if (codes[row] >= 0 || drop[row] || split[row] == data::kUnused) continue;
      if (count++ == 0) first = static_cast<int64_t>(row);
    }
    if (count > 0)
      log(LogLevel::note, fmt::format("{}, column '{}': {} of a class that no training row has, this is the "
                                      "first; no metric counts them",
                                      tables.place(first), outputs[o].column, count_of(count, "row")));
  }
}

// Encodes everything and sorts the rows into the splits.
Status encode_all(Tables& tables, const std::vector<uint8_t>& split, std::vector<uint8_t>& drop,
                  double tolerance, const LogSink& log, Dataset& out) {
  out.rows = tables.rows();
  out.files = tables.files;
  out.inputs = encode_inputs(out.fits, tables.columns, &drop, 0, split);
  out.targets = encode_targets(out.fits, tables.columns, &drop, split);
  const task::Recipe& recipe = out.spec.recipe;
  if (auto ok =
          check_fitted(recipe.inputs, out.fits.inputs, tables.columns.bad_inputs, tables, tolerance, log);
      !ok)
    return ok;
  if (auto ok =
          check_fitted(recipe.outputs, out.fits.outputs, tables.columns.bad_outputs, tables, tolerance, log);
      !ok)
    return ok;
  for (size_t row = 0; row < split.size(); ++row) {
    if (drop[row]) continue;
    auto* rows = split[row] == data::kTrain        ? &out.training
                 : split[row] == data::kValidation ? &out.validation
                 : split[row] == data::kTest       ? &out.test
                                                   : nullptr;
    if (rows) rows->push_back(static_cast<uint32_t>(row));
  }
  tell_unknown_classes(tables, split, drop, log, out);
  return {};
}

}  // namespace

Classes classes_of(const task::Fit& fit) {
  if (const auto* binary = std::get_if<task::BinaryFit>(&fit))
    return {{binary->false_label, binary->true_label}, {binary->false_rows, binary->true_rows}};
  if (const auto* category = std::get_if<task::CategoryFit>(&fit))
    return {category->vocabulary, category->counts};
  return {};
}

Result<task::NetworkSpec> network_spec(task::Recipe recipe, const task::Fits& fits) {
  task::NetworkSpec spec;
  for (const auto& one : fits.inputs) {
    spec.input_sizes.push_back(task::size_of(one));
    spec.input_widths.push_back(task::width_of(one));
    const auto* number = std::get_if<task::NumberFit>(&one);
    spec.input_edges.push_back(number ? number->edges : std::vector<double>());
    const auto* category = std::get_if<task::CategoryFit>(&one);
    spec.input_targets.push_back(category ? category->targets : task::TargetTable());
  }
  for (const auto& one : fits.outputs) spec.output_sizes.push_back(task::size_of(one));
  for (size_t o = 0; o < recipe.outputs.size(); ++o) {
    auto& weights = spec.class_weights.emplace_back();
    const std::string& name = recipe.outputs[o].name;
    Result<std::vector<double>> resolved = std::vector<double>();
    if (const auto* category = std::get_if<task::CategoryOutput>(&recipe.outputs[o].spec)) {
      const auto& loss = std::get<task::SoftmaxCrossEntropy>(category->loss);
      const Classes classes = classes_of(fits.outputs[o]);
      resolved = task::resolve_class_weights(loss.class_weights, name, classes.labels, classes.rows);
    } else if (const auto* set = std::get_if<task::SetOutput>(&recipe.outputs[o].spec)) {
      const auto& loss = std::get<task::SigmoidCrossEntropy>(set->loss);
      resolved = task::resolve_class_weights(loss.class_weights, name,
                                             std::get<task::WordsFit>(fits.outputs[o]).vocabulary, {});
    }
    if (!resolved) return fail(resolved.error());
    weights = std::move(*resolved);
  }
  spec.recipe = std::move(recipe);
  return spec;
}

Result<Dataset> prepare(const DataFiles& files, task::Recipe recipe, const PrepareOptions& options) {
  auto tables = read_tables(files, recipe, true, options);
  if (!tables) return fail(tables.error());
  const double tolerance = data::ReadOptions().tolerance;
  std::vector<uint8_t> drop;
  if (auto ok = drop_missing(recipe, *tables, tolerance, options.log, drop); !ok) return fail(ok.error());
  const auto split = tables->split.split(recipe.preprocessing, drop, options.seed, options.log);
  if (!split) return fail(split.error());
  const auto training = data::rows_of(*split, data::kTrain);
  if (training.empty())
    return fail(ErrorKind::data, "no rows are left to train on", tables->readers.front()->path(),
                "give more rows, or a larger share to training in preprocessing.split");
  std::vector<std::string> notes;
  auto fits = fit(recipe, tables->columns, training, notes);
  if (options.log)
    for (const auto& note : notes) options.log(LogLevel::note, note);
  if (!fits) {
    if (fits.error().where.empty()) fits.error().where = tables->readers.front()->path();
    return fail(fits.error());
  }
  if (auto ok = fit_targets(recipe, tables->columns, *split, drop, options.seed, *fits); !ok)
    return fail(ok.error());
  if (options.start_from)
    if (auto ok = follow(*options.start_from, recipe, *fits); !ok) return fail(ok.error());
  Dataset out;
  out.fits = std::move(*fits);
  auto spec = network_spec(std::move(recipe), out.fits);
  if (!spec) return fail(spec.error());
  out.spec = std::move(*spec);
  if (auto ok = encode_all(*tables, *split, drop, tolerance, options.log, out); !ok) return fail(ok.error());
  out.training =
      balanced(out.spec.recipe, out.fits, out.targets, std::move(out.training), options.seed, options.log);
  return out;
}

Result<Dataset> prepare_fitted(const DataFiles& files, const task::NetworkSpec& spec, const task::Fits& fits,
                               RowsWanted wanted, const PrepareOptions& options) {
  auto tables = read_tables(files, spec.recipe, wanted == RowsWanted::as_trained, options);
  if (!tables) return fail(tables.error());
  const double tolerance = data::ReadOptions().tolerance;
  std::vector<uint8_t> drop;
  if (auto ok = drop_missing(spec.recipe, *tables, tolerance, options.log, drop); !ok)
    return fail(ok.error());
  const task::Preprocessing all_rows;
  const auto split =
      tables->split.split(wanted == RowsWanted::as_trained ? spec.recipe.preprocessing : all_rows, drop,
                          options.seed, options.log);
  if (!split) return fail(split.error());
  Dataset out;
  out.spec = spec;
  out.fits = fits;
  if (auto ok = encode_all(*tables, *split, drop, tolerance, options.log, out); !ok) return fail(ok.error());
  return out;
}

}  // namespace shoestring::train
