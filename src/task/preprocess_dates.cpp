// Columns of dates: the order of day and month, the middle date and the spread of the years, found in the
// training rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "task/holes.h"
#include "task/preprocess.h"

namespace shoestring::task {
namespace {

using data::DateOrder, data::DateStamp;

DateOrder other(DateOrder order) {
  return order == DateOrder::month_first ? DateOrder::day_first : DateOrder::month_first;
}

int year_of(int64_t seconds) { return data::civil_of(seconds).year; }

// As it was written, near enough: a cell that is a date in the other order of day and month alone.
std::string written(DateStamp stamp, DateOrder order) {
  const data::Civil c = data::civil_of(static_cast<int64_t>(data::seconds_of(stamp, other(order))));
  const bool day_first = order == DateOrder::month_first;
  return fmt::format("{}/{}/{}", day_first ? c.day : c.month, day_first ? c.month : c.day, c.year);
}

}  // namespace

MissingRows mark_missing(std::span<const DateStamp> column, std::vector<uint8_t>& drop) {
  return mark_rows([&](int64_t row) { return std::isnan(column[static_cast<size_t>(row)]); }, drop);
}

Result<DateFit> fit_date(const DatePreprocessing& preprocessing, const FitContext& context,
                         std::span<const DateStamp> column) {
  const data::OrderFound found = data::order_of(column, context.training_rows);
  DateFit fit{.order = found.order, .strategy = preprocessing.missing_value_strategy};
  if (context.notes && found.matters && !found.sure)
    context.notes->push_back(
        fmt::format("{}: no date tells day from month, so the month is taken to stand first "
                    "(preprocessing.datetime_format says otherwise)",
                    context.feature));
  std::vector<int64_t> present;
  for (const uint32_t row : context.training_rows)
    if (const double seconds = data::seconds_of(column[row], fit.order); !std::isnan(seconds))
      present.push_back(static_cast<int64_t>(seconds));
  if (present.empty())
    return fail(ErrorKind::data, fmt::format("{} has no date in the training rows", context.feature), {},
                "check that the column holds dates, or say how they are written in "
                "preprocessing.datetime_format");
  const auto middle = present.begin() + static_cast<std::ptrdiff_t>(present.size() / 2);
  std::nth_element(present.begin(), middle, present.end());
  fit.fill = fit.usual = *middle;
  if (!preprocessing.fill_value.empty()) {
    const auto& format = preprocessing.datetime_format;
    const std::string_view text = data::trim(preprocessing.fill_value);
    const double seconds =
        data::seconds_of(format ? data::read_date(text, *format) : data::read_date(text), fit.order);
    if (std::isnan(seconds))
      return fail(ErrorKind::usage,
                  fmt::format("{}: preprocessing.fill_value '{}' is not a date", context.feature,
                              preprocessing.fill_value),
                  {}, "write it as the column's dates are written, or leave it out for the middle one");
    fit.fill = static_cast<int64_t>(seconds);
  }
  double sum = 0, squares = 0;
  const auto count = static_cast<double>(present.size());
  for (const int64_t seconds : present) sum += year_of(seconds);
  fit.year_shift = sum / count;
  for (const int64_t seconds : present) squares += std::pow(year_of(seconds) - fit.year_shift, 2);
  const double deviation = std::sqrt(squares / count);
  fit.year_scale = deviation > 0 ? deviation : 1;
  return fit;
}

void encode(const DateFit& fit, std::span<const DateStamp> column, std::vector<uint8_t>* drop,
            data::DateRows& out, data::BadCells* bad, int64_t first_row, const Neighbours& near) {
  std::vector<double> seconds;
  seconds.reserve(column.size());
  for (const DateStamp stamp : column) {
    seconds.push_back(data::seconds_of(stamp, fit.order));
    if (bad && std::isnan(seconds.back()) && !std::isnan(stamp))
      bad->add(first_row + static_cast<int64_t>(seconds.size()) - 1, written(stamp, fit.order));
  }
  fill_holes(
      static_cast<int64_t>(seconds.size()),
      [&](int64_t row) -> double& { return seconds[static_cast<size_t>(row)]; },
      [](double value) { return std::isnan(value); }, fit.strategy, static_cast<double>(fit.fill),
      static_cast<double>(fit.usual), drop, near.groups, near.state ? &near.state->missing : nullptr);
  out.reserve(out.rows() + static_cast<int64_t>(seconds.size()));
  for (const double value : seconds) {
    const auto whole = static_cast<int64_t>(value);
    out.append(whole, static_cast<float>((year_of(whole) - fit.year_shift) / fit.year_scale));
  }
}

}  // namespace shoestring::task
