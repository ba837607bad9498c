#include "train/split_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/overloaded.h"
#include "base/text.h"
#include "data/by_code.h"
#include "data/folds.h"
#include "train/dataset.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

// More distinct values than a feature may have: customers, sessions.
constexpr int64_t kMostGroups = (int64_t{1} << 31) - 2, kMostGroupBytes = int64_t{1} << 40;

data::SplitShares shares_of(const task::Probabilities& p) { return {p[0], p[1], p[2]}; }

// The rows that are used at all.
std::vector<uint32_t> sampled(const task::Preprocessing& preprocessing, std::vector<uint32_t> kept,
                              uint64_t seed, const LogSink& log) {
  const auto n = static_cast<int64_t>(kept.size());
  int64_t count = std::llround(preprocessing.sample_ratio * static_cast<double>(n));
  const bool by_ratio = preprocessing.sample_ratio < 1;
  if (preprocessing.sample_size) count = std::min(n, *preprocessing.sample_size);
  if (n == 0 || count == n) return kept;
  count = std::max<int64_t>(count, 1);
  std::vector<uint32_t> chosen;
  for (const uint32_t at : data::sample_rows(n, count, seed)) chosen.push_back(kept[at]);
  if (log)
    log(LogLevel::note, fmt::format("{}: {} of {} are used", by_ratio ? "sample_ratio" : "sample_size", count,
                                    count_of(n, "row")));
  return chosen;
}

// Where a share of the rows is wanted for a split and none came to it.
void tell_empty(std::span<const uint8_t> splits, const task::Probabilities& shares, std::string_view column,
                const LogSink& log) {
  constexpr std::string_view kRoles[] = {"trains", "validates", "tests"};
  for (uint8_t s = 0; s < 3; ++s)
    if (log && !splits.empty() && shares[s] > 0 && std::count(splits.begin(), splits.end(), s) == 0)
      log(LogLevel::warning,
          fmt::format("split by '{}': no row {}, though {:g} % were to", column, kRoles[s], 100 * shares[s]));
}

// Where values of a column to stratify by have too few rows for every split to get one.
void tell_rare(std::span<const int32_t> codes, const task::Probabilities& shares, std::string_view column,
               const LogSink& log) {
  if (!log) return;
  double least = 1;
  for (const double share : shares)
    if (share > 0) least = std::min(least, share);
  int64_t values = 0, rare = 0, rows = 0;
  data::RowsByCode classes(codes);
  for (size_t c = 0; c < classes.size(); ++c, ++values)
    if (const auto n = static_cast<int64_t>(classes[c].size()); static_cast<double>(n) * least < 1 - 1e-9)
      ++rare, rows += n;
  if (rare == 0) return;
  const bool most = 2 * rows > static_cast<int64_t>(codes.size());
  log(most ? LogLevel::warning : LogLevel::note,
      fmt::format("stratified by '{}': {} of its {} values {} too few rows to be in every split{}", column,
                  rare, values, rare == 1 ? "has" : "have",
                  most ? "; so most rows are dealt out at random" : ""));
}

std::string when(double value, bool by_number) {
  if (by_number) return fmt::format("{:g}", value);
  const data::Civil c = data::civil_of(static_cast<int64_t>(value));
  std::string text = fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
  if (c.hour || c.minute || c.second) text += fmt::format(" {:02}:{:02}:{:02}", c.hour, c.minute, c.second);
  return text;
}

}  // namespace

Status RowSplit::open(const task::Recipe& recipe, const data::TableReader& table, uint8_t of_file) {
  of_file_ = of_file;
  column_ = -1;
  path_ = table.path();
  if (of_file != data::kUnused) return {};
  spec_ = recipe.preprocessing.split.value_or(task::RandomSplit{});
  if (!recipe.preprocessing.split && table.index_of("split") >= 0) spec_ = task::FixedSplit{};
  std::visit(Overloaded{[](const task::RandomSplit&) {},
                        [&](const task::FoldSplit& fold) {
                          name_ = fold.group ? *fold.group : fold.stratify.value_or("");
                        },
                        [&](const auto& split) { name_ = split.column; }},
             spec_);
  const auto* fold = std::get_if<task::FoldSplit>(&spec_);
  if (std::holds_alternative<task::StratifySplit>(spec_) || (fold && fold->stratify)) words_.emplace();
  if (std::holds_alternative<task::GroupSplit>(spec_) || (fold && fold->group))
    words_.emplace(Words{data::Dictionary(kMostGroups, kMostGroupBytes), {}});
  if (name_.empty()) return {};
  column_ = table.index_of(name_);
  if (column_ >= 0) return {};
  const std::string near = nearest(name_, table.names());
  return fail(ErrorKind::data, fmt::format("there is no column '{}' to split by", name_), table.path(),
              near.empty() ? "name one of its columns in preprocessing.split"
                           : fmt::format("did you mean '{}'?", near));
}

Status RowSplit::append(const data::RecordBatch& batch, data::TableReader& table) {
  if (of_file_ != data::kUnused) {
    known_.resize(known_.size() + static_cast<size_t>(batch.rows()), of_file_);
    return {};
  }
  if (column_ < 0) return {};
  const data::TextColumn column = batch.column(column_);
  if (words_) {
    data::append_codes(column, words_->dictionary, words_->codes);
  } else if (const auto* hash = std::get_if<task::HashSplit>(&spec_)) {
    for (int64_t r = 0; r < column.rows(); ++r)
      known_.push_back(data::hash_split(column.is_null(r) ? std::string_view() : column[r],
                                        shares_of(hash->probabilities)));
  } else if (const auto* datetime = std::get_if<task::DatetimeSplit>(&spec_)) {
    const auto& format = datetime->datetime_format;
    data::append_dates(column, format.value_or(""), batch.first_row(), stamps_, no_dates_);
    if (!format) data::append_numbers(column, batch.first_row(), numbers_, no_numbers_);
  } else if (auto bad = data::append_fixed_split(column, batch.first_row(), known_)) {
    return fail(ErrorKind::data, fmt::format("'{}' is not 0, 1 or 2", bad->value),
                fmt::format("{}, column '{}'", table.place(bad->row), name_),
                "write 0 for training, 1 for validation, 2 for test, or set preprocessing.split");
  }
  return {};
}

bool RowSplit::by_row() const {
  const auto* random = std::get_if<task::RandomSplit>(&spec_);
  return of_file_ != data::kUnused || (random && random->per_row) ||
         std::holds_alternative<task::FixedSplit>(spec_) || std::holds_alternative<task::HashSplit>(spec_);
}

std::vector<uint8_t> RowSplit::take(int64_t first_row, int64_t rows, uint64_t seed) {
  std::vector<uint8_t> splits = std::exchange(known_, {});
  const auto* random = std::get_if<task::RandomSplit>(&spec_);
  for (int64_t r = 0; random && splits.size() < static_cast<size_t>(rows); ++r)
    splits.push_back(data::row_split(first_row + r, shares_of(random->probabilities), seed));
  return splits;
}

Status RowSplit::close(data::TableReader& table, double tolerance, const LogSink& log) {
  const auto* datetime = std::get_if<task::DatetimeSplit>(&spec_);
  if (of_file_ != data::kUnused || !datetime) return {};
  by_number_ = !datetime->datetime_format && no_numbers_.count < no_dates_.count;
  const data::BadCells& bad = by_number_ ? no_numbers_ : no_dates_;
  const auto& values = by_number_ ? numbers_ : stamps_;
  const std::string wanted = datetime->datetime_format
                                 ? fmt::format("a date in the form '{}'", *datetime->datetime_format)
                                 : "a date";
  if (std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    return fail(
        ErrorKind::data,
        bad.count > 0 ? fmt::format("'{}' is not {}, nor is any other cell", bad.first_value, wanted)
                      : "no row has a date to split by",
        bad.count > 0 ? fmt::format("{}, column '{}'", table.place(bad.first_row), name_)
                      : fmt::format("{}, column '{}'", table.path(), name_),
        "name a column of dates in preprocessing.split, or say how they are written in datetime_format");
  if (auto ok = data::check_bad_cells(bad, table.rows(), tolerance, name_, wanted, table); !ok) return ok;
  if (log && bad.count > 0)
    log(LogLevel::note,
        fmt::format("{}, column '{}': '{}' is not {}; {} taken as missing", table.place(bad.first_row), name_,
                    bad.first_value, by_number_ ? "a number" : wanted, count_of(bad.count, "cell")));
  return {};
}

Status RowSplit::check_folds(std::span<const int32_t> codes) const {
  const auto* spec = std::get_if<task::FoldSplit>(&spec_);
  if (!spec || !known_.empty()) return {};
  const int64_t parts = spec->group ? data::count_groups(codes) : static_cast<int64_t>(codes.size());
  if (parts >= spec->folds) return {};
  const std::string have = spec->group ? fmt::format("{} in '{}'", count_of(parts, "group"), *spec->group)
                                       : count_of(parts, "row");
  return fail(ErrorKind::data, fmt::format("{} cannot be dealt into {} folds", have, spec->folds), path_,
              "give fewer folds, or more rows");
}

Result<std::vector<uint8_t>> RowSplit::split(const task::Preprocessing& preprocessing,
                                             const std::vector<uint8_t>& drop, uint64_t seed,
                                             const LogSink& log) const {
  std::vector<uint8_t> splits(drop.size(), data::kUnused);
  std::vector<uint32_t> kept;
  for (size_t row = 0; row < drop.size(); ++row)
    if (!drop[row]) kept.push_back(static_cast<uint32_t>(row));
  kept = sampled(preprocessing, std::move(kept), seed, log);
  std::vector<int32_t> codes(kept.size());  // of one class where there are none
  for (size_t i = 0; words_ && i < kept.size(); ++i) codes[i] = words_->codes[kept[i]];
  if (auto ok = check_folds(codes); !ok) return fail(ok.error());
  const std::vector<uint8_t> chosen = split_kept(kept, codes, seed, log);
  for (size_t i = 0; i < kept.size(); ++i) splits[kept[i]] = chosen[i];
  return splits;
}

std::vector<uint8_t> RowSplit::split_kept(std::span<const uint32_t> kept, std::span<const int32_t> codes,
                                          uint64_t seed, const LogSink& log) const {
  std::vector<uint8_t> splits;
  if (!known_.empty()) {
    for (const uint32_t row : kept) splits.push_back(known_[row]);
    if (const auto* hash = std::get_if<task::HashSplit>(&spec_); hash && of_file_ == data::kUnused)
      tell_empty(splits, hash->probabilities, name_, log);
    return splits;
  }
  const auto tell_missing = [&] {
    const auto missing = std::count(codes.begin(), codes.end(), data::kMissingCode);
    if (missing > 0 && log)
      log(LogLevel::note, fmt::format("{} without a value of '{}' stay together as one group",
                                      count_of(missing, "row"), name_));
  };
  std::visit(Overloaded{[&](const task::StratifySplit& s) {
                          tell_rare(codes, s.probabilities, name_, log);
                          splits = data::stratified_split(codes, shares_of(s.probabilities), seed);
                        },
                        [&](const task::GroupSplit& s) {
                          tell_missing();
                          splits = data::group_split(codes, shares_of(s.probabilities), seed);
                          tell_empty(splits, s.probabilities, name_, log);
                        },
                        [&](const task::FoldSplit& s) {
                          if (s.group) tell_missing();
                          const data::Fold fold{s.fold, s.folds, s.validation_share};
                          splits = s.group ? data::grouped_fold(codes, fold, seed)
                                           : data::stratified_fold(codes, fold, seed);
                        },
                        [&](const task::DatetimeSplit& s) {
                          splits = split_by_age(s, kept, log);
                          tell_empty(splits, s.probabilities, name_, log);
                        },
                        [&](const task::RandomSplit& s) {
                          for (size_t i = 0; s.per_row && i < kept.size(); ++i)
                            splits.push_back(data::row_split(kept[i], shares_of(s.probabilities), seed));
                          if (s.per_row) return;
                          splits = data::random_split(static_cast<int64_t>(kept.size()),
                                                      shares_of(s.probabilities), seed);
                        },
                        // What the cells say is known by now; a table without rows comes here.
                        [&](const auto&) { splits.assign(kept.size(), data::kTrain); }},
             spec_);
  return splits;
}

std::vector<uint8_t> RowSplit::split_by_age(const task::DatetimeSplit& spec, std::span<const uint32_t> kept,
                                            const LogSink& log) const {
  const data::OrderFound found = data::order_of(stamps_, kept);
  std::vector<double> values;
  for (const uint32_t row : kept)
    values.push_back(by_number_ ? numbers_[row] : data::seconds_of(stamps_[row], found.order));
  auto splits = data::ordered_split(values, shares_of(spec.probabilities));
  if (!log) return splits;
  if (!by_number_ && found.matters)
    log(LogLevel::note,
        fmt::format("split by '{}': {} (datetime_format says otherwise)", name_,
                    !found.sure ? "no date tells day from month, so the month is taken to stand first"
                    : found.order == data::DateOrder::day_first ? "the day stands first in its dates"
                                                                : "the month stands first in its dates"));
  std::string text = fmt::format("split by '{}', read as {}", name_, by_number_ ? "numbers" : "dates");
  constexpr std::string_view kNames[] = {"training", "validation", "test"};
  for (uint8_t s = 0; s < 3; ++s) {
    double least = std::numeric_limits<double>::infinity(), greatest = -least;
    for (size_t i = 0; i < values.size(); ++i)
      if (splits[i] == s && !std::isnan(values[i]))
        least = std::min(least, values[i]), greatest = std::max(greatest, values[i]);
    if (least <= greatest)
      text += fmt::format("{} {} from {} to {}", s ? "," : ":", kNames[s], when(least, by_number_),
                          when(greatest, by_number_));
  }
  log(LogLevel::note, text);
  int64_t other = 0, first = -1;  // days that there are in the other order alone
  for (size_t i = 0; i < values.size() && !by_number_; ++i)
    if (std::isnan(values[i]) && !std::isnan(stamps_[kept[i]])) {
      if (other++ == 0) first = kept[i];
    }
  if (other > 0)
    log(LogLevel::note,
        fmt::format("row {} of the table has no date in '{}' that begins with the {}; {} taken as missing",
                    first + 1, name_, found.order == data::DateOrder::day_first ? "day" : "month",
                    count_of(other, "cell")));
  if (const auto undated =
          std::count_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    log(LogLevel::note, fmt::format("{} without a date in '{}' train", count_of(undated, "row"), name_));
  return splits;
}

std::vector<uint32_t> balanced(const task::Recipe& recipe, const task::Fits& fits,
                               const EncodedTargets& targets, std::vector<uint32_t> training, uint64_t seed,
                               const LogSink& log) {
  const auto& over = recipe.preprocessing.oversample_minority;
  const auto& under = recipe.preprocessing.undersample_majority;
  if (!over && !under) return training;
  const std::vector<std::string> labels = classes_of(fits.outputs.front()).labels;
  std::vector<int32_t> class_of = targets.codes.front();
  if (class_of.empty())
    for (const float truth : targets.numbers.front()) class_of.push_back(truth > 0.5F ? 1 : 0);
  std::vector<int64_t> counts(labels.size());
  for (const uint32_t row : training)
    if (class_of[row] >= 0) ++counts[static_cast<size_t>(class_of[row])];
  int64_t most = 0, least = std::numeric_limits<int64_t>::max();
  for (const int64_t count : counts)
    if (count > 0) most = std::max(most, count), least = std::min(least, count);
  std::vector<int64_t> wanted = counts;
  std::string changes;
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) continue;
    wanted[c] = over ? std::max<int64_t>(counts[c], std::llround(*over * static_cast<double>(most)))
                     : std::min<int64_t>(counts[c], std::llround(static_cast<double>(least) / *under));
    if (wanted[c] != counts[c])
      changes +=
          fmt::format("{}'{}' from {} to {}", changes.empty() ? "" : ", ", labels[c], counts[c], wanted[c]);
  }
  const std::string_view key = over ? "oversample_minority" : "undersample_majority";
  if (log)
    log(LogLevel::note, changes.empty()
                            ? fmt::format("{}: the training rows are as balanced as that already", key)
                            : fmt::format("{}: training rows of {}", key, changes));
  return changes.empty() ? training : data::resample(training, class_of, wanted, seed);
}

}  // namespace shoestring::train
