// train: from a table to a model.
#include "train/train.h"

#include "base/clock.h"
#include "cli/console.h"
#include "cli/cross_validate.h"
#include "cli/remedy.h"
#include "cli/stop.h"
#include "cli/train_flags.h"
#include "cli/train_report.h"
#include "cli/verbs.h"

namespace shoestring::cli {
namespace {

int run(std::string_view verb, Arguments arguments) {
  TrainFlags given;
  if (const auto done = options_of(verb, given).read(arguments)) return *done;
  if (auto ok = complete(given); !ok) return report(ok.error());
  Console console(given.quiet, given.json);
  if (given.folds) {
    given.request.stop = stop_flag();
    given.request.started = process_started();
    return cross_validate(given.request, *given.folds, given.report_level, console);
  }
  if (given.remedy) {
    const auto share = read_share(given.remedy_share);
    if (!share) return report(share.error());
    given.request.stop = stop_flag();
    given.request.started = process_started();
    return train_with_remedies(given.request, *share, given.report_level, console);
  }
  TrainReport progress(console, verb);
  given.request.stop = stop_flag();
  given.request.started = process_started();
  train::TrainEvents events = progress.events();
  report::Reporter reporter(given.report_level);
  reporter.watch(given.request, events);
  const auto outcome = train::train(given.request, events);
  if (!outcome) return report(outcome.error());
  const int code = progress.end(*outcome);
  if (code == 0 && !outcome->already_finished && given.request.eval_split && given.request.save_predictions)
    console.sentence(fmt::format("predictions of the {} rows: {}/predictions.csv",
                                 name_of(*given.request.eval_split), outcome->folder));
  return code;
}

}  // namespace

int train(Arguments arguments) { return run("train", arguments); }
int experiment(Arguments arguments) { return run("experiment", arguments); }

}  // namespace shoestring::cli
