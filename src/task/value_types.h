// How C++ types are spelled in a recipe: TypeOf<T>::value for every T that a member may have, and
// key<&Struct::member…>(name, help), which makes a record from a path of member pointers.
// Only the keys_*.cpp include this.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "task/schema.h"

namespace shoestring::task {

// The words of an enum, in the order of its values; `later` (which may be empty) are known to the
// language and not supported yet. The word "null" stands for a null.
template <class E>
struct Words;

// The component that describes a struct. Each keys_*.cpp defines those of its structs.
template <class S>
struct Described {
  static const Component component;
};

// The primitive spellings. Each says what it was given and what fits when it refuses.
Status read_boolean(const Context&, const Node&, const Key&, bool& value);
Status read_integer(const Context&, const Node&, const Key&, int64_t& value);
Status read_number(const Context&, const Node&, const Key&, double& value);
Status read_string(const Context&, const Node&, const Key&, std::string& value);
Status read_numbers(const Context&, const Node&, const Key&, std::span<double> values);
Status read_word(const Context&, const Node&, const Key&, const ValueType&, size_t& index);
Node write_word(std::string_view word);
Node write_numbers(std::span<const double> values);

// The struct that `brief` compares a list item with: what it would be if only what must be written
// were written.
template <class S>
S plain_like(const S&) {
  return S{};
}
InputFeature plain_like(const InputFeature& feature);
AugmentationItem plain_like(const AugmentationItem& item);
OutputFeature plain_like(const OutputFeature& feature);

// A struct: the component that describes it.
template <class T>
struct TypeOf {
  static constexpr const Component* components[] = {&Described<T>::component};
  static Status read(const Context& context, const Node& node, const Key&, void* value) {
    return read_component(context, node, *components[0], value);
  }
  static Node write(const void* value, const void* fallback) {
    return write_component(*components[0], value, fallback);
  }
  static const void* defaults(size_t) {
    static const T value{};
    return &value;
  }
  static constexpr ValueType value{.kind = ValueType::Kind::component,
                                   .words = "map of keys",
                                   .components = components,
                                   .read = read,
                                   .write = write,
                                   .defaults = defaults};
};

template <>
struct TypeOf<bool> {
  static Status read(const Context& c, const Node& n, const Key& k, void* v) {
    return read_boolean(c, n, k, *static_cast<bool*>(v));
  }
  static Node write(const void* v, const void*) { return Node::boolean(*static_cast<const bool*>(v)); }
  static constexpr ValueType value{
      .kind = ValueType::Kind::boolean, .words = "boolean", .read = read, .write = write};
};

template <>
struct TypeOf<int64_t> {
  static Status read(const Context& c, const Node& n, const Key& k, void* v) {
    return read_integer(c, n, k, *static_cast<int64_t*>(v));
  }
  static Node write(const void* v, const void*) { return Node::integer(*static_cast<const int64_t*>(v)); }
  static constexpr ValueType value{
      .kind = ValueType::Kind::integer, .words = "integer", .read = read, .write = write};
};

template <>
struct TypeOf<double> {
  static Status read(const Context& c, const Node& n, const Key& k, void* v) {
    return read_number(c, n, k, *static_cast<double*>(v));
  }
  static Node write(const void* v, const void*) { return Node::number(*static_cast<const double*>(v)); }
  static constexpr ValueType value{
      .kind = ValueType::Kind::number, .words = "number", .read = read, .write = write};
};

template <>
struct TypeOf<std::string> {
  static Status read(const Context& c, const Node& n, const Key& k, void* v) {
    return read_string(c, n, k, *static_cast<std::string*>(v));
  }
  static Node write(const void* v, const void*) { return Node::string(*static_cast<const std::string*>(v)); }
  static constexpr ValueType value{
      .kind = ValueType::Kind::string, .words = "string", .read = read, .write = write};
};

template <size_t N>
struct TypeOf<std::array<double, N>> {
  using T = std::array<double, N>;
  static Status read(const Context& c, const Node& n, const Key& k, void* v) {
    return read_numbers(c, n, k, *static_cast<T*>(v));
  }
  static Node write(const void* v, const void*) { return write_numbers(*static_cast<const T*>(v)); }
  static constexpr ValueType value{.kind = ValueType::Kind::list,
                                   .words = N == 2 ? "list of 2 numbers" : "list of 3 numbers",
                                   .read = read,
                                   .write = write};
  static_assert(N == 2 || N == 3);
};

template <class E>
requires std::is_enum_v<E>
struct TypeOf<E> {
  static Status read(const Context& context, const Node& node, const Key& key, void* v) {
    size_t index = 0;
    if (Status read = read_word(context, node, key, value, index); !read) return read;
    *static_cast<E*>(v) = static_cast<E>(index);
    return {};
  }
  static Node write(const void* v, const void*) {
    return write_word(Words<E>::names[static_cast<size_t>(*static_cast<const E*>(v))]);
  }
  static constexpr ValueType value{.kind = ValueType::Kind::choice,
                                   .words = "choice",
                                   .choices = Words<E>::names,
                                   .later = Words<E>::later,
                                   .read = read,
                                   .write = write};
};

template <class T>
struct TypeOf<std::optional<T>> {
  static Status read(const Context& context, const Node& node, const Key& key, void* v) {
    auto& held = *static_cast<std::optional<T>*>(v);
    if (node.is_null()) {
      held.reset();
      return {};
    }
    return TypeOf<T>::value.read(context, node, key, held ? &*held : &held.emplace());
  }
  static Node write(const void* v, const void* f) {
    const auto& held = *static_cast<const std::optional<T>*>(v);
    const auto* fallback = static_cast<const std::optional<T>*>(f);
    return held ? TypeOf<T>::value.write(&*held, fallback && *fallback ? &**fallback : nullptr)
                : Node::null();
  }
  static constexpr ValueType make() {
    ValueType type = TypeOf<T>::value;
    type.nullable = true;
    type.read = read;
    type.write = write;
    return type;
  }
  static constexpr ValueType value = make();
};

template <class T>
struct TypeOf<OrAuto<T>> {
  static Status read(const Context& context, const Node& node, const Key& key, void* v) {
    auto& held = static_cast<OrAuto<T>*>(v)->value;
    if (node.is_scalar() && node.text == "auto") {
      held.reset();
      return {};
    }
    return TypeOf<T>::value.read(context, node, key, held ? &*held : &held.emplace());
  }
  static Node write(const void* v, const void*) {
    const auto& held = static_cast<const OrAuto<T>*>(v)->value;
    return held ? TypeOf<T>::value.write(&*held, nullptr) : Node::string("auto");
  }
  static constexpr ValueType make() {
    ValueType type = TypeOf<T>::value;
    type.or_auto = true;
    type.read = read;
    type.write = write;
    return type;
  }
  static constexpr ValueType value = make();
};

// What is particular about a family: whether a member is written as its bare name where all its keys
// have their defaults, and types that are known to the language and not supported yet.
template <class V>
struct FamilyTraits {
  static constexpr bool short_form = false;
  static constexpr std::span<const std::string_view> later{};
};

// A variant: one component per value of `type`. A bare word is short for {type: word}.
template <class... Ts>
struct TypeOf<std::variant<Ts...>> {
  using V = std::variant<Ts...>;
  static constexpr const Component* components[] = {&Described<Ts>::component...};

  static size_t index(const void* v) { return static_cast<const V*>(v)->index(); }
  static void* held(void* v) {
    return std::visit([](auto& one) -> void* { return &one; }, *static_cast<V*>(v));
  }
  static void select(void* v, size_t wanted) {
    size_t i = 0;
    ((i++ == wanted ? void(static_cast<V*>(v)->template emplace<Ts>()) : void()), ...);
  }
  static const void* defaults(size_t wanted) {
    static const std::tuple<Ts...> values;
    const void* found = nullptr;
    size_t i = 0;
    ((i++ == wanted ? void(found = &std::get<Ts>(values)) : void()), ...);
    return found;
  }
  static Status read(const Context& context, const Node& node, const Key& key, void* v) {
    return read_family(context, node, key, value, v);
  }
  static Node write(const void* v, const void* fallback) { return write_family(value, v, fallback); }
  static constexpr ValueType value{.kind = ValueType::Kind::family,
                                   .words = "map with a type",
                                   .later = FamilyTraits<V>::later,
                                   .short_form = FamilyTraits<V>::short_form,
                                   .components = components,
                                   .read = read,
                                   .write = write,
                                   .index = index,
                                   .held = held,
                                   .select = select,
                                   .defaults = defaults};
};

// A struct that goes under the one type name of `C`, a family of one.
template <class S, const Component& C>
struct Sole {
  static constexpr const Component* components[] = {&C};
  static size_t index(const void*) { return 0; }
  static void* held(void* v) { return v; }
  static void select(void*, size_t) {}
  static const void* defaults(size_t) {
    static const S plain{};
    return &plain;
  }
  static Status read(const Context& context, const Node& node, const Key& key, void* v) {
    return read_family(context, node, key, value, v);
  }
  static Node write(const void* v, const void* fallback) { return write_family(value, v, fallback); }
  static constexpr ValueType value{.kind = ValueType::Kind::family,
                                   .words = "map with a type",
                                   .components = components,
                                   .read = read,
                                   .write = write,
                                   .index = index,
                                   .held = held,
                                   .select = select,
                                   .defaults = defaults};
};

// A list of structs. In a path an item goes by its name, or by its number from 0.
template <class S>
struct TypeOf<std::vector<S>> {
  static Status read(const Context& context, const Node& node, const Key&, void* v) {
    auto& list = *static_cast<std::vector<S>*>(v);
    if (!node.is_list())
      return context.refuse(node.mark, context.path + " must be a list", "begin each item with '- '");
    list.clear();
    for (const Node& item : node.items) {
      const Entry* name = item.is_map() ? item.find("name") : nullptr;
      const Context inner =
          context.in(name && name->value.is_scalar() ? name->value.text : std::to_string(list.size()));
      if (Status read = read_component(inner, item, Described<S>::component, &list.emplace_back()); !read)
        return read;
    }
    return {};
  }
  static Node write(const void* v, const void* f) {
    Node out = Node::list();
    for (const S& item : *static_cast<const std::vector<S>*>(v)) {
      const S plain = plain_like(item);
      out.items.push_back(write_component(Described<S>::component, &item, f ? &plain : nullptr));
    }
    return out;
  }
  static const void* defaults(size_t i) { return TypeOf<S>::defaults(i); }
  static constexpr ValueType value{.kind = ValueType::Kind::list,
                                   .words = "list of maps",
                                   .components = TypeOf<S>::components,
                                   .read = read,
                                   .write = write,
                                   .defaults = defaults};
};

namespace detail {

template <class M>
struct MemberPointer;
template <class S, class T>
struct MemberPointer<T S::*> {
  using Struct = S;
  using Value = T;
};

template <auto First, auto... Rest>
void* member_at(void* object) {
  auto& member = static_cast<typename MemberPointer<decltype(First)>::Struct*>(object)->*First;
  if constexpr (sizeof...(Rest) == 0)
    return &member;
  else
    return member_at<Rest...>(&member);
}

template <auto First, auto... Rest>
struct Last : Last<Rest...> {};
template <auto Only>
struct Last<Only> : MemberPointer<decltype(Only)> {};

template <class F>
struct Finisher;
template <class S>
struct Finisher<Status (*)(const Context&, const Node&, S&)> {
  using Struct = S;
};

}  // namespace detail

template <auto... Path>
constexpr Key key(std::string_view name, std::string_view help) {
  return {.name = name,
          .help = help,
          .type = &TypeOf<typename detail::Last<Path...>::Value>::value,
          .member = detail::member_at<Path...>};
}

// A typed function as a component's `finish`.
template <auto Function>
Status finish(const Context& context, const Node& node, void* object) {
  return Function(context, node,
                  *static_cast<typename detail::Finisher<decltype(Function)>::Struct*>(object));
}

template <size_t... N>
constexpr std::array<Key, (N + ...)> together(const std::array<Key, N>&... parts) {
  std::array<Key, (N + ...)> all{};
  size_t i = 0;
  const auto append = [&](const auto& part) {
    for (const Key& key : part) all[i++] = key;
  };
  (append(parts), ...);
  return all;
}

template <class... Keys>
constexpr std::array<Key, sizeof...(Keys)> keys(const Keys&... all) {
  return {all...};
}

}  // namespace shoestring::task
