// The report of a run or an evaluation: watches it while it is measured, and writes report.json and
// report.html beside its other files.
//
//   report::Reporter reporter(report::Level::normal);
//   reporter.watch(request, events);
//   auto outcome = train::train(request, events);   // outcome->report is the page's path
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "report/facts.h"
#include "report/training.h"
#include "train/predict.h"
#include "train/train.h"

namespace shoestring::report {

// full: also what takes more than a tenth of the training.
enum class Level { none, normal, full };
// "none", "normal", "full"; else ErrorKind::usage.
Result<Level> level_named(const std::string& name);

// What a report holds at most while it is made, and how long it takes after the last evaluation.
inline constexpr int64_t kReportBytes = 3 << 19, kReportDiskBytes = 2 << 20;
inline constexpr double kReportSeconds = 0.02;

class Reporter {
 public:
  explicit Reporter(Level level) : level_(level) {}
  // It must outlive the run. Of several runs one after another each has a report.
  void watch(train::TrainRequest& request, train::TrainEvents& events);
  // The same of an evaluation, whose report goes into `folder`; metrics are called `rows_name`.
  void watch(train::EvaluateRequest& request, const train::SavedModel& model, std::string folder,
             std::string rows_name);

 private:
  Result<std::string> write(const train::Ended& ended);
  Level level_;
  std::optional<QualityRecorder> quality_;
  Pace pace_;
};

}  // namespace shoestring::report
