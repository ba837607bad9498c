#include "ir/attr.h"

#include <fmt/core.h>

#include <stdexcept>

namespace shoestring {

const AttrValue* Attrs::find(std::string_view name) const {
  for (const auto& [key, value] : pairs_)
    if (key == name) return &value;
  return nullptr;
}

void Attrs::set(std::string_view name, AttrValue value) {
  for (auto& [key, old] : pairs_)
    if (key == name) {
      old = std::move(value);
      return;
    }
  pairs_.emplace_back(name, std::move(value));
}

template <class T>
const T& Attrs::get(std::string_view name) const {
  const AttrValue* value = find(name);
  if (!value || !std::holds_alternative<T>(*value))
    throw std::logic_error(fmt::format("attribute '{}' is not declared with this type", name));
  return std::get<T>(*value);
}

bool Attrs::flag(std::string_view name) const { return get<bool>(name); }
int64_t Attrs::integer(std::string_view name) const { return get<int64_t>(name); }
double Attrs::number(std::string_view name) const { return get<double>(name); }
const std::string& Attrs::text(std::string_view name) const { return get<std::string>(name); }
const std::vector<int64_t>& Attrs::list(std::string_view name) const {
  return get<std::vector<int64_t>>(name);
}

std::vector<double> Attrs::parameters() const {
  std::vector<double> out;
  for (const auto& [name, value] : pairs_) {
    if (const auto* b = std::get_if<bool>(&value)) out.push_back(*b ? 1 : 0);
    if (const auto* i = std::get_if<int64_t>(&value)) out.push_back(static_cast<double>(*i));
    if (const auto* d = std::get_if<double>(&value)) out.push_back(*d);
  }
  return out;
}

std::string to_string(const AttrValue& value) {
  struct Writer {
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(int64_t i) const { return fmt::format("{}", i); }
    std::string operator()(double d) const {  // shortest text that reads back as the same double
      std::string text = fmt::format("{}", d);
      if (text.find_first_of(".einf") == std::string::npos) text += ".0";
      return text;
    }
    std::string operator()(const std::string& s) const {
      std::string text = "\"";
      for (char c : s) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      return text + '"';
    }
    std::string operator()(const std::vector<int64_t>& list) const {
      std::string text = "[";
      for (size_t i = 0; i < list.size(); ++i) text += (i ? "," : "") + std::to_string(list[i]);
      return text + "]";
    }
  };
  return std::visit(Writer{}, value);
}

}  // namespace shoestring
