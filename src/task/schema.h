// The schema that the recipe is read by: one record per key, and nothing else to write for a new
// component. Reading, checking, hints, defaults, the resolved recipe, docs/recipe.md and the JSON
// Schema all walk these records.
//
// A Component describes one struct of recipe.h, a Key one of its members, a ValueType how values of
// a C++ type are spelled. Records are constants; they address members by offset-free accessors that
// keys.h makes from member pointers, so a key costs one line:
//
//   key<&Trainer::epochs>("epochs", "Passes over the training rows.").at_least(1)
//
// A default is the member's own initial value in the struct that the reader starts from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "task/document.h"
#include "task/recipe.h"

namespace shoestring::task {

enum class State {
  supported,
  noted,    // read and checked for its name; nothing to do here, which the resolved recipe says
  refused,  // known to the language, not supported yet
  folded,   // laid under other parts of the recipe before this map is read
};

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;  // the bound itself is outside

  bool contains(double x) const {
    return (open_low ? x > low : x >= low) && (open_high ? x < high : x <= high);
  }
  bool bounded() const {
    return low != -std::numeric_limits<double>::infinity() || high != std::numeric_limits<double>::infinity();
  }
  std::string text() const;  // "at least 1", "more than 0", "from 0 to 1", "from 0 to below 1"
};

// What is being read: the document, where in it, and where notes go.
struct Context {
  const Document* document = nullptr;
  std::string path;  // "trainer.optimizer"; "" for the whole recipe
  std::vector<std::string>* notes = nullptr;

  Context in(std::string_view key) const;
  Failure refuse(Mark mark, std::string what, std::string fix) const;
};

struct Key;
struct Component;

// How values of one C++ type are spelled.
struct ValueType {
  enum class Kind { boolean, integer, number, string, choice, list, component, family, special };

  Kind kind = Kind::special;
  std::string_view words;   // for people: "integer", "two numbers", "list of layers"
  bool nullable = false;    // null is a value
  bool or_auto = false;     // so is auto
  bool or_boolean = false;  // so are true and false

  std::span<const std::string_view> choices{};  // of a choice: its names ("null" included)
  std::span<const std::string_view> later{};    // of a choice or family: names known, not supported yet

  bool short_form = false;  // of a family: written as the bare type where all else has its default

  // Of a component (one) and a family (one per value of `type`, in the order of the variant).
  std::span<const Component* const> components{};

  // Reads `node` onto the value, which holds its default. `key` brings range and restrictions.
  Status (*read)(const Context&, const Node& node, const Key& key, void* value) = nullptr;
  // The value as a tree. With a fallback, keys that equal it are left out where they may be.
  Node (*write)(const void* value, const void* fallback) = nullptr;

  // Of a family: which component it is now, the struct that holds its keys, and changing it to the
  // defaults of another; of a component and a family: those defaults.
  size_t (*index)(const void* value) = nullptr;
  void* (*held)(void* value) = nullptr;
  void (*select)(void* value, size_t index) = nullptr;
  const void* (*defaults)(size_t index) = nullptr;
};

struct Key {
  std::string_view name;
  std::string_view help;
  State state = State::supported;
  const ValueType* type = nullptr;          // null for noted and refused keys
  void* (*member)(void* object) = nullptr;  // where it stands in the component's struct
  Range range{};
  std::span<const std::string_view> only{};         // of a choice or family: the names that fit here
  std::span<const std::string_view> unsupported{};  // of a family: more types known, not supported yet here
  std::string_view same_as{};  // refused: the value, in YAML, that asks for what is done anyway
  bool is_required = false;
  bool is_beside = false;       // of a family: its `type` and keys stand among this component's own
  bool is_common = false;       // changed often: written even where a brief text could leave it out
  bool is_always_read = false;  // read as null where it is not written: its value comes from others

  constexpr Key in(Range r) const {
    Key k = *this;
    k.range = r;
    return k;
  }
  constexpr Key at_least(double low) const { return in({.low = low}); }
  constexpr Key above(double low) const { return in({.low = low, .open_low = true}); }
  constexpr Key within(double low, double high) const { return in({.low = low, .high = high}); }
  constexpr Key choices(std::span<const std::string_view> names) const {
    Key k = *this;
    k.only = names;
    return k;
  }
  constexpr Key later(std::span<const std::string_view> names) const {
    Key k = *this;
    k.unsupported = names;
    return k;
  }
  constexpr Key required() const {
    Key k = *this;
    k.is_required = true;
    return k;
  }
  constexpr Key beside() const {
    Key k = *this;
    k.is_beside = true;
    return k;
  }
  constexpr Key as(const ValueType& t) const {
    Key k = *this;
    k.type = &t;
    return k;
  }
  constexpr Key common() const {
    Key k = *this;
    k.is_common = true;
    return k;
  }
  constexpr Key always() const {
    Key k = *this;
    k.is_always_read = true;
    return k;
  }
  constexpr Key named(std::string_view other) const {
    Key k = *this;
    k.name = other;
    return k;
  }

  // Whether a choice or family may be what this names.
  constexpr bool allows(std::string_view choice) const {
    return only.empty() || std::find(only.begin(), only.end(), choice) != only.end();
  }

  const void* at(const void* object) const { return member(const_cast<void*>(object)); }
};

// A key that promises nothing we do not do anyway: accepted, and `why` is noted.
constexpr Key noted(std::string_view name, std::string_view why) {
  return {.name = name, .help = why, .state = State::noted};
}

// A key that is not supported yet, but for the value `same_as` (YAML; several parted by '|').
constexpr Key refused(std::string_view name, std::string_view same_as = "null") {
  return {.name = name, .help = {}, .state = State::refused, .same_as = same_as};
}

struct Component {
  std::string_view name;  // as `type` says it, or the key it stands under
  std::string_view help;
  std::span<const Key> keys;
  // What must hold between keys, and members that follow from others. May be null.
  Status (*finish)(const Context&, const Node& node, void* object) = nullptr;
};

// Reads the map `node` (null: all defaults) onto `object`, which holds the defaults.
Status read_component(const Context& context, const Node& node, const Component& component, void* object);

// As a tree of keys. With a fallback, keys that equal it are left out and the others carry their
// help as a comment.
Node write_component(const Component& component, const void* object, const void* fallback);

// The same for a family: a map with a `type` and that type's keys, or the bare type.
Status read_family(const Context& context, const Node& node, const Key& key, const ValueType& family,
                   void* value);
Node write_family(const ValueType& family, const void* value, const void* fallback);

// The component that reads the whole Recipe, the root of every walk.
const Component& recipe_component();

// Whether the language has this key in a component that is not supported yet.
bool is_other_name(std::string_view word);

std::string joined(std::span<const std::string_view> words, std::string_view last = " or ");  // "a, b or c"

}  // namespace shoestring::task
