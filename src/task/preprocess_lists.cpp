// Columns of vectors and of sets and bags of words: sizes and vocabularies, found in the training rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "task/holes.h"
#include "task/preprocess.h"

namespace shoestring::task {
namespace {

constexpr std::string_view kUnknown = "<UNK>";
// More words in a row are no set any more: each would cost every row its place.
constexpr int64_t kMostWords = 1024;

void note(const FitContext& context, std::string text) {
  if (context.notes) context.notes->push_back(fmt::format("{}: {}", context.feature, text));
}

// Whether a value of the column itself stands in for missing ones.
bool fills_from_rows(MissingValues strategy) { return strategy != MissingValues::fill_with_const; }

// The list that most of the rows have, the first of equals; nothing of no rows.
template <class T>
std::optional<std::vector<T>> mode_of(std::span<const std::vector<T>> lists) {
  std::map<std::vector<T>, int64_t> counts;
  for (const auto& list : lists) ++counts[list];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::nullopt : std::optional(most->first);
}

// What earlier rows carry over, before the last of these rows takes its place.
decltype(FillState::lists) carried_into(const Neighbours& near) {
  return near.state ? near.state->lists : decltype(FillState::lists)();
}

// ---- vectors -----------------------------------------------------------------------------------

using Vectors = data::Lists<float>;

// The length that most training rows have, the greater of equals; 0 of none.
int64_t usual_length(const FitContext& context, const Vectors& column) {
  std::map<int64_t, int64_t> counts;
  for (const uint32_t row : context.training_rows)
    if (!column.is_missing(row)) ++counts[static_cast<int64_t>(column[row].size())];
  int64_t length = 0, most = 0;
  for (const auto& [size, count] : counts)
    if (count >= most) length = size, most = count;
  return length;
}

Result<std::vector<float>> constant_vector(const std::string& text, int64_t size, const FitContext& context) {
  std::vector<float> values;
  if (text.empty()) values.assign(static_cast<size_t>(size), 0.0F);
  if (text.empty() ||
      (data::read_vector(data::trim(text), values) && static_cast<int64_t>(values.size()) == size))
    return values;
  return fail(ErrorKind::usage,
              fmt::format("{}: preprocessing.fill_value '{}' is not a list of {} numbers", context.feature,
                          text, size),
              {}, "write as many numbers as the cells have, or leave it out for zeros");
}

bool is_hole(const VectorFit& fit, const Vectors& column, int64_t row) {
  return column.is_missing(row) || static_cast<int64_t>(column[row].size()) != fit.size;
}

// ---- words -------------------------------------------------------------------------------------

struct WordCount {
  std::string word;
  int64_t count = 0;
};

std::string spelt(std::string_view word, bool lowercase) {
  return lowercase && word != kUnknown ? lowered(word) : std::string(word);
}

// The words of the training rows with how many rows have each (of a bag how often they occur), the most
// frequent first, ties by the word. A missing value that becomes words counts as a row of them.
std::vector<WordCount> count_words(const FitContext& context, WordListColumn column, const WordsFit& fit,
                                   std::span<const std::string> filled) {
  const data::Dictionary& dictionary = *column.dictionary;
  struct Seen {
    int64_t count = 0, last_row = -1;
  };
  std::map<std::string, Seen> by_word;
  std::vector<Seen*> of_code;  // several codes are one word where case does not count
  for (int32_t code = 0; code < dictionary.size(); ++code)
    of_code.push_back(&by_word[spelt(dictionary.value(code), fit.lowercase)]);
  for (const uint32_t row : context.training_rows) {
    const auto count = [&](Seen& seen) {
      if (fit.repeats || seen.last_row != row) ++seen.count;
      seen.last_row = row;
    };
    if (column.lists->is_missing(row))
      for (const std::string& word : filled) count(by_word[spelt(word, fit.lowercase)]);
    for (const int32_t code : (*column.lists)[row]) count(*of_code[static_cast<size_t>(code)]);
  }
  std::vector<WordCount> words;
  for (const auto& [word, seen] : by_word)
    if (seen.count > 0) words.push_back({word, seen.count});
  std::stable_sort(words.begin(), words.end(),
                   [](const WordCount& a, const WordCount& b) { return a.count > b.count; });
  return words;
}

// From the words of a dictionary to their numbers; `otherwise` for those that the vocabulary lacks.
class Numbers {
 public:
  Numbers(const WordsFit& fit, const data::Dictionary& dictionary, int32_t otherwise) {
    std::unordered_map<std::string_view, int32_t> table;
    table.reserve(fit.vocabulary.size());
    for (size_t i = 0; i < fit.vocabulary.size(); ++i)
      table.emplace(fit.vocabulary[i], static_cast<int32_t>(i));
    of_code_.reserve(static_cast<size_t>(dictionary.size()));
    for (int32_t code = 0; code < dictionary.size(); ++code) {
      const auto found = table.find(spelt(dictionary.value(code), fit.lowercase));
      of_code_.push_back(found == table.end() ? otherwise : found->second);
    }
  }
  // A row's numbers, the most frequent words first; -1 is left out, and of a set every second one of a kind,
  // but for words that no vocabulary has, which are different ones.
  std::vector<int32_t> of(const WordsFit& fit, std::span<const int32_t> codes) const {
    std::vector<int32_t> numbers;
    for (const int32_t code : codes)
      if (const int32_t number = of_code_[static_cast<size_t>(code)]; number >= 0) numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    if (!fit.repeats)
      numbers.erase(std::unique(numbers.begin(), numbers.end(),
                                [&](int32_t a, int32_t b) { return a == b && a < fit.no_word(); }),
                    numbers.end());
    if (static_cast<int64_t>(numbers.size()) > fit.width) numbers.resize(static_cast<size_t>(fit.width));
    return numbers;
  }

 private:
  std::vector<int32_t> of_code_;
};

std::vector<int32_t> numbers_of(const WordsFit& fit, std::span<const std::string> words) {
  data::Dictionary dictionary;
  std::vector<int32_t> codes;
  for (const std::string& word : words) codes.push_back(dictionary.add(word));
  return Numbers(fit, dictionary, fit.unknown).of(fit, codes);
}

// The vocabulary, without what most_common leaves no room for: of an input one word <UNK> stands for that; of
// a target it is no answer.
void take_words(int64_t most_common, const FitContext& context, std::vector<WordCount> words, WordsFit& fit) {
  const auto kept = std::min(static_cast<int64_t>(words.size()), most_common);
  int64_t rare = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    if (static_cast<int64_t>(i) >= kept) {
      rare += words[i].count;
      continue;
    }
    if (words[i].word == kUnknown && !context.is_output) fit.unknown = static_cast<int32_t>(i);
    fit.vocabulary.push_back(std::move(words[i].word));
    fit.counts.push_back(words[i].count);
  }
  if (context.is_output) {
    if (rare > 0)
      note(context, fmt::format("{} words rarer than the {} most common are never predicted",
                                static_cast<int64_t>(words.size()) - kept, kept));
    return;
  }
  if (rare == 0 && !fit.vocabulary.empty()) return;
  if (fit.unknown < 0) {
    fit.unknown = static_cast<int32_t>(fit.vocabulary.size());
    fit.vocabulary.emplace_back(kUnknown);
    fit.counts.push_back(0);
  }
  fit.counts[static_cast<size_t>(fit.unknown)] += rare;
}

}  // namespace

MissingRows mark_missing(WordListColumn column, std::vector<uint8_t>& drop) {
  return mark_rows([&](int64_t row) { return column.lists->is_missing(row); }, drop);
}

MissingRows mark_missing(const Vectors& column, std::vector<uint8_t>& drop) {
  return mark_rows([&](int64_t row) { return column.is_missing(row); }, drop);
}

Result<VectorFit> fit_vector(const VectorPreprocessing& preprocessing, const FitContext& context,
                             const Vectors& column) {
  VectorFit fit{.size = preprocessing.vector_size.value_or(usual_length(context, column)),
                .strategy = preprocessing.missing_value_strategy};
  std::vector<double> means(static_cast<size_t>(fit.size)), squares(means), least(means), greatest(means);
  std::vector<std::vector<float>> lists;
  int64_t rows = 0;
  for (const uint32_t row : context.training_rows) {
    if (is_hole(fit, column, row)) continue;
    const std::span<const float> list = column[row];
    ++rows;
    for (size_t i = 0; i < list.size(); ++i) {
      const double value = list[i], from_mean = value - means[i];  // Welford 1962
      means[i] += from_mean / static_cast<double>(rows);
      squares[i] += from_mean * (value - means[i]);
      least[i] = rows == 1 ? value : std::min(least[i], value);
      greatest[i] = rows == 1 ? value : std::max(greatest[i], value);
    }
    if (fit.strategy == MissingValues::fill_with_mode) lists.emplace_back(list.begin(), list.end());
  }
  if (rows == 0 && (context.is_output || fit.size == 0))
    return fail(ErrorKind::data,
                fit.size == 0 ? fmt::format("{} has no vector in the training rows", context.feature)
                              : fmt::format("{} has no vector of {} numbers in the training rows",
                                            context.feature, fit.size),
                {}, "check that its cells are lists of as many numbers: 0.1 0.2, or [0.1, 0.2]");
  if (context.is_output && least == greatest)
    return fail(ErrorKind::data, fmt::format("{} is the same vector in every training row", context.feature),
                {}, "give data in which it differs: there is nothing to learn");
  fit.usual.assign(means.begin(), means.end());
  if (preprocessing.normalization != Normalization::none) {
    fit.shift = means;
    for (const double square : squares) {
      const double deviation = rows > 0 ? std::sqrt(square / static_cast<double>(rows)) : 0;
      fit.scale.push_back(deviation > 0 ? deviation : 1);
    }
  }
  auto constant = constant_vector(preprocessing.fill_value, fit.size, context);
  if (!constant) return fail(constant.error());
  fit.fill = fit.strategy == MissingValues::fill_with_mode ? mode_of<float>(lists).value_or(fit.usual)
                                                           : std::move(*constant);
  return fit;
}

Result<WordsFit> fit_words(const WordsPreprocessing& preprocessing, bool repeats, const FitContext& context,
                           WordListColumn column) {
  WordsFit fit{.lowercase = preprocessing.lowercase,
               .repeats = repeats,
               .strategy = preprocessing.missing_value_strategy};
  const bool by_constant = fit.strategy == MissingValues::fill_with_const;
  const auto filled = by_constant ? data::words_of(preprocessing.fill_value, preprocessing.tokenizer)
                                  : std::vector<std::string>();
  take_words(preprocessing.most_common, context, count_words(context, column, fit, filled), fit);
  if (fit.vocabulary.empty())
    return fail(ErrorKind::data, fmt::format("{} has no word in the training rows", context.feature), {},
                "check that its cells are words, and preprocessing.tokenizer");
  const Numbers numbers(fit, *column.dictionary, fit.unknown);
  const bool wants_mode = fills_from_rows(fit.strategy) && !context.is_output;
  std::vector<std::vector<int32_t>> lists;
  fit.width = kMostWords;
  int64_t longest = 1, cut = 0;
  for (const uint32_t row : context.training_rows) {
    if (column.lists->is_missing(row)) continue;
    auto list = numbers.of(fit, (*column.lists)[row]);
    longest = std::max(longest, static_cast<int64_t>(list.size()));
    cut += static_cast<int64_t>(list.size()) == kMostWords;
    if (wants_mode) lists.push_back(std::move(list));
  }
  fit.fill = numbers_of(fit, filled);
  fit.width = std::max(longest, static_cast<int64_t>(fit.fill.size()));
  if (cut > 0)
    note(context, fmt::format("of cells with more than {} words the rarest are left out ({} training rows)",
                              kMostWords, cut));
  if (wants_mode) fit.usual = mode_of<int32_t>(lists).value_or(fit.usual);
  if (fit.strategy == MissingValues::fill_with_mode) fit.fill = fit.usual;
  return fit;
}

void decode(const VectorFit& fit, std::span<float> vector) {
  for (size_t i = 0; i < fit.scale.size(); ++i)
    vector[i] = static_cast<float>(vector[i] * fit.scale[i] + fit.shift[i]);
}

data::CodeColumn code_column(const WordsFit& fit, int64_t expected_rows) {
  return data::CodeColumn(fit.other_word() + 1, expected_rows, fit.width);
}

void encode(const VectorFit& fit, const Vectors& column, std::vector<uint8_t>* drop, data::FloatRows& out,
            data::BadCells* bad, int64_t first_row, const Neighbours& near) {
  const auto carried = carried_into(near);
  for (int64_t row = 0; bad && row < column.rows(); ++row)
    if (!column.is_missing(row) && is_hole(fit, column, row))
      bad->add(first_row + row, fmt::format("{}", fmt::join(column[row], " ")));
  const auto from = list_sources(
      column.rows(), [&](int64_t row) { return is_hole(fit, column, row); },
      [&](int64_t row) { return column[row]; }, fit.strategy, drop, near);
  const int64_t begin = out.rows();
  out.append(column.rows());
  for (int64_t row = 0; row < column.rows(); ++row) {
    float* to = out.column(0, begin + row);
    const int64_t source = from[static_cast<size_t>(row)];
    if (source >= 0)
      std::ranges::copy(column[source], to);
    else if (source == kFromFill || source == kFromUsual)
      std::ranges::copy(source == kFromFill ? fit.fill : fit.usual, to);
    else if (const auto& above = carried[static_cast<size_t>(kFromAbove - source)])
      std::ranges::transform(*above, to, [](double value) { return static_cast<float>(value); });
    for (size_t i = 0; i < fit.scale.size(); ++i)
      to[i] = static_cast<float>((to[i] - fit.shift[i]) / fit.scale[i]);
  }
}

void encode(const WordsFit& fit, bool is_output, WordListColumn column, std::vector<uint8_t>* drop,
            data::CodeColumn& out, const Neighbours& near) {
  const Numbers numbers(fit, *column.dictionary, is_output ? fit.other_word() : fit.unknown);
  const auto list_of = [&](int64_t row) { return numbers.of(fit, (*column.lists)[row]); };
  const auto carried = carried_into(near);
  const auto from = list_sources(
      column.rows(), [&](int64_t row) { return column.lists->is_missing(row); }, list_of, fit.strategy, drop,
      near);
  for (const int64_t source : from) {
    std::vector<int32_t> list;
    if (source >= 0)
      list = list_of(source);
    else if (source == kFromFill || source == kFromUsual)
      list = source == kFromFill ? fit.fill : fit.usual;
    else if (const auto& above = carried[static_cast<size_t>(kFromAbove - source)])
      for (const double number : *above) list.push_back(static_cast<int32_t>(number));
    list.resize(static_cast<size_t>(fit.width), fit.no_word());
    out.append(list);
  }
}

}  // namespace shoestring::task
