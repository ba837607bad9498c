// The second half of a recipe's network as plain values: output features with their decoders and losses. A
// part of recipe.h.
#pragma once

#include <map>

#include "task/recipe_inputs.h"

namespace shoestring::task {

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

// The same to as many values as a vector has, then the activation, the factor and the bounds.
struct ProjectorDecoder {
  LinearDecoder linear;
  Activation activation = Activation::none;
  double multiplier = 1;
  std::optional<std::array<double, 2>> clip;
  bool operator==(const ProjectorDecoder&) const = default;
};

// Losses are means over the rows, of vectors over their numbers too; `weight` is a loss's in their sum.
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

// |error| / |target|, the latter taken as 1.17e-6 at least.
struct MeanAbsolutePercentageError {
  double weight = 1;
  bool operator==(const MeanAbsolutePercentageError&) const = default;
};
// The root of the mean of (error / target)², the target's size likewise at least 1.17e-6.
struct RootMeanSquaredPercentageError {
  double weight = 1;
  bool operator==(const RootMeanSquaredPercentageError&) const = default;
};
// Of the distribution that a vector is: -sum of target * log softmax.
struct VectorCrossEntropy {  // softmax_cross_entropy
  double weight = 1;
  bool operator==(const VectorCrossEntropy&) const = default;
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

// Of each word whether it is in the set, summed over the words; class_weights are on the words that are.
struct SigmoidCrossEntropy {
  double weight = 1;
  ClassWeights class_weights;
  bool operator==(const SigmoidCrossEntropy&) const = default;
};

struct NumberOutput {
  NumberPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row,
                                    .fill_value = 0,
                                    .normalization = Normalization::none,
                                    .outlier_strategy = {},
                                    .outlier_threshold = 3};
  LinearDecoder decoder;  // regressor
  std::variant<MeanSquaredError, MeanAbsoluteError, RootMeanSquaredError, Huber, MeanAbsolutePercentageError,
               RootMeanSquaredPercentageError>
      loss;
  // Whether the loss of many rows is the root of the mean of theirs.
  bool loss_is_root() const {
    return std::holds_alternative<RootMeanSquaredError>(loss) ||
           std::holds_alternative<RootMeanSquaredPercentageError>(loss);
  }
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

struct VectorOutput {
  VectorPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row};
  ProjectorDecoder decoder;  // projector
  std::variant<MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, VectorCrossEntropy, Huber>
      loss;
  bool softmax = false;  // of the answer
  bool operator==(const VectorOutput&) const = default;
};

struct SetOutput {
  WordsPreprocessing preprocessing{.missing_value_strategy = MissingValues::drop_row};
  LinearDecoder decoder;  // classifier
  std::variant<SigmoidCrossEntropy> loss;
  double threshold = 0.5;  // words from this probability on are predicted
  bool operator==(const SetOutput&) const = default;
};

struct OutputFeature {
  std::string name;
  std::string column;
  // In the order of FeatureType.
  std::variant<NumberOutput, BinaryOutput, CategoryOutput, VectorOutput, SetOutput> spec;

  FeatureType type() const { return static_cast<FeatureType>(spec.index()); }
  double loss_weight() const;
  const LinearDecoder& decoder() const;
  bool operator==(const OutputFeature&) const = default;
};

}  // namespace shoestring::task
