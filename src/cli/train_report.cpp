#include "cli/train_report.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/memory.h"
#include "base/screen.h"
#include "base/text.h"
#include "cli/metrics_table.h"
#include "task/metric_table.h"
#include "train/run_files.h"

namespace shoestring::cli {
namespace {

std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::vector<NamedMetrics> sets_of(const train::TrainOutcome& outcome) {
  std::vector<NamedMetrics> sets;
  if (outcome.training) sets.emplace_back("training", &*outcome.training);
  if (outcome.validation) sets.emplace_back("validation", &*outcome.validation);
  if (outcome.test) sets.emplace_back("test", &*outcome.test);
  return sets;
}

// A name that leaves room for the rest of a line.
std::string shortened(const std::string& name) { return cut_to_width(name, 24); }

}  // namespace

train::TrainEvents TrainReport::events() {
  return {.prepared = [this](const train::Dataset& data) { prepared(data); },
          .started = [this](const train::Start& start) { started(start); },
          .progress = [this](const train::Progress& p) { progress(p); },
          .evaluated = [this](const train::Evaluation& e) { evaluated(e); },
          .log = console_.sink()};
}

void TrainReport::prepared(const train::Dataset& data) {
  const task::Recipe& recipe = data.spec.recipe;
  output_ = recipe.trainer.validation_field;
  metric_ = recipe.trainer.validation_metric;
  watched_ = metric_ == "loss" ? "validation loss" : metric_;
  if (metric_ == "loss") {
    const auto named = std::ranges::find(recipe.outputs, output_, &task::OutputFeature::name);
    const auto& output = named == recipe.outputs.end() ? recipe.outputs.front() : *named;
    output_ = output.name;
    metric_ = task::default_metric(output.type());
  }
  const bool several = recipe.outputs.size() > 1;
  label_ = several ? fmt::format("{} of '{}'", metric_, shortened(output_)) : metric_;
  if (several && recipe.trainer.validation_field != task::kCombined)
    watched_ += fmt::format(" of '{}'", shortened(recipe.trainer.validation_field));
  if (several) {  // what says which model is the best stands in the line
    const bool of_one =
        recipe.trainer.validation_metric == "loss" && recipe.trainer.validation_field != task::kCombined;
    if (of_one) loss_output_ = recipe.trainer.validation_field;
    loss_label_ = of_one ? watched_ : "validation loss of all";
  }
  for (const auto& note : recipe.notes.lines)
    if (note.find("is left out") == std::string::npos)
      console_.sink()(LogLevel::note, note);  // those were said
  std::string outputs;
  for (const auto& output : recipe.outputs)
    outputs += fmt::format("{}'{}' ({})", outputs.empty() ? "" : ", ", output.name, name_of(output.type()));
  console_.sentence(fmt::format("data    {}: {} to train on, {} to validate, {} to test",
                                count_of(data.rows, "row"), data.count(task::SplitName::training),
                                data.count(task::SplitName::validation), data.count(task::SplitName::test)),
                    8);
  outputs_ = std::move(outputs);
  inputs_ = recipe.inputs.size();
  early_stop_ = data.count(task::SplitName::validation) == 0 ? 0 : recipe.trainer.early_stop;
}

void TrainReport::started(const train::Start& start) {
  const train::Estimate& e = start.estimate;
  console_.paragraph(fmt::format("model   predicts {} from {}; {} parameters", outputs_,
                                 count_of(static_cast<int64_t>(inputs_), "column"),
                                 human_count(static_cast<double>(e.parameters))),
                     8);
  const std::string steps = fmt::format(
      "train   {}{}: about {}", count_of(e.steps, "step"),
      early_stop_ > 0
          ? fmt::format(", or until {} evaluations in a row bring no better {}", early_stop_, watched_)
          : "",
      human_seconds(e.seconds));
  const train::Times& t = start.times;
  console_.paragraph(
      t.step_rehearsed > 0
          ? fmt::format("{} by a rehearsal, in which a step of {} FLOP took {:.2g} times what a formula says",
                        steps, human_count(e.flops_per_step), t.step_rehearsed / t.step_by_formula)
          : fmt::format("{} on an idle machine, a rough estimate from {} FLOP a step", steps,
                        human_count(e.flops_per_step)),
      8);
  planned_ = start.first_step == 0 && t.step_rehearsed > 0 ? t.planned() : 0;
  console_.paragraph(
      fmt::format(
          "memory  {} planned (weights and moments {}, activations {}, best model {}, data {}) beside the "
          "program's own {}",
          human_bytes(e.bytes()), human_bytes(e.states_bytes), human_bytes(e.arena_bytes),
          human_bytes(e.best_bytes), human_bytes(e.data_bytes),
          human_bytes(std::max<int64_t>(resident_bytes() - e.bytes(), 0))),
      8);
  console_.sentence(start.resumed ? fmt::format("run     {}, from step {}", start.folder, start.first_step)
                                  : fmt::format("run     {}", start.folder),
                    8);
  console_.line();
  console_.event(fmt::format(
      R"({{"event":"start","folder":{},"first_step":{},"parameters":{},"states_bytes":{},"arena_bytes":{},"data_bytes":{},"rough_seconds":{}}})",
      quoted(start.folder), start.first_step, e.parameters, e.states_bytes, e.arena_bytes, e.data_bytes,
      json_number(e.seconds)));
}

void TrainReport::progress(const train::Progress& p) {
  std::vector<std::string> fields{fmt::format("step {}/{}", p.step, p.total_steps),
                                  fmt::format("epoch {}/{}", p.epoch, p.epochs),
                                  fmt::format("loss {:.4f}", p.loss)};
  if (std::isfinite(p.metric)) fields.push_back(fmt::format("{} {:.4f}", watched_, p.metric));
  fields.push_back(human_count(p.samples_per_second) + " samples/s");
  fields.push_back(human_seconds(p.seconds_left) + " left");
  console_.progress(std::move(fields));
  console_.event(fmt::format(
      R"({{"event":"progress","step":{},"steps":{},"epoch":{},"loss":{},"samples_per_second":{},"seconds_left":{}}})",
      p.step, p.total_steps, p.epoch, json_number(p.loss), json_number(p.samples_per_second),
      json_number(p.seconds_left)));
}

void TrainReport::evaluated(const train::Evaluation& e) {
  if (console_.json()) {
    std::string line =
        fmt::format(R"({{"event":"evaluation","step":{},"epoch":{},"learning_rate":{},"loss":{})", e.step,
                    e.epoch, json_number(e.learning_rate), json_number(e.loss));
    if (e.training) line += ",\"training\":" + train::to_json(*e.training);
    if (e.validation) line += ",\"validation\":" + train::to_json(*e.validation);
    console_.event(line + fmt::format(",\"best\":{}}}", e.best));
    return;
  }
  std::string line =
      fmt::format("step {:>{}}  epoch {:>{}}  loss {}", e.step, fmt::formatted_size("{}", e.total_steps),
                  e.epoch, fmt::formatted_size("{}", e.epochs), human_metric(e.loss));
  if (e.validation) {
    line += fmt::format("  {} {}", loss_label_, human_metric(e.validation->value(loss_output_, "loss")));
    if (metric_ != "loss")
      line += fmt::format("  {} {}", label_, human_metric(e.validation->value(output_, metric_)));
    if (e.best) line += "  best";
  }
  if (e.skipped > 0) line += fmt::format("  {} skipped (not finite)", count_of(e.skipped, "step"));
  ++evaluations_;
  if (e.best || (e.skipped > 0 && !told_skipped_)) worth_telling_ = line;
  told_skipped_ = told_skipped_ || e.skipped > 0;
  last_ = line;
  const int64_t every = std::max<int64_t>(e.step - last_step_, 1);
  last_step_ = e.step;
  if (ends_group(evaluations_, evaluations_ + (e.total_steps - e.step) / every)) tell_evaluation();
}

// All of a few; of many the first eight, then four of each time that their number doubles.
bool TrainReport::ends_group(int64_t evaluation, int64_t expected) {
  constexpr int64_t kFew = 25, kFirst = 8, kEach = 4;
  if (expected <= kFew) return true;
  int64_t group = 1;
  for (int64_t until = kFirst; until < evaluation; until *= 2) group = until / kEach;
  return evaluation % group == 0;
}

void TrainReport::tell_evaluation() {
  const std::string line = worth_telling_.empty() ? last_ : worth_telling_;
  if (!line.empty()) console_.sentence(line, 4);
  if (line == last_) last_.clear();
  worth_telling_.clear();
}

// The last evaluation is told whatever it was.
void TrainReport::tell_last_evaluation() {
  tell_evaluation();
  tell_evaluation();
}

int TrainReport::end(const train::TrainOutcome& outcome) {
  if (outcome.already_finished) {
    console_.line(fmt::format("{}: this run is finished already; nothing was done", outcome.folder));
    console_.event(
        fmt::format(R"({{"event":"end","ending":"already finished","folder":{}}})", quoted(outcome.folder)));
    return 0;
  }
  tell_last_evaluation();
  switch (outcome.ending) {
    case train::Ending::interrupted:
      console_.line();
      console_.sentence(fmt::format(
          "stopped at step {}; the best model so far is {}", outcome.steps,
          outcome.model_path.empty() ? "not saved (--skip_save_model)" : "in " + outcome.model_path));
      console_.sentence(
          outcome.can_resume
              ? fmt::format("  go on with: shoestring {} --model_resume_path {}", verb_, outcome.folder)
              : "  it cannot go on from there: no checkpoint was saved (--skip_save_progress)");
      console_.event(fmt::format(R"({{"event":"end","ending":"interrupted","step":{},"folder":{}}})",
                                 outcome.steps, quoted(outcome.folder)));
      return static_cast<int>(ErrorKind::interrupted);
    case train::Ending::diverged:
      console_.event(fmt::format(R"({{"event":"end","ending":"diverged","step":{},"folder":{}}})",
                                 outcome.steps, quoted(outcome.folder)));
      return report(
          {ErrorKind::stopped,
           fmt::format("{} steps in a row gave NaN or infinity, first in {}; the last good model is {}",
                       train::Loop::kBadInARow, outcome.bad_node.empty() ? "the loss" : outcome.bad_node,
                       outcome.model_path.empty() ? "not saved (--skip_save_model)" : "saved"),
           fmt::format("{}, step {}", outcome.folder, outcome.steps),
           "lower learning_rate, set gradient_clipping, or look for extreme values in the data"});
    default:
      break;
  }
  finished(outcome);
  return outcome.ending == train::Ending::out_of_time ? static_cast<int>(ErrorKind::stopped) : 0;
}

void TrainReport::finished(const train::TrainOutcome& outcome) {
  const auto sets = sets_of(outcome);
  if (console_.json()) {
    std::string line = fmt::format(
        R"({{"event":"end","ending":{},"folder":{},"model":{},"steps":{},"best_step":{},"seconds":{})",
        quoted(train::to_string(outcome.ending)), quoted(outcome.folder), quoted(outcome.model_path),
        outcome.steps, outcome.best_step, json_number(outcome.seconds));
    if (!outcome.report.empty()) line += fmt::format(R"(,"report":{})", quoted(outcome.report));
    if (planned_ > 0) line += fmt::format(R"(,"planned_seconds":{})", json_number(planned_));
    line += fmt::format(R"(,"took_seconds":{})", json_number(SteadyClock().seconds() - process_started()));
    for (const auto& [name, metrics] : sets)
      line += fmt::format(",\"{}\":{}", name, train::to_json(*metrics));
    return console_.event(line + "}");
  }
  console_.line(fmt::format("\n{} {} in {}, {} samples/s; the model of step {}:\n",
                            outcome.ending == train::Ending::finished      ? "trained"
                            : outcome.ending == train::Ending::out_of_time ? "the time was up after"
                                                                           : "stopped early after",
                            count_of(outcome.steps, "step"), human_seconds(outcome.seconds),
                            human_count(outcome.samples_per_second), outcome.best_step));
  console_.line(metrics_table(sets));
  for (const auto& remark : outcome.remarks) console_.paragraph(remark);
  if (!outcome.model_path.empty()) {
    console_.line();
    console_.sentence(fmt::format("model: {}", outcome.model_path));
    if (!outcome.report.empty()) console_.sentence(fmt::format("report: {}", outcome.report));
    console_.sentence(fmt::format("answer new rows with: shoestring predict --model_path {} --dataset FILE",
                                  outcome.folder));
  }
  if (planned_ > 0)
    console_.line(fmt::format("planned {}, took {}", human_seconds(planned_),
                              human_seconds(SteadyClock().seconds() - process_started())));
}

}  // namespace shoestring::cli
