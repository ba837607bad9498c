// Numbers by columns_sklearn.py; data sets by hand.
#include "report/columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace shoestring::report {
namespace {

struct Rows {
  std::vector<int32_t> groups;
  std::vector<double> values, kinds;
};
Rows some_rows() {
  Rows rows;
  for (int i = 0; i < 600; ++i) {
    const int group = i * 7 % 5;
    rows.groups.push_back(group);
    rows.values.push_back(static_cast<double>(i * 37 % 101) / 10 + group);
    rows.kinds.push_back((i * 13 % 17 + 4 * group) / 9 % 3);
  }
  return rows;
}

TEST(Explained, IsWhatAnAnalysisOfVarianceSays) {
  const Rows rows = some_rows();
  EXPECT_NEAR(explained({rows.groups, rows.values, 5, 0}), 0.182076251278, 1e-10);
  EXPECT_NEAR(explained({rows.groups, rows.kinds, 5, 3}), 0.141393243208, 1e-10);
}

TEST(Explained, RowsWithoutAGroupOrAValueAreLeftOut) {
  Rows rows = some_rows();
  rows.groups.push_back(-1), rows.values.push_back(1e9), rows.kinds.push_back(0);
  rows.groups.push_back(0), rows.values.push_back(std::nan("")), rows.kinds.push_back(-1);
  EXPECT_NEAR(explained({rows.groups, rows.values, 5, 0}), 0.182076251278, 1e-10);
  EXPECT_NEAR(explained({rows.groups, rows.kinds, 5, 3}), 0.141393243208, 1e-10);
}

TEST(Explained, AllNoneAndNothing) {
  const std::vector<int32_t> groups{0, 0, 1, 1, 2, 2};
  const std::vector<double> same{1, 1, 2, 2, 5, 5}, other{1, 2, 1, 2, 1, 2}, constant(6, 3.0);
  EXPECT_DOUBLE_EQ(explained({groups, same, 3, 0}), 1);
  EXPECT_DOUBLE_EQ(explained({groups, other, 3, 0}), 0);
  EXPECT_TRUE(std::isnan(explained({groups, constant, 3, 0})));
  const std::vector<int32_t> own{0, 1, 2, 3, 4, 5};  // each row a group: that tells nothing
  EXPECT_TRUE(std::isnan(explained({own, other, 6, 0})));
}

TEST(StabilityIndex, IsTheSumOfBothEntropiesLessChance) {
  EXPECT_NEAR(
      stability_index(std::vector<int64_t>{400, 300, 200, 100}, std::vector<int64_t>{100, 150, 150, 0}),
      0.62029935472, 1e-10);
  EXPECT_DOUBLE_EQ(stability_index(std::vector<int64_t>{500, 500}, std::vector<int64_t>{50, 50}), 0);
  EXPECT_TRUE(std::isnan(stability_index(std::vector<int64_t>{500, 500}, std::vector<int64_t>{5, 5})));
}

}  // namespace
}  // namespace shoestring::report
