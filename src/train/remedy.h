// What may help a model that learned its training rows by heart, or whose classes are unbalanced: each remedy
// is an edit of the recipe, tried by a training of its own, and kept only where the model becomes better on
// the validation rows. The test rows are looked at for both, and choose nothing.
//
//   RUN/remedy.json         what was tried, why, and what came of it
//   RUN/before_remedy/      where one was kept: recipe, model and results of the run as it was first
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/remarks.h"
#include "train/train.h"

namespace shoestring::train {

// A run as far as remedies go by it.
struct Patient {
  task::Recipe recipe;              // as it was resolved
  std::optional<Metrics> training;  // of the best model; nothing where there was no time to measure it
  Metrics validation;
  std::vector<Classes> classes = {};    // of each output; empty where it has none
  Course course = {};                   // of the losses
  int64_t steps = 0, steps_wanted = 0;  // done, and of the whole recipe: fewer where the time was too short
};

struct Remedy {
  std::string name;    // "dropout"
  std::string change;  // "dropout: 0.2 in each layer"
  std::string reason;  // the evidence: "accuracy of 'y' is 0.98 on the training rows and 0.86 on 600 others"
  task::Recipe recipe;
  bool goes_on = false;  // from the weights of the best model, not anew
};
// What to try next, the likeliest first: of overfitting dropout, weight decay and half as wide layers; of
// unbalanced classes weights and oversampling. Where time ended the run before its last step, more steps come
// last, so that what is left of the time is used. Empty where the run shows none of it. (Stopping earlier is
// none of them: a run keeps the best of its evaluations anyway.)
std::vector<Remedy> remedies(const Patient& patient);

struct Tried {
  Remedy remedy;
  bool kept = false;
  double before = 0,
         after = 0;  // the watched metric on the validation rows; NaN where it could not be trained
  double seconds = 0;
  std::string fault;  // why it could not be trained
};

struct Remedied {
  TrainOutcome outcome;        // of what is in the run's folder in the end
  TrainOutcome first;          // of the run as it was first
  std::string output, metric;  // what is watched: of an output or "combined"
  bool maximise = false;
  std::vector<Tried> tried;
  std::vector<std::string> no_time_for;  // names of remedies
  bool looked = false;                   // whether the first run was one to find remedies for
  bool interrupted = false;              // before all was tried
};

// Trains, then tries. With a time budget, `share` of it is kept for the remedies; without one all of them are
// tried. Where the rest is too little to train in, all of it is for the training. A remedy that was kept is
// what the next is added to. `ended` hears of the first training, `trying` of each remedy before it begins.
struct RemedyEvents {
  std::function<void(const TrainOutcome&)> ended = {};
  std::function<void(const Remedy&)> trying = {};
  std::function<void(const Tried&)> tried = {};
  // Watches the training of a remedy, as a report does; the request may be added to.
  std::function<TrainEvents(TrainRequest&)> watch = {};
};
Result<Remedied> train_with_remedies(const TrainRequest& request, double share, const TrainEvents& events,
                                     const RemedyEvents& remedy_events = {});

}  // namespace shoestring::train
