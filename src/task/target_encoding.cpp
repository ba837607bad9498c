#include "task/target_encoding.h"

#include <algorithm>
#include <cmath>

#include "base/philox.h"

namespace shoestring::task {
namespace {

constexpr uint32_t kTargetStream = 0xFFFFFF05;  // of the generator, beside those of splits (data/split.cpp)

// Of some rows: how many, the sum of their targets, and of their squares.
struct Sums {
  double rows = 0, sum = 0, squares = 0;
  void add(double value) { ++rows, sum += value, squares += value * value; }
  Sums operator-(const Sums& part) const {
    return {rows - part.rows, sum - part.sum, squares - part.squares};
  }
  double mean() const { return rows > 0 ? sum / rows : 0; }
  double variance() const { return rows > 0 ? std::max(squares / rows - mean() * mean(), 0.0) : 0; }
};

double encoding(const Sums& of_word, const Sums& all, const std::optional<double>& smoothing) {
  if (of_word.rows <= 0) return all.mean();
  if (smoothing) return (of_word.sum + *smoothing * all.mean()) / (of_word.rows + *smoothing);
  // n V / (n V + v) with the variance v within the value and V over all rows.
  const double between = all.variance() * of_word.rows, within = of_word.variance();
  const double share = between + within > 0 ? between / (between + within) : 0;
  return share * of_word.mean() + (1 - share) * all.mean();
}

// One mean of each entry: of a number, or of being of one class.
class Column {
 public:
  Column(int64_t folds, int64_t words) : words_(static_cast<size_t>(words)), of_word_(words_) {
    parts_.assign(static_cast<size_t>(folds), std::vector<Sums>(words_));
    of_fold_.resize(static_cast<size_t>(folds));
  }
  void add(int64_t fold, int32_t number, double value) {
    const auto f = static_cast<size_t>(fold) - 1, w = static_cast<size_t>(number);
    parts_[f][w].add(value);
    of_word_[w].add(value);
    of_fold_[f].add(value);
    all_.add(value);
  }
  // Into every width-th place of `out`.
  void write(const std::optional<double>& smoothing, int64_t width, float* out) const {
    const double deviation = std::sqrt(all_.variance()), mean = all_.mean();
    const auto put = [&](double value) {
      *out = deviation > 0 ? static_cast<float>((value - mean) / deviation) : 0.0F;
      out += width;
    };
    for (size_t w = 0; w < words_; ++w) put(encoding(of_word_[w], all_, smoothing));
    for (size_t f = 0; f < parts_.size(); ++f)
      for (size_t w = 0; w < words_; ++w)
        put(encoding(of_word_[w] - parts_[f][w], all_ - of_fold_[f], smoothing));
  }

 private:
  size_t words_;
  std::vector<Sums> of_word_, of_fold_;
  std::vector<std::vector<Sums>> parts_;  // of each fold, of each word
  Sums all_;
};

}  // namespace

int64_t target_fold(const TargetTable& table, uint32_t row) {
  const PhiloxBlock draw = philox4x32({row, 0, 0, kTargetStream}, {static_cast<uint32_t>(table.seed),
                                                                   static_cast<uint32_t>(table.seed >> 32)});
  return 1 + static_cast<int64_t>(uint64_t{draw[0]} * static_cast<uint64_t>(table.folds) >> 32);
}

TargetTable fit_targets(const TargetOptions& options, std::span<const int32_t> numbers, int64_t words,
                        std::span<const uint32_t> training_rows, std::span<const TargetValues> targets) {
  TargetTable table{.folds = options.folds, .seed = options.seed};
  const auto columns_of = [](const TargetValues& t) {
    return t.codes.empty() || t.classes == 2 ? 1 : t.classes;
  };
  for (const TargetValues& target : targets) table.width += columns_of(target);
  table.means.resize(static_cast<size_t>((table.folds + 1) * words * table.width));
  int64_t at = 0;
  for (const TargetValues& target : targets) {
    const int64_t columns = columns_of(target);
    for (int64_t c = 0; c < columns; ++c) {
      const auto positive = static_cast<int32_t>(columns == 1 ? 1 : c);
      // Numbers are taken less the first, so that a large offset costs the variance no digits.
      std::optional<double> offset;
      Column column(table.folds, words);
      for (const uint32_t row : training_rows) {
        if (numbers[row] < 0) continue;
        double value;
        if (target.codes.empty()) {
          value = target.numbers[row];
          if (std::isnan(value)) continue;
          if (!offset) offset = value;
          value -= *offset;
        } else {
          if (target.codes[row] < 0) continue;
          value = target.codes[row] == positive ? 1 : 0;
        }
        column.add(target_fold(table, row), numbers[row], value);
      }
      column.write(options.smoothing, table.width, table.means.data() + at++);
    }
  }
  return table;
}

void reorder(TargetTable& table, std::span<const size_t> order) {
  const auto width = static_cast<size_t>(table.width), block = order.size() * width;
  const std::vector<float> before = table.means;
  for (size_t i = 0; i < before.size(); ++i)
    table.means[i] = before[i / block * block + order[i % block / width] * width + i % width];
}

}  // namespace shoestring::task
