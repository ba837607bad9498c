// What a score is worth as a judge between rows that are so and rows that are not: the counts behind ROC,
// precision-recall, calibration and lift, in a fixed memory however many rows there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace shoestring::report {

// Rows whose scores are next to each other; of one score each, as long as there are few rows.
struct ScoreGroup {
  float least = 0;  // of its scores: counting from the highest group down to this one is a threshold there
  double sum = 0;   // of its scores
  int64_t positives = 0, negatives = 0;
  int64_t rows() const { return positives + negatives; }
  double mean() const { return rows() > 0 ? sum / static_cast<double>(rows()) : least; }
};

// Exact for the first `exact_rows` rows. Of more, scores are counted in groups whose edges are quantiles of
// those first ones: counts at the edges stay exact but for what falls between two of them.
class Scores {
 public:
  explicit Scores(int64_t exact_rows = 1 << 15);
  void add(float score, bool truth);  // in [0, 1]
  int64_t rows() const { return rows_; }
  // From the highest score down.
  std::vector<ScoreGroup> groups() const;

 private:
  void freeze();

  int64_t exact_rows_, rows_ = 0;
  std::vector<float> kept_;         // of the first rows; the sign says the truth: negative is false
  std::vector<ScoreGroup> groups_;  // ascending, once there are too many rows
};

// A point of ROC and precision-recall: scores of at least `threshold` are answered yes.
struct ThresholdPoint {
  double threshold = 0;
  int64_t true_positives = 0, false_positives = 0;
};

struct CalibrationBin {
  double mean_score = 0, share_true = 0;
  int64_t rows = 0;
};

struct LiftPoint {
  double share_of_rows = 0;       // the highest scores
  double share_of_positives = 0;  // that are among them
};

struct ScoreCurves {
  int64_t positives = 0, negatives = 0;
  double roc_auc = 0, average_precision = 0, brier = 0;  // NaN without rows of both kinds
  double calibration_error = 0;                          // the bins' gaps, weighted by their rows
  double best_threshold = 0, best_f1 = 0;                // the highest of equals
  std::vector<ThresholdPoint> points;       // thresholds descending; the first one answers no row
  std::vector<CalibrationBin> calibration;  // of tenths of [0, 1]; without the empty ones
  std::vector<LiftPoint> lift;              // at every twentieth of the rows, from 0
  // Rows that are surely of the other kind by the model: positives whose score is no higher than a usual
  // negative's, and the other way round (the counts off the diagonal in Northcutt, Jiang and Chuang 2021).
  int64_t doubted_positives = 0, doubted_negatives = 0;
};

// F1 where scores of at least `threshold` are answered yes; 0 where none is so. As exact as the groups.
double f1_at(const std::vector<ScoreGroup>& groups, double threshold);

// `most_points`: kept of the points, those at the ends and between them evenly along the curve.
ScoreCurves curves_of(const std::vector<ScoreGroup>& groups, size_t most_points = 160);

}  // namespace shoestring::report
