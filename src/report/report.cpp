#include "report/report.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "budget/step_time.h"
#include "report/diagnosis.h"
#include "report/findings.h"
#include "report/page.h"
#include "task/metric_table.h"
#include "train/run_files.h"

namespace shoestring::report {
namespace {

constexpr task::SplitName kSplits[] = {task::SplitName::training, task::SplitName::validation,
                                       task::SplitName::test};

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min);
}

// What is known of the data and the model, however it came to be measured.
Facts facts_of(const train::Dataset& data, const std::string& folder) {
  Facts facts;
  facts.title = std::filesystem::path(folder).lexically_normal().filename().string();
  if (facts.title.empty()) facts.title = folder;
  facts.made = now();
  facts.program = "shoestring " SHOESTRING_VERSION;
  for (const auto& file : data.files) facts.files.push_back(file.path);
  facts.rows = data.rows;
  for (const auto split : kSplits) facts.split_rows.emplace_back(name_of(split), data.count(split));
  for (const auto& input : data.spec.recipe.inputs)
    facts.inputs.emplace_back(input.name, std::string(name_of(input.type())));
  for (const auto& output : data.spec.recipe.outputs)
    facts.outputs.emplace_back(output.name, std::string(name_of(output.type())));
  return facts;
}

// What is in the data, compared between the training rows and those of a split.
Duplicates add_data(const train::Dataset& data, task::SplitName held_out, Facts& facts) {
  const DataSample sample(data);
  for (const auto split : kSplits)
    if (!sample.rows(split).empty())
      facts.sampled_rows.emplace_back(name_of(split), std::ssize(sample.rows(split)));
  facts.columns = column_facts(data, sample, held_out);
  if (!facts.columns.empty()) {
    const auto& fit = data.fits.outputs[0];
    if (const auto* binary = std::get_if<task::BinaryFit>(&fit)) facts.classes = {binary->true_label};
    if (const auto* category = std::get_if<task::CategoryFit>(&fit))
      for (size_t c = 0; c < facts.columns.front().relation.size(); ++c)
        facts.classes.push_back(category->vocabulary[c]);
  }
  if (data.count(task::SplitName::training) == 0) {  // of an evaluation
    facts.data_findings = measured_findings(data, facts.columns, facts.metrics.back().first);
    return {};
  }
  const Duplicates duplicates = find_duplicates(data, sample, held_out);
  facts.duplicates = duplicates;
  facts.data_findings = data_findings(data, facts.columns, duplicates, std::string(name_of(held_out)));
  return duplicates;
}

EvaluationFacts evaluation_facts(const train::Measured& m, const train::SavedModel& model) {
  int64_t states = 0;
  for (const auto& tensor : model.file.tensors) states += std::ssize(tensor.bytes);
  const auto target = native_target();
  const auto known = budget::load_or_built_in(target);
  const auto passes = (m.metrics.rows + m.plan_rows - 1) / std::max<int64_t>(1, m.plan_rows);
  return {.memory = {{"rows", m.data.bytes()},
                     {"arena", m.plan.arena_bytes},
                     {"parameters", states},
                     {"report", kReportBytes}},
          .peak_bytes = peak_resident_bytes(),
          .reading_seconds = m.reading_seconds,
          .answering_seconds = m.answering_seconds,
          .formula_seconds =
              static_cast<double>(passes) * budget::seconds_of(m.plan, *known.profile, target.threads),
          .rows = m.metrics.rows,
          .rows_at_once = m.plan_rows};
}

// What takes more than a tenth of the training. Without time for it, why it is not there.
void add_full(const train::Ended& ended, Facts& facts) {
  const SteadyClock clock;
  const double begun = clock.seconds();
  const auto left = [&] {
    return ended.seconds_left.value_or(1e9) - (clock.seconds() - begun) - kReportSeconds;
  };
  constexpr double kImportanceShare = 0.5;
  if (left() < kImportanceShare * ended.outcome.seconds && left() < 1) {
    facts.full_note = "The time was too short for the importance of columns and a learning curve.";
    return;
  }
  auto important = importances(ended.data, DataSample(ended.data), ended.answered, *ended.evaluation, left);
  facts.importance = std::move(important.columns);
  facts.importance_rows = important.rows;
  if (facts.importance.size() < facts.inputs.size()) {
    facts.full_note = fmt::format("The time was too short for more than the importance of {} of {} columns.",
                                  facts.importance.size(), facts.inputs.size());
    return;
  }
  const train::Metrics* held_out =
      ended.answered == task::SplitName::training ? nullptr : ended.outcome.held_out();
  if (!ended.of_share || !held_out || !ended.outcome.training) {
    facts.full_note =
        "A learning curve needs the rows in memory, no more than half a million, rows that are held out, and "
        "a training from the start.";
    return;
  }
  const auto& output = ended.data.spec.recipe.outputs[0];
  facts.learning_metric = task::default_metric(output.type());
  const auto point = [&](int64_t rows, const train::Metrics& training, const train::Metrics& measured) {
    facts.learning_curve.push_back({rows, training.combined_loss, measured.combined_loss,
                                    measured.value(output.name, facts.learning_metric)});
  };
  for (const double share : {0.1, 0.25, 0.5}) {
    if (left() < 2 * share * ended.outcome.seconds) {
      facts.full_note = "The time was too short for all of the learning curve.";
      break;
    }
    const auto trained = ended.of_share(share);
    if (!trained) {
      facts.full_note = "The learning curve stopped: " + trained.error().what + ".";
      break;
    }
    const bool again = !facts.learning_curve.empty() && facts.learning_curve.back().rows == trained->rows;
    if (!again) point(trained->rows, trained->training, trained->held_out);
  }
  point(ended.data.count(task::SplitName::training), *ended.outcome.training, *held_out);
}

Result<std::string> write_down(const Facts& facts, const std::string& folder) {
  const std::string json = to_json(facts);
  if (auto ok = write_file(folder + "/report.json", json, false); !ok) return fail(ok.error());
  const std::string page = folder + "/report.html";
  if (auto ok = write_page(page, std::span(&json, 1)); !ok) return fail(ok.error());
  return page;
}

}  // namespace

Result<Level> level_named(const std::string& name) {
  const std::string names[] = {"none", "normal", "full"};
  for (size_t i = 0; i < std::size(names); ++i)
    if (name == names[i]) return static_cast<Level>(i);
  const std::string near = nearest(name, names);
  return fail(ErrorKind::usage, fmt::format("unknown report '{}'", name), "--report",
              near.empty() ? "one of none, normal, full" : fmt::format("did you mean '{}'?", near));
}

void Reporter::watch(train::TrainRequest& request, train::TrainEvents& events) {
  if (level_ == Level::none) return;
  request.witness.bytes = kReportBytes;
  request.witness.disk_bytes = kReportDiskBytes;
  request.witness.seconds = kReportSeconds;
  request.witness.answered = [this](task::SplitName split, const train::Dataset& data,
                                    const train::RowsAt& at, const train::Ports& ports) {
    if (!quality_) quality_.emplace(data.spec, data.fits);
    quality_->add(split, at, ports, !data.file);
  };
  request.witness.choosing = [this](const train::Dataset& data, const train::RowsAt& at,
                                    const train::Ports& ports) {
    if (!quality_) quality_.emplace(data.spec, data.fits);
    quality_->choose_by(at, ports);
  };
  request.witness.ended = [this](const train::Ended& ended) { return write(ended); };
  events.started = [this, tell = std::move(events.started)](const train::Start& start) {
    quality_.reset();
    pace_ = {};
    if (tell) tell(start);
  };
  events.evaluated = [this, tell = std::move(events.evaluated)](const train::Evaluation& e) {
    pace_.add(e.step, SteadyClock().seconds());
    if (tell) tell(e);
  };
}

Result<std::string> Reporter::write(const train::Ended& ended) {
  const train::TrainOutcome& outcome = ended.outcome;
  Facts facts = facts_of(ended.data, outcome.folder);
  if (outcome.training) facts.metrics.emplace_back("training", *outcome.training);
  if (outcome.validation) facts.metrics.emplace_back("validation", *outcome.validation);
  if (outcome.test) facts.metrics.emplace_back("test", *outcome.test);
  facts.remarks = outcome.remarks;
  facts.run = RunFacts{.ending = std::string(train::to_string(outcome.ending)),
                       .steps = outcome.steps,
                       .skipped = outcome.skipped,
                       .parameters = ended.parameters,
                       .seed = ended.seed,
                       .seconds = outcome.seconds,
                       .samples_per_second = outcome.samples_per_second};
  facts.training = training_facts(ended.position.history, outcome.best_step);
  pace_.fill(ended.rows_per_step, *facts.training);
  if (quality_) facts.quality = quality_->take();
  quality_.reset();
  Duplicates duplicates;
  constexpr double kSecondsOfFiles = 1;  // to read some of a file of encoded rows
  if (!ended.data.file || ended.seconds_left.value_or(kSecondsOfFiles) >= kSecondsOfFiles)
    duplicates = add_data(ended.data, ended.answered, facts);
  if (level_ == Level::full) add_full(ended, facts);
  const train::Course course = train::course(ended.position);
  facts.diagnosis = diagnose({.spec = ended.data.spec,
                              .fits = ended.data.fits,
                              .training = outcome.training ? &*outcome.training : nullptr,
                              .held_out = outcome.held_out(),
                              .held_out_name = outcome.held_out_name(),
                              .course = &course,
                              .early_stopped = outcome.ending == train::Ending::early_stopped},
                             facts, duplicates);
  facts.plan = PlanFacts{.ledger = budget::to_json(ended.ledger, -1),
                         .times = train::to_json(ended.times),
                         .peak_bytes = peak_resident_bytes(),
                         .planned_usd = ended.planned.usd,
                         .spent_usd = ended.spent.usd,
                         .planned_wh = ended.planned.energy_wh,
                         .spent_wh = ended.spent.energy_wh};
  return write_down(facts, outcome.folder);
}

void Reporter::watch(train::EvaluateRequest& request, const train::SavedModel& model, std::string folder,
                     std::string rows_name) {
  if (level_ == Level::none) return;
  request.answered = [this](task::SplitName split, const train::Dataset& data, const train::RowsAt& at,
                            const train::Ports& ports) {
    if (!quality_) quality_.emplace(data.spec, data.fits);
    quality_->add(split, at, ports, !data.file);
  };
  request.measured = [this, &model, folder = std::move(folder),
                      rows_name = std::move(rows_name)](const train::Measured& measured) -> Status {
    const train::Dataset& data = measured.data;
    const train::Metrics& metrics = measured.metrics;
    Facts facts = facts_of(data, folder);
    if (data.count(task::SplitName::training) == 0) facts.split_rows = {{rows_name, metrics.rows}};
    facts.metrics.emplace_back(rows_name, metrics);
    facts.remarks = train::remarks_on(model.spec, model.fits, metrics, rows_name, nullptr);
    facts.evaluation = evaluation_facts(measured, model);
    if (quality_) facts.quality = quality_->take();
    if (facts.quality) facts.quality->split = rows_name;
    quality_.reset();
    const Duplicates duplicates = add_data(data, measured.split, facts);
    if (data.count(task::SplitName::training) == 0)
      for (auto& [split, rows] : facts.sampled_rows) split = rows_name;
    const Evidence evidence{
        .spec = model.spec, .fits = model.fits, .held_out = &metrics, .held_out_name = rows_name};
    facts.diagnosis = diagnose(evidence, facts, duplicates);
    auto wrote = write_down(facts, folder);
    return wrote ? Status() : fail(wrote.error());
  };
}

}  // namespace shoestring::report
