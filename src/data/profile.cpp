#include "data/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "data/dates.h"
#include "data/hash.h"
#include "data/leak.h"
#include "data/lists.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

// What is held of values takes three times its dictionaries: what is known of each, and room to grow.
constexpr int64_t kTimesDictionary = 3;
constexpr int64_t kFewestBytes = 8 << 10;  // of a column's dictionary

// How many values a stream holds, from their hashes, in 4 KiB (HyperLogLog: Flajolet, Fusy, Gandouet,
// Meunier 2007). Standard error 1.6 %.
class DistinctEstimate {
 public:
  void add(uint64_t hash) {
    const auto rank = static_cast<uint8_t>(std::countl_zero(hash << kBits | 1) + 1);
    uint8_t& highest = ranks_[hash >> (64 - kBits)];
    highest = std::max(highest, rank);
  }
  int64_t count() const {
    constexpr double m = 1 << kBits;
    double sum = 0;
    int empty = 0;
    for (const uint8_t rank : ranks_) {
      sum += std::ldexp(1.0, -rank);
      empty += rank == 0;
    }
    const double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    return std::llround(estimate <= 2.5 * m && empty > 0 ? m * std::log(m / empty) : estimate);
  }

 private:
  static constexpr int kBits = 12;
  std::array<uint8_t, 1 << kBits> ranks_{};
};

bool digits_only(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "3,14", "-0,5": one comma where a point would make it a number.
bool has_decimal_comma(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos || text.find_first_of(",.", comma + 1) != std::string_view::npos)
    return false;
  std::string pointed(text);
  pointed[comma] = '.';
  return parse_number(pointed).has_value();
}

// "90,123", "-1,234,567.5": commas between groups of three digits.
bool has_thousands(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  if (point < text.size() && !digits_only(text.substr(point + 1))) return false;
  text = text.substr(0, point);
  size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma > 3 || !digits_only(text.substr(0, comma))) return false;
  for (text.remove_prefix(comma); !text.empty(); text.remove_prefix(4))
    if (text[0] != ',' || text.size() < 4 || !digits_only(text.substr(1, 3))) return false;
  return true;
}

bool is_percent(std::string_view text) {
  return text.ends_with('%') && parse_number(trim(text.substr(0, text.size() - 1))).has_value();
}

// "$1,200", "-3,50 €": a number in any of these spellings beside a currency sign.
bool is_amount(std::string_view text) {
  constexpr auto kSigns =
      std::to_array<std::string_view>({"$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₴", "₪"});
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  for (const std::string_view sign : kSigns) {
    if (text.starts_with(sign))
      text.remove_prefix(sign.size());
    else if (text.ends_with(sign))
      text.remove_suffix(sign.size());
    else
      continue;
    text = trim(text);
    return parse_number(text).has_value() || has_thousands(text) || has_decimal_comma(text);
  }
  return false;
}

// What one value is, found once for each distinct value.
struct Traits {
  double number = std::numeric_limits<double>::quiet_NaN();
  int32_t length = 0, words = 0, vector_size = 0;
  bool truth = false, date = false, word_list = false;
  bool decimal_comma = false, thousands = false, percent = false, amount = false;
};

int32_t words_in(std::string_view text) {
  int32_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

// How many numbers a cell lists, where it is meant so: in brackets, or more of them than a date or a phone
// number in groups has, or with a point among those parted by spaces. Else 0.
int32_t vector_size_of(std::string_view text) {
  if (text.find_first_of(" ,;") == std::string_view::npos) return 0;
  std::vector<float> numbers;
  if (!read_vector(text, numbers) || numbers.size() < 2) return 0;
  const bool bracketed = text.front() == '[' || text.front() == '(';
  const bool parted = text.find_first_of(" ;") < text.size();
  constexpr size_t kEnough = 4;
  const bool meant = bracketed || (parted && (numbers.size() >= kEnough || text.find('.') < text.size()));
  return meant ? static_cast<int32_t>(numbers.size()) : 0;
}

Traits traits_of(std::string_view text) {
  const int32_t vector_size = vector_size_of(text);
  return {.number = parse_number(text).value_or(std::numeric_limits<double>::quiet_NaN()),
          .length = static_cast<int32_t>(text.size()),
          .words = words_in(text),
          .vector_size = vector_size,
          .truth = parse_binary(text).has_value(),
          .date = looks_like_date(text),
          .word_list = vector_size == 0 && read_list(text).has_value(),
          .decimal_comma = has_decimal_comma(text),
          .thousands = has_thousands(text),
          .percent = is_percent(text),
          .amount = is_amount(text)};
}

// The sums over one column as its rows go by.
class ColumnCounter {
 public:
  explicit ColumnCounter(int64_t dictionary_bytes) : dictionary_(kDistinctCap, dictionary_bytes) {}

  void add(const TextColumn& column) {
    rows_ += column.rows();
    for (int64_t r = 0; r < column.rows(); ++r) {
      const std::string_view cell = column[r];
      if (column.absent(r) || is_missing(cell)) {
        ++missing_;
        continue;
      }
      const int32_t code = dictionary_.add(cell);
      if (code == kMissingCode) {
        add_uncounted(cell);
        continue;
      }
      if (code == static_cast<int32_t>(traits_.size())) {
        traits_.push_back(traits_of(cell));
        remember_word(traits_.back(), cell);
        estimate_.add(hash_text(cell));
      } else {
        increasing_ = false;
        repeats_ = true;
      }
      follow(traits_[code].number);
    }
  }

  ColumnSummary summary(std::string name) const {
    ColumnSummary out = beyond_;
    out.name = std::move(name);
    out.rows = rows_;
    out.missing = missing_;
    Moments moments = moments_;
    double length = length_, words = words_;
    for (int32_t code = 0; code < dictionary_.size(); ++code) {
      const auto count = dictionary_.count(code);
      count_traits(traits_[code], count, out, moments, length, words);
    }
    out.distinct_exact = !dictionary_.full();
    const int64_t estimate = std::min(estimate_.count(), out.present());
    out.distinct =
        out.distinct_exact ? dictionary_.size() : std::max<int64_t>(estimate, dictionary_.size() + 1);
    // The estimate's error is 1.6 %: three of them short of all may be all.
    out.all_distinct =
        !repeats_ && out.present() > 0 &&
        (out.distinct_exact || static_cast<double>(estimate) > 0.95 * static_cast<double>(out.present()));
    out.increasing = increasing_ && out.numbers > 1 && out.numbers == out.present();
    out.mean = moments.mean;
    out.deviation = moments.weight > 0 ? std::sqrt(moments.squares / moments.weight) : 0;
    const auto present = static_cast<double>(std::max<int64_t>(out.present(), 1));
    out.mean_length = length / present;
    out.mean_words = words / present;
    out.top = top();
    return out;
  }

  int64_t bytes() const {
    return dictionary_.bytes() + static_cast<int64_t>(traits_.capacity() * sizeof(Traits) + sizeof *this);
  }

 private:
  // Mean and sum of squared deviations, a value at a time with its weight (Welford 1962, West 1979).
  struct Moments {
    double weight = 0, mean = 0, squares = 0;
    void add(double value, double count) {
      weight += count;
      const double delta = value - mean;
      mean += delta * count / weight;
      squares += count * delta * (value - mean);
    }
  };

  static void count_traits(const Traits& t, int64_t count, ColumnSummary& out, Moments& moments,
                           double& length, double& words) {
    if (!std::isnan(t.number)) {
      out.minimum = out.numbers == 0 ? t.number : std::min(out.minimum, t.number);
      out.maximum = out.numbers == 0 ? t.number : std::max(out.maximum, t.number);
      out.numbers += count;
      if (t.number == std::floor(t.number)) out.integers += count;
      moments.add(t.number, static_cast<double>(count));
    }
    if (t.truth) out.truths += count;
    if (t.date) out.dates += count;
    if (t.word_list) out.word_lists += count;
    if (t.vector_size > 0 && out.vector_size == 0) out.vector_size = t.vector_size;
    if (t.vector_size > 0 && t.vector_size == out.vector_size) out.vectors += count;
    if (t.decimal_comma) out.decimal_commas += count;
    if (t.thousands) out.thousands += count;
    if (t.percent) out.percents += count;
    if (t.amount) out.amounts += count;
    length += static_cast<double>(t.length) * static_cast<double>(count);
    words += static_cast<double>(t.words) * static_cast<double>(count);
    out.max_length = std::max<int64_t>(out.max_length, t.length);
  }

  // A value that the dictionary has no room for.
  void add_uncounted(std::string_view cell) {
    const Traits traits = traits_of(cell);
    remember_word(traits, cell);
    count_traits(traits, 1, beyond_, moments_, length_, words_);
    estimate_.add(hash_text(cell));
    follow(traits.number);
  }

  void remember_word(const Traits& traits, std::string_view cell) {
    if (std::isnan(traits.number) && beyond_.first_word.empty()) beyond_.first_word = cell.substr(0, 80);
  }

  void follow(double number) {
    if (!(number > last_)) increasing_ = false;
    last_ = number;
  }

  std::vector<ValueCount> top() const {
    std::vector<int32_t> codes(static_cast<size_t>(dictionary_.size()));
    std::iota(codes.begin(), codes.end(), 0);
    const auto keep = std::min<size_t>(codes.size(), kTopValues);
    std::partial_sort(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(keep), codes.end(),
                      [&](int32_t a, int32_t b) {
                        return dictionary_.count(a) != dictionary_.count(b)
                                   ? dictionary_.count(a) > dictionary_.count(b)
                                   : a < b;
                      });
    std::vector<ValueCount> out;
    for (size_t i = 0; i < keep; ++i) {
      out.push_back({std::string(dictionary_.value(codes[i])), dictionary_.count(codes[i])});
    }
    return out;
  }

  Dictionary dictionary_;
  std::vector<Traits> traits_;  // by code
  DistinctEstimate estimate_;
  ColumnSummary beyond_;  // the sums over values beyond the dictionary
  Moments moments_;
  double length_ = 0, words_ = 0;
  int64_t rows_ = 0, missing_ = 0;
  double last_ = -std::numeric_limits<double>::infinity();
  bool increasing_ = true, repeats_ = false;
};

}  // namespace

Result<TableProfile> profile_table(TableReader& reader, std::optional<std::string> target,
                                   int64_t most_bytes) {
  const auto& names = reader.names();
  const int target_column = target ? reader.index_of(*target) : -1;
  if (target && target_column < 0) {
    const std::string near = nearest(*target, names);
    return fail(ErrorKind::data, fmt::format("the table has no column '{}'", *target), reader.path(),
                near.empty() ? fmt::format("its columns are {}", listed(names))
                             : fmt::format("did you mean '{}'?", near));
  }
  const auto columns = static_cast<int64_t>(names.size());
  const int64_t for_sample = most_bytes / 4, for_values = most_bytes - for_sample;
  std::vector<ColumnCounter> counters(
      names.size(), ColumnCounter(std::max(for_values / (kTimesDictionary * columns), kFewestBytes)));
  RowSample sample(target ? static_cast<int>(columns) : 0, for_sample);
  TableProfile profile;
  while (true) {
    auto batch = reader.next();
    if (!batch) return fail(std::move(batch.error()));
    if (!*batch) break;
    profile.rows += (*batch)->rows();
    for (int c = 0; c < static_cast<int>(columns); ++c) counters[c].add((*batch)->column(c));
    if (target) sample.add(**batch);
  }
  profile.memory_bytes = sample.bytes();
  for (size_t c = 0; c < names.size(); ++c) {
    profile.columns.push_back(counters[c].summary(names[c]));
    profile.memory_bytes += counters[c].bytes();
  }
  if (target) profile.leaks = find_leaks(sample, profile.columns, target_column);
  return profile;
}

}  // namespace shoestring::data
