// Fitted preprocessing: what was learnt from the training rows about a column, as plain values that are
// saved in the model file, and the functions that turn raw cells into encoded ones and predictions back
// into answers. Training, evaluation and prediction call the same functions.
//
// The order of training, over the whole table:
//
//   parse      numbers to f64, NaN where missing (data::append_numbers); words to codes of a
//              data::Dictionary, kMissingCode where missing (data::append_codes); lists of words and vectors
//              to data::Lists, dates to stamps, NaN where missing (data::append_dates)
//   drop       mark_missing for every feature for which drops_missing() says so; count and report them
//   split      the rows that are left
//   fit        fit_number, fit_binary, fit_category, … on the training rows alone
//   encode     every row, to f32 only here; rows flagged in `drop` meanwhile are left out too
//
// Prediction parses a batch of rows, encodes with `drop` null, so that each row gets an answer, runs the
// plan, and decodes. A missing value whose strategy gives none (drop_row in prediction, bfill and ffill
// at the ends) becomes the column's usual value: the mean of a number or vector, the middle date, else the
// most frequent value, of a picture one of fill_value's colour. ffill and bfill take the value of the nearest
// row above or below, in the file's order, that is in the same split: a training row is never filled from
// another's. Of a table that streams through prediction ffill carries the last value from batch to batch
// (FillState), and bfill needs the whole table at once.
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
#include "data/columns.h"
#include "data/dates.h"
#include "data/lists.h"
#include "data/parse.h"
#include "data/picture.h"
#include "data/pixel_rows.h"
#include "task/recipe.h"
#include "task/target_encoding.h"

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

// One column of lists of words: codes of a dictionary.
struct WordListColumn {
  const data::Dictionary* dictionary = nullptr;
  const data::Lists<int32_t>* lists = nullptr;
  int64_t rows() const { return lists->rows(); }
};

// One column of pictures, all of one form, and which of them are none.
enum class PictureState : uint8_t { there, missing, broken };
struct PictureColumn {
  data::PixelRows* pixels = nullptr;
  std::span<const PictureState> states;
  bool keeps_missing = false;  // mark_missing() passes over those that are missing, not broken
};
data::PictureForm form_of(const ImagePreprocessing& preprocessing);

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
  TargetTable targets = {};       // of the encoder target
  bool operator==(const CategoryFit&) const = default;

  // What an encoded row may be: numbers of words, of the encoder target codes of its table.
  int64_t codes() const { return targets.folds > 0 ? (targets.folds + 1) * size() : size(); }
  int64_t size() const { return buckets > 0 ? buckets : static_cast<int64_t>(vocabulary.size()); }
};

struct VectorFit {
  int64_t size = 1;  // numbers of each
  MissingValues strategy = MissingValues::fill_with_const;
  std::vector<float> fill, usual;    // of a missing value, and where the strategy gives none
  std::vector<double> shift, scale;  // encoded = (value - shift) / scale, of each place; empty: as it is
  bool operator==(const VectorFit&) const = default;
};

// Of a set or a bag.
struct WordsFit {
  std::vector<std::string> vocabulary;  // the most frequent first, ties by the word; an <UNK> made by
                                        // most_common stands last
  std::vector<int64_t> counts;          // training rows that have each; of a bag how often they do
  bool lowercase = false;               // ASCII letters only
  bool repeats = false;                 // of a bag: a word counts as often as it occurs in a cell
  MissingValues strategy = MissingValues::fill_with_const;
  std::vector<int32_t> fill,
      usual;             // numbers of words: of a missing value, and where the strategy gives none
  int32_t unknown = -1;  // the number of a word that is not in the vocabulary: <UNK>, or -1: it is left out
  int64_t width = 1;     // words of a row at most: of more the rarest are left out
  bool operator==(const WordsFit&) const = default;

  int64_t size() const { return static_cast<int64_t>(vocabulary.size()); }
  // What stands in the place of no word, and in a target for a word that the model does not know.
  int32_t no_word() const { return static_cast<int32_t>(size()); }
  int32_t other_word() const { return static_cast<int32_t>(size()) + 1; }
};

struct DateFit {
  data::DateOrder order = data::DateOrder::month_first;
  MissingValues strategy = MissingValues::fill_with_const;
  int64_t fill = 0, usual = 0;  // seconds since 1970: of a missing value, and where the strategy gives none
  double year_shift = 0, year_scale = 1;  // the network sees (year - shift) / scale
  bool operator==(const DateFit&) const = default;
};

// The network sees (level - shift) / scale of each channel's levels, which are 0 to 255.
struct PictureFit {
  int64_t height = 1, width = 1, channels = 1;
  Resize resize = Resize::interpolate;
  MissingValues strategy = MissingValues::drop_row;
  int64_t fill = 0;  // the level of every pixel where there is no picture, and none that stands in for it
  std::vector<uint8_t> mode = {};  // [h,w,c], of fill_with_mode: the most frequent picture
  std::vector<double> shift, scale;
  std::vector<double> whitening =
      {};  // filters [2,2,c,8c] (task/whitening.h), for an encoder that wants them
  bool operator==(const PictureFit&) const = default;

  data::PictureForm form() const;  // of its pictures
};

// In the order of FeatureType, but that sets and bags share one.
using Fit = std::variant<NumberFit, BinaryFit, CategoryFit, VectorFit, WordsFit, DateFit, PictureFit>;

// All fits of a model, in the order of the recipe's features.
struct Fits {
  std::vector<Fit> inputs, outputs;
  bool operator==(const Fits&) const = default;
};

// The most bins that an encoder of this number input asks for, an ensemble's members' included.
int64_t bins_of(const NumberInput& input, const Ensemble& ensemble);

// The sizes that NetworkSpec wants: the vocabulary of a category, a set or a bag, the numbers of a vector,
// else 1; and the words of a row.
int64_t size_of(const Fit& fit);
int64_t width_of(const Fit& fit);

// What each cell has to be: "a number", "a list of 3 numbers".
std::string cell_of(const Fit& fit);
std::string_view cell_of(FeatureType type);  // as far as its type tells: "a list of numbers"

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
MissingRows mark_missing(WordListColumn column, std::vector<uint8_t>& drop);
MissingRows mark_missing(const data::Lists<float>& column, std::vector<uint8_t>& drop);
MissingRows mark_missing(std::span<const data::DateStamp> column, std::vector<uint8_t>& drop);
MissingRows mark_missing(PictureColumn column, std::vector<uint8_t>& drop);

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

// A vector target whose training rows are all the same is ErrorKind::data, and so is a target of sets without
// a word; a fill_value that is none ErrorKind::usage.
Result<VectorFit> fit_vector(const VectorPreprocessing& preprocessing, const FitContext& context,
                             const data::Lists<float>& column);
Result<WordsFit> fit_words(const WordsPreprocessing& preprocessing, bool repeats, const FitContext& context,
                           WordListColumn column);
Result<DateFit> fit_date(const DatePreprocessing& preprocessing, const FitContext& context,
                         std::span<const data::DateStamp> column);

Result<PictureFit> fit_pictures(const ImageInput& input, const FitContext& context, PictureColumn column);

// A word that the vocabulary does not hold is <UNK> from now on, with no row of its own.
void add_unknown(CategoryFit& fit);

// ---- encoding ----------------------------------------------------------------------------------

// The values that ffill carries into the next rows of one column, of each group of rows: of vectors and sets
// their numbers.
struct FillState {
  static constexpr size_t kGroups = 4;
  std::array<std::optional<double>, kGroups> missing, outlier;
  std::array<std::optional<std::vector<double>>, kGroups> lists;
  std::array<std::optional<std::vector<uint8_t>>, kGroups> pictures;
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
// rare one does too, and one that no training row had -1, a class that the model cannot answer. With the
// encoder target, rows are numbered from first_row, and where rows are left out (in training and evaluation)
// those of near.groups' data::kTrain get the code of their fold.
void encode(const CategoryFit& fit, bool is_output, WordColumn column, std::vector<uint8_t>* drop,
            std::span<int32_t> out, const Neighbours& near = {}, int64_t first_row = 0);

// Vectors, `fit.size` numbers a row. Lists of another length count as missing and are told to `bad`.
void encode(const VectorFit& fit, const data::Lists<float>& column, std::vector<uint8_t>* drop,
            data::FloatRows& out, data::BadCells* bad = nullptr, int64_t first_row = 0,
            const Neighbours& near = {});

// The numbers of a row's words, the most frequent words first, in `out`, which is fit.width wide, the rest
// being no_word(); of a set each once. Of targets (`is_output`) a word that no training row had is
// other_word().
void encode(const WordsFit& fit, bool is_output, WordListColumn column, std::vector<uint8_t>* drop,
            data::CodeColumn& out, const Neighbours& near = {});
// Such a column, empty.
data::CodeColumn code_column(const WordsFit& fit, int64_t expected_rows);

// Cells that are no date in the column's order of day and month count as missing and are told to `bad`.
void encode(const DateFit& fit, std::span<const data::DateStamp> column, std::vector<uint8_t>* drop,
            data::DateRows& out, data::BadCells* bad = nullptr, int64_t first_row = 0,
            const Neighbours& near = {});

// Fills the pictures that are missing and takes the column over. A broken one is nobody's neighbour.
void encode(const PictureFit& fit, PictureColumn column, std::vector<uint8_t>* drop, data::PixelRows& out,
            const Neighbours& near = {});

// Whether encoding a row may need those below it.
bool looks_ahead(const Fit& fit);
// Whether it may need those below or above it.
bool looks_around(const Fit& fit);

// ---- decoding ----------------------------------------------------------------------------------

// A prediction on the raw scale, within `clip` where it is set.
double decode(const NumberFit& fit, double encoded, const std::optional<std::array<double, 2>>& clip = {});

// A vector in place.
void decode(const VectorFit& fit, std::span<float> vector);

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
