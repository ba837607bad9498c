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
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "data/tokenize.h"
#include "model/activations.h"
#include "model/optimizer_options.h"
#include "task/document.h"
#include "task/split_spec.h"

namespace shoestring::task {

// What sizes may be asked for: more is a slip of the keyboard on any machine.
inline constexpr int64_t kMostBatchRows = 1'000'000'000, kMostLayerOutputs = 1'000'000;

// A value that the program may choose: written `auto`.
template <class T>
struct OrAuto {
  std::optional<T> value;  // absent: auto
  bool is_auto() const { return !value; }
  T or_else(T chosen) const { return value.value_or(chosen); }
  bool operator==(const OrAuto&) const = default;
};

// ---- layers ------------------------------------------------------------------------------------

using model::Activation;
enum class Norm { none, batch, layer };

struct NormParams {
  double eps = 1e-5;
  double momentum = 0.1;  // batch norm: running = (1 - momentum) * running + momentum * batch
  bool operator==(const NormParams&) const = default;
};

// Initial values of a weight [fan_in, fan_out]; names and parameters are those of torch.nn.init.
namespace init {
struct Zeros {
  bool operator==(const Zeros&) const = default;
};
struct Ones {
  bool operator==(const Ones&) const = default;
};
struct Constant {
  double val = 0;
  bool operator==(const Constant&) const = default;
};
struct Uniform {
  double a = 0, b = 1;
  bool operator==(const Uniform&) const = default;
};  // in [a, b)
struct Normal {
  double mean = 0, std = 1;
  bool operator==(const Normal&) const = default;
};
// U(-l, l) with l = gain * sqrt(6 / (fan_in + fan_out)); N(0, s²) with s = gain * sqrt(2 / (fan_in +
// fan_out)).
struct XavierUniform {
  double gain = 1;
  bool operator==(const XavierUniform&) const = default;
};
struct XavierNormal {
  double gain = 1;
  bool operator==(const XavierNormal&) const = default;
};
enum class Fan { fan_in, fan_out };
// 1, 1, 5/3, sqrt 2, sqrt(2 / (1 + a²)), 3/4
enum class Gain { linear, sigmoid, tanh, relu, leaky_relu, selu };
// U(-l, l) with l = gain * sqrt(3 / fan); N(0, s²) with s = gain / sqrt(fan).
struct KaimingUniform {
  double a = 0;
  Fan mode = Fan::fan_in;
  Gain nonlinearity = Gain::leaky_relu;
  bool operator==(const KaimingUniform&) const = default;
};
struct KaimingNormal {
  double a = 0;
  Fan mode = Fan::fan_in;
  Gain nonlinearity = Gain::leaky_relu;
  bool operator==(const KaimingNormal&) const = default;
};
struct Eye {
  bool operator==(const Eye&) const = default;
};
struct Identity {
  bool operator==(const Identity&) const = default;
};
struct Orthogonal {
  double gain = 1;
  bool operator==(const Orthogonal&) const = default;
};
// Normal, with this share of each input's weights 0.
struct Sparse {
  double sparsity = 0, std = 0.01;
  bool operator==(const Sparse&) const = default;
};
}  // namespace init

using InitializerSpec =
    std::variant<init::XavierUniform, init::XavierNormal, init::KaimingUniform, init::KaimingNormal,
                 init::Zeros, init::Ones, init::Constant, init::Uniform, init::Normal, init::Eye,
                 init::Identity, init::Orthogonal, init::Sparse>;

// One fully connected layer: linear, norm, activation, dropout, in that order.
struct FcLayer {
  int64_t output_size = 256;
  bool use_bias = true;
  InitializerSpec weights_initializer = init::XavierUniform{};
  InitializerSpec bias_initializer = init::Zeros{};
  Norm norm = Norm::none;
  NormParams norm_params;
  Activation activation = Activation::relu;
  double dropout = 0;  // the share that is dropped
  bool operator==(const FcLayer&) const = default;
};

// Layers in a row. `layers` is what to build, each layer complete. With at least one layer the stack
// begins with `around.norm` of its input and then `around.dropout` of it, where they are set; with
// none it passes its input on untouched.
struct FcStack {
  FcLayer around;          // the keys beside fc_layers: what a layer leaves out comes from here
  int64_t num_layers = 0;  // how many layers like `around` there are where fc_layers is not written
  std::vector<FcLayer> layers;
  bool operator==(const FcStack&) const = default;
};

// ---- encoders ----------------------------------------------------------------------------------

// The values as they are, [rows, 1]; of a category its number in the vocabulary.
struct PassthroughEncoder {
  bool operator==(const PassthroughEncoder&) const = default;
};

// A stack of layers over the values [rows, 1].
struct DenseEncoder {
  FcStack stack{.around = {}, .num_layers = 1, .layers = {FcLayer{}}};
  bool operator==(const DenseEncoder&) const = default;
};

// Encoders that spread a number out over several columns (model/number_embeddings.h). Bins lie between
// quantiles of the training rows.
struct PleEncoder {  // piecewise linear, then a linear layer
  int64_t num_bins = 64, output_size = 256;
  Activation activation = Activation::none;
  bool plus_input = false;
  bool operator==(const PleEncoder&) const = default;
};
enum class NumberView { value, quantile };
struct PeriodicEncoder {  // sines and cosines of learnt frequencies, then a linear layer
  int64_t num_frequencies = 64, output_size = 256;
  double sigma = 1;  // of the frequencies at first
  Activation activation = Activation::none;
  bool plus_input = false;
  bool shared_layer = false;             // one linear layer for all features of this encoder
  NumberView input = NumberView::value;  // quantile: the share of training rows below the value
  bool operator==(const PeriodicEncoder&) const = default;
};
struct BinsEncoder {  // a learnt vector per bin
  int64_t num_bins = 32, output_size = 256;
  bool operator==(const BinsEncoder&) const = default;
};

// One column per entry of the vocabulary.
struct OneHotEncoder {
  bool operator==(const OneHotEncoder&) const = default;
};

// A learnt vector per entry of the vocabulary (`dense` in the recipe).
struct EmbedEncoder {
  int64_t embedding_size = 50;                           // cut to the vocabulary's size
  std::optional<InitializerSpec> embedding_initializer;  // absent: uniform in [-1, 1)
  bool embeddings_trainable = true;
  double dropout = 0;
  bool operator==(const EmbedEncoder&) const = default;
};

// An embedding as wide as the vocabulary (`sparse` in the recipe).
struct SparseEmbedEncoder {
  std::optional<InitializerSpec> embedding_initializer;  // absent: the identity
  bool embeddings_trainable = false;
  double dropout = 0;
  bool operator==(const SparseEmbedEncoder&) const = default;
};

// A learnt vector per bucket; a value's CRC-32 says which bucket it is in, so none is unknown (`hash`).
struct HashEncoder {
  int64_t num_hash_buckets = 1024;
  int64_t embedding_size = 50;
  bool operator==(const HashEncoder&) const = default;
};

// A learnt vector per word, summed over the words of a row, then a stack of layers (`embed` of sets and
// bags).
enum class Representation {
  dense,
  sparse
};  // sparse: vectors as long as the vocabulary, the identity at first
struct WordsEncoder {
  Representation representation = Representation::dense;
  int64_t embedding_size = 50;        // of dense vectors, cut to the vocabulary's size
  bool force_embedding_size = false;  // of bags: not cut
  bool embeddings_trainable = true;
  FcStack stack{.around = {.output_size = 10}};
  bool operator==(const WordsEncoder&) const = default;
};

// Of a date: the year through a linear layer to one column, a learnt vector for each of month, day, weekday,
// day of the year, hour, minute and second (`embed`), or their cosines and sines (`wave`), and those of the
// time of day; side by side, then a stack of layers.
struct DateEmbedEncoder {
  int64_t embedding_size = 10;
  FcStack stack{.around = {.output_size = 10}};
  bool operator==(const DateEmbedEncoder&) const = default;
};
struct DateWaveEncoder {
  FcStack stack{.around = {.output_size = 10}, .num_layers = 1, .layers = {FcLayer{.output_size = 10}}};
  bool operator==(const DateWaveEncoder&) const = default;
};

// ---- input features ----------------------------------------------------------------------------

// Those that can be predicted come first.
enum class FeatureType { number, binary, category, vector, set, bag, date };

enum class MissingValues {
  fill_with_const,
  fill_with_mode,
  fill_with_mean,
  fill_with_false,
  fill_with_true,
  bfill,
  ffill,
  drop_row
};
enum class Normalization { none, zscore, minmax, log1p, iq, robust };

struct NumberPreprocessing {
  MissingValues missing_value_strategy = MissingValues::fill_with_const;
  double fill_value = 0;
  Normalization normalization = Normalization::zscore;
  std::optional<MissingValues> outlier_strategy;  // what a value farther out becomes; absent: it stays
  double outlier_threshold = 3;                   // in standard deviations from the mean
  bool operator==(const NumberPreprocessing&) const = default;
};

struct BinaryPreprocessing {
  MissingValues missing_value_strategy = MissingValues::fill_with_false;
  std::optional<std::string> fallback_true_label;  // which of two values is true
  bool operator==(const BinaryPreprocessing&) const = default;
};

struct CategoryPreprocessing {
  MissingValues missing_value_strategy = MissingValues::fill_with_const;
  std::string fill_value = "<UNK>";
  bool lowercase = false;
  int64_t most_common = 10000;  // entries of the vocabulary at most, the most frequent first
  bool operator==(const CategoryPreprocessing&) const = default;
};

struct VectorPreprocessing {
  std::optional<int64_t> vector_size;  // absent: that of most training rows
  MissingValues missing_value_strategy = MissingValues::fill_with_const;
  std::string fill_value;  // numbers; empty: zeros
  bool operator==(const VectorPreprocessing&) const = default;
};

// Of sets and bags.
struct WordsPreprocessing {
  data::Tokenizer tokenizer = data::Tokenizer::space;
  MissingValues missing_value_strategy = MissingValues::fill_with_const;
  std::string fill_value = "<UNK>";
  bool lowercase = false;
  int64_t most_common = 10000;  // entries of the vocabulary at most, the most frequent first
  bool operator==(const WordsPreprocessing&) const = default;
};

struct DatePreprocessing {
  MissingValues missing_value_strategy = MissingValues::fill_with_const;
  std::string fill_value;                      // a date; empty: the middle one of the training rows
  std::optional<std::string> datetime_format;  // as strptime has it; absent: found by looking
  bool operator==(const DatePreprocessing&) const = default;
};

using NumberEncoderSpec =
    std::variant<PassthroughEncoder, DenseEncoder, PleEncoder, PeriodicEncoder, BinsEncoder>;
using CategoryEncoderSpec =
    std::variant<EmbedEncoder, SparseEmbedEncoder, OneHotEncoder, PassthroughEncoder, HashEncoder>;

struct NumberInput {
  NumberPreprocessing preprocessing;
  NumberEncoderSpec encoder;
  bool operator==(const NumberInput&) const = default;
};

struct BinaryInput {
  BinaryPreprocessing preprocessing;
  std::variant<PassthroughEncoder, DenseEncoder> encoder;
  bool operator==(const BinaryInput&) const = default;
};

struct CategoryInput {
  CategoryPreprocessing preprocessing;
  CategoryEncoderSpec encoder;
  bool operator==(const CategoryInput&) const = default;
};

struct VectorInput {
  VectorPreprocessing preprocessing;
  std::variant<DenseEncoder, PassthroughEncoder> encoder;
  bool operator==(const VectorInput&) const = default;
};

struct SetInput {
  WordsPreprocessing preprocessing;
  WordsEncoder encoder;  // embed
  bool operator==(const SetInput&) const = default;
};

struct BagInput {
  WordsPreprocessing preprocessing;
  WordsEncoder encoder;  // embed
  bool operator==(const BagInput&) const = default;
};

struct DateInput {
  DatePreprocessing preprocessing;
  std::variant<DateEmbedEncoder, DateWaveEncoder> encoder;
  bool operator==(const DateInput&) const = default;
};

// The buckets that its values are hashed into, or 0 where they have a vocabulary.
inline int64_t buckets_of(const CategoryInput& input) {
  const auto* hash = std::get_if<HashEncoder>(&input.encoder);
  return hash ? hash->num_hash_buckets : 0;
}

struct InputFeature {
  std::string name;
  std::string column;  // in the data; the name unless the recipe says otherwise
  std::variant<NumberInput, BinaryInput, CategoryInput, VectorInput, SetInput, BagInput, DateInput>
      spec;  // in the order of FeatureType

  FeatureType type() const { return static_cast<FeatureType>(spec.index()); }
  bool operator==(const InputFeature&) const = default;
};

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

// ---- output features ---------------------------------------------------------------------------

// A stack of layers, then one linear layer to the logits or the value. Of `stack` the recipe's names
// begin with fc_.
struct LinearDecoder {
  FcStack stack;
  bool use_bias = true;
  InitializerSpec weights_initializer = init::XavierUniform{};
  InitializerSpec bias_initializer = init::Zeros{};
  bool operator==(const LinearDecoder&) const = default;
};

// Losses are means over the rows; `weight` scales a loss in the sum over the outputs.
struct MeanSquaredError {
  double weight = 1;
  bool operator==(const MeanSquaredError&) const = default;
};
struct MeanAbsoluteError {
  double weight = 1;
  bool operator==(const MeanAbsoluteError&) const = default;
};
struct RootMeanSquaredError {
  double weight = 1;
  bool operator==(const RootMeanSquaredError&) const = default;
};
// 0.5 e² where |e| <= delta, else delta * (|e| - 0.5 delta).
struct Huber {
  double weight = 1, delta = 1;
  bool operator==(const Huber&) const = default;
};

struct BinaryCrossEntropy {  // binary_weighted_cross_entropy
  double weight = 1;
  std::optional<double> positive_class_weight;  // on the rows that are true
  bool operator==(const BinaryCrossEntropy&) const = default;
};

// A weight per class, by name or in the order of the vocabulary; at most one of the two is set.
struct ClassWeights {
  std::vector<double> by_order;
  std::map<std::string, double> by_name;
  bool empty() const { return by_order.empty() && by_name.empty(); }
  bool operator==(const ClassWeights&) const = default;
};

struct SoftmaxCrossEntropy {
  double weight = 1;
  ClassWeights class_weights;  // empty: every class counts one
  double label_smoothing = 0;  // target = (1 - s) * one_hot + s / classes
  bool operator==(const SoftmaxCrossEntropy&) const = default;
};

struct NumberOutput {
  NumberPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row,
                                    .fill_value = 0,
                                    .normalization = Normalization::none,
                                    .outlier_strategy = {},
                                    .outlier_threshold = 3};
  LinearDecoder decoder;  // regressor
  std::variant<MeanSquaredError, MeanAbsoluteError, RootMeanSquaredError, Huber> loss;
  std::optional<std::array<double, 2>> clip;  // predictions are kept within [low, high]
  bool operator==(const NumberOutput&) const = default;
};

struct BinaryOutput {
  BinaryPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row,
                                    .fallback_true_label = {}};
  LinearDecoder decoder;  // regressor
  std::variant<BinaryCrossEntropy> loss;
  double threshold = 0.5;  // true from this probability on
  bool operator==(const BinaryOutput&) const = default;
};

struct CategoryOutput {
  CategoryPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row,
                                      .fill_value = "<UNK>",
                                      .lowercase = false,
                                      .most_common = 10000};
  LinearDecoder decoder;  // classifier
  std::variant<SoftmaxCrossEntropy> loss;
  int64_t top_k = 3;  // of the metric hits_at_k
  bool operator==(const CategoryOutput&) const = default;
};

struct OutputFeature {
  std::string name;
  std::string column;
  std::variant<NumberOutput, BinaryOutput, CategoryOutput> spec;  // in the order of FeatureType

  FeatureType type() const { return static_cast<FeatureType>(spec.index()); }
  double loss_weight() const;
  const LinearDecoder& decoder() const;
  bool operator==(const OutputFeature&) const = default;
};

// ---- preprocessing -----------------------------------------------------------------------------

struct Preprocessing {
  std::optional<SplitSpec> split;  // absent: by the column `split` if the data has one, else random
  // Rows that are used at all, drawn before the split: a share of them, or so many.
  double sample_ratio = 1;
  std::optional<int64_t> sample_size;
  // Of the training rows of the one output, a class: the rarer class's rows over the most frequent's, reached
  // by repeating rows or by leaving some out. At most one of the two is set.
  std::optional<double> oversample_minority, undersample_majority;
  bool operator==(const Preprocessing&) const = default;
};

// ---- trainer -----------------------------------------------------------------------------------

using model::Adadelta, model::Adafactor, model::Adagrad, model::Adam, model::Adamax, model::AdamW,
    model::EightBit, model::Lamb, model::Lars, model::Lion, model::Muon, model::Nadam, model::Paged,
    model::Radam, model::RmsProp, model::ScheduleFreeAdamW, model::Sgd;
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

struct Trainer {
  int64_t epochs = 100;
  std::optional<int64_t> train_steps;  // where set, it ends training in place of epochs
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

// What may be spent.
struct Budget {
  std::optional<double> time_seconds;  // of training, an aim: the loop ends then with the best model so far
  bool operator==(const Budget&) const = default;
};

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
  int64_t distinct = 0;  // values of a category, as far as they were counted
};

// The recipe for predicting `targets` from all the other columns of a table of `rows` rows: several small
// networks with numbers spread out in different ways, blended on the validation rows. How long to train them
// is the caller's to say (trainer.epochs, here as many as pay at most). Fails with ErrorKind::data where a
// target is no column or nothing is left to predict from.
Result<Recipe> infer_recipe(const std::vector<ColumnType>& columns, const std::vector<std::string>& targets,
                            int64_t rows, double flop = 1e15);

// ---- what `auto` means -------------------------------------------------------------------------

struct BatchSizes {
  int64_t batch = 0;         // rows of one step
  int64_t accumulation = 1;  // steps whose gradients are added up before an update
  int64_t eval = 0;          // rows of one evaluation step
};

// `auto` is 256 rows, at most a tenth of the training rows and max_batch_size.
BatchSizes batch_sizes(const Trainer& trainer, int64_t training_rows);

std::string_view name_of(FeatureType type);
std::string_view name_of(Activation activation);
std::string_view name_of(Normalization normalization);
std::string_view name_of(MissingValues strategy);
std::string_view name_of(SplitName split);

}  // namespace shoestring::task
