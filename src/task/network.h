// From a recipe, and the sizes that preprocessing found, to graphs: the model's initialisation, its
// training steps, evaluation and prediction. All of them share the states named below, so all plans of
// a model run over one block of states.
//
// Inputs (batch-sized ones are row-major):
//   "numbers"         f32[rows, N]  every number and binary input side by side in the recipe's order,
//                                   preprocessed; N is number_columns(spec). Absent where N is 0.
//   "category:NAME"   i32[rows]     the value's number in the vocabulary of the category input NAME
//   "vector:NAME"     f32[rows, n]  the vector's numbers
//   "set:NAME"        i32[rows, w]  the numbers of a row's words in the vocabulary; a place without a word
//   "bag:NAME"                      holds the vocabulary's size. w is input_widths[i]
//   "date:NAME"       f32[rows, 9]  the parts of the date, as data::DateRows has them
//   "image:NAME"      u8[rows, h, w, c]  pixels
//   "features:NAME"   f32[rows, n]  what the encoder of the image input NAME makes of its pixels, instead of
//                                   them, where it is kept (kept_features)
//   "target:NAME"     f32[rows]     of a number output (preprocessed) or a binary output (0 or 1)
//                     i32[rows]     of a category output; the loss of a row of -1 is 0
//                     f32[rows, n]  of a vector output (preprocessed), or of a set output: 1 for a word there
//   "learning_rate"   f32[]         of this step
//   "row_numbers"     i32[rows]     in training steps that flip pictures by turns: odd for the rows that are
//                                   flipped; a number of the row's own plus the epoch
//
// Results of every training step:
//   "loss"            f32[]         sum over the outputs of weight * loss, without the regularization
//   "loss:NAME"       f32[]         mean over this step's rows, not weighted
//   "gradient_norm"   f32[]         of all gradients together, regularization included, before clipping
//   "finite"          f32[]         1, or 0 where the loss or a gradient is NaN or infinite: then the
//                                   step changes no state, to the bit. An accumulating step takes the
//                                   bad numbers along, so that the update it belongs to is skipped
//                                   whole; accumulate_and_update clears the accumulators in any case
// Regularization adds lambda * sum |w| (l1) or lambda * sum w² (l2) over weights and embeddings, not over
// biases and norms.
//
// Results of evaluation and of prediction (evaluation has the losses besides):
//   "losses:NAME"         f32[rows]  each row's loss, not weighted; of root_mean_squared_error the
//                                    squared error, so the loss of many rows is the root of the mean
//   "prediction:NAME"     f32[rows]  of a number output, on the scale of its preprocessed target:
//                                    denormalising and then clipping is left to the decoder on the host
//   "probability:NAME"    f32[rows]  of a binary output, that it is true
//   "probabilities:NAME"  f32[rows, classes]  of a category output; of a set output that each word is there
//   "prediction:NAME"     f32[rows, n]  of a vector output, as that of a number
//
// States: "combiner.fc0.weights" [fan_in, fan_out], "combiner.fc0.bias", "combiner.fc0.norm.scale",
// ".shift", ".mean", ".variance", "combiner.norm.scale" (of the stack's input), "input.NAME.embedding",
// of a date "input.NAME.year.weights", "input.NAME.month.embedding", …,
// "input.NAME.fc0.weights", "output.NAME.fc0.weights", "output.NAME.weights", "output.NAME.bias"; of a
// weight W its moments "W/m", "W/v" and the like (model/optimizers.h) and its accumulator "W/sum"; of the
// optimizer "optimizer/..." and of accumulation "accumulated/rows". A '.' or '%' in a
// feature's name is written %2E or %25, so no two names meet.
//
// Random streams: dropout takes 1, 2, ... in the order of the layers, initialisation 65537, 65538, ...
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "task/recipe.h"
#include "task/target_encoding.h"

namespace shoestring::task {

// How the levels of pixels become numbers: (level - shift) / scale of each channel. Empty: levels / 255.
struct PixelScale {
  std::vector<double> shift = {}, scale = {};
  std::vector<double> whitening = {};  // filters [2,2,c,8c]; empty where the encoder wants none
};

struct NetworkSpec {
  Recipe recipe;
  std::vector<int64_t> input_sizes;                // of each input: the vocabulary of a category, set or bag,
                                                   // the numbers of a vector, else 1
  std::vector<int64_t> output_sizes;               // of each output: a category's classes, a set's words, the
                                                   // numbers of a vector, else 1
  std::vector<std::vector<double>> class_weights;  // of each output: empty, or one for each class or word
  std::vector<std::vector<double>> input_edges;    // of each input: of a number that is encoded by bins, the
                                                   // bins' edges; else empty
  bool accumulates = false;                        // has the states that the accumulating steps need
  std::vector<int64_t> input_widths = {};          // of each input: the words of a set's or bag's row
  std::vector<TargetTable> input_targets = {};     // of each input: of a category with the encoder target
  std::vector<PixelScale> input_pixels = {};       // of each input: of an image
  // Of each input how many numbers a row of "features:NAME" has, which stands in the place of its own port
  // and its encoder in training and evaluation; 0 or absent: none (task/pretrained.h).
  std::vector<int64_t> kept_features = {};
  // Each parameter is updated as soon as its gradient is there, so that gradients need not wait for each
  // other in memory. The price: a step is not skipped whole any more. It is skipped where the loss is bad;
  // else a bad gradient stops the update of its own parameter alone, while the others and the optimizer's
  // counters go on. "finite" and "gradient_norm" say the same as ever. Not with clipping by the global norm,
  // and not in steps that accumulate: these need all gradients first, and the graph fails (can_update_early).
  bool early_updates = false;
};

// Whether the recipe's training steps may have early_updates.
bool can_update_early(const Recipe& recipe);

enum class StepKind {
  update,                 // forward, backward, clipping and update in one plan
  accumulate,             // adds this step's gradients to the accumulators
  accumulate_and_update,  // adds, updates with the mean over all rows added, clears the accumulators
};

// The state that weights the members of an ensemble: f32[members], adding up to 1.
inline constexpr std::string_view kBlendWeights = "blend.weights";

// The number and binary inputs.
int64_t number_columns(const NetworkSpec& spec);
// The graph's input that is this feature's alone: "category:NAME". "" of a number and a binary one.
std::string port_of(const InputFeature& input);
Type port_type(const NetworkSpec& spec, size_t input, int64_t rows);
// The port "features:NAME", and how many numbers of a row it takes; 0 where none are kept.
std::string features_port_of(const InputFeature& input);
int64_t kept_features(const NetworkSpec& spec, size_t input);
// The result that answers an output: "prediction:NAME".
std::string answer_port_of(const OutputFeature& output);
// Whether an output has several values a row, however many: a class's or word's each, or a vector's.
bool is_wide(FeatureType type);

// Every builder's graph may have failed: ask Graph::status() (it does for impossible recipes only, such
// as a vocabulary of size 0).

// Writes every state, from random nodes and constants: run once, before the first step, with step 0.
Graph build_initial(const NetworkSpec& spec);

// One step on `rows` rows. Accumulated steps may differ in rows: n of them equal one step on all their
// rows together (but for batch norm, which sees each step's rows, and root_mean_squared_error, whose
// root is taken in each step). accumulate and accumulate_and_update need spec.accumulates.
// `until` stops earlier, to look at what each part appends: the network and its losses, then the gradients.
enum class TrainingPart { forward, differentiate, update };
Graph build_training(const NetworkSpec& spec, int64_t rows, StepKind kind,
                     TrainingPart until = TrainingPart::update);

Graph build_evaluation(const NetworkSpec& spec, int64_t rows);
Graph build_prediction(const NetworkSpec& spec, int64_t rows);
// What each member of the ensemble answers, for fitting their weights: "answers:NAME" f32[members, rows], of
// a category, a set or a vector f32[members, rows, n]; values or probabilities, on the scale of predictions.
Graph build_members(const NetworkSpec& spec, int64_t rows);
// From the pixels of the inputs that have kept_features to these, as the results "features:NAME".
Graph build_features(const NetworkSpec& spec, int64_t rows);
// The members of the recipe's ensemble; 1 without one.
int64_t member_count(const Recipe& recipe);

// The weights of a category output's classes in the order of its labels, scaled so that their mean over
// the training rows is 1 (`counts`: rows of each label). Empty if the recipe gives none. Fails with
// ErrorKind::usage where a name is no label or the number of weights is not the number of classes. Those of a
// set's words are taken as they are (no `counts`).
Result<std::vector<double>> resolve_class_weights(const ClassWeights& weights, const std::string& output,
                                                  std::span<const std::string> labels,
                                                  std::span<const int64_t> counts);

}  // namespace shoestring::task
