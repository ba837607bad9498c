#include "data/batch.h"

#include <gtest/gtest.h>

namespace shoestring::data {
namespace {

TEST(Missing, Spellings) {
  for (const char* s : {"", "?", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan",
                        "-NaN", "null", "NULL", "Null", "None"}) {
    EXPECT_TRUE(is_missing(s)) << s;
  }
  for (const char* s :
       {"none", "unknown", "na", "-", ".", "0", "NAs", "Nan", "nil", "??", "False", "Nonesuch"}) {
    EXPECT_FALSE(is_missing(s)) << s;
  }
}

TEST(Trim, BothEnds) {
  EXPECT_EQ(trim("  a b\t\r"), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(BatchBuilder, CellsAndNulls) {
  BatchBuilder builder(2);
  for (int r = 0; r < 20; ++r) {
    builder.cell(" v" + std::to_string(r) + " ");
    if (r % 3 == 0)
      builder.null();
    else
      builder.cell("?");
  }
  EXPECT_EQ(builder.rows(), 20);
  RecordBatch batch = builder.finish(100);
  EXPECT_EQ(batch.first_row(), 100);
  EXPECT_EQ(batch.rows(), 20);
  EXPECT_EQ(batch.columns(), 2);
  for (int r = 0; r < 20; ++r) {
    EXPECT_EQ(batch.column(0)[r], "v" + std::to_string(r));
    EXPECT_EQ(batch.column(0).raw(r), " v" + std::to_string(r) + " ");
    EXPECT_FALSE(batch.column(0).is_null(r));
    EXPECT_EQ(batch.column(1).absent(r), r % 3 == 0);
    EXPECT_TRUE(batch.column(1).is_null(r));
  }
  EXPECT_EQ(builder.rows(), 0);
  builder.cell("a");
  builder.cell("b");
  EXPECT_EQ(builder.finish().column(1)[0], "b");
}

TEST(RecordBatch, MovesOwnership) {
  RecordBatch a = make_batch({{"1", "x"}, {"2", "y"}}, 7);
  RecordBatch b = std::move(a);
  EXPECT_EQ(a.rows(), 0);
  EXPECT_EQ(b.column(1)[1], "y");
  RecordBatch c;
  c = std::move(b);
  EXPECT_EQ(c.first_row(), 7);
  EXPECT_EQ(make_batch({}).rows(), 0);
}

}  // namespace
}  // namespace shoestring::data
