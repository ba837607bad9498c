#include "data/dates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace shoestring::data {
namespace {

std::string written(double seconds) {
  if (std::isnan(seconds)) return "none";
  const Civil c = civil_of(static_cast<int64_t>(seconds));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
                c.second);
  return text;
}

// The numbers are Python's: int(datetime(…, tzinfo=timezone.utc).timestamp()), .weekday(),
// .timetuple().tm_yday.
TEST(Dates, SecondsAndBack) {
  struct Case {
    Civil civil;
    int64_t seconds;
    int weekday, yearday;
  };
  const Case cases[] = {{{1970, 1, 1}, 0, 3, 1},
                        {{2016, 2, 29, 23, 59, 59}, 1456790399, 0, 60},
                        {{1969, 12, 31, 23, 0, 1}, -3599, 2, 365},
                        {{2000, 12, 31, 12, 30, 15}, 978265815, 6, 366},
                        {{1583, 3, 1}, -12207456000, 1, 60},
                        {{2100, 3, 1}, 4107542400, 0, 60}};
  for (const Case& c : cases) {
    ASSERT_TRUE(seconds_of(c.civil));
    EXPECT_EQ(*seconds_of(c.civil), c.seconds);
    EXPECT_EQ(civil_of(c.seconds), c.civil);
    EXPECT_EQ(weekday_of(c.seconds), c.weekday) << c.seconds;
    EXPECT_EQ(yearday_of(c.seconds), c.yearday) << c.seconds;
  }
  EXPECT_FALSE(seconds_of({2015, 2, 29}));
  EXPECT_FALSE(seconds_of({2015, 13, 1}));
  EXPECT_FALSE(seconds_of({2015, 1, 1, 24, 0, 0}));
}

TEST(Dates, FoundByLooking) {
  const std::pair<const char*, const char*> cases[] = {
      {"2016-07-01", "2016-07-01 00:00:00"},
      {"2016-07-01T12:30:05.123Z", "2016-07-01 12:30:05"},
      {"2016-07-01 12:30:05+02:00", "2016-07-01 12:30:05"},
      {"2016/7/1 3:04 PM", "2016-07-01 15:04:00"},
      {"2016.07.01", "2016-07-01 00:00:00"},
      {"1949-01", "1949-01-01 00:00:00"},
      {"20160701", "2016-07-01 00:00:00"},
      {"20160701T123005", "none"},
      {"01-Jan-1995", "1995-01-01 00:00:00"},
      {"1 March 2020", "2020-03-01 00:00:00"},
      {"March 1, 2020 12:00 am", "2020-03-01 00:00:00"},
      {"Mon, 12 Jan 2015 10:00:00 GMT", "2015-01-12 10:00:00"},
      {"20.04.2016", "2016-04-20 00:00:00"},
      {"04/03/2016 0:00", "2016-04-03 00:00:00"},
      {"12/31/99", "1999-12-31 00:00:00"},
      {"31/12/2099", "none"},
      {"2015-02-29", "none"},
      {"2016-07-01x", "none"},
      {"2016-07-01 25:00", "none"},
      {"10-20-30-40", "none"},
      {"99999999", "none"},
      {"-", "none"}};
  for (const auto& [cell, wanted] : cases)
    EXPECT_EQ(written(seconds_of(read_date(cell), DateOrder::month_first)), wanted) << cell;
  EXPECT_EQ(written(seconds_of(read_date("04/03/2016 0:30"), DateOrder::day_first)), "2016-03-04 00:30:00");
  EXPECT_EQ(written(seconds_of(read_date("31/12/2099"), DateOrder::day_first)), "2099-12-31 00:00:00");
  EXPECT_EQ(written(seconds_of(read_date("12/31/99"), DateOrder::day_first)), "none");
  EXPECT_EQ(written(seconds_of(read_date("04/03/1916"), DateOrder::day_first)), "1916-03-04 00:00:00");
}

TEST(Dates, Patterns) {
  for (const char* s : {"2016-07-01", "2016-07-01 00:00:00", "2016-07-01T12:30:05.123Z", "04/03/2016 0:00",
                        "1949-01", "01-Jan-1995", "20.04.2016", "2016/7/1", "1 March 2020", "12/31/99"}) {
    EXPECT_TRUE(looks_like_date(s)) << s;
  }
  for (const char* s : {"", "40-49", "1.2.3", "192.168.0.1", "2016", "12345678", "3.14159", "555-1234",
                        "a-b-c", "10-20-30-40", "1/2", "State-gov", "2016-07-01x", "1-01"}) {
    EXPECT_FALSE(looks_like_date(s)) << s;
  }
}

TEST(Dates, ByAFormat) {
  const auto read = [](const char* cell, const char* format) {
    return written(seconds_of(read_date(cell, format), DateOrder::month_first));
  };
  EXPECT_EQ(read("04/03/2016", "%d/%m/%Y"), "2016-03-04 00:00:00");
  EXPECT_EQ(read("3 2016", "%m %Y"), "2016-03-01 00:00:00");
  EXPECT_EQ(read("2016-07-01 12:30:05.123456", "%Y-%m-%d %H:%M:%S.%f"), "2016-07-01 12:30:05");
  EXPECT_EQ(read("2016-07-01 12:30:05.12 x", "%Y-%m-%d %H:%M:%S.%f x"), "2016-07-01 12:30:05");
  EXPECT_EQ(read("2016-07-01 12", "%Y-%m-%d"), "none");
  EXPECT_EQ(read("2016-07", "%Y-%m-%d"), "none");
  EXPECT_EQ(read("2015-02-29", "%Y-%m-%d"), "none");
}

TEST(Dates, AColumnHasOneOrder) {
  const auto order = [](std::initializer_list<const char*> cells) {
    std::vector<DateStamp> stamps;
    for (const char* cell : cells) stamps.push_back(read_date(cell));
    std::vector<uint32_t> rows(stamps.size());
    std::iota(rows.begin(), rows.end(), 0u);
    return order_of(stamps, rows);
  };
  EXPECT_EQ(order({"01/02/2020", "13/02/2020", "x"}).order, DateOrder::day_first);
  EXPECT_TRUE(order({"01/02/2020", "13/02/2020"}).sure);
  EXPECT_EQ(order({"01/02/2020", "02/13/2020"}).order, DateOrder::month_first);
  EXPECT_FALSE(order({"01/02/2020"}).sure);
  EXPECT_TRUE(order({"01/02/2020"}).matters);
  EXPECT_FALSE(order({"2020-01-02", "03/03/2020"}).matters);
}

}  // namespace
}  // namespace shoestring::data
