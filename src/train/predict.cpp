#include "train/predict.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/split.h"
#include "train/lanes.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

constexpr int64_t kMostAhead = 256 << 20;  // bytes that are held for bfill

// The split of each row where a column of the table tells it, which takes no answers; else empty.
Result<std::vector<uint8_t>> told_splits(const PredictRequest& request, const task::Recipe& recipe) {
  const auto& split = recipe.preprocessing.split;
  const auto* fixed = split ? std::get_if<task::FixedSplit>(&*split) : nullptr;
  if (split && !fixed) return std::vector<uint8_t>();
  const std::string name = fixed ? fixed->column : "split";
  data::ReadOptions options;
  if (auto ok = data::set_data_format(request.format, options); !ok) return fail(ok.error());
  options.expected_names = column_names(recipe, true);
  auto reader = open_table(request.dataset, options, request.stop);
  if (!reader) return fail(reader.error());
  const int column = (*reader)->index_of(name);
  if (column < 0 && !fixed) return std::vector<uint8_t>();
  if (column < 0)
    return fail(ErrorKind::data, fmt::format("there is no column '{}' that tells the split", name),
                (*reader)->path(), "add it, or leave --split out to have all rows answered");
  std::vector<uint8_t> splits;
  while (true) {
    auto batch = (*reader)->next();
    if (!batch) return fail(batch.error());
    if (!*batch) return splits;
    if (auto bad = data::append_fixed_split((*batch)->column(column), (*batch)->first_row(), splits))
      return fail(ErrorKind::data, fmt::format("'{}' is not 0, 1 or 2", bad->value),
                  fmt::format("{}, column '{}'", (*reader)->place(bad->row), name),
                  "write 0 for training, 1 for validation, 2 for test");
  }
}

// Which rows of the table are wanted; empty: all of them.
Result<std::vector<uint8_t>> wanted_rows(const PredictRequest& request, const SavedModel& model,
                                         const LogSink& log) {
  if (request.split == SplitWanted::all) return std::vector<uint8_t>();
  auto told = told_splits(request, model.spec.recipe);
  if (!told) return told;
  const auto which = request.split == SplitWanted::training     ? data::kTrain
                     : request.split == SplitWanted::validation ? data::kValidation
                                                                : data::kTest;
  if (!told->empty()) {
    for (uint8_t& split : *told) split = split == which;
    return told;
  }
  const auto data =
      prepare_fitted({.dataset = request.dataset, .format = request.format}, model.spec, model.fits,
                     RowsWanted::as_trained, {.seed = model.seed, .log = log, .stop = request.stop});
  if (!data) return fail(data.error());
  std::vector<uint8_t> wanted(static_cast<size_t>(data->rows), 0);
  const auto& rows = which == data::kTrain        ? data->training
                     : which == data::kValidation ? data->validation
                                                  : data->test;
  for (const uint32_t row : rows) wanted[row] = 1;
  return wanted;
}

// Notes of what was odd in the table; an error where it was too much.
Status check(const Predictor& predictor, const std::vector<data::BadCells>& bad, data::TableReader& reader,
             const LogSink& log) {
  const auto tell = [&](std::string text) {
    if (log) log(LogLevel::note, text);
  };
  for (const auto& note : reader.notes()) tell(fmt::format("{}: {}", reader.path(), note));
  if (reader.ragged().count > 0) tell(fmt::format("{}: {}", reader.path(), reader.ragged().message()));
  for (size_t i = 0; i < bad.size(); ++i) {
    if (bad[i].count == 0) continue;
    const auto& input = predictor.recipe().inputs[i];
    if (!bad[i].reasons.empty()) {
      const auto more = bad[i].count - std::ssize(bad[i].reasons);
      tell(fmt::format("{}: {} cannot be read and {} no answer: {}{}", reader.path(),
                       count_of(bad[i].count, "picture"), bad[i].count == 1 ? "has" : "have",
                       fmt::join(bad[i].reasons, "; "), more > 0 ? fmt::format("; and {} more", more) : ""));
      continue;
    }
    const bool is_binary = input.type() == task::FeatureType::binary;
    const std::string wanted = is_binary ? "a known word" : task::cell_of(predictor.model().fits.inputs[i]);
    if (auto ok = data::check_bad_cells(bad[i], reader.rows(), data::ReadOptions().tolerance, input.column,
                                        wanted, reader);
        !ok)
      return ok;
    tell(fmt::format("{}, column '{}': '{}' is not {}; {} taken as missing", reader.place(bad[i].first_row),
                     input.column, bad[i].first_value, wanted, count_of(bad[i].count, "cell")));
  }
  return {};
}

Error too_much_ahead(const Predictor& predictor, const data::TableReader& reader) {
  const auto& fits = predictor.model().fits.inputs;
  const auto feature = static_cast<size_t>(std::ranges::find_if(fits, task::looks_ahead) - fits.begin());
  return {
      ErrorKind::data,
      fmt::format("missing values of '{}' are filled from the rows below (bfill), and the table is more than "
                  "the {} that are held for it",
                  predictor.recipe().inputs[feature].name, human_bytes(kMostAhead)),
      reader.path(), "give the table in parts, or train with ffill, which needs no rows ahead"};
}

}  // namespace

Result<int64_t> rows_at_once(const task::NetworkSpec& spec, const CompileOptions& options) {
  constexpr int64_t kMostBytes = 128 << 20;
  const Graph graph = task::build_prediction(spec, 1);
  int64_t of_row = 0;  // of all values: the arena of a plan is no more
  for (const Node& node : graph.nodes())
    for (const Type& type : node.types) of_row += type.bytes();
  if (of_row * kLargeAnswers <= kMostBytes) return kLargeAnswers;
  const PlanRequest request{PlanKind::predict, kLargeAnswers};
  const auto engine = Engine::compiled(spec, std::span(&request, 1), options);
  if (!engine) return fail(engine.error());
  int64_t rows = kLargeAnswers;
  for (int64_t bytes = engine->arena_bytes(); bytes > kMostBytes && rows > kSmallAnswers; bytes /= 2)
    rows /= 2;
  return rows;
}

Result<Predictor> Predictor::load(const std::string& path, int64_t batch_size) {
  auto model = load_model(path);
  if (!model) return fail(model.error());
  Predictor predictor;
  predictor.model_ = std::make_unique<SavedModel>(std::move(*model));
  predictor.answers_ = std::make_unique<Answers>(predictor.model_->spec, predictor.model_->fits);
  predictor.largest_ = batch_size;
  return predictor;
}

Result<Runner*> Predictor::runner_for(int64_t rows) {
  if (rows == 1 || largest_ == 1) return runner({PlanKind::predict, 1});
  if (rows <= kSmallAnswers && (largest_ == 0 || kSmallAnswers < largest_))
    return runner({PlanKind::predict, kSmallAnswers});
  const auto size = largest();
  if (!size) return fail(size.error());
  return runner({PlanKind::predict, *size});
}

Result<int64_t> Predictor::largest() {
  if (largest_ == 0) {
    const auto rows = rows_at_once(model_->spec, {.target = native_target()});
    if (!rows) return rows;
    largest_ = *rows;
  }
  return largest_;
}

Result<Runner*> Predictor::runner(PlanRequest request) {
  if (!engine_) {
    auto engine = Engine::create(model_->spec, std::span(&request, 1), {.target = native_target()});
    if (!engine) return fail(engine.error());
    if (auto ok = load_states(*model_, *engine); !ok) return fail(ok.error());
    engine_ = std::move(*engine);
  }
  return engine_->runner(request);
}

Result<std::vector<Predictor::Lane>> Predictor::lanes(int count) {
  const auto rows = largest();
  if (!rows) return fail(rows.error());
  const PlanRequest request{PlanKind::predict, *rows};
  if (!engine_)
    if (auto made = runner(request); !made) return fail(made.error());
  CompileOptions options{.target = native_target()};
  options.target.threads = 1;
  const auto plan = compile(build(model_->spec, request), engine_->layout(), options);
  if (!plan) return fail(plan.error());
  std::vector<Lane> lanes;
  for (int i = 0; i < count; ++i) {
    auto arena = Block::reserve(plan->arena_bytes);
    if (!arena) return fail(arena.error());
    lanes.push_back({std::make_unique<Runner>(request, *plan), std::move(*arena)});
    lanes.back().runner->bind(model_->spec, engine_->states().data(), lanes.back().arena.data());
  }
  return lanes;
}

Status Predictor::answer(RawColumns& raw, int64_t first_row, std::span<const uint8_t> groups,
                         std::span<task::FillState> states, const Take& take) {
  std::vector<uint32_t> all(static_cast<size_t>(raw.rows()));
  const EncodedInputs inputs = encode_inputs(model_->fits, raw, nullptr, first_row, groups, states);
  std::iota(all.begin(), all.end(), 0u);
  for (size_t first = 0; first < all.size();) {
    auto runner = runner_for(static_cast<int64_t>(all.size() - first));
    if (!runner) return fail(runner.error());
    const size_t count = std::min(all.size() - first, static_cast<size_t>((*runner)->rows()));
    gather(inputs, std::span(all).subspan(first, count), (*runner)->rows(), (*runner)->ports());
    (*runner)->run({});
    for (size_t i = 0; i < count; ++i) take((*runner)->ports(), static_cast<int64_t>(i));
    first += count;
  }
  return {};
}

Result<SplitWanted> split_named(const std::string& name) {
  const std::string names[] = {"full", "training", "validation", "test"};
  for (size_t i = 0; i < std::size(names); ++i)
    if (name == names[i]) return static_cast<SplitWanted>(i);
  const std::string near = nearest(name, names);
  return fail(
      ErrorKind::usage, fmt::format("unknown split '{}'", name), "--split",
      near.empty() ? "one of full, training, validation, test" : fmt::format("did you mean '{}'?", near));
}

Result<PredictOutcome> predict(const PredictRequest& request, const LogSink& log) {
  const SteadyClock clock;
  const double began = clock.seconds();
  auto predictor = Predictor::load(request.model, request.batch_size);
  if (!predictor) return fail(predictor.error());
  auto outcome = predict(*predictor, request, log);
  if (outcome) outcome->seconds = clock.seconds() - began;
  return outcome;
}

Result<PredictOutcome> predict(Predictor& predictor, const PredictRequest& request, const LogSink& log) {
  const SteadyClock clock;
  const double began = clock.seconds();
  const auto wanted = wanted_rows(request, predictor.model(), {});
  if (!wanted) return fail(wanted.error());

  data::ReadOptions options;
  if (auto ok = data::set_data_format(request.format, options); !ok) return fail(ok.error());
  options.expected_names = column_names(predictor.recipe(), true);
  options.may_lack = column_names(predictor.recipe(), false);
  auto reader = open_table(request.dataset, options, request.stop);
  if (!reader) return fail(reader.error());
  const auto map = locate(predictor.recipe(), **reader, false);
  if (!map) return fail(map.error());
  if (!request.folder.empty())
    if (auto ok = make_folders(request.folder); !ok) return fail(ok.error());
  const PictureNames pictures(**reader);
  const size_t answers = predictor.answers().columns().size();
  auto out =
      data::RowWriter::open(request.output, request.kind, pictures.columns(predictor.answers().columns()));
  if (!out) return fail(out.error());

  PredictOutcome outcome;
  PictureNames::Rows names;
  const auto& fits = predictor.model().fits.inputs;
  const bool ahead = std::ranges::any_of(fits, task::looks_ahead);
  const bool in_lanes = thread_count() > 1 && !std::ranges::any_of(fits, task::looks_around);
  std::vector<task::FillState> states(fits.size());
  RawColumns raw(predictor.recipe(), false);
  int64_t row = 0;  // the next to answer
  const auto answer_rows = [&]() -> Status {
    std::span<const uint8_t> groups = *wanted;
    if (!groups.empty()) groups = groups.subspan(static_cast<size_t>(row), static_cast<size_t>(raw.rows()));
    const int64_t first = row;
    auto ok = predictor.answer(raw, row, groups, states, [&](const Ports& ports, int64_t place) {
      const bool skip = !wanted->empty() && !(*wanted)[static_cast<size_t>(row)];
      ++row;
      if (skip) return;
      if (names.begin(row - 1 - first, answers, out->rows()))
        predictor.answers().write(ports, place, *out);
      else
        out->written();
      ++outcome.rows;
    });
    if (!ok) return ok;
    std::vector<data::BadCells> bad = std::move(raw.bad_inputs);
    raw = RawColumns(predictor.recipe(), false);
    raw.bad_inputs = std::move(bad);
    names = {};
    return out->flush();
  };
  while (true) {
    auto batch = (*reader)->next();
    if (!batch) return fail(batch.error());
    if (!*batch) break;
    if (in_lanes && row > 0) {  // the first rows waited for nothing; now for the rest
      Answered rest{outcome.rows, std::move(raw.bad_inputs)};
      auto ok = answer_in_lanes(predictor,
                                {reader->get(), std::move(*batch), &*map, &pictures, *wanted, &*out}, rest);
      if (!ok) return fail(ok.error());
      outcome.rows = rest.rows;
      raw.bad_inputs = std::move(rest.bad);
      break;
    }
    raw.append(**batch, *map);
    pictures.add(**batch, raw, names);
    if (!ahead) {
      if (auto ok = answer_rows(); !ok) return fail(ok.error());
    } else if (raw.bytes() > kMostAhead) {
      return fail(too_much_ahead(predictor, **reader));
    }
  }
  if (ahead && raw.rows() > 0)
    if (auto ok = answer_rows(); !ok) return fail(ok.error());
  if (auto ok = check(predictor, raw.bad_inputs, **reader, log); !ok) return fail(ok.error());
  if (auto ok = out->finish(false); !ok) return fail(ok.error());
  outcome.seconds = clock.seconds() - began;
  return outcome;
}

Result<Metrics> evaluate(const EvaluateRequest& request, const LogSink& log) {
  auto predictor = Predictor::load(request.model);
  if (!predictor) return fail(predictor.error());
  return evaluate(*predictor, request, log);
}

Result<Metrics> evaluate(Predictor& predictor, const EvaluateRequest& request, const LogSink& log) {
  const SteadyClock clock;
  const double began = clock.seconds();
  const SavedModel& model = predictor.model();
  const bool as_trained = request.split != SplitWanted::all;
  const auto data = prepare_fitted({.dataset = request.dataset, .format = request.format}, model.spec,
                                   model.fits, as_trained ? RowsWanted::as_trained : RowsWanted::all,
                                   {.seed = model.seed, .log = log, .stop = request.stop});
  if (!data) return fail(data.error());
  const double read = clock.seconds();
  const task::SplitName split = request.split == SplitWanted::training     ? task::SplitName::training
                                : request.split == SplitWanted::validation ? task::SplitName::validation
                                                                           : task::SplitName::test;
  const int64_t rows = data->count(split);
  if (rows == 0)
    return fail(ErrorKind::data, "there are no rows to evaluate", request.dataset,
                "give a table with rows, or another --split");
  const auto wished = request.batch_size > 0 ? Result<int64_t>(request.batch_size) : predictor.largest();
  if (!wished) return fail(wished.error());
  const PlanRequest plan{PlanKind::evaluate, std::min(*wished, rows)};
  auto runner = predictor.runner(plan);
  if (!runner) return fail(runner.error());
  if (!request.folder.empty())
    if (auto ok = make_folders(request.folder); !ok) return fail(ok.error());
  const Answers answers(model.spec, model.fits);
  std::optional<data::RowWriter> out;
  if (!request.predictions.empty()) {
    auto opened = data::RowWriter::open(request.predictions, data::WriteKind::csv, answers.columns());
    if (!opened) return fail(opened.error());
    out = std::move(*opened);
  }
  Evaluator evaluator(**runner, *data);
  const auto write = [&](const RowsAt& batch, const Ports& ports) {
    if (request.answered) request.answered(split, *data, batch, ports);
    for (size_t i = 0; out && i < batch.rows.size(); ++i) answers.write(ports, static_cast<int64_t>(i), *out);
  };
  Metrics metrics = evaluator.evaluate(split, write, {.stop = request.stop});
  if (request.stop && request.stop->load(std::memory_order_relaxed))
    return fail(ErrorKind::interrupted, "stopped before the last row: nothing was written", request.dataset,
                "run the same command again");
  metrics.confusions = evaluator.confusions();
  if (out)
    if (auto ok = out->finish(false); !ok) return fail(ok.error());
  if (request.measured)
    if (auto ok = request.measured({.data = *data,
                                    .split = split,
                                    .metrics = metrics,
                                    .plan = (*runner)->plan(),
                                    .plan_rows = (*runner)->rows(),
                                    .reading_seconds = read - began,
                                    .answering_seconds = clock.seconds() - read});
        !ok)
      return fail(ok.error());
  return metrics;
}

}  // namespace shoestring::train
