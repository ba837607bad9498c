#include "task/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace shoestring::task {
namespace {

// A key with the struct that its member accessor takes.
struct Placed {
  const Key* key;
  void* object;
};

bool says_the_same(const Node& node, std::string_view yaml) {
  const Result<Document> wanted = parse_document(yaml, "");
  if (!wanted) return false;
  const Node& other = wanted->root;
  if (node.kind != other.kind) return false;
  if (node.is_null()) return true;
  if (node.is_list()) return node.items.empty() && other.items.empty();
  if (node.is_map()) return node.entries.empty() && other.entries.empty();
  if (node.as_boolean()) return node.as_boolean() == other.as_boolean();
  if (node.as_number()) return node.as_number() == other.as_number();
  return node.text == other.text;
}

bool is_accepted(const Key& key, const Node& node) {
  std::string_view rest = key.same_as;
  while (true) {
    const size_t bar = rest.find('|');
    if (says_the_same(node, rest.substr(0, bar))) return true;
    if (bar == std::string_view::npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

std::string whole(const Context& context) { return context.path.empty() ? "the recipe" : context.path; }

std::string in_path(const Context& context) { return context.path.empty() ? "" : " in " + context.path; }

Failure refuse_unknown(const Context& context, const Entry& entry, std::span<const Placed> known) {
  // Keys of a part written beside the part: `embedding_size` beside `encoder`.
  for (const Placed& placed : known) {
    if (placed.key->state != State::supported || placed.key->is_beside ||
        placed.key->type->components.empty())
      continue;
    for (const Component* component : placed.key->type->components)
      for (const Key& inner : component->keys)
        if (inner.name == entry.key && !inner.is_beside)
          return context.refuse(entry.mark, fmt::format("unknown key '{}'{}", entry.key, in_path(context)),
                                fmt::format("it belongs under '{}'", placed.key->name));
  }
  // Keys of other programs, or of this language elsewhere, that have a place here.
  struct Moved {
    std::string_view path, key, to;
  };
  constexpr Moved kMoved[] = {{"trainer.optimizer", "lr", "trainer.learning_rate"},
                              {"trainer.optimizer", "learning_rate", "trainer.learning_rate"},
                              {"trainer.optimizer", "beta1", "betas: [beta1, beta2]"},
                              {"trainer.optimizer", "beta2", "betas: [beta1, beta2]"},
                              {"trainer.optimizer", "epsilon", "eps"},
                              {"trainer", "lr", "learning_rate"},
                              {"trainer", "base_learning_rate", "learning_rate"},
                              {"trainer", "early_stopping", "early_stop"},
                              {"combiner", "dropout_rate", "dropout"}};
  for (const Moved& moved : kMoved)
    if (moved.path == context.path && moved.key == entry.key)
      return context.refuse(entry.mark, fmt::format("unknown key '{}'{}", entry.key, in_path(context)),
                            fmt::format("write {}", moved.to));
  if (is_other_name(entry.key))
    return context.refuse(entry.mark, fmt::format("'{}' is not supported yet{}", entry.key, in_path(context)),
                          "leave it out");
  std::vector<std::string> names;
  for (const Placed& placed : known) names.emplace_back(placed.key->is_beside ? "type" : placed.key->name);
  if (const std::string near = nearest(entry.key, names); !near.empty())
    return context.refuse(entry.mark, fmt::format("unknown key '{}'{}", entry.key, in_path(context)),
                          fmt::format("did you mean '{}'?", near));
  std::vector<std::string_view> supported;
  for (const Placed& placed : known)
    if (placed.key->state == State::supported)
      supported.push_back(placed.key->is_beside ? "type" : placed.key->name);
  return context.refuse(entry.mark, fmt::format("unknown key '{}'{}", entry.key, in_path(context)),
                        fmt::format("the keys here are {}", joined(supported, " and ")));
}

Status refuse_unsupported(const Context& context, const Entry& entry, const Key& key) {
  if (is_accepted(key, entry.value)) return {};
  // Where a value is accepted, it is the value and not the key that is refused.
  std::string what(key.name);
  if (key.same_as != "null" && entry.value.is_scalar()) what += ": " + entry.value.text;
  std::string same;
  for (const char c : key.same_as) same += c == '|' ? std::string(" or ") : std::string(1, c);
  return context.refuse(entry.mark, fmt::format("'{}' is not supported yet{}", what, in_path(context)),
                        fmt::format("leave it out or write {}", same));
}

// Chooses the alternative that `type` names; without it the default one stays.
Status select_type(const Context& context, const Node& node, const Key& key, void* family) {
  const ValueType& type = *key.type;
  const Entry* entry = node.find("type");
  std::vector<std::string_view> names;
  for (const Component* component : type.components)
    if (key.allows(component->name)) names.push_back(component->name);
  const auto choose = [&] { return fmt::format("choose {}", joined(names)); };
  if (!entry || entry->value.is_null()) {
    if (key.is_required)
      return context.refuse(node.mark, fmt::format("{} has no type", context.path), choose());
    return {};
  }
  const std::string& word = entry->value.text;
  for (size_t i = 0; i < type.components.size(); ++i) {
    if (type.components[i]->name != word || !entry->value.is_scalar()) continue;
    if (!key.allows(word))
      return context.refuse(entry->value.mark, fmt::format("{} cannot be {}", context.path, word), choose());
    if (type.index(family) != i) type.select(family, i);
    return {};
  }
  std::vector<std::string_view> later(key.unsupported.begin(), key.unsupported.end());
  if (key.only.empty()) later.insert(later.end(), type.later.begin(), type.later.end());
  if (std::find(later.begin(), later.end(), word) != later.end())
    return context.refuse(entry->value.mark,
                          fmt::format("{}: type '{}' is not supported yet", context.path, word), choose());
  std::vector<std::string> all(names.begin(), names.end());
  all.insert(all.end(), later.begin(), later.end());
  const std::string near = nearest(word, all);
  return context.refuse(entry->value.mark, fmt::format("{}: unknown type '{}'", context.path, word),
                        near.empty() ? choose() : fmt::format("did you mean '{}'?", near));
}

// The keys that may stand in the map: the component's own and those of a family beside them.
Result<std::vector<Placed>> keys_of(const Context& context, const Node& node, const Component& component,
                                    void* object) {
  std::vector<Placed> keys;
  for (const Key& key : component.keys) {
    keys.push_back({&key, object});
    if (!key.is_beside) continue;
    void* family = key.member(object);
    if (Status chosen = select_type(context, node, key, family); !chosen)
      return fail(std::move(chosen.error()));
    const ValueType& type = *key.type;
    for (const Key& inner : type.components[type.index(family)]->keys)
      keys.push_back({&inner, type.held(family)});
  }
  return keys;
}

Status read_key(const Context& context, const Node& node, const Placed& placed) {
  const Key& key = *placed.key;
  static const Node absent;
  const Entry* entry = node.find(key.name);
  if (key.is_beside || key.state == State::folded) return {};
  if (key.state == State::refused) return entry ? refuse_unsupported(context, *entry, key) : Status{};
  if (key.state == State::noted) {
    if (entry && context.notes)
      context.notes->push_back(fmt::format("{}: {}", context.in(key.name).path, key.help));
    return {};
  }
  if (!entry && key.is_required)
    return context.refuse(node.mark, fmt::format("{} has no {}", whole(context), key.name),
                          fmt::format("add '{}: …'", key.name));
  if (!entry && !key.is_always_read) return {};
  return key.type->read(context.in(key.name), entry ? entry->value : absent, key, key.member(placed.object));
}

bool is_equal_tree(const Node& a, const Node& b) { return to_yaml(a) == to_yaml(b); }

void write_keys(const Component& component, const void* object, const void* fallback, Node& out) {
  for (const Key& key : component.keys) {
    if (key.state != State::supported) continue;
    const void* value = key.at(object);
    const void* other = fallback ? key.at(fallback) : nullptr;
    if (key.is_beside) {
      const Node inner = key.type->write(value, other);
      for (const Entry& entry : inner.entries) out.set(entry.key, entry.value);
      continue;
    }
    if (other && !key.is_required && !key.is_common &&
        is_equal_tree(key.type->write(value, nullptr), key.type->write(other, nullptr)))
      continue;
    Node tree = key.type->write(value, other);
    if (other && !(key.is_required && tree.is_scalar())) tree.comment = key.help;
    out.set(key.name, std::move(tree));
  }
}

}  // namespace

std::string Range::text() const {
  const bool has_low = low != -std::numeric_limits<double>::infinity(),
             has_high = high != std::numeric_limits<double>::infinity();
  if (has_low && has_high)
    return fmt::format("from {}{} to {}{}", open_low ? "above " : "", low, open_high ? "below " : "", high);
  if (has_low) return fmt::format("{} {}", open_low ? "more than" : "at least", low);
  if (has_high) return fmt::format("{} {}", open_high ? "less than" : "at most", high);
  return "any";
}

Context Context::in(std::string_view key) const {
  Context inner = *this;
  inner.path = path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  return inner;
}

Failure Context::refuse(Mark mark, std::string what, std::string fix) const {
  return fail(ErrorKind::usage, std::move(what), document->place(mark), std::move(fix));
}

Status read_component(const Context& context, const Node& node, const Component& component, void* object) {
  Node map = node;
  if (node.is_null()) map.kind = Node::Kind::map;
  if (!map.is_map())
    return context.refuse(node.mark, fmt::format("{} must be a map of keys", whole(context)),
                          "write KEY: VALUE under it");
  const auto keys = keys_of(context, map, component, object);
  if (!keys) return fail(keys.error());
  for (const Entry& entry : map.entries) {
    const bool known = std::any_of(keys->begin(), keys->end(), [&](const Placed& p) {
      return p.key->is_beside ? entry.key == "type" : entry.key == p.key->name;
    });
    if (!known) return refuse_unknown(context, entry, *keys);
  }
  for (const Placed& placed : *keys)
    if (Status read = read_key(context, map, placed); !read) return read;
  for (const Key& key : component.keys) {
    if (!key.is_beside) continue;
    void* family = key.member(object);
    const Component& chosen = *key.type->components[key.type->index(family)];
    if (chosen.finish)
      if (Status finished = chosen.finish(context, map, key.type->held(family)); !finished) return finished;
  }
  return component.finish ? component.finish(context, map, object) : Status{};
}

Node write_component(const Component& component, const void* object, const void* fallback) {
  Node out = Node::map();
  write_keys(component, object, fallback, out);
  return out;
}

Status read_family(const Context& context, const Node& node, const Key& key, const ValueType& family,
                   void* value) {
  Node map = node;
  if (node.is_scalar()) {
    map = Node::map();
    map.mark = node.mark;
    map.entries.push_back({"type", node.mark, node});
  }
  Key inside = key;
  inside.type = &family;
  inside.member = [](void* object) { return object; };
  inside.is_beside = true;
  inside.is_required = false;
  const Component whole{.name = key.name, .help = {}, .keys = std::span(&inside, 1)};
  return read_component(context, map, whole, value);
}

Node write_family(const ValueType& family, const void* value, const void* fallback) {
  const auto struct_in = [&](const void* v) { return family.held(const_cast<void*>(v)); };
  const size_t which = family.index(value);
  const Component& component = *family.components[which];
  const void* like = !fallback                         ? nullptr
                     : family.index(fallback) == which ? struct_in(fallback)
                                                       : family.defaults(which);
  const Node plain = write_component(component, struct_in(value), nullptr);
  if (family.short_form && is_equal_tree(plain, write_component(component, family.defaults(which), nullptr)))
    return Node::string(component.name);
  Node out = Node::map();
  out.set("type", Node::string(component.name));
  Node keys = like ? write_component(component, struct_in(value), like) : plain;
  for (Entry& entry : keys.entries) out.set(entry.key, std::move(entry.value));
  return out;
}

std::string joined(std::span<const std::string_view> words, std::string_view last) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace shoestring::task
