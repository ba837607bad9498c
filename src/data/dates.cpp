#include "data/dates.h"

#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>

#include "base/text.h"

namespace shoestring::data {
namespace {

namespace chrono = std::chrono;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kDay = 86'400;

// What a stamp's last two bits say of the cell.
constexpr int kEither = 0, kMonthFirstOnly = 1, kDayFirstOnly = 2, kBoth = 3;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)); }

// 99 is 1999 and 12 is 2012, as POSIX has it.
int full_year(int two_digits) { return two_digits + (two_digits < 69 ? 2000 : 1900); }

// Takes a cell apart from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_any(std::string_view chars) {
    return !rest_.empty() && chars.find(peek()) < chars.size() && take(peek());
  }
  // Leading digits as a number, at most nine; how many there were.
  int digits(int& number) {
    int count = 0;
    for (number = 0; count < 9 && is_digit(peek()); ++count)
      number = 10 * number + (peek() - '0'), take(peek());
    return count;
  }
  std::string_view letters() {
    size_t n = 0;
    while (n < rest_.size() && is_letter(rest_[n])) ++n;
    const std::string_view word = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return word;
  }

 private:
  std::string_view rest_;
};

// "Jan", "january", "sept": 1 … 12, or 0.
int month_named(std::string_view word) {
  constexpr std::array<std::string_view, 12> kNames{"january",   "february", "march",    "april",
                                                    "may",       "june",     "july",     "august",
                                                    "september", "october",  "november", "december"};
  const std::string low = lowered(word);
  if (low.size() < 3) return 0;
  if (low == "sept") return 9;
  for (size_t m = 0; m < kNames.size(); ++m)
    if (kNames[m] == low || kNames[m].substr(0, 3) == low) return static_cast<int>(m) + 1;
  return 0;
}

bool is_weekday(std::string_view word) {
  constexpr std::array<std::string_view, 7> kNames{"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};
  const std::string low = lowered(word);
  for (const auto name : kNames)
    if (name == low || name.substr(0, 3) == low) return true;
  return false;
}

// Z, UTC, +02:00, -0500: read over.
bool read_zone(Cursor& in) {
  int number;
  if (in.take_any("+-")) {
    const int count = in.digits(number);
    if (count == 4) return true;
    return count == 2 && (!in.take(':') || in.digits(number) == 2);
  }
  const std::string_view word = in.letters();
  return word == "Z" || word == "z" || word == "UTC" || word == "GMT";
}

// "0:00", "12:30:05.123 PM +02:00" to the end of the cell.
bool read_time(Cursor& in, Civil& civil) {
  if (const int n = in.digits(civil.hour); n < 1 || n > 2 || !in.take(':')) return false;
  if (in.digits(civil.minute) != 2) return false;
  if (in.take(':')) {
    if (in.digits(civil.second) != 2) return false;
    int fraction;
    if (in.take_any(".,") && in.digits(fraction) == 0) return false;
  }
  while (in.take(' ')) {
  }
  if (in.peek() == 'A' || in.peek() == 'P' || in.peek() == 'a' || in.peek() == 'p') {
    const std::string half = lowered(in.letters());
    if ((half != "am" && half != "pm") || civil.hour < 1 || civil.hour > 12) return false;
    civil.hour = civil.hour % 12 + (half == "pm" ? 12 : 0);
    while (in.take(' ')) {
    }
  }
  return in.done() || (read_zone(in) && in.done());
}

// Nothing, or a time after a space or a T.
bool read_rest(Cursor& in, Civil& civil) {
  if (in.done()) return true;
  if (!in.take_any(" T")) return false;
  return read_time(in, civil);
}

double seconds_or_none(const Civil& civil) {
  const auto seconds = seconds_of(civil);
  return seconds ? static_cast<double>(*seconds) : kNone;
}

DateStamp stamp(double month_first, double day_first) {
  if (std::isnan(month_first) && std::isnan(day_first)) return kNone;
  if (std::isnan(day_first)) return 4 * month_first + kMonthFirstOnly;
  if (std::isnan(month_first)) return 4 * day_first + kDayFirstOnly;
  return 4 * month_first + (month_first == day_first ? kEither : kBoth);
}
DateStamp sure(const Civil& civil) {
  const double seconds = seconds_or_none(civil);
  return stamp(seconds, seconds);
}

// "Mon, 12 Jan 2020 …", "January 12, 2020 …"
DateStamp read_beginning_with_a_word(Cursor in) {
  std::string_view word = in.letters();
  Civil civil;
  if (is_weekday(word)) {
    if (!in.take(',') && in.peek() != ' ') return kNone;
    while (in.take(' ')) {
    }
    if (is_digit(in.peek())) {
      if (const int n = in.digits(civil.day); n < 1 || n > 2 || !in.take_any(" -")) return kNone;
      civil.month = month_named(in.letters());
      if (!in.take_any(" -") || in.digits(civil.year) != 4) return kNone;
      return read_rest(in, civil) ? sure(civil) : kNone;
    }
    word = in.letters();
  }
  civil.month = month_named(word);
  if (civil.month == 0 || !in.take_any(" -.")) return kNone;
  in.take(' ');
  if (const int n = in.digits(civil.day); n < 1 || n > 2) return kNone;
  in.take(',');
  if (!in.take_any(" -") || in.digits(civil.year) != 4) return kNone;
  return read_rest(in, civil) ? sure(civil) : kNone;
}

// After "12": "/03/2016 0:00", "-Jan-95", ".04.2016".
DateStamp read_after_day_or_month(Cursor in, int first) {
  const char separator = in.peek();
  if (!in.take_any("/-. ")) return kNone;
  Civil civil;
  if (is_letter(in.peek())) {
    civil.day = first;
    civil.month = month_named(in.letters());
    in.take('.');
    in.take(',');
    if (!in.take_any("/- ")) return kNone;
    const int n = in.digits(civil.year);
    if (n == 2) civil.year = full_year(civil.year);
    return (n == 2 || n == 4) && read_rest(in, civil) ? sure(civil) : kNone;
  }
  if (separator == ' ') return kNone;
  int second;
  if (const int n = in.digits(second); n < 1 || n > 2 || !in.take(separator)) return kNone;
  const int n = in.digits(civil.year);
  if (n != 4 && (n != 2 || separator == '.')) return kNone;
  if (n == 2) civil.year = full_year(civil.year);
  if (!read_rest(in, civil)) return kNone;
  civil.day = first, civil.month = second;
  if (separator == '.') return sure(civil);
  const double day_first = seconds_or_none(civil);
  std::swap(civil.day, civil.month);
  return stamp(seconds_or_none(civil), day_first);
}

// After "2016": "-07-01T12:30", "/7/1", "-07".
DateStamp read_after_year(Cursor in, int year) {
  Civil civil{.year = year};
  const char separator = in.peek();
  if (!in.take_any("-/.")) return kNone;
  const int month_digits = in.digits(civil.month);
  if (month_digits < 1 || month_digits > 2) return kNone;
  if (in.done()) return separator == '-' && month_digits == 2 ? sure(civil) : kNone;
  if (!in.take(separator)) return kNone;
  if (const int n = in.digits(civil.day); n < 1 || n > 2) return kNone;
  return read_rest(in, civil) ? sure(civil) : kNone;
}

// By one format of strptime's, which has no %f: the parts around it are read one after the other.
const char* read_by_format(const char* text, const std::string& format, std::tm& tm) {
  const size_t fraction = format.find("%f");
  text = ::strptime(text, format.substr(0, fraction).c_str(), &tm);
  if (!text || fraction == std::string::npos) return text;
  if (!is_digit(*text)) return nullptr;
  while (is_digit(*text)) ++text;
  return read_by_format(text, format.substr(fraction + 2), tm);
}

}  // namespace

std::optional<int64_t> seconds_of(const Civil& c) {
  const chrono::year_month_day day{chrono::year(c.year), chrono::month(static_cast<unsigned>(c.month)),
                                   chrono::day(static_cast<unsigned>(c.day))};
  // A leap second is the second after.
  if (c.year < 1 || c.year > 9999 || c.month < 1 || c.day < 1 || !day.ok() || c.hour > 23 || c.minute > 59 ||
      c.second > 60)
    return std::nullopt;
  const int64_t days = chrono::sys_days(day).time_since_epoch().count();
  return days * kDay + c.hour * 3600 + c.minute * 60 + c.second;
}

Civil civil_of(int64_t seconds) {
  const auto days = chrono::floor<chrono::days>(chrono::seconds(seconds));
  const chrono::year_month_day day{chrono::sys_days(days)};
  const auto of_day = static_cast<int>(seconds - days.count() * kDay);
  return {static_cast<int>(day.year()),
          static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day())),
          of_day / 3600,
          of_day / 60 % 60,
          of_day % 60};
}

int weekday_of(int64_t seconds) {
  const chrono::weekday day{chrono::sys_days(chrono::floor<chrono::days>(chrono::seconds(seconds)))};
  return static_cast<int>(day.iso_encoding()) - 1;
}

int yearday_of(int64_t seconds) {
  const Civil civil = civil_of(seconds);
  return static_cast<int>((seconds - *seconds_of({.year = civil.year})) / kDay) + 1;
}

DateStamp read_date(std::string_view text) {
  if (text.size() < 6 || text.size() > 40) return kNone;
  Cursor in(text);
  if (is_letter(in.peek())) return read_beginning_with_a_word(in);
  int number;
  switch (in.digits(number)) {
    case 1:
    case 2:
      return read_after_day_or_month(in, number);
    case 4:
      return read_after_year(in, number);
    case 8: {  // 20160701, 20160701T123005
      Civil civil{.year = number / 10'000, .month = number / 100 % 100, .day = number % 100};
      return read_rest(in, civil) ? sure(civil) : kNone;
    }
    default:
      return kNone;
  }
}

DateStamp read_date(std::string_view text, const std::string& format) {
  const std::string cell(text);
  std::tm tm{};
  tm.tm_year = 70, tm.tm_mday = 1;
  const char* end = read_by_format(cell.c_str(), format, tm);
  if (!end || *end != '\0') return kNone;
  return sure({tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec});
}

double seconds_of(DateStamp stamp, DateOrder order) {
  if (std::isnan(stamp)) return kNone;
  const double seconds = std::floor(stamp / 4);
  switch (static_cast<int>(stamp - 4 * seconds)) {
    case kMonthFirstOnly:
      return order == DateOrder::month_first ? seconds : kNone;
    case kDayFirstOnly:
      return order == DateOrder::day_first ? seconds : kNone;
    case kBoth: {
      if (order == DateOrder::month_first) return seconds;
      Civil civil = civil_of(static_cast<int64_t>(seconds));
      std::swap(civil.day, civil.month);
      return seconds_or_none(civil);
    }
    default:
      return seconds;
  }
}

OrderFound order_of(std::span<const DateStamp> stamps, std::span<const uint32_t> rows) {
  std::array<int64_t, 4> counts{};
  for (const uint32_t row : rows)
    if (const double s = stamps[row]; !std::isnan(s))
      ++counts[static_cast<size_t>(s - 4 * std::floor(s / 4))];
  const int64_t month_first = counts[kMonthFirstOnly], day_first = counts[kDayFirstOnly];
  return {.order = day_first > month_first ? DateOrder::day_first : DateOrder::month_first,
          .matters = month_first + day_first + counts[kBoth] > 0,
          .sure = month_first != day_first};
}

void append_dates(const TextColumn& column, const std::string& format, int64_t first_row,
                  std::vector<DateStamp>& out, BadCells& bad) {
  for (int64_t r = 0; r < column.rows(); ++r) {
    const std::string_view cell = column[r];
    if (column.is_null(r)) {
      out.push_back(kNone);
      continue;
    }
    out.push_back(format.empty() ? read_date(cell) : read_date(cell, format));
    if (std::isnan(out.back())) bad.add(first_row + r, cell);
  }
}

bool looks_like_date(std::string_view text) {
  return !std::isnan(read_date(text)) && text.find_first_not_of("0123456789") < text.size();
}

}  // namespace shoestring::data
