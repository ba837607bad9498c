#include "cli/remedy.h"

#include <fmt/ranges.h>

#include <cmath>

#include "base/text.h"
#include "cli/train_report.h"
#include "report/visualize.h"

namespace shoestring::cli {
namespace {

std::string event_of(const train::Tried& t) {
  const auto number = [](double v) { return std::isfinite(v) ? fmt::format("{}", v) : "null"; };
  return fmt::format(
      R"({{"event":"remedy","remedy":{},"change":{},"validation_before":{},"validation_after":{},"kept":{}}})",
      quoted(t.remedy.name), quoted(t.remedy.change), number(t.before), number(t.after), t.kept);
}

// "roc_auc of 'income' on the test rows: 0.9012, and 0.9101 with what was kept".
void tell_end(const train::Remedied& all, Console& console) {
  size_t kept = 0;
  for (const train::Tried& t : all.tried) kept += t.kept;
  if (!all.no_time_for.empty())
    console.sentence(fmt::format("no time was left for {}", fmt::join(all.no_time_for, ", ")));
  if (all.tried.empty() && !all.no_time_for.empty()) return;
  if (all.tried.empty()) {
    console.sentence(
        all.looked ? "no remedy was tried: on the validation rows it does not overfit, its classes are "
                     "balanced, and it had time for all its steps"
        : all.outcome.validation ? "no remedy was tried: the training did not come to its end"
                                 : "no remedy was tried: there are no validation rows to choose one by");
    return;
  }
  if (kept == 0) {
    console.sentence("none was better on the validation rows: the model is the first one");
    return;
  }
  const auto value = [&](const train::TrainOutcome& o) {
    return o.test ? o.test->value(all.output, all.metric) : std::nan("");
  };
  const double before = value(all.first), after = value(all.outcome);
  if (std::isfinite(before) && std::isfinite(after))
    console.sentence(fmt::format("{} on the {} test rows, which chose nothing: {} before, {} now", all.metric,
                                 all.outcome.test->rows, human_metric(before), human_metric(after)));
  console.sentence(fmt::format("the model of {} is the remedied one; the first is in {}/before_remedy",
                               all.outcome.folder, all.outcome.folder));
}

}  // namespace

Result<double> read_share(const std::string& text) {
  constexpr double kUsual = 0.3;
  if (text.empty()) return kUsual;
  char* end = nullptr;
  const double share = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || !(share > 0) || !(share < 1))
    return fail(ErrorKind::usage, fmt::format("'{}' is no share", text), "--remedy_share",
                "give a number above 0 and below 1, as 0.3");
  return share;
}

int train_with_remedies(train::TrainRequest request, double share, report::Level level, Console& console) {
  TrainReport progress(console, "train");
  report::Reporter reporter(level);
  int code = 0;
  const train::RemedyEvents events{
      .ended =
          [&](const train::TrainOutcome& outcome) {
            code = progress.end(outcome);
            console.line("");
          },
      .trying =
          [&](const train::Remedy& remedy) {
            console.sentence(fmt::format("remedy  {}, as {}", remedy.change, remedy.reason));
          },
      .tried =
          [&](const train::Tried& t) {
            if (!t.fault.empty())
              console.sentence("        could not be tried: " + t.fault);
            else
              console.line(fmt::format("        {} -> {} on the validation rows in {}: {}",
                                       human_metric(t.before), human_metric(t.after),
                                       human_seconds(t.seconds), t.kept ? "kept" : "not kept"));
            console.event(event_of(t));
          },
      .watch =
          [&](train::TrainRequest& trial) {
            train::TrainEvents watched;
            reporter.watch(trial, watched);
            return watched;
          }};
  train::TrainEvents training = progress.events();
  train::TrainRequest first = request;
  reporter.watch(first, training);
  const auto all = train::train_with_remedies(first, share, training, events);
  if (!all) return report(all.error());
  if (level != report::Level::none && !all->outcome.report.empty())  // again, with what was tried in it
    if (auto page = report::visualize({all->outcome.folder}, ""); !page)
      console.paragraph("the report is without the remedies: " + page.error().message());
  if (code == 0 || code == static_cast<int>(ErrorKind::stopped)) tell_end(*all, console);
  return all->interrupted ? static_cast<int>(ErrorKind::interrupted) : code;
}

}  // namespace shoestring::cli
