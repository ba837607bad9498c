// The recipe as plain values: what to read, what to predict, with which network, trained how. Every
// default is filled in; a value of these types is complete and has been checked as a whole.
//
//   Result<Document> text = read_document("recipe.yaml");
//   Result<Recipe> recipe = parse_recipe(*text);
//   std::string resolved = render(*recipe);       // reads back as the same recipe
//
// The defaults stand here, in the members; names, ranges and explanations stand in the records of
// keys_*.cpp, which read, check, write and document these values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/optimizer_options.h"
#include "task/document.h"
#include "task/effort.h"
#include "task/recipe_outputs.h"
#include "task/split_spec.h"

namespace shoestring::task {

// ---- combiner ----------------------------------------------------------------------------------

// The encoders' outputs side by side, then a stack of layers.
struct ConcatCombiner {
  FcStack stack;
  bool residual = false;      // adds a layer's input to its output where sizes agree
  bool scale_inputs = false;  // a learnt factor for each column of its input
  bool batch_ensemble = false;
  int64_t num_ensemble_members = 4;  // of the batch ensemble
  bool operator==(const ConcatCombiner&) const = default;
};

using CombinerSpec = std::variant<ConcatCombiner>;

// ---- preprocessing -----------------------------------------------------------------------------

struct Preprocessing {
  std::optional<SplitSpec> split;  // absent: by the column `split` if the data has one, else random
  // Rows that are used at all, drawn before the split: a share of them, or so many.
  double sample_ratio = 1;
  std::optional<int64_t> sample_size;
  // Of the training rows of the one output, a class: the rarer class's rows over the most frequent's, reached
  // by repeating rows or by leaving some out. At most one of the two is set.
  std::optional<double> oversample_minority, undersample_majority;
  OrAuto<bool> in_memory;       // the encoded rows, or in a file; auto: as the budget allows
  OrAuto<int64_t> window_rows;  // of a file, that batches are drawn from at a time; auto: as many as fit
  bool operator==(const Preprocessing&) const = default;
};

// ---- trainer -----------------------------------------------------------------------------------

using model::Adadelta, model::Adafactor, model::Adagrad, model::Adam, model::Adamax, model::AdamW,
    model::EightBit, model::Lamb, model::Lars, model::Lion, model::Muon, model::MuonOthers, model::Nadam,
    model::Paged, model::Radam, model::RmsProp, model::ScheduleFreeAdamW, model::Sgd;
using OptimizerSpec = model::Optimizer;

enum class Decay { none, linear, exponential, cosine, one_cycle, inverse_sqrt, polynomial, wsd, coslog };
// Whether the keys of warm-up have nothing to do.
constexpr bool warms_up_itself(Decay decay) {
  return decay == Decay::one_cycle || decay == Decay::wsd || decay == Decay::coslog;
}
enum class SplitName { training, validation, test };

struct LearningRateScheduler {
  Decay decay = Decay::none;
  double decay_rate = 0.96;
  int64_t decay_steps = 10000;
  bool staircase = false;
  int64_t reduce_on_plateau = 0;  // how many times at most; 0: never
  int64_t reduce_on_plateau_patience = 10;
  double reduce_on_plateau_rate = 0.1;
  int64_t warmup_evaluations = 0;
  double warmup_fraction = 0;
  std::string reduce_eval_metric = "loss";
  SplitName reduce_eval_split = SplitName::training;
  std::optional<int64_t> t_0;  // cosine: steps before the first restart; absent: steps per checkpoint
  int64_t t_mult = 1;
  double eta_min = 0;
  std::optional<double> max_lr;     // one_cycle: the greatest rate; absent: learning_rate
  double pct_start = 0.3;           // share of the steps over which it is reached
  double div_factor = 25;           // the first rate is the greatest divided by this,
  double final_div_factor = 10000;  // the last rate the first divided by this
  int64_t inverse_sqrt_warmup_steps = 4000;
  double polynomial_power = 1, polynomial_end_lr = 0;
  double wsd_warmup_fraction = 0.1, wsd_stable_fraction = 0.8, wsd_decay_fraction = 0.1;  // add up to 1
  int64_t coslog_cycles = 4;
  bool operator==(const LearningRateScheduler&) const = default;
};

struct GradientClipping {
  std::optional<double> clipglobalnorm = 0.5;  // the norm of all gradients together
  std::optional<double> clipnorm;              // the norm of each gradient
  std::optional<double> clipvalue;             // each element
  bool operator==(const GradientClipping&) const = default;
};

enum class Regularization { l1, l2, l1_l2 };

// Learning rates by what a parameter does in its layer, relative to that of the weights.
struct LearningRateFactors {
  double bias = 1, norm = 1, scale = 1, embedding = 1, frequency = 1;
  bool operator==(const LearningRateFactors&) const = default;
};

// How values of a step's forward part are kept until the backward part reads them.
enum class Stored { float32, bfloat16, float16 };
// What epochs auto are at most: more passes over the same rows seldom pay.
inline constexpr int64_t kMostAutoEpochs = 256;

struct Trainer {
  OrAuto<int64_t> epochs{100};         // auto: as many as the time allows
  std::optional<int64_t> train_steps;  // where set, it ends training in place of epochs
  // Whether how long it trains is not said, but ours to choose.
  bool open_ended() const { return epochs.is_auto() && !train_steps; }
  OrAuto<int64_t> batch_size;
  OrAuto<int64_t> effective_batch_size;  // batch_size * gradient_accumulation_steps
  OrAuto<int64_t> gradient_accumulation_steps;
  int64_t max_batch_size = int64_t{1} << 40;  // of batch_size auto
  OrAuto<int64_t> eval_batch_size;            // auto or null: batch_size
  OrAuto<double> learning_rate{0.001};
  LearningRateScheduler learning_rate_scheduler;
  LearningRateFactors learning_rate_factors;
  OptimizerSpec optimizer;
  bool decay_weights_only = false;  // weight_decay leaves biases, norms and scales alone
  GradientClipping gradient_clipping;
  Regularization regularization_type = Regularization::l2;
  double regularization_lambda = 0;  // 0: none
  bool should_shuffle = true;
  std::string validation_field;   // an output's name, or "combined"
  std::string validation_metric;  // one of that output's metrics
  int64_t early_stop = 5;         // evaluations without improvement; -1: never
  bool evaluate_training_set = false;
  int64_t checkpoints_per_epoch = 0;  // 0: one an epoch
  int64_t steps_per_checkpoint = 0;   // 0: by epochs
  bool use_mixed_precision = false;   // bf16 products in training, where the machine gains by it
  // What makes a step need less memory. auto: where the memory budget asks for it.
  OrAuto<bool> early_updates;                  // NetworkSpec::early_updates
  OrAuto<bool> enable_gradient_checkpointing;  // values of the forward part are computed again
  OrAuto<Stored> stored_activations;
  bool operator==(const Trainer&) const = default;
};

// ---- ensemble ----------------------------------------------------------------------------------

// Networks that are trained side by side in one plan and answer as one. A member is the recipe's network
// with what it says itself in the place of the recipe's.
struct EnsembleMember {
  int64_t count = 1;  // so many, each with first values of its own
  std::optional<NumberEncoderSpec> number_encoder;
  std::optional<CategoryEncoderSpec> category_encoder;
  std::optional<CombinerSpec> combiner;
  double learning_rate_factor = 1;
  bool operator==(const EnsembleMember&) const = default;
};
enum class Blend { equal, validation };
struct Ensemble {
  std::vector<EnsembleMember> members;  // none: the recipe's network alone
  Blend blend = Blend::validation;      // their weights: equal, or those that are best on the validation rows
  bool operator==(const Ensemble&) const = default;
};

// ---- budget ------------------------------------------------------------------------------------

// What may be spent. Absent: nobody says, and what the machine has is the limit.
enum class Device { cpu };
struct Budget {
  std::optional<int64_t> memory_bytes;  // of the process, resident, at its peak
  std::optional<double> time_seconds;   // from the start of the process to its exit
  std::optional<int64_t> cores;         // threads that work
  Device device = Device::cpu;
  std::optional<int64_t> disk_bytes;  // of what the run leaves and needs, at its peak
  std::optional<double> money_usd;    // time at the price of this machine (budget/prices.h)
  bool operator==(const Budget&) const = default;
};

// "memory=512MiB,time=10min", laid over what `budget` says. ErrorKind::usage as for a recipe.
Result<Budget> parse_budget(std::string_view text, Budget budget = {});

// ---- the whole ---------------------------------------------------------------------------------

// What the reader decided or was told that changes nothing. Said to the user; no part of equality.
struct Notes {
  std::vector<std::string> lines;
  bool operator==(const Notes&) const { return true; }
};

struct Recipe {
  std::vector<InputFeature> inputs;
  std::vector<OutputFeature> outputs;
  CombinerSpec combiner;
  Preprocessing preprocessing;
  Trainer trainer;
  Ensemble ensemble;
  Budget budget;
  Notes notes;
  bool operator==(const Recipe&) const = default;
};

// Reads and checks a recipe. Fails with ErrorKind::usage: "recipe.yaml:12:3: unknown key
// 'lerning_rate' in trainer; did you mean 'learning_rate'?".
Result<Recipe> parse_recipe(const Document& document);

// How much `render` writes.
enum class Detail {
  resolved,  // every key, so that nothing is left to defaults
  brief,     // what differs from the defaults and what is changed often, explained in comments
};

// YAML that parses back to an equal recipe; notes stand above it as comments.
std::string render(const Recipe& recipe, Detail detail = Detail::resolved);

// A column as found in the data.
struct ColumnType {
  std::string name;
  FeatureType type = FeatureType::number;
  int64_t distinct = 0;                         // values of a category, as far as they were counted
  int64_t height = 0, width = 0, channels = 0;  // of pictures
};

// The recipe for predicting `targets` from all the other columns of a table of `rows` rows: several small
// networks with numbers spread out in different ways, blended on the validation rows. How long to train them
// is the caller's to say (trainer.epochs, here as many as pay at most). Fails with ErrorKind::data where a
// target is no column or nothing is left to predict from.
Result<Recipe> infer_recipe(const std::vector<ColumnType>& columns, const std::vector<std::string>& targets,
                            int64_t rows, const Effort& effort = {});
// And behind it the same for smaller networks in turn, for where memory is short.
Result<std::vector<Recipe>> infer_recipes(const std::vector<ColumnType>& columns,
                                          const std::vector<std::string>& targets, int64_t rows,
                                          const Effort& effort);

// ---- what `auto` means -------------------------------------------------------------------------

struct BatchSizes {
  int64_t batch = 0;         // rows of one step
  int64_t accumulation = 1;  // steps whose gradients are added up before an update
  int64_t eval = 0;          // rows of one evaluation step
};

// `auto` is 256 rows, at most a tenth of the training rows, at least 2, and at most max_batch_size.
BatchSizes batch_sizes(const Trainer& trainer, int64_t training_rows);

std::string_view name_of(FeatureType type);
std::string_view name_of(Activation activation);
std::string_view name_of(Normalization normalization);
std::string_view name_of(MissingValues strategy);
std::string_view name_of(SplitName split);

}  // namespace shoestring::task
