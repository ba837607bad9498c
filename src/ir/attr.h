// Attributes: the small constants of a node (an axis, a flag, a scale). An operator declares their
// names and defaults once; a node holds a value for each, in that order, so that equal nodes compare
// equal whichever way they were written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace shoestring {

using AttrValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

// A declared attribute. The default also says the type.
struct AttrDef {
  std::string_view name;
  AttrValue fallback;
};

class Attrs {
 public:
  using Pair = std::pair<std::string, AttrValue>;
  Attrs() = default;
  Attrs(std::initializer_list<Pair> pairs) : pairs_(pairs) {}

  // The value of a declared attribute. Asking for another name or type is a fault of ours (throws
  // std::logic_error in every build: it cannot come from input).
  bool flag(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<int64_t>& list(std::string_view name) const;

  const AttrValue* find(std::string_view name) const;
  void set(std::string_view name, AttrValue value);
  std::span<const Pair> pairs() const { return pairs_; }
  // The flags, integers and numbers, in order: the parameters of scalar and tile functions.
  std::vector<double> parameters() const;
  bool operator==(const Attrs&) const = default;

 private:
  template <class T>
  const T& get(std::string_view name) const;
  std::vector<Pair> pairs_;
};

std::string to_string(const AttrValue& value);  // as the text form writes it: 1, 0.5, true, "sum", [0,1]

}  // namespace shoestring
