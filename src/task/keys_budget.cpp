// The keys of `budget`, and --budget, which says the same in one word.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "data/batch.h"
#include "task/keys.h"

namespace shoestring::task {
namespace {

// A quantity with a unit, spelled by one function and read by another.
template <class T, auto read_text, auto write_text>
struct Quantity {
  static Status read(const Context& context, const Node& node, const Key& key, void* value) {
    auto& quantity = *static_cast<std::optional<T>*>(value);
    quantity.reset();
    if (node.is_null()) return {};
    if (node.is_scalar()) quantity = read_text(node.text);
    if (quantity) return {};
    return context.refuse(node.mark,
                          fmt::format("{} must be a {}{}", context.path, key.type->words,
                                      node.is_scalar() ? fmt::format(", not '{}'", node.text) : ""),
                          fmt::format("write a {}", key.type->words));
  }
  static Node write(const void* value, const void*) {
    const auto& quantity = *static_cast<const std::optional<T>*>(value);
    return quantity ? Node::string(write_text(*quantity)) : Node::null();
  }
  static constexpr ValueType spelled(std::string_view words) {
    return {.kind = ValueType::Kind::string, .words = words, .nullable = true, .read = read, .write = write};
  }
};

std::string seconds_text(double seconds) { return fmt::format("{}s", seconds); }

// Whole MiB and GiB as such, so that a resolved recipe reads like what was written.
std::string bytes_text(int64_t bytes) {
  constexpr int64_t kMebi = int64_t{1} << 20, kGibi = int64_t{1} << 30;
  if (bytes % kGibi == 0) return fmt::format("{}GiB", bytes / kGibi);
  if (bytes % kMebi == 0) return fmt::format("{}MiB", bytes / kMebi);
  return fmt::format("{}", bytes);
}

// "0.50 USD", "$2", "0.5": US dollars, as price lists have them.
std::optional<double> parse_dollars(std::string_view text) {
  if (text.starts_with('$')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (error != std::errc() || !(unit.empty() || unit == "USD") || !(value > 0) || !std::isfinite(value))
    return std::nullopt;
  return value;
}
std::string dollars_text(double dollars) { return fmt::format("{} USD", dollars); }

constexpr auto kDuration =
    Quantity<double, parse_seconds, seconds_text>::spelled("time such as 60s, 10min or 2h");
constexpr auto kBytes =
    Quantity<int64_t, parse_bytes, bytes_text>::spelled("size such as 512MiB, 2GiB or 500MB");
constexpr auto kDollars = Quantity<double, parse_dollars, dollars_text>::spelled("price such as 0.50 USD");

constexpr auto kBudget = keys(
    key<&Budget::memory_bytes>("memory", "What the process may hold at its peak.").as(kBytes),
    key<&Budget::time_seconds>("time", "How long train may take; it ends in time with the best model so far.")
        .as(kDuration),
    key<&Budget::cores>("cores", "How many threads may work; null is as many as the machine lets it have.")
        .within(1, 1024),
    key<&Budget::device>("device", "Where to compute."),
    key<&Budget::disk_bytes>("disk", "What the run may have on disk at its peak.").as(kBytes),
    key<&Budget::money_usd>("money", "What the time may cost, by the price list.").as(kDollars));

}  // namespace

template <>
constinit const Component Described<Budget>::component{
    .name = "budget", .help = "What may be spent.", .keys = kBudget};

Result<Budget> parse_budget(std::string_view text, Budget budget) {
  const Document document{.name = "--budget", .root = Node::map()};
  Node map = Node::map();
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size()), equals = text.find('=');
    const std::string_view part = data::trim(text.substr(0, comma));
    if (equals >= comma)
      return fail(ErrorKind::usage, fmt::format("'{}' names a key without a value", part), "--budget",
                  "write --budget memory=512MiB,time=10min");
    if (map.find(part.substr(0, equals)))
      return fail(ErrorKind::usage, fmt::format("{} is given twice", part.substr(0, equals)), "--budget",
                  "give it once");
    Node value;
    value.kind = Node::Kind::scalar;
    value.text = part.substr(equals + 1);
    map.set(part.substr(0, equals), std::move(value));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (map.entries.empty())
    return fail(ErrorKind::usage, "it says nothing", "--budget", "write --budget memory=512MiB,time=10min");
  std::vector<std::string> notes;
  const Context context{.document = &document, .path = "budget", .notes = &notes};
  if (auto ok = read_component(context, map, Described<Budget>::component, &budget); !ok)
    return fail(ok.error());
  return budget;
}

}  // namespace shoestring::task
