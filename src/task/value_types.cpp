#include "task/value_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace shoestring::task {
namespace {

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar:
      return fmt::format("'{}'", node.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

std::string wanted(const Key& key, std::string_view what) {
  std::string text = fmt::format("give {}", what);
  if (key.range.bounded()) text += ", " + key.range.text();
  if (key.type && key.type->or_auto) text += ", or auto";
  if (key.type && key.type->or_boolean) text += ", or true or false";
  if (key.type && key.type->nullable) text += ", or null";
  return text;
}

Failure refuse_value(const Context& context, const Node& node, const Key& key, std::string_view what) {
  return context.refuse(node.mark, fmt::format("{} is {}, not {}", context.path, shown(node), what),
                        wanted(key, what));
}

Status check_range(const Context& context, const Node& node, const Key& key, double value,
                   std::string_view what) {
  if (key.range.contains(value) && !std::isnan(value)) return {};
  return context.refuse(node.mark, fmt::format("{} is {}, out of range", context.path, node.text),
                        wanted(key, what));
}

}  // namespace

Status read_boolean(const Context& context, const Node& node, const Key& key, bool& value) {
  const auto read = node.as_boolean();
  if (!read) return refuse_value(context, node, key, "true or false");
  value = *read;
  return {};
}

Status read_integer(const Context& context, const Node& node, const Key& key, int64_t& value) {
  const auto read = node.as_integer();
  if (!read) return refuse_value(context, node, key, "an integer");
  value = *read;
  return check_range(context, node, key, static_cast<double>(value), "an integer");
}

Status read_number(const Context& context, const Node& node, const Key& key, double& value) {
  const auto read = node.as_number();
  if (!read || !std::isfinite(*read)) return refuse_value(context, node, key, "a number");
  value = *read;
  return check_range(context, node, key, value, "a number");
}

Status read_string(const Context& context, const Node& node, const Key& key, std::string& value) {
  if (!node.is_scalar()) return refuse_value(context, node, key, "a string");
  value = node.text;
  return {};
}

Status read_numbers(const Context& context, const Node& node, const Key& key, std::span<double> values) {
  const std::string what = fmt::format("a list of {} numbers", values.size());
  if (!node.is_list()) return refuse_value(context, node, key, what);
  if (node.items.size() != values.size())
    return context.refuse(
        node.mark, fmt::format("{} has {} items, not {}", context.path, node.items.size(), values.size()),
        wanted(key, what));
  for (size_t i = 0; i < values.size(); ++i) {
    Key item = key;
    item.type = nullptr;
    if (Status read = read_number(context.in(std::to_string(i)), node.items[i], item, values[i]); !read)
      return read;
  }
  return {};
}

Status read_word(const Context& context, const Node& node, const Key& key, const ValueType& type,
                 size_t& index) {
  const std::string_view word = node.is_null() ? "null" : std::string_view(node.text);
  const auto fits = [&](std::string_view name) { return key.allows(name); };
  std::vector<std::string_view> names;
  for (const std::string_view name : type.choices)
    if (fits(name)) names.push_back(name);
  if (key.type && key.type->nullable) names.push_back("null");
  const std::string choose = fmt::format("choose {}", joined(names));
  if (node.is_null() || node.is_scalar()) {
    for (size_t i = 0; i < type.choices.size(); ++i)
      if (type.choices[i] == word && fits(word)) return index = i, Status{};
    if (std::find(type.later.begin(), type.later.end(), word) != type.later.end())
      return context.refuse(node.mark, fmt::format("{}: '{}' is not supported yet", context.path, word),
                            choose);
  } else {
    return context.refuse(node.mark,
                          fmt::format("{} is {}, not one of its choices", context.path, shown(node)), choose);
  }
  const std::string near = nearest(word, std::vector<std::string>(names.begin(), names.end()));
  return context.refuse(node.mark, fmt::format("{} is {}, not one of its choices", context.path, shown(node)),
                        near.empty() ? choose : fmt::format("did you mean '{}'?", near));
}

Node write_word(std::string_view word) { return word == "null" ? Node::null() : Node::string(word); }

Node write_numbers(std::span<const double> values) {
  Node list = Node::list();
  for (const double value : values) list.items.push_back(Node::number(value));
  return list;
}

}  // namespace shoestring::task
