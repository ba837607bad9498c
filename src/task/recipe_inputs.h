// The first half of a recipe's network as plain values: input features with their preprocessing and encoders.
// A part of recipe.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "data/tokenize.h"
#include "task/recipe_images.h"

namespace shoestring::task {

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
  int64_t num_bins = 64;
  OrAuto<int64_t> output_size = 256;
  Activation activation = Activation::none;
  bool plus_input = false;
  bool operator==(const PleEncoder&) const = default;
};
enum class NumberView { value, quantile };
struct PeriodicEncoder {  // sines and cosines of learnt frequencies, then a linear layer
  int64_t num_frequencies = 64;
  OrAuto<int64_t> output_size = 256;
  double sigma = 1;  // of the frequencies at first
  Activation activation = Activation::none;
  bool plus_input = false;
  bool shared_layer = false;             // one linear layer for all features of this encoder
  NumberView input = NumberView::value;  // quantile: the share of training rows below the value
  bool operator==(const PeriodicEncoder&) const = default;
};
struct BinsEncoder {  // a learnt vector per bin
  int64_t num_bins = 32;
  OrAuto<int64_t> output_size = 256;
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

// In the place of a value the means of the targets over the training rows that have it (`target`);
// task/target_encoding.h.
struct TargetEncoder {
  OrAuto<double> smoothing{10};  // so many rows of the mean of all are added; auto: as the values differ
  int64_t num_folds = 5;
  bool operator==(const TargetEncoder&) const = default;
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
enum class FeatureType { number, binary, category, vector, set, bag, date, image };

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
  std::string fill_value;                             // numbers; empty: zeros
  Normalization normalization = Normalization::none;  // or zscore, of each place by itself
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
using CategoryEncoderSpec = std::variant<EmbedEncoder, SparseEmbedEncoder, OneHotEncoder, PassthroughEncoder,
                                         HashEncoder, TargetEncoder>;

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
  std::variant<NumberInput, BinaryInput, CategoryInput, VectorInput, SetInput, BagInput, DateInput,
               ImageInput>
      spec;  // in the order of FeatureType
  // Another input of equal type, preprocessing and encoder: what was learnt of its column and its encoder's
  // weights are this one's too.
  std::optional<std::string> tied = {};

  FeatureType type() const { return static_cast<FeatureType>(spec.index()); }
  bool operator==(const InputFeature&) const = default;
};

}  // namespace shoestring::task
