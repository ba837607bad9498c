// Dates and times of day as tables write them, found by looking or by a format of strptime's. They are
// taken as written: an offset from UTC and a zone are read over, fractions of a second are cut.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/parse.h"

namespace shoestring::data {

struct Civil {
  int year = 1970, month = 1, day = 1;  // month and day from 1
  int hour = 0, minute = 0, second = 0;
  bool operator==(const Civil&) const = default;
};
// Seconds since 1970-01-01 00:00; nothing where there is no such day or time.
std::optional<int64_t> seconds_of(const Civil& civil);
Civil civil_of(int64_t seconds);
int weekday_of(int64_t seconds);  // 0 Monday … 6 Sunday
int yearday_of(int64_t seconds);  // from 1

// 04/03/2016 is the 3rd of April or the 4th of March: a whole column is read in one of the orders.
enum class DateOrder : uint8_t { month_first, day_first };

// What a cell says in seconds since 1970 in each order, as one number that a column keeps until the order is
// known: NaN where it is no date in either. Whole numbers, exact in f64.
using DateStamp = double;
DateStamp read_date(std::string_view trimmed);
DateStamp read_date(std::string_view trimmed, const std::string& format);  // by strptime's format and %f
// The seconds in this order; NaN where the cell is no date in it.
double seconds_of(DateStamp stamp, DateOrder order);

// The order of a column: that in which more of its cells are dates, month_first where no cell tells.
struct OrderFound {
  DateOrder order = DateOrder::month_first;
  bool matters = false;  // some cells are another day in the other order, or none
  bool sure = false;     // and some are a date in this order alone
};
OrderFound order_of(std::span<const DateStamp> stamps, std::span<const uint32_t> rows);

// Appends a stamp per row: NaN where the cell is missing or no date. An empty format: found by looking.
void append_dates(const TextColumn& column, const std::string& format, int64_t first_row,
                  std::vector<DateStamp>& out, BadCells& bad);

// 2016-07-01, 2016-07-01 00:00:00, 2016-07-01T00:00:00Z, 04/03/2016 0:00, 01-Jan-1995, 1949-01, 20.04.2016 …
// What read_date takes, but for 20160701, which may be a number.
bool looks_like_date(std::string_view trimmed);

}  // namespace shoestring::data
