#include "data/synthesize.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/parallel.h"
#include "base/philox.h"

namespace shoestring::data {
namespace {

using Kind = SyntheticColumn::Kind;

constexpr int kHidden = 16;
constexpr int64_t kCalibrationRows = 2048, kRowsAtATime = 4096;
constexpr uint32_t kStep = 0x53594E54;  // so that no draw is one of training's

// The streams of random numbers; the parts of column c (its words, its numbers) come from kParts + c.
enum Stream : uint32_t { kCells, kGaps, kNoise, kWeights, kEffects, kParts };

// The standard normal quantile of a draw, within 3.5 deviations, from a table of 4,096 intervals.
class Bell {
 public:
  Bell() {
    for (size_t i = 0; i < table_.size(); ++i) {
      const double p = (static_cast<double>(i) + 0.5) / static_cast<double>(table_.size());
      double low = -6, high = 6;  // P(z) = erfc(-z / sqrt 2) / 2 grows
      for (int step = 0; step < 50; ++step) {
        const double middle = (low + high) / 2;
        (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
      }
      table_[i] = static_cast<float>(low);
    }
  }
  float operator()(uint32_t draw) const {
    const float place = static_cast<float>(draw >> 8) * (static_cast<float>(kIntervals) * 0x1p-24f);
    const auto interval = static_cast<size_t>(place);
    const float part = place - static_cast<float>(interval);
    return table_[interval] + part * (table_[interval + 1] - table_[interval]);
  }

 private:
  static constexpr size_t kIntervals = 4096;
  std::array<float, kIntervals + 1> table_;
};

// Words by how frequent they are, the k-th with a weight of 1 / (k + 1): ends of their shares of 2^32.
std::vector<uint32_t> shares_of(size_t words) {
  std::vector<double> weights(words);
  for (size_t k = 0; k < words; ++k) weights[k] = 1 / static_cast<double>(k + 1);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<uint32_t> ends;
  double sum = 0;
  for (const double weight : weights) {
    sum += weight / total;
    ends.push_back(static_cast<uint32_t>(std::min(sum * 0x1p32, 0x1p32 - 1)));
  }
  return ends;
}

// A column and what its cells are made with.
struct Maker {
  const SyntheticColumn* column;
  std::vector<uint32_t> ends;  // of words
  std::vector<float> effects;  // of each word on the targets
  int64_t scale = 1;           // 10^decimals
  int64_t first_score = 0;     // of a target: its scores
  int64_t scores = 0;          // how many it has
  float threshold = 0;         // of a binary one: true above it
};

// One row while it is made.
struct Row {
  std::vector<float> signals, scores;  // of each column; of each score, standardised, with noise
  std::vector<int64_t> values;         // scaled number, word or days
  std::vector<uint8_t> gaps;
  std::vector<int32_t> parts;      // of sets, bags and vectors, one after the other
  std::vector<size_t> first_part;  // of each column
  std::string text;                // a cell
};

class Synthesizer {
 public:
  Synthesizer(const SyntheticTable& table, uint64_t seed);

  Row row() const;  // with room for one
  void write(int64_t number, Row& row, RowText& out) const;

 private:
  RandomStream stream(uint32_t which) const { return {seed_, which, kStep}; }
  void draw(uint32_t number, Row& row) const;
  void draw_cell(const Maker& maker, size_t c, uint32_t number, uint32_t bits, Row& row) const;
  void draw_parts(const Maker& maker, size_t c, uint32_t number, uint32_t bits, Row& row) const;
  void score(uint32_t number, Row& row) const;
  void calibrate();
  void write_cell(const Maker& maker, size_t c, Row& row, RowText& out) const;
  void write_target(const Maker& maker, Row& row, RowText& out) const;
  void number(const Maker& maker, double standard, RowText& out) const;

  const SyntheticTable* table_;
  uint64_t seed_;
  Bell bell_;
  std::vector<Maker> makers_;
  int64_t inputs_ = 0, scores_ = 0;
  bool has_gaps_ = false;
  std::vector<std::array<float, kHidden>> first_;  // [columns], those of targets zero
  std::array<float, kHidden> bias_;
  std::vector<std::array<float, kHidden>> second_;  // [scores]
  std::vector<float> mean_, inverse_deviation_;     // of each score
  float kept_, noise_;
};

Synthesizer::Synthesizer(const SyntheticTable& table, uint64_t seed)
    : table_(&table),
      seed_(seed),
      kept_(static_cast<float>(std::sqrt(1 - table.noise))),
      noise_(static_cast<float>(std::sqrt(table.noise))) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const SyntheticColumn& column = table.columns[c];
    Maker& maker = makers_.emplace_back();
    maker.column = &column;
    for (int i = 0; i < column.decimals; ++i) maker.scale *= 10;
    maker.ends = shares_of(column.words.size());
    for (uint32_t k = 0; k < column.words.size(); ++k)
      maker.effects.push_back(bell_(stream(kEffects).block(static_cast<uint32_t>(c), k)[0]));
    has_gaps_ |= column.missing > 0;
    inputs_ += !column.is_target && column.kind != Kind::split;
    if (!column.is_target) continue;
    maker.first_score = scores_;
    maker.scores = column.kind == Kind::category || column.kind == Kind::set
                       ? static_cast<int64_t>(column.words.size())
                   : column.kind == Kind::vector ? column.most
                                                 : 1;
    scores_ += maker.scores;
    if (column.kind == Kind::binary)
      maker.threshold = bell_(static_cast<uint32_t>((1 - column.share_true) * 0x1p32 - 0.5));
  }
  const auto weights = [&](uint32_t number, float scale, std::array<float, kHidden>& out) {
    for (uint32_t h = 0; h < kHidden; ++h)
      out[h] = scale * bell_(stream(kWeights).block(number, h / 4)[h % 4]);
  };
  uint32_t number = 0;
  weights(number++, 1, bias_);
  const float gain = 2 / std::sqrt(static_cast<float>(std::max<int64_t>(inputs_, 1)));
  for (const Maker& maker : makers_)
    weights(number++, maker.column->is_target || maker.column->kind == Kind::split ? 0 : gain,
            first_.emplace_back());
  for (int64_t s = 0; s < scores_; ++s) weights(number++, 1, second_.emplace_back());
  calibrate();
}

Row Synthesizer::row() const {
  const size_t n = makers_.size();
  Row row;
  row.signals.resize(n);
  row.values.resize(n);
  row.gaps.resize(n);
  row.first_part.resize(n + 1);
  row.scores.resize(static_cast<size_t>(scores_));
  return row;
}

// The scores' means and deviations over the first rows, so that classes come out about equal.
void Synthesizer::calibrate() {
  mean_.assign(static_cast<size_t>(scores_), 0);
  inverse_deviation_.assign(static_cast<size_t>(scores_), 1);
  if (scores_ == 0) return;
  Row row = this->row();
  std::vector<double> sum(row.scores.size()), squares(row.scores.size());
  const float kept = std::exchange(kept_, 1.0f), noise = std::exchange(noise_, 0.0f);
  for (int64_t r = 0; r < kCalibrationRows; ++r) {
    draw(static_cast<uint32_t>(r), row);
    for (size_t s = 0; s < row.scores.size(); ++s) {
      sum[s] += row.scores[s];
      squares[s] += static_cast<double>(row.scores[s]) * row.scores[s];
    }
  }
  kept_ = kept;
  noise_ = noise;
  for (size_t s = 0; s < sum.size(); ++s) {
    const double mean = sum[s] / kCalibrationRows;
    const double deviation = std::sqrt(std::max(squares[s] / kCalibrationRows - mean * mean, 1e-12));
    mean_[s] = static_cast<float>(mean);
    inverse_deviation_[s] = static_cast<float>(1 / deviation);
  }
}

void Synthesizer::draw(uint32_t number, Row& row) const {
  PhiloxBlock cells{}, gaps{};
  row.parts.clear();
  for (size_t c = 0; c < makers_.size(); ++c) {
    if (c % 4 == 0) {
      cells = stream(kCells).block(number, static_cast<uint32_t>(c / 4));
      if (has_gaps_) gaps = stream(kGaps).block(number, static_cast<uint32_t>(c / 4));
    }
    const Maker& maker = makers_[c];
    row.gaps[c] = has_gaps_ && gaps[c % 4] * 0x1p-32 < maker.column->missing;
    row.first_part[c] = row.parts.size();
    if (!maker.column->is_target) draw_cell(maker, c, number, cells[c % 4], row);
  }
  row.first_part.back() = row.parts.size();
  if (scores_ > 0) score(number, row);
}

void Synthesizer::draw_cell(const Maker& maker, size_t c, uint32_t number, uint32_t bits, Row& row) const {
  const SyntheticColumn& column = *maker.column;
  const double share = bits * 0x1p-32;
  float& signal = row.signals[c];
  int64_t& value = row.values[c];
  switch (column.kind) {
    case Kind::number:
      signal = column.range ? static_cast<float>((share - 0.5) * std::sqrt(12.0)) : bell_(bits);
      value =
          std::llround((column.range ? (*column.range)[0] + share * ((*column.range)[1] - (*column.range)[0])
                                     : static_cast<double>(signal)) *
                       static_cast<double>(maker.scale));
      break;
    case Kind::binary:
      value = share < column.share_true;
      signal = value ? 1 : -1;
      break;
    case Kind::category:
      value =
          std::min<int64_t>(std::upper_bound(maker.ends.begin(), maker.ends.end(), bits) - maker.ends.begin(),
                            static_cast<int64_t>(maker.ends.size()) - 1);
      signal = maker.effects[static_cast<size_t>(value)];
      break;
    case Kind::set:
    case Kind::bag:
    case Kind::vector:
      draw_parts(maker, c, number, bits, row);
      break;
    case Kind::date: {
      constexpr int64_t kDays = 9131;  // of 2000 to 2024
      value = static_cast<int64_t>(share * kDays);
      signal = static_cast<float>((share - 0.5) * std::sqrt(12.0));
      break;
    }
    case Kind::split:
      value = share < 0.7 ? 0 : share < 0.8 ? 1 : 2;
      break;
  }
}

// How many and which words, or the numbers of a vector; their sum over the root of their number signals.
void Synthesizer::draw_parts(const Maker& maker, size_t c, uint32_t number, uint32_t bits, Row& row) const {
  const SyntheticColumn& column = *maker.column;
  const bool is_vector = column.kind == Kind::vector;
  const auto count = static_cast<uint32_t>(
      is_vector ? column.most : 1 + static_cast<int64_t>(bits * 0x1p-32 * static_cast<double>(column.most)));
  const size_t first = row.parts.size();
  float sum = 0;
  PhiloxBlock block{};
  for (uint32_t i = 0; i < count; ++i) {
    if (i % 4 == 0) block = stream(kParts + static_cast<uint32_t>(c)).block(number, i / 4);
    if (is_vector) {
      const float value = bell_(block[i % 4]);
      row.parts.push_back(static_cast<int32_t>(std::lround(value * static_cast<float>(maker.scale))));
      sum += value;
      continue;
    }
    const auto word = static_cast<int32_t>(std::min<int64_t>(
        std::upper_bound(maker.ends.begin(), maker.ends.end(), block[i % 4]) - maker.ends.begin(),
        static_cast<int64_t>(maker.ends.size()) - 1));
    if (column.kind == Kind::set && std::find(row.parts.begin() + static_cast<std::ptrdiff_t>(first),
                                              row.parts.end(), word) != row.parts.end())
      continue;
    row.parts.push_back(word);
    sum += maker.effects[static_cast<size_t>(word)];
  }
  row.signals[c] = sum / std::sqrt(static_cast<float>(std::max<size_t>(row.parts.size() - first, 1)));
}

void Synthesizer::score(uint32_t number, Row& row) const {
  std::array<float, kHidden> hidden = bias_;
  for (size_t c = 0; c < makers_.size(); ++c)
    for (int h = 0; h < kHidden; ++h) hidden[h] += row.signals[c] * first_[c][h];
  for (float& h : hidden) h /= 1 + std::abs(h);  // softsign: no library's rounding in it
  PhiloxBlock block{};
  for (size_t s = 0; s < row.scores.size(); ++s) {
    if (s % 4 == 0 && noise_ > 0) block = stream(kNoise).block(number, static_cast<uint32_t>(s / 4));
    float sum = 0;
    for (int h = 0; h < kHidden; ++h) sum += hidden[h] * second_[s][h];
    row.scores[s] = kept_ * (sum - mean_[s]) * inverse_deviation_[s] + noise_ * bell_(block[s % 4]);
  }
}

void Synthesizer::number(const Maker& maker, double standard, RowText& out) const {
  double value = standard;
  if (const auto& range =
          maker.column->range)  // four deviations of it lie in the range, the rest at its ends
    value = (*range)[0] + ((*range)[1] - (*range)[0]) * std::clamp(standard / 4 + 0.5, 0.0, 1.0);
  out.decimal(std::llround(value * static_cast<double>(maker.scale)), maker.column->decimals);
}

// "2003-11-25"
std::string_view date_text(int64_t days_since_2000, std::string& text) {
  using namespace std::chrono;
  const year_month_day date(sys_days(year(2000) / January / 1) + days(days_since_2000));
  text.clear();
  const auto digits = [&](unsigned value, int width) {
    for (int i = width; i > 0; --i, value /= 10)
      text.insert(text.end() - (width - i), static_cast<char>('0' + value % 10));
  };
  digits(static_cast<unsigned>(static_cast<int>(date.year())), 4);
  text += '-';
  digits(static_cast<unsigned>(date.month()), 2);
  text += '-';
  digits(static_cast<unsigned>(date.day()), 2);
  return text;
}

void Synthesizer::write_cell(const Maker& maker, size_t c, Row& row, RowText& out) const {
  const SyntheticColumn& column = *maker.column;
  const int64_t value = row.values[c];
  switch (column.kind) {
    case Kind::number:
      return out.decimal(value, column.decimals);
    case Kind::binary:
    case Kind::category:
      return out.text(column.words[static_cast<size_t>(value)]);
    case Kind::date:
      return out.text(date_text(value, row.text));
    case Kind::split:
      return out.integer(value);
    case Kind::set:
    case Kind::bag:
    case Kind::vector:
      break;
  }
  row.text.clear();
  for (size_t p = row.first_part[c]; p < row.first_part[c + 1]; ++p) {
    if (!row.text.empty()) row.text += column.between;
    if (column.kind == Kind::vector)
      append_decimal(row.text, row.parts[p], column.decimals);
    else
      row.text += column.words[static_cast<size_t>(row.parts[p])];
  }
  out.text(row.text);
}

void Synthesizer::write_target(const Maker& maker, Row& row, RowText& out) const {
  const SyntheticColumn& column = *maker.column;
  const std::span scores =
      std::span(row.scores)
          .subspan(static_cast<size_t>(maker.first_score), static_cast<size_t>(maker.scores));
  switch (column.kind) {
    case Kind::number:
      return number(maker, scores[0], out);
    case Kind::binary:
      return out.text(column.words[scores[0] > maker.threshold]);
    case Kind::category:
      return out.text(column.words[static_cast<size_t>(std::ranges::max_element(scores) - scores.begin())]);
    default:
      break;
  }
  row.text.clear();
  for (size_t k = 0; k < scores.size(); ++k) {
    const bool is_vector = column.kind == Kind::vector;
    if (!is_vector && scores[k] < 0.5f) continue;  // three words of ten
    if (!row.text.empty()) row.text += column.between;
    if (is_vector)
      append_decimal(row.text, std::llround(scores[k] * static_cast<float>(maker.scale)), column.decimals);
    else
      row.text += column.words[k];
  }
  out.text(row.text);
}

void Synthesizer::write(int64_t number, Row& row, RowText& out) const {
  draw(static_cast<uint32_t>(number), row);
  for (size_t c = 0; c < makers_.size(); ++c) {
    if (row.gaps[c])
      out.null();
    else if (makers_[c].column->is_target)
      write_target(makers_[c], row, out);
    else
      write_cell(makers_[c], c, row, out);
  }
  out.end_row();
}

}  // namespace

Status synthesize(const SyntheticTable& table, uint64_t seed, int64_t rows, WriteKind kind, Output& output,
                  const std::function<bool()>& stop) {
  const auto is_input = [](const SyntheticColumn& c) { return !c.is_target && c.kind != Kind::split; };
  if (std::ranges::any_of(table.columns, &SyntheticColumn::is_target) &&
      std::ranges::none_of(table.columns, is_input))
    return fail(ErrorKind::usage, "there are targets, but no columns to make them from", "synthesize-dataset",
                "give input features too");
  const Synthesizer synthesizer(table, seed);
  std::vector<std::string> names;
  for (const SyntheticColumn& column : table.columns) names.push_back(column.name);
  RowText header(kind, names);
  header.names();
  output.write(header.view());

  struct Worker {
    RowText text;
    Row row;
  };
  std::vector<Worker> team(static_cast<size_t>(thread_count()),
                           Worker{RowText(kind, names), synthesizer.row()});
  for (int64_t first = 0; first < rows && output.status();) {
    if (stop && stop())
      return fail(ErrorKind::interrupted, "stopped: nothing was written", {}, "run the same command again");
    const int64_t count = std::min(rows - first, kRowsAtATime * static_cast<int64_t>(team.size()));
    parallel([&](int thread, int threads) {
      const Share share = share_of(count, thread, threads);
      Worker& worker = team[static_cast<size_t>(thread)];
      for (int64_t r = share.begin; r < share.end; ++r) synthesizer.write(first + r, worker.row, worker.text);
    });
    for (Worker& worker : team) {
      output.write(worker.text.view());
      worker.text.clear();
    }
    first += count;
  }
  return output.status();
}

}  // namespace shoestring::data
