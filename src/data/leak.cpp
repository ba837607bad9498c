#include "data/leak.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "data/hash.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

constexpr int64_t kMostRows = 8'192;
constexpr int64_t kFewestRows = 500;
constexpr int64_t kGrowth = 2;  // a list that grows is there twice

using Cell = RowSample::Cell;

// The rows in which both a column and the target have a value.
struct Pairs {
  std::vector<Cell> column, target;
  int64_t rows() const { return static_cast<int64_t>(column.size()); }
};

// Rows that are no copy of another: a table that was joined to itself has each twice.
int64_t distinct_rows(const RowSample& sample, int columns) {
  std::unordered_set<std::string> rows;
  std::string identities(static_cast<size_t>(columns) * sizeof(uint32_t), '\0');
  for (int64_t r = 0; r < sample.rows(); ++r) {
    for (int c = 0; c < columns; ++c)
      std::memcpy(identities.data() + static_cast<size_t>(c) * sizeof(uint32_t), &sample.at(r, c).identity,
                  sizeof(uint32_t));
    rows.insert(identities);
  }
  return static_cast<int64_t>(rows.size());
}

Pairs pairs_of(const RowSample& sample, int column, int target) {
  Pairs pairs;
  for (int64_t r = 0; r < sample.rows(); ++r) {
    if (sample.at(r, column).identity == 0 || sample.at(r, target).identity == 0) continue;
    pairs.column.push_back(sample.at(r, column));
    pairs.target.push_back(sample.at(r, target));
  }
  return pairs;
}

std::optional<std::string> determines(const Pairs& pairs, int64_t distinct, std::string_view target) {
  struct Group {
    uint32_t first_target;
    int64_t rows = 0, others = 0;
  };
  std::unordered_map<uint32_t, Group> groups;
  for (int64_t r = 0; r < pairs.rows(); ++r) {
    Group& group =
        groups.try_emplace(pairs.column[r].identity, Group{pairs.target[r].identity}).first->second;
    ++group.rows;
    group.others += pairs.target[r].identity != group.first_target;
  }
  const auto values = static_cast<int64_t>(groups.size());
  if (values * 2 > pairs.rows()) return std::nullopt;
  // Many values that recur with the rows they stand in, and not otherwise.
  if (values * 2 > distinct && values * 20 > pairs.rows()) return std::nullopt;
  int64_t pure = 0;
  std::unordered_map<uint32_t, int64_t> repeated;  // rows of values seen twice, by class
  for (const auto& [value, group] : groups) {
    if (group.others == 0) pure += group.rows;
    if (group.rows > 1) repeated[group.first_target] += group.rows;
  }
  const auto shown = std::count_if(repeated.begin(), repeated.end(),
                                   [](const auto& c) { return c.second >= kRules.leak_class_rows; });
  if (static_cast<double>(pure) < kRules.leak_purity * static_cast<double>(pairs.rows()) || shown < 2) {
    return std::nullopt;
  }
  return fmt::format("each of its {} values goes with one value of '{}' ({} of {} rows)", groups.size(),
                     target, pure, pairs.rows());
}

// The largest magnitude of the numbers, or 1 if all are zero or none.
double magnitude(const std::vector<Cell>& cells) {
  double largest = 0;
  for (const Cell& cell : cells)
    if (!std::isnan(cell.number)) largest = std::max(largest, std::abs(cell.number));
  return largest > 0 ? largest : 1;
}

std::optional<std::string> correlates(const Pairs& pairs, std::string_view target) {
  // Of values within [-1, 1], so that no square overflows or vanishes.
  const double x_unit = magnitude(pairs.column), y_unit = magnitude(pairs.target);
  double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
  for (int64_t r = 0; r < pairs.rows(); ++r) {
    const double x = pairs.column[r].number / x_unit, y = pairs.target[r].number / y_unit;
    if (std::isnan(x) || std::isnan(y)) continue;
    n += 1;
    const double dx = x - mx, dy = y - my;
    mx += dx / n;
    my += dy / n;
    xx += dx * (x - mx);
    yy += dy * (y - my);
    xy += dx * (y - my);
  }
  if (n < static_cast<double>(kRules.leak_rows) || xx <= 0 || yy <= 0) return std::nullopt;
  const double correlation = xy / (std::sqrt(xx) * std::sqrt(yy));
  if (!(std::abs(correlation) > kRules.leak_correlation)) return std::nullopt;
  return fmt::format("its correlation with '{}' is {:.5f} ({} rows)", target, correlation, n);
}

// Area under the ROC curve of the number as a score, ties counted half (Mann-Whitney).
std::optional<std::string> separates(const Pairs& pairs, std::string_view target) {
  std::vector<std::pair<double, bool>> scores;
  const uint32_t first = pairs.target[0].identity;
  for (int64_t r = 0; r < pairs.rows(); ++r) {
    if (!std::isnan(pairs.column[r].number)) {
      scores.emplace_back(pairs.column[r].number, pairs.target[r].identity == first);
    }
  }
  std::sort(scores.begin(), scores.end());
  double positives = 0, negatives = 0, won = 0;
  for (size_t i = 0; i < scores.size();) {
    double here_positive = 0, here_negative = 0;
    const double score = scores[i].first;
    for (; i < scores.size() && scores[i].first == score; ++i)
      ++(scores[i].second ? here_positive : here_negative);
    won += here_positive * (negatives + here_negative / 2);
    positives += here_positive;
    negatives += here_negative;
  }
  const double least = std::min(positives, negatives);
  if (positives + negatives < static_cast<double>(kRules.leak_rows) ||
      least < static_cast<double>(kRules.leak_class_rows)) {
    return std::nullopt;
  }
  const double auc = won / (positives * negatives);
  if (std::max(auc, 1 - auc) <= kRules.leak_auc) return std::nullopt;
  return fmt::format("it alone tells the two values of '{}' apart (AUC {:.5f}, {} rows)", target,
                     std::max(auc, 1 - auc), scores.size());
}

}  // namespace

RowSample::RowSample(int columns, int64_t most_bytes)
    : columns_(columns),
      most_rows_(
          std::clamp(most_bytes / (kGrowth * static_cast<int64_t>(sizeof(Cell)) * std::max(columns, 1)),
                     kFewestRows, kMostRows)),
      random_(0, 0xFFFFFF02) {}

void RowSample::add(const RecordBatch& batch) {
  for (int64_t row = 0; row < batch.rows(); ++row, ++seen_) {
    int64_t place = seen_;
    if (seen_ < most_rows_) {
      cells_.resize(cells_.size() + static_cast<size_t>(columns_));
    } else {
      place = random_.below(static_cast<uint32_t>(std::min<int64_t>(seen_ + 1, UINT32_MAX)));
      if (place >= most_rows_) continue;
    }
    put(place, batch, row);
  }
}

void RowSample::put(int64_t place, const RecordBatch& batch, int64_t row) {
  for (int c = 0; c < columns_; ++c) {
    const TextColumn column = batch.column(c);
    Cell& cell = cells_[place * columns_ + c];
    cell = {std::numeric_limits<double>::quiet_NaN(), 0};
    if (column.is_null(row)) continue;
    const std::string_view text = column[row];
    cell.identity = std::max(static_cast<uint32_t>(hash_text(text)), 1u);
    if (const auto number = parse_number(text)) cell.number = *number;
  }
}

std::vector<Leak> find_leaks(const RowSample& sample, const std::vector<ColumnSummary>& columns, int target) {
  std::vector<Leak> leaks;
  const ColumnType type = infer_type(columns[target], Role::target).type;
  const std::string& name = columns[target].name;
  const int64_t distinct = distinct_rows(sample, static_cast<int>(columns.size()));
  for (int c = 0; c < static_cast<int>(columns.size()); ++c) {
    if (c == target) continue;
    const Pairs pairs = pairs_of(sample, c, target);
    if (pairs.rows() < kRules.leak_rows) continue;
    auto reason = determines(pairs, distinct, name);
    if (!reason && type == ColumnType::number) reason = correlates(pairs, name);
    if (!reason && type == ColumnType::binary) reason = separates(pairs, name);
    if (reason) leaks.push_back({c, std::move(*reason)});
  }
  return leaks;
}

}  // namespace shoestring::data
