// The JSON Schema of a recipe, for editors: one definition per component.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "task/describe.h"
#include "task/schema.h"

namespace shoestring::task {
namespace {

Node text(std::string_view value) {
  Node node = Node::string(value);
  node.quoted = true;
  return node;
}

Node texts(std::span<const std::string_view> words) {
  Node list = Node::list();
  for (const std::string_view word : words) list.items.push_back(word == "null" ? Node::null() : text(word));
  return list;
}

Node typed(std::string_view type) {
  Node node = Node::map();
  node.set("type", text(type));
  return node;
}

Node any_of(std::vector<Node> nodes) {
  if (nodes.size() == 1) return std::move(nodes.front());
  Node node = Node::map();
  node.set("anyOf", Node::list(std::move(nodes)));
  return node;
}

void set_range(const Range& range, Node& node) {
  if (range.low != Range{}.low)
    node.set(range.open_low ? "exclusiveMinimum" : "minimum", Node::number(range.low));
  if (range.high != Range{}.high)
    node.set(range.open_high ? "exclusiveMaximum" : "maximum", Node::number(range.high));
}

class Writer {
 public:
  Node definitions = Node::map();

  Node object(const Component& component, const std::string& path) {
    for (const Key& key : component.keys)
      if (key.is_beside) return any_of(alternatives(key, component, path, false));
    return map_of(component, nullptr, path);
  }

 private:
  // A map of the component's keys and, where a family stands beside them, those of `chosen`.
  Node map_of(const Component& component, const Component* chosen, const std::string& path) {
    Node node = typed("object");
    node.set("description", text(component.help));
    Node properties = Node::map(), required = Node::list();
    if (chosen) {
      Node type = Node::map();
      type.set("const", text(chosen->name));
      properties.set("type", std::move(type));
    }
    for (const Component* part : {&component, chosen})
      if (part)
        for (const Key& key : part->keys) {
          if (key.is_required) required.items.push_back(text(key.is_beside ? "type" : key.name));
          if (key.is_beside) continue;
          properties.set(key.name, key.state == State::supported ? described(key, path)
                                   : key.state == State::refused ? accepted(key)
                                                                 : Node::map());
        }
    node.set("properties", std::move(properties));
    if (!required.items.empty()) node.set("required", std::move(required));
    node.set("additionalProperties", Node::boolean(false));
    return node;
  }

  // Of a key that is not supported yet: the values that ask for what is done anyway.
  static Node accepted(const Key& key) {
    Node node = Node::map(), values = Node::list();
    for (size_t begin = 0; begin <= key.same_as.size();) {
      const size_t end = std::min(key.same_as.find('|', begin), key.same_as.size());
      if (auto value = parse_document(key.same_as.substr(begin, end - begin), "same_as"))
        values.items.push_back(std::move(value->root));
      begin = end + 1;
    }
    node.set("enum", std::move(values));
    return node;
  }

  Node described(const Key& key, const std::string& path) {
    Node node = value(key, path.empty() ? std::string(key.name) : fmt::format("{}.{}", path, key.name));
    if (!node.find("description") && !key.help.empty()) node.set("description", text(key.help));
    return node;
  }

  Node value(const Key& key, const std::string& path) {
    const ValueType& type = *key.type;
    std::vector<Node> ways;
    switch (type.kind) {
      case ValueType::Kind::boolean:
        ways = {typed("boolean")};
        break;
      case ValueType::Kind::integer:
        ways = {typed("integer")};
        break;
      case ValueType::Kind::number:
        ways = {typed("number")};
        break;
      case ValueType::Kind::string:
        ways = {typed("string")};
        break;
      case ValueType::Kind::special:
        ways = {Node::map()};
        break;
      case ValueType::Kind::component:
        ways = {reference(*type.components[0], path)};
        break;
      case ValueType::Kind::family:
        ways = alternatives(key, {}, path, true);
        break;
      case ValueType::Kind::choice:
        ways = {Node::map()};
        ways.back().set("enum", texts(key.only.empty() ? type.choices : key.only));
        break;
      case ValueType::Kind::list:
        ways = {typed("array")};
        ways.back().set("items",
                        type.components.empty() ? typed("number") : reference(*type.components[0], path));
        break;
    }
    if (key.range.bounded())
      set_range(key.range,
                type.kind == ValueType::Kind::list ? ways.back().find("items")->value : ways.back());
    if (type.or_auto) ways.push_back(Node::map()), ways.back().set("const", text("auto"));
    if (type.or_boolean) ways.push_back(typed("boolean"));
    if (type.nullable) ways.push_back(typed("null"));
    return any_of(std::move(ways));
  }

  // One map per type; with `bare` also the type alone.
  std::vector<Node> alternatives(const Key& key, const Component& outer, const std::string& path, bool bare) {
    std::vector<Node> ways;
    std::vector<std::string_view> names;
    for (const Component* component : key.type->components) {
      if (!key.allows(component->name)) continue;
      const bool needs_more = std::any_of(component->keys.begin(), component->keys.end(),
                                          [](const Key& inner) { return inner.is_required; });
      if (!needs_more) names.push_back(component->name);
      const std::string inner = fmt::format("{}.{}", path, component->name);
      if (bare) {
        static const Component nothing{};
        ways.push_back(reference(nothing, inner, component));
      } else {
        ways.push_back(map_of(outer, component, inner));
      }
    }
    if (!bare) return ways;
    ways.push_back(Node::map());
    ways.back().set("enum", texts(names));
    return ways;
  }

  Node reference(const Component& component, const std::string& path, const Component* chosen = nullptr) {
    const auto [known, is_new] = names_.try_emplace(chosen ? chosen : &component, path);
    const std::string name = known->second;
    if (is_new) {
      definitions.set(name, Node::map());  // keeps its place in the order, and ends recursion
      Node body = chosen ? map_of(component, chosen, path) : object(component, path);
      definitions.set(name, std::move(body));
    }
    Node node = Node::map();
    node.set("$ref", text("#/$defs/" + name));
    return node;
  }

  std::map<const Component*, std::string> names_;
};

}  // namespace

std::string recipe_json_schema() {
  Writer writer;
  Node root = Node::map();
  root.set("$schema", text("https://json-schema.org/draft/2020-12/schema"));
  root.set("title", text("Shoestring recipe"));
  const Node body = writer.object(recipe_component(), "");
  for (const Entry& entry : body.entries) root.set(entry.key, entry.value);
  root.set("$defs", writer.definitions);
  return to_json(root);
}

}  // namespace shoestring::task
