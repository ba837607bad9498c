// JSON as text, written front to back: no tree of it is ever in memory. Numbers have six digits, which is
// what a picture shows; what is not finite is null.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring::report {

class JsonText {
 public:
  JsonText& open(char bracket);   // '{' or '['
  JsonText& close(char bracket);  // '}' or ']'
  JsonText& key(std::string_view name);
  JsonText& raw(std::string_view json);  // a value that is JSON already

  JsonText& value(std::string_view text);
  JsonText& value(const char* text) { return value(std::string_view(text)); }
  JsonText& value(const std::string& text) { return value(std::string_view(text)); }
  JsonText& value(double number);
  JsonText& value(std::same_as<bool> auto truth) { return raw(truth ? "true" : "false"); }
  JsonText& value(std::integral auto number) requires(!std::same_as<decltype(number), bool>) {
    return whole(static_cast<int64_t>(number));
  }
  template <class T>
  JsonText& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : raw("null");
  }
  template <class T>
  JsonText& value(const std::vector<T>& list) {
    open('[');
    for (const T& one : list) value(one);
    return close(']');
  }
  // A member of the object that is open.
  template <class T>
  JsonText& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  std::string take() { return std::move(text_); }

 private:
  void comma();
  JsonText& whole(int64_t number);
  std::string text_;
};

}  // namespace shoestring::report
