#include "train/remedy.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "task/metric_table.h"
#include "train/run_files.h"
#include "train/run_folder.h"
#include "train/saved_model.h"

namespace shoestring::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Every layer of the recipe's combiners; `edit` says whether it changed something.
template <class Edit>
bool edit_layers(task::Recipe& recipe, Edit&& edit) {
  bool any = false;
  const auto in = [&](task::CombinerSpec& combiner) {
    auto& stack = std::get<task::ConcatCombiner>(combiner).stack;
    for (task::FcLayer& layer : stack.layers) any |= edit(layer);
    edit(stack.around);
  };
  in(recipe.combiner);
  for (task::EnsembleMember& member : recipe.ensemble.members)
    if (member.combiner) in(*member.combiner);
  return any;
}

std::optional<Remedy> dropout(const task::Recipe& recipe) {
  constexpr double kMore = 0.2, kMost = 0.5;
  Remedy r{.name = "dropout", .recipe = recipe};
  double most = 0;
  const bool any = edit_layers(r.recipe, [&](task::FcLayer& layer) {
    const double wanted = std::min(layer.dropout + kMore, kMost);
    most = std::max(most, wanted);
    return std::exchange(layer.dropout, wanted) < wanted;
  });
  if (!any) return std::nullopt;
  r.change = fmt::format("dropout: {:g} behind each layer of the combiner", most);
  return r;
}

std::optional<Remedy> weight_decay(const task::Recipe& recipe) {
  Remedy r{.name = "weight decay", .recipe = recipe};
  if (const auto* adam = std::get_if<model::Adam>(&recipe.trainer.optimizer)) {
    // Decoupled from the gradient, as it helps with Adam's steps (arXiv 1711.05101).
    model::AdamW decoupled;
    decoupled.betas = adam->betas;
    decoupled.eps = adam->eps;
    decoupled.weight_decay = 0.05;
    r.recipe.trainer.optimizer = decoupled;
    r.change = "trainer.optimizer: {type: adamw, weight_decay: 0.05}";
    return r;
  }
  if (auto* adam = std::get_if<model::AdamW>(&r.recipe.trainer.optimizer)) {
    adam->weight_decay = std::max(0.05, 4 * adam->weight_decay);
    r.change = fmt::format("trainer.optimizer.weight_decay: {:g}", adam->weight_decay);
    return r;
  }
  r.recipe.trainer.regularization_type = task::Regularization::l2;
  r.recipe.trainer.regularization_lambda = std::max(1e-3, 4 * recipe.trainer.regularization_lambda);
  r.change = fmt::format("trainer.regularization_lambda: {:g}", r.recipe.trainer.regularization_lambda);
  return r;
}

std::optional<Remedy> narrower(const task::Recipe& recipe) {
  constexpr int64_t kNarrowest = 8;
  Remedy r{.name = "smaller network", .recipe = recipe};
  int64_t widest = 0;
  const bool any = edit_layers(r.recipe, [&](task::FcLayer& layer) {
    const int64_t outputs = layer.output_size.or_else(task::kUsualOutputs);
    if (outputs / 2 < kNarrowest) return false;
    layer.output_size.value = outputs / 2;
    widest = std::max(widest, outputs / 2);
    return true;
  });
  if (!any) return std::nullopt;
  r.change = fmt::format("layers half as wide, {} outputs at most", widest);
  return r;
}

// Each class as heavy as every other.
std::optional<Remedy> class_weights(const task::Recipe& recipe, size_t output, const Classes& classes) {
  Remedy r{.name = "class weights", .recipe = recipe};
  task::OutputFeature& feature = r.recipe.outputs[output];
  if (auto* binary = std::get_if<task::BinaryOutput>(&feature.spec)) {
    auto& loss = std::get<task::BinaryCrossEntropy>(binary->loss);
    if (loss.positive_class_weight || classes.rows.size() != 2 || classes.rows[1] == 0) return std::nullopt;
    loss.positive_class_weight = static_cast<double>(classes.rows[0]) / static_cast<double>(classes.rows[1]);
    r.change = fmt::format("output_features.{}.loss.positive_class_weight: {:.3g}", feature.name,
                           *loss.positive_class_weight);
    return r;
  }
  auto* category = std::get_if<task::CategoryOutput>(&feature.spec);
  auto* loss = category ? std::get_if<task::SoftmaxCrossEntropy>(&category->loss) : nullptr;
  if (!loss || !loss->class_weights.empty()) return std::nullopt;
  double total = 0;
  for (const int64_t rows : classes.rows) total += static_cast<double>(rows);
  for (size_t c = 0; c < classes.rows.size(); ++c)
    loss->class_weights.by_name[classes.labels[c]] =
        total / static_cast<double>(classes.rows.size()) /
        static_cast<double>(std::max<int64_t>(1, classes.rows[c]));
  r.change =
      fmt::format("output_features.{}.loss.class_weights: by the inverse of each class's rows", feature.name);
  return r;
}

std::optional<Remedy> oversampling(const task::Recipe& recipe) {
  constexpr double kShare = 0.5;
  if (recipe.outputs.size() != 1 || recipe.preprocessing.oversample_minority ||
      recipe.preprocessing.undersample_majority)
    return std::nullopt;
  Remedy r{.name = "oversampling", .recipe = recipe};
  r.recipe.preprocessing.oversample_minority = kShare;
  r.change = fmt::format("preprocessing.oversample_minority: {:g}", kShare);
  return r;
}

// The gap of an output between its training rows and the validation rows.
Gap gap_of(const Patient& p, const task::OutputFeature& output) {
  const bool is_class = !p.classes.empty() && (output.type() == task::FeatureType::binary ||
                                               output.type() == task::FeatureType::category);
  const bool is_set = output.type() == task::FeatureType::set;
  const std::string metric = is_class ? "accuracy" : is_set ? "jaccard" : "mean_absolute_error";
  return {.output = output.name,
          .metric = metric,
          .maximise = is_class || is_set,
          .training = p.training->value(output.name, metric),
          .held_out = p.validation.value(output.name, metric),
          .held_out_rows = p.validation.rows,
          .held_out_name = "validation"};
}

double watched(const Metrics& metrics, const task::Recipe& recipe) {
  const task::Trainer& t = recipe.trainer;
  return t.validation_field == task::kCombined && t.validation_metric == "loss"
             ? metrics.combined_loss
             : metrics.value(t.validation_field, t.validation_metric);
}

// A run that stopped by itself wanted no more.
void count_steps(const TrainOutcome& outcome, Patient& p) {
  p.steps = outcome.times.steps_done;
  p.steps_wanted = outcome.ending == Ending::out_of_time ? outcome.times.steps_wanted : p.steps;
}

Result<Patient> patient_of(const TrainOutcome& outcome) {
  auto model = load_model(outcome.model_path);
  if (!model) return fail(model.error());
  Patient p{.recipe = model->spec.recipe, .training = outcome.training, .validation = *outcome.validation};
  for (const task::Fit& fit : model->fits.outputs) p.classes.push_back(classes_of(fit));
  Position position;
  position.best.step = outcome.best_step;
  position.history = read_file(outcome.folder + "/metrics.jsonl").value_or("");  // there may be none
  p.course = course(position);
  count_steps(outcome, p);
  return p;
}

// Files of a run folder that are the run's results, the model aside.
constexpr const char* kResults[] = {"recipe.yaml",
                                    "description.json",
                                    "metrics.jsonl",
                                    "test_statistics.json",
                                    "training_statistics.json",
                                    "predictions.csv",
                                    "planned_against_actual.json",
                                    "report.json",
                                    "report.html"};

Status carry(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  if (!fs::exists(from, ec)) return {};
  const auto text = read_file(from.string());
  return text ? write_file(to.string(), *text) : fail(text.error());
}

// The results of `trial` into the run's folder, what stood there into `before`, unless that is there already.
// At any moment the folder has a model that is whole.
Status adopt(const std::string& run, const std::string& trial) {
  const fs::path before = fs::path(run) / "before_remedy", model = "model/model.safetensors";
  std::error_code ec;
  if (!fs::exists(before, ec)) {
    if (auto ok = make_folders((before / "model").string()); !ok) return ok;
    for (const char* name : kResults)
      if (auto ok = carry(fs::path(run) / name, before / name); !ok) return ok;
    if (auto ok = carry(fs::path(run) / model, before / model); !ok) return ok;
  }
  if (auto ok = carry(fs::path(trial) / model, fs::path(run) / model); !ok) return ok;
  for (const char* name : kResults)
    if (auto ok = carry(fs::path(trial) / name, fs::path(run) / name); !ok) return ok;
  return {};
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string text_of(const Remedied& all) {
  Json tried = Json::array();
  for (const Tried& t : all.tried)
    tried.push_back({{"remedy", t.remedy.name},
                     {"change", t.remedy.change},
                     {"reason", t.remedy.reason},
                     {"validation_before", number(t.before)},
                     {"validation_after", number(t.after)},
                     {"kept", t.kept},
                     {"seconds", t.seconds},
                     {"fault", t.fault}});
  const auto metrics = [](const std::optional<Metrics>& m) { return m ? Json::parse(to_json(*m)) : Json(); };
  const auto results = [&](const TrainOutcome& o) -> Json {
    return {
        {"training", metrics(o.training)}, {"validation", metrics(o.validation)}, {"test", metrics(o.test)}};
  };
  const Json out = {{"output", all.output},         {"metric", all.metric},
                    {"maximise", all.maximise},     {"no_time_for", all.no_time_for},
                    {"tried", std::move(tried)},    {"before", results(all.first)},
                    {"after", results(all.outcome)}};
  return out.dump(2) + "\n";
}

}  // namespace

std::vector<Remedy> remedies(const Patient& p) {
  std::vector<Remedy> all;
  const auto add = [&](std::optional<Remedy> remedy, const std::string& reason) {
    if (!remedy || std::ranges::find(all, remedy->name, &Remedy::name) != all.end()) return;
    remedy->reason = reason;
    all.push_back(std::move(*remedy));
  };
  const auto against_overfitting = [&](const std::string& reason) {
    add(dropout(p.recipe), reason);
    add(weight_decay(p.recipe), reason);
    add(narrower(p.recipe), reason);
  };
  for (size_t o = 0; o < p.recipe.outputs.size(); ++o) {
    const task::OutputFeature& output = p.recipe.outputs[o];
    if (!p.training) continue;
    if (const Gap gap = gap_of(p, output); overfits(gap))
      against_overfitting(
          fmt::format("it overfits: {} of '{}' is {:.4g} on the training rows and {:.4g} on the {} "
                      "validation rows",
                      gap.metric, gap.output, gap.training, gap.held_out, gap.held_out_rows));
  }
  if (learned_by_heart(p.course))
    against_overfitting(fmt::format(
        "from step {} on it learned by heart: the training loss fell from {:.4g} to {:.4g}, that of "
        "the validation rows rose from {:.4g} to {:.4g}",
        p.course.best_step, p.course.best_training, p.course.last_training, p.course.best_validation,
        p.course.last_validation));
  for (size_t o = 0; o < p.classes.size(); ++o) {
    const Classes& classes = p.classes[o];
    if (!unbalanced(classes.rows)) continue;
    const auto rarest = std::ranges::min_element(classes.rows);
    double total = 0;
    for (const int64_t rows : classes.rows) total += static_cast<double>(rows);
    const std::string reason = fmt::format(
        "the classes of '{}' are unbalanced: '{}' has {:.1f} % of the training rows",
        p.recipe.outputs[o].name, classes.labels[static_cast<size_t>(rarest - classes.rows.begin())],
        100 * static_cast<double>(*rarest) / total);
    add(class_weights(p.recipe, o, classes), reason);
    add(oversampling(p.recipe), reason);
  }
  if (p.steps < p.steps_wanted)
    all.push_back({.name = "more steps",
                   .change = "training goes on from the best model",
                   .reason = fmt::format("the time was up after {} of {} steps, and some is left", p.steps,
                                         p.steps_wanted),
                   .recipe = p.recipe,
                   .goes_on = true});
  return all;
}

Result<Remedied> train_with_remedies(const TrainRequest& request, double share, const TrainEvents& events,
                                     const RemedyEvents& remedy_events) {
  const SteadyClock clock;
  TrainRequest first = request;
  first.started = request.started.value_or(clock.seconds());
  first.time_share = 1 - share;
  auto trained = train(first, events);
  if (!trained && trained.error().kind == ErrorKind::budget) {
    first.time_share = 1;  // it may do with all of it
    auto again = train(first, events);
    if (again) {
      if (events.log) events.log(LogLevel::note, "the time is too short for remedies");
      return Remedied{.outcome = *again, .first = *again};
    }
    trained = std::move(again);
  }
  if (!trained) return fail(trained.error());
  Remedied out{.outcome = *trained, .first = *trained};
  if (remedy_events.ended) remedy_events.ended(*trained);
  const bool usable = (trained->ending == Ending::finished || trained->ending == Ending::early_stopped ||
                       trained->ending == Ending::out_of_time) &&
                      trained->validation && !trained->model_path.empty();
  if (!usable) return out;
  const double ended = clock.seconds();
  constexpr double kClosing =
      0.35;  // seconds, for moving files and the page at the end, on a busy machine too
  const auto limit = trained->times.limit;
  const double end =
      limit ? *first.started + *limit / (1 - share) - kClosing : std::numeric_limits<double>::infinity();

  auto patient = patient_of(*trained);
  if (!patient) return fail(patient.error());
  out.looked = true;
  out.output = patient->recipe.trainer.validation_field;
  out.metric = patient->recipe.trainer.validation_metric;
  out.maximise = task::maximised(patient->recipe, out.output, out.metric);
  double best = watched(patient->validation, patient->recipe);
  std::vector<std::string> done;
  const std::string trials = trained->folder + "/remedies";
  while (!out.interrupted) {
    std::vector<Remedy> next = remedies(*patient);
    const auto fresh = std::ranges::find_if(
        next, [&](const Remedy& r) { return std::ranges::find(done, r.name) == done.end(); });
    constexpr double kLeast = 0.25;  // of the first training's time: with less nothing comes of it
    const double begun = clock.seconds(), allowed = end - begun;
    if (fresh == next.end()) break;
    if (allowed < kLeast * (ended - *first.started)) {
      for (const Remedy& r : next)
        if (std::ranges::find(done, r.name) == done.end()) out.no_time_for.push_back(r.name);
      break;
    }
    done.push_back(fresh->name);
    if (remedy_events.trying) remedy_events.trying(*fresh);
    TrainRequest trial = request;
    trial.recipe = fresh->recipe;
    if (limit) {
      trial.recipe->budget.time_seconds = allowed;
      trial.recipe->budget.money_usd.reset();  // it is in the time
    }
    trial.targets.clear();
    trial.budget.clear();
    trial.resume.clear();
    if (fresh->goes_on) trial.load = trained->model_path;
    trial.output_directory = trials;
    trial.experiment = "remedy";
    trial.model = std::to_string(done.size());
    trial.started = begun;
    auto outcome = train(trial, remedy_events.watch ? remedy_events.watch(trial) : TrainEvents());
    Tried tried{.remedy = std::move(*fresh), .before = best, .after = std::nan("")};
    tried.seconds = clock.seconds() - begun;
    if (!outcome) {
      out.interrupted = outcome.error().kind == ErrorKind::interrupted;
      tried.fault = outcome.error().message();
    } else if (outcome->ending == Ending::interrupted) {
      out.interrupted = true;
      tried.fault = "interrupted";
    } else if (!outcome->validation) {
      tried.fault = fmt::format("it ended {}", to_string(outcome->ending));
    } else {
      tried.after = watched(*outcome->validation, tried.remedy.recipe);
      tried.kept = out.maximise ? tried.after > best : tried.after < best;
    }
    if (tried.kept) {
      if (auto ok = adopt(trained->folder, outcome->folder); !ok) return fail(ok.error());
      best = tried.after;
      out.outcome = *outcome;
      out.outcome.folder = trained->folder;
      out.outcome.model_path = trained->model_path;
      patient->recipe = tried.remedy.recipe;
      patient->training = outcome->training;
      patient->validation = *outcome->validation;
      count_steps(*outcome, *patient);
    }
    std::error_code ec;
    fs::remove_all(trials, ec);  // what is of use of it is in the run's folder by now
    if (remedy_events.tried) remedy_events.tried(tried);
    out.tried.push_back(std::move(tried));
  }
  if (auto ok = write_file(trained->folder + "/remedy.json", text_of(out), false); !ok)
    return fail(ok.error());
  return out;
}

}  // namespace shoestring::train
