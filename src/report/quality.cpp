#include "report/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/overloaded.h"
#include "base/philox.h"
#include "task/metrics.h"

namespace shoestring::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMistakes = 20, kShownColumns = 24, kGroupedColumns = 12, kGroupValues = 12;
constexpr size_t kConfusionClasses = 20, kCurves = 6, kAllCurves = 12, kParts = 32;
constexpr int64_t kExactRows = 1 << 14, kFewestExact = 1 << 10;
constexpr int64_t kPairs = 1 << 12;

double share(double part, double whole) { return whole > 0 ? part / whole : kNan; }

// One row's answer of one output, as far as sums and mistakes need it.
struct Answered {
  double badness = 0, loss = 0;
  bool right = false, truth = false, answer = false;
  double error = 0;
  double probability = kNan;
  int32_t answered_class = -1;
};

struct GroupSums {
  int64_t rows = 0, right = 0, truths = 0, answers = 0, both = 0;
  double loss = 0, error = 0, absolute = 0;
};

}  // namespace

NumberQuality number_quality(std::vector<NumberQuality::Pair> pairs) {
  NumberQuality out{.sampled = std::ssize(pairs)};
  if (pairs.empty()) return out;
  constexpr size_t kBins = 40, kTenths = 10, kDrawn = 400;
  std::vector<double> errors;
  for (const auto& p : pairs) errors.push_back(p.answer - p.truth);
  std::sort(errors.begin(), errors.end());
  const auto at = [](const std::vector<double>& sorted, double q) {
    return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
  };
  double low = at(errors, 0.005), high = at(errors, 0.995);
  if (!(high > low)) low -= 0.5, high += 0.5;
  for (size_t i = 0; i <= kBins; ++i)
    out.edges.push_back(low + (high - low) * static_cast<double>(i) / static_cast<double>(kBins));
  out.counts.assign(kBins, 0);
  for (const double e : errors)
    ++out.counts[static_cast<size_t>(
        std::clamp((e - low) / (high - low) * static_cast<double>(kBins), 0.0, kBins - 1.0))];
  for (double& e : errors) e = std::abs(e);
  std::sort(errors.begin(), errors.end());
  for (const double q : NumberQuality::kQuantiles) out.quantiles.push_back(at(errors, q));
  for (size_t i = 0; i < std::min(kDrawn, pairs.size()); ++i)
    out.pairs.push_back(pairs[i * pairs.size() / std::min(kDrawn, pairs.size())]);
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.truth < b.truth; });
  for (size_t t = 0; t < std::min(kTenths, pairs.size()); ++t) {
    const size_t tenths = std::min(kTenths, pairs.size());
    const size_t begin = t * pairs.size() / tenths, end = (t + 1) * pairs.size() / tenths;
    NumberQuality::Tenth tenth{.truth = pairs[(begin + end) / 2].truth,
                               .rows = static_cast<int64_t>(end - begin)};
    for (size_t i = begin; i < end; ++i) {
      tenth.mean_error += pairs[i].answer - pairs[i].truth;
      tenth.mean_absolute_error += std::abs(pairs[i].answer - pairs[i].truth);
    }
    tenth.mean_error /= static_cast<double>(tenth.rows);
    tenth.mean_absolute_error /= static_cast<double>(tenth.rows);
    out.tenths.push_back(tenth);
  }
  return out;
}

// What is gathered of one output.
struct QualityRecorder::Output {
  const task::OutputFeature* feature;
  const task::Fit* fit;
  size_t size = 1;
  size_t classes = 0, shown_classes = 0;  // shown_classes: of the confusion, without "(others)"
  OutputQuality quality;
  std::vector<Scores> scores;      // of quality.curves
  std::optional<Scores> choosing;  // of a binary output
  std::optional<Scores> confidence;
  std::vector<NumberQuality::Pair> pairs;
  Philox random{0, 0xFFFFFF03};
  std::vector<std::vector<GroupSums>> groups;  // of each grouped input: its values, the others last
  std::vector<float> truths, values;           // of a vector: one row
  std::vector<Mistake> mistakes;               // a heap, the least bad on top

  static bool worse(const Mistake& a, const Mistake& b) {
    return a.badness != b.badness ? a.badness > b.badness : a.row < b.row;
  }
  size_t place(int32_t number) const { return std::min(static_cast<size_t>(number), shown_classes); }

  void prepare(int64_t exact_rows);
  Answered look(const Cells& cells, const train::RowsAt& at, const train::Ports& ports, size_t output,
                size_t i, int64_t seen);
  std::string label(const Answered& answered, const train::Ports& ports, size_t output, size_t i) const;
  OutputQuality finish(const Cells& cells, const std::vector<size_t>& grouped);
};

void QualityRecorder::Output::prepare(int64_t exact_rows) {
  if (const auto* binary = std::get_if<task::BinaryFit>(fit)) {
    quality.threshold = std::get<task::BinaryOutput>(feature->spec).threshold;
    quality.labels = {binary->false_label, binary->true_label};
    classes = shown_classes = 2;
    quality.curves.push_back({binary->true_label, {}});
  } else if (const auto* category = std::get_if<task::CategoryFit>(fit)) {
    classes = category->vocabulary.size();
    shown_classes = std::min(classes, kConfusionClasses);
    quality.labels.assign(category->vocabulary.begin(),
                          category->vocabulary.begin() + static_cast<int64_t>(shown_classes));
    if (classes > shown_classes) quality.labels.emplace_back("(others)");
    for (size_t c = 0; c < std::min(classes, kCurves); ++c) quality.curves.push_back({quality.labels[c], {}});
    confidence.emplace(exact_rows);
  } else if (const auto* vector = std::get_if<task::VectorFit>(fit)) {
    truths.resize(static_cast<size_t>(vector->size));
    for (size_t i = 0; i < std::min(truths.size(), kParts); ++i)
      quality.parts.push_back({.label = std::to_string(i + 1)});
  } else if (const auto* words = std::get_if<task::WordsFit>(fit)) {
    for (size_t i = 0; i < std::min(words->vocabulary.size(), kParts); ++i)
      quality.parts.push_back({.label = words->vocabulary[i]});
  }
  quality.confusion.assign(quality.labels.size() * quality.labels.size(), 0);
  for (size_t c = 0; c < quality.curves.size(); ++c) scores.emplace_back(exact_rows);
}

// Row i of the batch, added to everything but the groups.
Answered QualityRecorder::Output::look(const Cells& cells, const train::RowsAt& at, const train::Ports& ports,
                                       size_t output, size_t i, int64_t seen) {
  const uint32_t row = at.rows[i];
  const std::span answers(ports.predictions[output] + i * size, size);
  Answered out;
  out.loss = out.badness = ports.losses[output][i];
  const auto confuse = [&](size_t truth, size_t answer) {
    ++quality.confusion[truth * quality.labels.size() + answer];
    out.right = truth == answer;
  };
  std::visit(
      Overloaded{
          [&](const task::NumberFit& f) {
            const auto& clip = std::get<task::NumberOutput>(feature->spec).clip;
            const NumberQuality::Pair pair{cells.target_number(*at.targets, output, row),
                                           task::decode(f, answers[0], clip)};
            out.error = pair.answer - pair.truth;
            out.badness = std::abs(out.error);
            if (static_cast<int64_t>(pairs.size()) < kPairs) {
              pairs.push_back(pair);
            } else {
              const auto place = random.below(static_cast<uint32_t>(std::min<int64_t>(seen, UINT32_MAX)));
              if (place < kPairs) pairs[place] = pair;
            }
          },
          [&](const task::BinaryFit&) {
            out.truth = at.targets->numbers[output][row] > 0.5F;
            out.answer = static_cast<double>(answers[0]) >= quality.threshold;
            out.probability = out.answer ? answers[0] : 1 - answers[0];
            out.answered_class = out.answer;
            scores[0].add(answers[0], out.truth);
            confuse(out.truth, out.answer);
          },
          [&](const task::CategoryFit&) {
            const int32_t truth = at.targets->codes[output][row];
            out.answered_class = task::argmax(answers);
            out.probability = answers[static_cast<size_t>(out.answered_class)];
            if (truth < 0) {
              out.badness = -1;  // a class that the model cannot answer is no mistake of this kind
              return;
            }
            confuse(place(truth), place(out.answered_class));
            out.right = truth == out.answered_class;
            confidence->add(static_cast<float>(out.probability), out.right);
            for (size_t c = 0; c < scores.size(); ++c)
              scores[c].add(answers[c], truth == static_cast<int32_t>(c));
          },
          [&](const task::VectorFit& f) {
            values.assign(answers.begin(), answers.end());
            std::get<data::FloatRows>(at.targets->columns[output]).gather(std::span(&row, 1), truths.data());
            task::decode(f, values);
            task::decode(f, truths);
            for (size_t k = 0; k < quality.parts.size(); ++k)
              quality.parts[k].mean_absolute_error += std::abs(values[k] - truths[k]);
          },
          [&](const task::WordsFit&) {
            const auto& words = std::get<data::CodeColumn>(at.targets->columns[output]);
            const double threshold = std::get<task::SetOutput>(feature->spec).threshold;
            for (size_t k = 0; k < quality.parts.size(); ++k)
              quality.parts[k].answers += answers[k] >= threshold;
            for (int64_t k = 0; k < words.width(); ++k) {
              const auto word = static_cast<size_t>(words.at(row, k));
              if (word >= quality.parts.size()) continue;
              ++quality.parts[word].truths;
              quality.parts[word].both += answers[word] >= threshold;
            }
          },
          [](const task::DateFit&) {}, [](const task::PictureFit&) {}},
      *fit);
  return out;
}

std::string QualityRecorder::Output::label(const Answered& answered, const train::Ports& ports, size_t output,
                                           size_t i) const {
  const std::span answers(ports.predictions[output] + i * size, size);
  if (const auto* f = std::get_if<task::BinaryFit>(fit)) return task::decode(*f, answered.answer);
  if (const auto* f = std::get_if<task::CategoryFit>(fit)) return task::decode(*f, answered.answered_class);
  if (const auto* f = std::get_if<task::NumberFit>(fit))
    return fmt::format("{:.6g}",
                       task::decode(*f, answers[0], std::get<task::NumberOutput>(feature->spec).clip));
  std::string text;
  if (const auto* f = std::get_if<task::WordsFit>(fit)) {
    for (size_t k = 0; k < answers.size(); ++k)
      if (answers[k] >= std::get<task::SetOutput>(feature->spec).threshold)
        text += (text.empty() ? "" : ", ") + f->vocabulary[k];
    return text;
  }
  constexpr size_t kNumbers = 6;
  for (size_t k = 0; k < std::min(kNumbers, values.size()); ++k)
    text += fmt::format("{}{:.4g}", k > 0 ? ", " : "[", values[k]);
  return text + (values.size() > kNumbers ? ", …]" : "]");
}

OutputQuality QualityRecorder::Output::finish(const Cells& cells, const std::vector<size_t>& grouped) {
  if (choosing) {
    constexpr size_t kPoints = 80;
    ThresholdChoice choice{.curves = curves_of(choosing->groups(), kPoints)};
    if (choice.curves.positives > 0 && choice.curves.negatives > 0) {
      choice.f1 = f1_at(choosing->groups(), quality.threshold);
      choice.f1_here = f1_at(scores[0].groups(), choice.curves.best_threshold);
      quality.choice = std::move(choice);
    }
  }
  for (size_t c = 0; c < scores.size(); ++c) {
    quality.curves[c].curves = curves_of(scores[c].groups());
    scores[c] = Scores();
  }
  if (confidence) quality.confidence = curves_of(confidence->groups());
  if (std::holds_alternative<task::NumberFit>(*fit)) quality.number = number_quality(std::move(pairs));
  std::sort(mistakes.begin(), mistakes.end(), worse);
  quality.mistakes = std::move(mistakes);
  for (size_t g = 0; g < grouped.size(); ++g) {
    const auto labels = cells.labels(grouped[g]);
    for (size_t v = 0; v < groups[g].size(); ++v) {
      const GroupSums& s = groups[g][v];
      if (s.rows == 0) continue;
      const auto n = static_cast<double>(s.rows), of_truth = static_cast<double>(s.truths);
      quality.subgroups.push_back({.column = cells.name(grouped[g]),
                                   .value = v < kGroupValues ? labels[v] : "(others)",
                                   .rows = s.rows,
                                   .loss = s.loss / n,
                                   .accuracy = static_cast<double>(s.right) / n,
                                   .share_true = of_truth / n,
                                   .share_answered_true = static_cast<double>(s.answers) / n,
                                   .recall = share(static_cast<double>(s.both), of_truth),
                                   .mean_error = s.error / n,
                                   .mean_absolute_error = s.absolute / n});
    }
  }
  return std::move(quality);
}

QualityRecorder::QualityRecorder(const task::NetworkSpec& spec, const task::Fits& fits) : cells_(spec, fits) {
  for (size_t i = 0; i < std::min(cells_.inputs(), kShownColumns); ++i) {
    shown_.push_back(i);
    quality_.columns.push_back(cells_.name(i));
  }
  for (size_t i = 0; i < cells_.inputs() && grouped_.size() < kGroupedColumns; ++i)
    if (!cells_.labels(i).empty()) grouped_.push_back(i);
  size_t curves = 0;
  for (size_t o = 0; o < spec.recipe.outputs.size(); ++o) {
    Output& output = outputs_.emplace_back();
    output.feature = &spec.recipe.outputs[o];
    output.fit = &fits.outputs[o];
    output.size = static_cast<size_t>(spec.output_sizes[o]);
    output.quality.name = output.feature->name;
    output.quality.type = output.feature->type();
    output.groups.resize(grouped_.size());
    for (size_t g = 0; g < grouped_.size(); ++g)
      output.groups[g].resize(std::min(cells_.labels(grouped_[g]).size(), kGroupValues + 1));
    if (const auto* c = std::get_if<task::CategoryFit>(output.fit))
      curves += std::min(c->vocabulary.size(), kCurves) + 1;
    else if (std::holds_alternative<task::BinaryFit>(*output.fit))
      ++curves;
  }
  const auto all = static_cast<int64_t>(std::clamp<size_t>(curves, 1, kAllCurves));
  for (Output& output : outputs_) output.prepare(std::max(kFewestExact, kExactRows / all));
}

QualityRecorder::~QualityRecorder() = default;
QualityRecorder::QualityRecorder(QualityRecorder&&) noexcept = default;

void QualityRecorder::choose_by(const train::RowsAt& at, const train::Ports& ports) {
  for (size_t o = 0; o < outputs_.size(); ++o) {
    Output& output = outputs_[o];
    if (!std::holds_alternative<task::BinaryFit>(*output.fit)) continue;
    if (!output.choosing) output.choosing.emplace(kFewestExact);
    for (size_t i = 0; i < at.rows.size(); ++i)
      output.choosing->add(ports.predictions[o][i], at.targets->numbers[o][at.rows[i]] > 0.5F);
  }
}

void QualityRecorder::add(task::SplitName split, const train::RowsAt& at, const train::Ports& ports,
                          bool in_table) {
  quality_.split = name_of(split);
  for (size_t i = 0; i < at.rows.size(); ++i) {
    ++quality_.rows;
    for (size_t o = 0; o < outputs_.size(); ++o) {
      Output& output = outputs_[o];
      const Answered answered = output.look(cells_, at, ports, o, i, quality_.rows);
      for (size_t g = 0; g < grouped_.size(); ++g) {
        const int32_t code = cells_.code(*at.inputs, grouped_[g], at.rows[i]);
        if (code < 0) continue;
        GroupSums& s = output.groups[g][std::min(static_cast<size_t>(code), kGroupValues)];
        ++s.rows;
        s.right += answered.right;
        s.truths += answered.truth;
        s.answers += answered.answer;
        s.both += answered.truth && answered.answer;
        s.loss += answered.loss;
        s.error += answered.error;
        s.absolute += std::abs(answered.error);
      }
      auto& worst = output.mistakes;
      if (!(answered.badness > 0) || (output.classes > 0 && answered.right)) continue;
      if (worst.size() == kMistakes && !(answered.badness > worst.front().badness)) continue;
      Mistake mistake{.row = quality_.rows,
                      .table_row = in_table ? int64_t{at.rows[i]} + 1 : 0,
                      .badness = answered.badness,
                      .truth = shortened(cells_.target(*at.targets, o, at.rows[i])),
                      .answer = shortened(output.label(answered, ports, o, i)),
                      .probability = answered.probability,
                      .cells = {}};
      for (const size_t input : shown_) mistake.cells.push_back(cells_.shown(*at.inputs, input, at.rows[i]));
      if (worst.size() == kMistakes) {
        std::pop_heap(worst.begin(), worst.end(), Output::worse);
        worst.pop_back();
      }
      worst.push_back(std::move(mistake));
      std::push_heap(worst.begin(), worst.end(), Output::worse);
    }
  }
}

Quality QualityRecorder::take() {
  for (Output& output : outputs_) {
    quality_.outputs.push_back(output.finish(cells_, grouped_));
    for (PartQuality& part : quality_.outputs.back().parts)
      part.mean_absolute_error /= static_cast<double>(std::max<int64_t>(1, quality_.rows));
  }
  outputs_.clear();
  return std::move(quality_);
}

}  // namespace shoestring::report
