// Fitted preprocessing: what was learnt from the training rows about a column, as plain values that are
// saved in the model file, and the functions that turn raw cells into encoded ones and predictions back
// into answers. Training, evaluation and prediction call the same functions.
//
// The order of training, over the whole table:
//
//   parse      numbers to f64, NaN where missing (data::append_numbers); words to codes of a
//              data::Dictionary, kMissingCode where missing (data::append_codes)
//   drop       mark_missing for every feature for which drops_missing() says so; count and report them
//   split      the rows that are left
//   fit        fit_number, fit_binary, fit_category on the training rows alone
//   encode     every row, to f32 only here; rows flagged in `drop` meanwhile are left out too
//
// Prediction parses a batch of rows, encodes with `drop` null, so that each row gets an answer, runs the
// plan, and decodes. A missing value whose strategy gives none (drop_row in prediction, bfill and ffill
// at the ends) becomes the column's usual value: the mean of a number, else the most frequent value.
// ffill and bfill take the value of the nearest row above or below, in the file's order, that is in the
// same split: a training row is never filled from another's. Of a table that streams through prediction
// ffill carries the last value from batch to batch (FillState), and bfill needs the whole table at once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "data/parse.h"
#include "task/recipe.h"

namespace shoestring::task {

// One column of numbers as read: f64, so that a large offset (a time in seconds) costs no digits.
struct NumberColumn {
  double* values = nullptr;
  int64_t rows = 0;
  double& operator[](int64_t row) const { return values[row]; }
};

// Where an encoded column goes, its values `stride` floats apart (FloatRows: its width).
struct FloatColumn {
  float* values = nullptr;
  int64_t rows = 0;
  int64_t stride = 1;
  float& operator[](int64_t row) const { return values[row * stride]; }
};

// One column of words: codes of a dictionary.
struct WordColumn {
  const data::Dictionary* dictionary = nullptr;
  std::span<const int32_t> codes;
  int64_t rows() const { return static_cast<int64_t>(codes.size()); }
};

// Where a fit comes from: names for errors, which rows, and where notes go ("'>50K' is taken as true").
struct FitContext {
  std::string feature;  // "output feature 'income'": how errors call it
  bool is_output = false;
  std::span<const uint32_t> training_rows;
  std::vector<std::string>* notes = nullptr;  // may be null
};

// encoded = (value - shift) / scale, of log1p log(1 + value) with values below 0 taken as 0.
struct NumberFit {
  Normalization normalization = Normalization::none;
  double shift = 0, scale = 1;
  MissingValues strategy = MissingValues::fill_with_const;
  double fill = 0;   // of a missing value, on the raw scale
  double usual = 0;  // where the strategy gives none: the mean
  std::optional<MissingValues> outlier_strategy;
  double outlier_fill = 0;
  double low = 0, high = 0;                   // outliers lie beyond, where there is a strategy for them
  double minimum = 0, maximum = 0, mean = 0;  // of the training rows, as read
  std::vector<double> edges;  // of the encoder's bins, on the encoded scale; empty: it has none
  bool operator==(const NumberFit&) const = default;
};

struct BinaryFit {
  std::string true_label = "true", false_label = "false";  // as predictions say them
  bool usual_words = true;  // true and false are told by data::parse_binary, else by the labels
  MissingValues strategy = MissingValues::fill_with_false;
  bool fill = false;                      // of a missing value
  bool usual = false;                     // where the strategy gives none: the more frequent
  int64_t true_rows = 0, false_rows = 0;  // of the training rows
  bool operator==(const BinaryFit&) const = default;
};

struct CategoryFit {
  std::vector<std::string> vocabulary;  // the most frequent first, ties by the word; an <UNK> made by
                                        // most_common stands last
  std::vector<int64_t> counts;          // rows of each in training
  bool lowercase = false;               // ASCII letters only
  MissingValues strategy = MissingValues::fill_with_const;
  std::string fill = "<UNK>";     // of a missing value
  int32_t unknown = 0;            // the number of a word that is not in the vocabulary: <UNK>, else 0
  int64_t buckets = 0;            // of the encoder hash: a word's number is its CRC-32 modulo this, and the
                                  // vocabulary is empty
  std::vector<std::string> rare;  // of an output: labels of training rows that most_common made <UNK>; sorted
  bool operator==(const CategoryFit&) const = default;

  int64_t size() const { return buckets > 0 ? buckets : static_cast<int64_t>(vocabulary.size()); }
};

using Fit = std::variant<NumberFit, BinaryFit, CategoryFit>;  // in the order of FeatureType

// All fits of a model, in the order of the recipe's features.
struct Fits {
  std::vector<Fit> inputs, outputs;
  bool operator==(const Fits&) const = default;
};

// The most bins that an encoder of this number input asks for, an ensemble's members' included.
int64_t bins_of(const NumberInput& input, const Ensemble& ensemble);

// The sizes that NetworkSpec wants: a category's vocabulary, else 1.
int64_t size_of(const Fit& fit);

// ---- rows to leave out before anything is fitted -----------------------------------------------

// Whether a row without this feature's value is left out.
bool drops_missing(const InputFeature& feature);
bool drops_missing(const OutputFeature& feature);

// Sets drop[row] where the value is missing. Counts the rows newly flagged and names the first.
struct MissingRows {
  int64_t count = 0;
  int64_t first_row = -1;
};
MissingRows mark_missing(NumberColumn column, std::vector<uint8_t>& drop);
MissingRows mark_missing(WordColumn column, std::vector<uint8_t>& drop);

// ---- fitting -----------------------------------------------------------------------------------

// ErrorKind::data where the column cannot be what the recipe says: a target with one class, a binary
// column with three values, negative numbers for log1p.
// `bins` is how many bins the column's encoder asks for (bins_of), 0 for none.
Result<NumberFit> fit_number(const NumberPreprocessing& preprocessing, const FitContext& context,
                             NumberColumn column, int64_t bins = 0);
Result<BinaryFit> fit_binary(const BinaryPreprocessing& preprocessing, const FitContext& context,
                             WordColumn column);
Result<CategoryFit> fit_category(const CategoryPreprocessing& preprocessing, const FitContext& context,
                                 WordColumn column, int64_t buckets = 0);

// ---- encoding ----------------------------------------------------------------------------------

// The values that ffill carries into the next rows of one column, of each group of rows.
struct FillState {
  static constexpr size_t kGroups = 4;
  std::array<std::optional<double>, kGroups> missing, outlier;
};

// What counts as a neighbour for ffill and bfill.
struct Neighbours {
  std::span<const uint8_t> groups = {};  // of each row (data::Split); neighbours are of one. Empty: all are
  FillState* state = nullptr;            // of the rows before these; null: these are all
};

// Into `out`, a column of the same rows; `column` gets its missing values filled. `drop` gets a flag for
// each row that has no value; null: the row gets the usual value.
void encode(const NumberFit& fit, NumberColumn column, std::vector<uint8_t>* drop, FloatColumn out,
            const Neighbours& near = {});

// 0 or 1 into `out`, a column of the same rows. Words that are neither label count as missing and are
// told to `bad` (null: not counted), rows being numbered from first_row.
void encode(const BinaryFit& fit, WordColumn column, std::vector<uint8_t>* drop, FloatColumn out,
            data::BadCells* bad = nullptr, int64_t first_row = 0, const Neighbours& near = {});

// Numbers in the vocabulary. Of inputs an unknown word becomes fit.unknown; of targets (`is_output`) a
// rare one does too, and one that no training row had -1, a class that the model cannot answer.
void encode(const CategoryFit& fit, bool is_output, WordColumn column, std::vector<uint8_t>* drop,
            std::span<int32_t> out, const Neighbours& near = {});

// Whether encoding a row may need those below it.
bool looks_ahead(const Fit& fit);
// Whether it may need those below or above it.
bool looks_around(const Fit& fit);

// ---- decoding ----------------------------------------------------------------------------------

// A prediction on the raw scale, within `clip` where it is set.
double decode(const NumberFit& fit, double encoded, const std::optional<std::array<double, 2>>& clip = {});

inline const std::string& decode(const BinaryFit& fit, bool value) {
  return value ? fit.true_label : fit.false_label;
}
inline const std::string& decode(const CategoryFit& fit, int32_t number) {
  return fit.vocabulary[static_cast<size_t>(number)];
}

// ---- the model file ----------------------------------------------------------------------------

std::string to_json(const Fits& fits);
// ErrorKind::data where the text is no such thing.
Result<Fits> fits_from_json(std::string_view text);

}  // namespace shoestring::task
