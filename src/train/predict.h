// Answers for new rows, from a saved model. A long table streams through in constant memory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "train/answers.h"
#include "train/dataset.h"
#include "train/evaluate.h"
#include "train/saved_model.h"

namespace shoestring::train {

// Rows of the plans of a model that answers, beside that for one row.
inline constexpr int64_t kSmallAnswers = 64, kLargeAnswers = 1024;
// The rows of the largest plan: fewer where a network is so wide that its plan would take much memory.
Result<int64_t> rows_at_once(const task::NetworkSpec& spec, const CompileOptions& options);

// A model that answers. Plans of a few sizes are compiled when rows first call for them, so that one
// row costs one small plan.
class Predictor {
 public:
  // `batch_size`: rows of the largest plan; 0 chooses.
  static Result<Predictor> load(const std::string& path, int64_t batch_size = 0);

  // Rows of the largest plan.
  Result<int64_t> largest();

  // A plan over the model's states, compiled at its first use; it stays. Pointers into the ports of other
  // plans are stale afterwards.
  Result<Runner*> runner(PlanRequest request);

  // The largest prediction plan, made for one thread, `count` times, each with an arena of its own: they may
  // run at once.
  struct Lane {
    std::unique_ptr<Runner> runner;
    Block arena;
  };
  Result<std::vector<Lane>> lanes(int count);

  const task::Recipe& recipe() const { return model_->spec.recipe; }
  const Answers& answers() const { return *answers_; }
  const SavedModel& model() const { return *model_; }

  // Answers every row, in order: calls take(ports, row) with the place of each answer. The rows are taken
  // away, all but `bad_inputs`. `groups` and `states` as in encode_inputs: parts of one table share `states`.
  using Take = std::function<void(const Ports& ports, int64_t row)>;
  Status answer(RawColumns& rows, int64_t first_row, std::span<const uint8_t> groups,
                std::span<task::FillState> states, const Take& take);

 private:
  Result<Runner*> runner_for(int64_t rows);  // that predicts so many

  std::unique_ptr<SavedModel> model_;  // answers_ points into it
  std::unique_ptr<Answers> answers_;
  std::optional<Engine> engine_;
  int64_t largest_ = 0;  // 0: not chosen yet
};

enum class SplitWanted { all, training, validation, test };
// "full", "training", "validation", "test"; else ErrorKind::usage with the nearest.
Result<SplitWanted> split_named(const std::string& name);

struct PredictRequest {
  std::string model = {};
  std::string dataset = {}, format = {};  // "-" is stdin
  SplitWanted split = SplitWanted::all;   // rows of one split, as they were when the model was trained
  std::string output = {};                // "-" is stdout
  std::string folder = {};                // made, where it is not there, once model and table are open
  data::WriteKind kind = data::WriteKind::csv;
  int64_t batch_size = 0;
  const std::atomic<bool>* stop = nullptr;  // set from outside: give up
};

struct PredictOutcome {
  int64_t rows = 0;
  double seconds = 0;
};

// Fails with ErrorKind::data where a column is missing, where a model that fills missing values from the
// rows below (bfill) gets a table of more than 256 MiB as numbers, and after the last row where more than 5 %
// of a column's cells were no numbers; with ErrorKind::interrupted once it was to stop. A file that is no
// stream is then not written at all. With a predictor, request.model and batch_size are not looked at: the
// second call neither reads nor compiles anything.
Result<PredictOutcome> predict(const PredictRequest& request, const LogSink& log);
Result<PredictOutcome> predict(Predictor& predictor, const PredictRequest& request, const LogSink& log);

// What an evaluation found and took, while its rows are still in memory.
struct Measured {
  const Dataset& data;
  task::SplitName split;
  const Metrics& metrics;
  const Plan& plan;  // of `plan_rows` rows at a time
  int64_t plan_rows = 0;
  double reading_seconds = 0;  // the table, preprocessed
  double answering_seconds = 0;
};

struct EvaluateRequest {
  std::string model = {};
  std::string dataset = {}, format = {};
  SplitWanted split = SplitWanted::all;
  std::string predictions = {};  // a CSV file to write; "" for none
  std::string folder = {};       // made, where it is not there, once model and table are read
  int64_t batch_size = 0;
  const std::atomic<bool>* stop = nullptr;  // set from outside: give up, with ErrorKind::interrupted
  // Shown each batch once it is answered, and the rows once all are (train/witness.h).
  std::function<void(task::SplitName, const Dataset&, const RowsAt&, const Ports&)> answered = {};
  std::function<Status(const Measured&)> measured = {};
};
Result<Metrics> evaluate(const EvaluateRequest& request, const LogSink& log);
Result<Metrics> evaluate(Predictor& predictor, const EvaluateRequest& request, const LogSink& log);

}  // namespace shoestring::train
