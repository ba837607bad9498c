// The rules of profile.h that read a column's type from its summary.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "data/profile.h"

namespace shoestring::data {
namespace {

bool named_like_an_id(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr auto kNames =
      std::to_array<std::string_view>({"id", "key", "index", "idx", "no", "nr", "num", "number", "row",
                                       "rownum", "rowid", "uuid", "guid", "unnamed: 0"});
  if (std::find(kNames.begin(), kNames.end(), lower) != kNames.end()) return true;
  if (lower.ends_with("_id") || lower.ends_with(" id") || lower.ends_with("-id") || lower.ends_with("_key"))
    return true;
  // passengerId, customerID
  return name.size() > 2 && (name.ends_with("Id") || name.ends_with("ID")) &&
         std::islower(static_cast<unsigned char>(name[name.size() - 3]));
}

bool mostly(int64_t part, int64_t all) {
  return static_cast<double>(part) >= kRules.mostly * static_cast<double>(all);
}

// What counts the values: "9 values in 32561 rows".
std::string spread(const ColumnSummary& c) {
  return fmt::format("{}{} values in {} rows", c.distinct_exact ? "" : "about ", c.distinct, c.present());
}

// Why a number or a text names its row, or "".
std::string id_reason(const ColumnSummary& c) {
  const int64_t n = c.present();
  if (n < kRules.id_rows) return {};
  const bool numeric = mostly(c.numbers, n);
  const bool integers = numeric && c.integers == c.numbers;
  const bool near_unique = static_cast<double>(c.distinct) >= kRules.near_unique * static_cast<double>(n);
  const bool mostly_unique = static_cast<double>(c.distinct) >= kRules.mostly_unique * static_cast<double>(n);
  if (integers && c.all_distinct && c.increasing) return "an ID: whole numbers that grow from row to row";
  if (integers && mostly_unique && named_like_an_id(c.name))  // samples of one patient share a number
    return fmt::format("an ID by its name: {}", spread(c));
  if (!numeric && (near_unique || mostly_unique))
    if (std::string seems = almost_numbers(c); !seems.empty()) return "it looks like " + seems;
  if (!numeric && near_unique) return fmt::format("an ID: {}", spread(c));
  if (!numeric && mostly_unique && n >= kRules.mostly_unique_rows) {
    return fmt::format("hardly a value occurs twice: {}", spread(c));
  }
  return {};
}

Inference infer_numbers(const ColumnSummary& c, Role role) {
  const int64_t n = c.present();
  const bool codes = c.integers == n && c.distinct <= kRules.class_codes &&
                     (role == Role::target || n >= kRules.rows_per_code * c.distinct);
  if (codes) return {ColumnType::category, fmt::format("whole numbers, {}", spread(c)), {}};
  const int64_t others = n - c.numbers;
  return {ColumnType::number,
          others == 0 ? fmt::format("numbers from {:g} to {:g}", c.minimum, c.maximum)
                      : fmt::format("numbers from {:g} to {:g}, and {} cells that are none", c.minimum,
                                    c.maximum, others),
          {}};
}

bool is_prose(const ColumnSummary& c) {
  return static_cast<double>(c.distinct) > kRules.text_distinct * static_cast<double>(c.present()) &&
         (c.mean_words >= kRules.text_words || c.mean_length > kRules.text_length);
}

Inference infer_present(const ColumnSummary& c, Role role) {
  const int64_t n = c.present();
  const bool numeric = mostly(c.numbers, n);
  if (c.distinct == 2) {
    std::string values;
    for (const ValueCount& top : c.top)
      values += fmt::format("{}'{}'", values.empty() ? "" : " and ", top.value);
    return {ColumnType::binary, fmt::format("two values: {}", values), {}};
  }
  if (c.truths == n && c.numbers < n) return {ColumnType::binary, "every value spells true or false", {}};
  if (mostly(c.dates, n) && !numeric) return {ColumnType::date, fmt::format("dates: {}", spread(c)), {}};
  if (mostly(c.vectors, n))
    return {ColumnType::vector, fmt::format("lists of {} numbers", c.vector_size), {}};
  if (mostly(c.word_lists, n)) return {ColumnType::set, fmt::format("lists of words: {}", spread(c)), {}};
  if (numeric) return infer_numbers(c, role);
  if (is_prose(c)) {
    return {
        ColumnType::text, fmt::format("{}, {:.0f} words each", spread(c), std::max(c.mean_words, 1.0)), {}};
  }
  return {ColumnType::category, spread(c), {}};
}

}  // namespace

std::string_view word(ColumnType type) {
  constexpr auto kWords =
      std::to_array<std::string_view>({"number", "binary", "category", "text", "date", "vector", "set"});
  return kWords[static_cast<size_t>(type)];
}

namespace {

// Numbers as other countries and other programs write them; "" for anything else.
std::string foreign_numbers(const ColumnSummary& c) {
  const int64_t n = c.present();
  if (n == 0 || mostly(c.numbers, n)) return {};
  if (c.thousands > 0 && c.thousands >= c.decimal_commas && mostly(c.numbers + c.thousands, n))
    return fmt::format("numbers with a comma between thousands ('{}'): write them without", c.first_word);
  if (c.decimal_commas > 0 && mostly(c.numbers + c.decimal_commas, n))
    return fmt::format("numbers with a decimal comma ('{}'): write a point", c.first_word);
  if (c.percents > 0 && mostly(c.numbers + c.percents, n))
    return fmt::format("percentages ('{}'): write them without the sign", c.first_word);
  if (c.amounts > 0 && mostly(c.numbers + c.amounts, n))
    return fmt::format("amounts with a currency sign ('{}'): write plain numbers", c.first_word);
  return {};
}

}  // namespace

std::string almost_numbers(const ColumnSummary& c) {
  const int64_t n = c.present();
  if (n == 0 || mostly(c.numbers, n)) return {};
  if (std::string seems = foreign_numbers(c); !seems.empty()) return seems;
  if (static_cast<double>(c.numbers) < kRules.almost * static_cast<double>(n)) return {};
  return fmt::format("numbers, but {} of {} cells are none, the first '{}': repair them", n - c.numbers, n,
                     c.first_word);
}

Inference infer_type(const ColumnSummary& c, Role role) {
  if (c.present() == 0) {
    return {ColumnType::category, "no value in any row", role == Role::input ? "no value in any row" : ""};
  }
  if (c.distinct == 1) {
    const std::string reason = fmt::format("constant: '{}' in every row", c.top[0].value);
    const bool numeric = c.numbers == c.present();
    return {numeric ? ColumnType::number : ColumnType::category, reason, role == Role::input ? reason : ""};
  }
  Inference inference = infer_present(c, role);
  const bool may_be_id = inference.type == ColumnType::number || inference.type == ColumnType::category;
  if (role == Role::input && may_be_id) inference.leave_out = id_reason(c);
  if (inference.type == ColumnType::category) inference.doubt = foreign_numbers(c);
  return inference;
}

}  // namespace shoestring::data
