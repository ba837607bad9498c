#include "train/dataset.h"

#include <algorithm>
#include <numeric>

#include "data/split.h"
#include "train/fit_columns.h"
#include "train/from_file.h"
#include "train/picture_sizes.h"
#include "train/read_tables.h"
#include "train/row_faults.h"
#include "train/same_pictures.h"
#include "train/start_from.h"
#include "train/target_columns.h"

namespace shoestring::train {
namespace {

// Encodes everything and sorts the rows into the splits.
Status encode_all(Tables& tables, const std::vector<uint8_t>& split, std::vector<uint8_t>& drop,
                  RowFaults& faults, const LogSink& log, Dataset& out) {
  out.rows = tables.rows();
  out.files = tables.read.files;
  out.inputs = encode_inputs(out.fits, tables.columns, &drop, 0, split);
  out.missing = out.inputs.missing;
  out.targets = encode_targets(out.fits, tables.columns, &drop, 0, split);
  faults.add_encoded(tables.columns, out.targets, split, drop, 0);
  if (auto ok = faults.judge_encoded(out.fits, tables.read, log); !ok) return ok;
  for (size_t row = 0; row < split.size(); ++row) {
    if (drop[row]) continue;
    auto* rows = split[row] == data::kTrain        ? &out.training
                 : split[row] == data::kValidation ? &out.validation
                 : split[row] == data::kTest       ? &out.test
                                                   : nullptr;
    if (rows) rows->push_back(static_cast<uint32_t>(row));
  }
  faults.tell_unknown_classes(tables.read, log);
  tell_same_pictures(out, tables.read, log);
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
    const auto* picture = std::get_if<task::PictureFit>(&one);
    spec.input_pixels.push_back(picture ? task::PixelScale{picture->shift, picture->scale, picture->whitening}
                                        : task::PixelScale());
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
  if (auto ok = find_picture_sizes(files, recipe, options); !ok) return fail(ok.error());
  if (options.from_file) return prepare_from_file(files, std::move(recipe), options);
  auto tables = read_tables(files, recipe, true, options);
  if (!tables) return fail(tables.error());
  RowFaults faults(recipe);
  std::vector<uint8_t> drop = faults.drop_missing(tables->columns, 0);
  if (auto ok = faults.judge_missing(tables->read, options.log); !ok) return fail(ok.error());
  const auto split = tables->split.split(recipe.preprocessing, drop, options.seed, options.log);
  if (!split) return fail(split.error());
  const auto training = data::rows_of(*split, data::kTrain);
  if (training.empty())
    return fail(ErrorKind::data, "no rows are left to train on", tables->read.path(),
                "give more rows, or a larger share to training in preprocessing.split");
  std::vector<std::string> notes;
  auto fits = fit_columns(recipe, tables->columns, training, notes);
  if (options.log)
    for (const auto& note : notes) options.log(LogLevel::note, note);
  if (!fits) {
    if (fits.error().where.empty()) fits.error().where = tables->read.path();
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
  if (auto ok = encode_all(*tables, *split, drop, faults, options.log, out); !ok) return fail(ok.error());
  out.training =
      balanced(out.spec.recipe, out.fits, out.targets, std::move(out.training), options.seed, options.log);
  return out;
}

Result<Dataset> prepare_fitted(const DataFiles& files, const task::NetworkSpec& spec, const task::Fits& fits,
                               RowsWanted wanted, const PrepareOptions& options) {
  auto tables = read_tables(files, spec.recipe, wanted == RowsWanted::as_trained, options);
  if (!tables) return fail(tables.error());
  RowFaults faults(spec.recipe);
  std::vector<uint8_t> drop = faults.drop_missing(tables->columns, 0);
  if (auto ok = faults.judge_missing(tables->read, options.log); !ok) return fail(ok.error());
  const task::Preprocessing all_rows;
  const auto split =
      tables->split.split(wanted == RowsWanted::as_trained ? spec.recipe.preprocessing : all_rows, drop,
                          options.seed, options.log);
  if (!split) return fail(split.error());
  Dataset out;
  out.spec = spec;
  out.fits = fits;
  if (auto ok = encode_all(*tables, *split, drop, faults, options.log, out); !ok) return fail(ok.error());
  return out;
}

}  // namespace shoestring::train
