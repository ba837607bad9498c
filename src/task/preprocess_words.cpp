// Binary and category columns: vocabularies and truth, found in the training rows.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "data/hash.h"
#include "data/split.h"
#include "task/holes.h"
#include "task/preprocess_cells.h"

namespace shoestring::task {
namespace {

constexpr std::string_view kUnknown = "<UNK>";

struct WordCount {
  std::string word;
  int64_t count = 0;
};

// The words of the training rows, the most frequent first, ties by the word.
struct Counted {
  std::vector<WordCount> words;
  int64_t present = 0, missing = 0;
};

void sort_by_count(std::vector<WordCount>& words) {
  std::sort(words.begin(), words.end(), [](const WordCount& a, const WordCount& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
}

Counted count_words(const FitContext& context, WordColumn column, bool lowercase) {
  std::vector<int64_t> counts(static_cast<size_t>(column.dictionary->size()));
  Counted counted;
  for (const uint32_t row : context.training_rows) {
    const int32_t code = column.codes[row];
    if (code == data::kMissingCode)
      ++counted.missing;
    else
      ++counts[static_cast<size_t>(code)], ++counted.present;
  }
  std::map<std::string, int64_t> by_word;
  for (int32_t code = 0; code < column.dictionary->size(); ++code) {
    if (counts[static_cast<size_t>(code)] == 0) continue;
    const std::string_view word = column.dictionary->value(code);
    by_word[lowercase ? lowered(word) : std::string(word)] += counts[static_cast<size_t>(code)];
  }
  for (auto& [word, count] : by_word) counted.words.push_back({word, count});
  sort_by_count(counted.words);
  return counted;
}

std::string listed(const std::vector<WordCount>& words) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(words.size(), 5); ++i)
    out += fmt::format("{}'{}'", i ? ", " : "", words[i].word);
  return words.size() > 5 ? out + ", …" : out;
}

// ---- binary ------------------------------------------------------------------------------------

// Names of the class that people ask about.
bool sounds_true(std::string_view word) {
  static constexpr std::string_view kNames[] = {"positive", "pos",      "malignant", "spam", "fraud",
                                                "churn",    "churned",  "default",   "sick", "abnormal",
                                                "success",  "survived", "passed",    "won",  "present"};
  const std::string low = lowered(word);
  return word.starts_with('>') || std::find(std::begin(kNames), std::end(kNames), low) != std::end(kNames);
}

// Two spellings of one value: 1 and 1.0, Yes and YES.
bool says_the_same(std::string_view a, std::string_view b) {
  const auto x = data::parse_number(a), y = data::parse_number(b);
  return (x && y && *x == *y) || lowered(a) == lowered(b);
}

void note(const FitContext& context, std::string text) {
  if (context.notes) context.notes->push_back(fmt::format("{}: {}", context.feature, text));
}

// Two values of which the words themselves do not say which is true.
Status name_labels(const BinaryPreprocessing& preprocessing, const FitContext& context,
                   const std::vector<WordCount>& pair, BinaryFit& fit) {
  size_t truth = 1;  // the rarer
  fit.usual_words = false;
  if (const auto& wanted = preprocessing.fallback_true_label) {
    if (pair[0].word != *wanted && pair[1].word != *wanted)
      return fail(
          ErrorKind::usage,
          fmt::format("{}: fallback_true_label '{}' is not a value of the column", context.feature, *wanted),
          {}, fmt::format("choose {}", listed(pair)));
    truth = pair[0].word == *wanted ? 0 : 1;
  } else {
    if (sounds_true(pair[0].word) != sounds_true(pair[1].word)) truth = sounds_true(pair[0].word) ? 0 : 1;
    note(context, fmt::format("'{}' is taken as true and '{}' as false (preprocessing.fallback_true_label "
                              "names another)",
                              pair[truth].word, pair[1 - truth].word));
  }
  fit.true_label = pair[truth].word, fit.true_rows = pair[truth].count;
  fit.false_label = pair[1 - truth].word, fit.false_rows = pair[1 - truth].count;
  return {};
}

// Yes and no in one spelling or several; each label is its most frequent spelling.
void name_usual_labels(const std::vector<WordCount>& words, BinaryFit& fit) {
  for (const WordCount& word : words) {
    const auto truth = data::parse_binary(word.word);
    if (!truth) continue;
    int64_t& rows = *truth ? fit.true_rows : fit.false_rows;
    if (rows == 0) (*truth ? fit.true_label : fit.false_label) = word.word;
    rows += word.count;
  }
}

// ---- category ----------------------------------------------------------------------------------

// Missing values that become a word of their own count as rows of it.
void count_filled(const CategoryFit& fit, Counted& counted) {
  if (fit.strategy != MissingValues::fill_with_const || counted.missing == 0) return;
  const auto found = std::find_if(counted.words.begin(), counted.words.end(),
                                  [&](const WordCount& word) { return word.word == fit.fill; });
  if (found == counted.words.end())
    counted.words.push_back({fit.fill, counted.missing});
  else
    found->count += counted.missing;
  sort_by_count(counted.words);
}

// Words beyond the most common become one, <UNK>. Returns them, sorted.
std::vector<std::string> cut_rare(int64_t most_common, std::vector<WordCount>& words) {
  if (static_cast<int64_t>(words.size()) <= most_common) return {};
  int64_t rare = 0;
  std::vector<std::string> cut;
  for (size_t i = static_cast<size_t>(most_common); i < words.size(); ++i) {
    rare += words[i].count;
    cut.push_back(std::move(words[i].word));
  }
  std::sort(cut.begin(), cut.end());
  words.resize(static_cast<size_t>(most_common));
  const auto found =
      std::find_if(words.begin(), words.end(), [](const WordCount& word) { return word.word == kUnknown; });
  if (found == words.end())
    words.push_back({std::string(kUnknown), rare});
  else
    found->count += rare;
  return cut;
}

// As encode() has them: the values of rows without a word, and of those that a neighbour's takes the place
// of.
constexpr float kNoTruth = -1;
constexpr int32_t kNoNumber = -2;

template <class At>
void fill(const BinaryFit& fit, int64_t rows, At at, std::vector<uint8_t>* drop, const Neighbours& near) {
  fill_holes(
      rows, at, [](float v) { return v == kNoTruth; }, fit.strategy, fit.fill ? 1.0F : 0.0F,
      fit.usual ? 1.0F : 0.0F, drop, near.groups, near.state ? &near.state->missing : nullptr);
}

template <class At>
void fill(const CategoryFit& fit, const CategoryLookup& lookup, int64_t rows, At at,
          std::vector<uint8_t>* drop, const Neighbours& near) {
  const int32_t usual = fit.buckets > 0 ? lookup.find(fit.fill, 0) : 0;
  fill_holes(
      rows, at, [](int32_t v) { return v == kNoNumber; }, fit.strategy, lookup.find(fit.fill, fit.unknown),
      usual, drop, near.groups, near.state ? &near.state->missing : nullptr);
}

}  // namespace

std::optional<bool> truth_of(const BinaryFit& fit, std::string_view word) {
  if (fit.usual_words) return data::parse_binary(word);
  if (word == fit.true_label) return true;
  if (word == fit.false_label) return false;
  return std::nullopt;
}

CategoryLookup::CategoryLookup(const CategoryFit& fit, bool few_words) : fit_(&fit) {
  if (few_words) return;  // the table stays empty
  table_.reserve(fit.vocabulary.size());
  for (size_t i = 0; i < fit.vocabulary.size(); ++i)
    table_.emplace(fit.vocabulary[i], static_cast<int32_t>(i));
}

int32_t CategoryLookup::find(std::string_view raw, int32_t otherwise) const {
  const std::string low = fit_->lowercase ? lowered(raw) : std::string();
  const std::string_view word = fit_->lowercase ? std::string_view(low) : raw;
  if (fit_->buckets > 0) return static_cast<int32_t>(data::crc32_of(word) % fit_->buckets);
  if (const int32_t number = in_vocabulary(word); number >= 0) return number;
  return std::binary_search(fit_->rare.begin(), fit_->rare.end(), word) ? fit_->unknown : otherwise;
}

int32_t CategoryLookup::in_vocabulary(std::string_view word) const {
  if (table_.empty()) {
    const auto found = std::find(fit_->vocabulary.begin(), fit_->vocabulary.end(), word);
    return found == fit_->vocabulary.end() ? -1 : static_cast<int32_t>(found - fit_->vocabulary.begin());
  }
  const auto found = table_.find(word);
  return found == table_.end() ? -1 : found->second;
}

int32_t CategoryLookup::encode_missing() const {
  int32_t number = kNoNumber;
  fill(*fit_, *this, 1, [&](int64_t) -> int32_t& { return number; }, nullptr, {});
  return number;
}

MissingRows mark_missing(WordColumn column, std::vector<uint8_t>& drop) {
  return mark_rows([&](int64_t row) { return column.codes[static_cast<size_t>(row)] == data::kMissingCode; },
                   drop);
}

Result<BinaryFit> fit_binary(const BinaryPreprocessing& preprocessing, const FitContext& context,
                             WordColumn column) {
  constexpr double kMostly = 0.95;  // share of usual words that makes the others bad cells
  BinaryFit fit{.strategy = preprocessing.missing_value_strategy};
  const Counted counted = count_words(context, column, false);
  const auto& words = counted.words;
  name_usual_labels(words, fit);
  const int64_t usual = fit.true_rows + fit.false_rows;
  // The usual words say what is true, unless the recipe says otherwise.
  const auto& wanted = preprocessing.fallback_true_label;
  const bool against = wanted && data::parse_binary(*wanted) != true;
  const bool is_pair = words.size() == 2 &&
                       (against || usual < counted.present || fit.true_rows == 0 || fit.false_rows == 0) &&
                       !says_the_same(words[0].word, words[1].word);
  if (is_pair) {
    if (Status named = name_labels(preprocessing, context, words, fit); !named)
      return fail(std::move(named.error()));
  } else if (static_cast<double>(usual) < kMostly * static_cast<double>(counted.present)) {
    if (words.size() > 2)
      return fail(ErrorKind::data,
                  fmt::format("{} has {} values, not two: {}", context.feature, words.size(), listed(words)),
                  {}, "use type: category");
    fit.usual_words = false;  // one value of a spelling of its own
    fit.true_label = words[0].word, fit.true_rows = words[0].count;
    fit.false_label = "not " + words[0].word, fit.false_rows = 0;
  } else if (against && counted.present > 0) {
    return fail(ErrorKind::usage,
                fmt::format("{}: fallback_true_label '{}' cannot be true in a column that says yes and no in "
                            "the usual words: {}",
                            context.feature, *wanted, listed(words)),
                {}, "write the column with two values, or leave fallback_true_label out");
  }
  if (context.is_output && (fit.true_rows == 0 || fit.false_rows == 0))
    return fail(ErrorKind::data,
                words.empty() ? fmt::format("{} has no value in the training rows", context.feature)
                              : fmt::format("{} has one class in the training rows: {}", context.feature,
                                            listed(words)),
                {}, "give data with both classes: there is nothing to learn");
  fit.usual = fit.true_rows > fit.false_rows;
  fit.fill = fit.strategy == MissingValues::fill_with_true ||
             (fit.strategy != MissingValues::fill_with_false && fit.usual);
  return fit;
}

Result<CategoryFit> fit_category(const CategoryPreprocessing& preprocessing, const FitContext& context,
                                 WordColumn column, int64_t buckets) {
  CategoryFit fit{.lowercase = preprocessing.lowercase,
                  .strategy = preprocessing.missing_value_strategy,
                  .fill = preprocessing.fill_value};
  Counted counted = count_words(context, column, fit.lowercase);
  if (fit.lowercase && fit.fill != kUnknown) fit.fill = lowered(fit.fill);
  if (context.is_output && counted.words.size() < 2)
    return fail(ErrorKind::data,
                counted.words.empty() ? fmt::format("{} has no value in the training rows", context.feature)
                                      : fmt::format("{} has one class in the training rows: {}",
                                                    context.feature, listed(counted.words)),
                {}, "give data with at least two classes: there is nothing to learn");
  count_filled(fit, counted);
  auto rare = cut_rare(preprocessing.most_common, counted.words);
  if (context.is_output) fit.rare = std::move(rare);
  if (counted.words.empty()) counted.words.push_back({std::string(kUnknown), 0});
  for (const WordCount& word : counted.words) {
    if (word.word == kUnknown) fit.unknown = static_cast<int32_t>(fit.vocabulary.size());
    fit.vocabulary.push_back(word.word);
    fit.counts.push_back(word.count);
  }
  if (fit.strategy != MissingValues::fill_with_const) fit.fill = fit.vocabulary.front();
  if (buckets > 0) {
    fit.buckets = buckets, fit.unknown = 0;
    fit.vocabulary.clear(), fit.counts.clear();
  }
  return fit;
}

void encode(const BinaryFit& fit, WordColumn column, std::vector<uint8_t>* drop, FloatColumn out,
            data::BadCells* bad, int64_t first_row, const Neighbours& near) {
  std::vector<float> numbers(static_cast<size_t>(column.dictionary->size()));
  for (size_t code = 0; code < numbers.size(); ++code) {
    const auto truth = truth_of(fit, column.dictionary->value(static_cast<int32_t>(code)));
    numbers[code] = truth ? static_cast<float>(*truth) : kNoTruth;
  }
  for (int64_t row = 0; row < column.rows(); ++row) {
    const int32_t code = column.codes[static_cast<size_t>(row)];
    out[row] = code == data::kMissingCode ? kNoTruth : numbers[static_cast<size_t>(code)];
    if (bad && code != data::kMissingCode && out[row] == kNoTruth)
      bad->add(first_row + row, column.dictionary->value(code));
  }
  fill(
      fit, column.rows(), [&](int64_t row) -> float& { return out[row]; }, drop, near);
}

float encode_cell(const BinaryFit& fit, std::optional<bool> truth) {
  float number = truth ? static_cast<float>(*truth) : kNoTruth;
  fill(fit, 1, [&](int64_t) -> float& { return number; }, nullptr, {});
  return number;
}

void add_unknown(CategoryFit& fit) {
  if (fit.vocabulary[static_cast<size_t>(fit.unknown)] == kUnknown) return;
  fit.unknown = static_cast<int32_t>(fit.vocabulary.size());
  fit.vocabulary.emplace_back(kUnknown);
  fit.counts.push_back(0);
}

void encode(const CategoryFit& fit, bool is_output, WordColumn column, std::vector<uint8_t>* drop,
            std::span<int32_t> out, const Neighbours& near, int64_t first_row) {
  const CategoryLookup lookup(fit, column.dictionary->size() <= 8);
  const int32_t unknown = is_output ? -1 : fit.unknown;
  std::vector<int32_t> numbers(static_cast<size_t>(column.dictionary->size()));
  for (size_t code = 0; code < numbers.size(); ++code)
    numbers[code] = lookup.find(column.dictionary->value(static_cast<int32_t>(code)), unknown);
  for (size_t row = 0; row < out.size(); ++row) {
    const int32_t code = column.codes[row];
    out[row] = code == data::kMissingCode ? kNoNumber : numbers[static_cast<size_t>(code)];
  }
  fill(
      fit, lookup, column.rows(), [&](int64_t row) -> int32_t& { return out[static_cast<size_t>(row)]; },
      drop, near);
  if (fit.targets.folds == 0 || !drop) return;
  for (size_t row = 0; row < near.groups.size(); ++row)
    if (near.groups[row] == data::kTrain && out[row] >= 0)
      out[row] +=
          static_cast<int32_t>(fit.size() * target_fold(fit.targets, static_cast<uint32_t>(first_row) +
                                                                         static_cast<uint32_t>(row)));
}

}  // namespace shoestring::task
