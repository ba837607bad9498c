// A report over the folds: what they left is added up by name, whatever the order that a fold has it in.
#include "report/folds.h"

#include <gtest/gtest.h>

#include <cmath>

namespace shoestring::report {
namespace {

// One binary output; points are (threshold, true positives, false positives).
std::string fold(const char* labels, const char* confusion, const char* points, const char* calibration,
                 const char* subgroup, const char* finding) {
  return std::string(R"({"format":1,"made":"now","program":"p","files":["t.csv"],"rows":20,)") +
         R"("split_rows":[{"name":"training","rows":8},{"name":"validation","rows":2},{"name":"test","rows":10}],)" +
         R"("inputs":[{"name":"a","type":"category"}],"outputs":[{"name":"y","type":"binary"}],)" +
         R"("diagnosis":[)" + finding + R"(],"data_findings":[],)" +
         R"("quality":{"split":"test","rows":10,"columns":["a"],"outputs":[{"name":"y","type":"binary",)" +
         R"("threshold":0.5,"labels":)" + labels + R"(,"confusion":)" + confusion +
         R"(,"curves":[{"label":"yes","of":{"positives":4,"negatives":6,"brier":0.2,"doubted_positives":1,)" +
         R"("doubted_negatives":2,"points":)" + points + R"(,"calibration":)" + calibration +
         R"(}}],"parts":[],"subgroups":[)" + subgroup +
         R"(],"mistakes":[{"row":3,"table_row":7,"badness":1.5,"truth":"yes","answer":"no","probability":0.8,"cells":["k"]}]}]}})";
}

TEST(FoldReport, AddsUpByName) {
  constexpr const char* kFinding =
      R"({"severity":"warning","subject":"y","title":"'y' is overfitted","evidence":"by much.","remedy":"r"})";
  const std::string first = fold(
      R"(["no","yes"])", "[5,1,1,3]", "[[null,0,0],[0.9,3,1],[0.2,4,6]]", "[[0.95,0.75,4],[0.15,0.2,6]]",
      R"({"column":"a","value":"k","rows":4,"loss":1,"accuracy":0.5,"share_true":0.5,"recall":1})", kFinding);
  const std::string second = fold(
      R"(["yes","no"])", "[2,2,0,6]", "[[null,0,0],[0.9,2,0],[0.2,4,6]]", "[[0.85,1.0,2],[0.15,0.25,8]]",
      R"({"column":"a","value":"k","rows":12,"loss":3,"accuracy":1,"share_true":0.25,"recall":0.5})", "");
  const train::CrossValidation result{.folder = "results/cv", .folds = 3, .values = {}};
  const std::vector<std::string> reports = {first, second, "{not a report"};
  const Facts facts =
      facts_of_folds(result, [&](int64_t fold) { return reports[static_cast<size_t>(fold)]; });
  EXPECT_EQ(facts.folds->pooled, 2);
  ASSERT_TRUE(facts.quality);
  EXPECT_EQ(facts.quality->rows, 20);
  const OutputQuality& q = facts.quality->outputs[0];
  EXPECT_EQ(q.labels, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(q.confusion, (std::vector<int64_t>{11, 1, 3, 5}));
  const ScoreCurves& c = q.curves[0].curves;
  EXPECT_EQ(c.positives, 8);
  EXPECT_EQ(c.negatives, 12);
  EXPECT_EQ(c.doubted_negatives, 4);
  // By hand: at 0.9 five of eight and one of twelve; a straight line to (1, 1).
  EXPECT_NEAR(c.roc_auc, 0.5 * (1 / 12.0) * (5 / 8.0) + (11 / 12.0) * (5 / 8.0 + 1) / 2, 1e-12);
  ASSERT_EQ(c.calibration.size(), 3u);  // 0.1 to 0.2, 0.8 to 0.9, above
  EXPECT_EQ(c.calibration[0].rows, 14);
  EXPECT_NEAR(c.calibration[0].share_true, (0.2 * 6 + 0.25 * 8) / 14, 1e-12);
  ASSERT_EQ(q.subgroups.size(), 1u);
  EXPECT_EQ(q.subgroups[0].rows, 16);
  EXPECT_NEAR(q.subgroups[0].accuracy, (0.5 * 4 + 12) / 16, 1e-12);
  EXPECT_NEAR(q.subgroups[0].recall, (2 * 1 + 3 * 0.5) / 5, 1e-12);
  EXPECT_EQ(q.mistakes.size(), 2u);
  EXPECT_EQ(q.mistakes[0].row, 7);  // of the table: places in a fold's test rows say nothing here
  ASSERT_EQ(facts.diagnosis.size(), 1u);
  EXPECT_EQ(facts.diagnosis[0].evidence, "In 1 of 3 folds. In fold 1: by much.");
}

}  // namespace
}  // namespace shoestring::report
