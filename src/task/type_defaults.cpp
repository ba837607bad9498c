#include "task/type_defaults.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace shoestring::task {
namespace {

// Which parts of an input and of an output a section may set.
struct Side {
  std::string_view features;
  std::string_view parts[3];
};
constexpr Side kSides[] = {{"input_features", {"preprocessing", "encoder", {}}},
                           {"output_features", {"preprocessing", "decoder", "loss"}}};

// The record of a side's features, and that of one type of them.
const Key& features_key(const Side& side) {
  const auto keys = recipe_component().keys;
  return *std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == side.features; });
}

const Key& type_key(const Side& side) {
  const auto keys = features_key(side).type->components[0]->keys;
  return *std::find_if(keys.begin(), keys.end(), [](const Key& key) { return key.is_beside; });
}

const Component* component_of(const Side& side, std::string_view type) {
  for (const Component* component : type_key(side).type->components)
    if (component->name == type) return component;
  return nullptr;
}

// What `type:` of a part is, said or not: the first of the family where it is not said.
std::string_view type_of(const Component& feature, std::string_view part, const Node& node) {
  if (const Entry* type = node.find("type")) return type->value.text;
  for (const Key& key : feature.keys)
    if (key.name == part && key.type && key.type->kind == ValueType::Kind::family)
      return key.type->components[0]->name;
  return {};
}

Node as_map(const Node& node) {
  if (!node.is_scalar()) return node;
  Node map = Node::map();
  map.mark = node.mark;
  map.entries.push_back({"type", node.mark, node});
  return map;
}

// Reads a section as if it were a feature, for its errors only.
Status check_section(const Context& outer, const Entry& section) {
  Context context = outer.in("defaults").in(section.key);
  context.notes = nullptr;
  if (section.value.is_null()) return {};
  if (!section.value.is_map())
    return context.refuse(section.value.mark, context.path + " must be a map of keys",
                          "write preprocessing, encoder, decoder or loss under it");
  const Key& inputs = type_key(kSides[0]);
  if (!component_of(kSides[0], section.key)) {
    std::vector<std::string> names;
    for (const Component* component : inputs.type->components) names.emplace_back(component->name);
    for (const auto& key : {inputs, type_key(kSides[1])})
      if (std::find(key.unsupported.begin(), key.unsupported.end(), section.key) != key.unsupported.end())
        return context.refuse(section.mark,
                              fmt::format("features of type '{}' are not supported yet", section.key),
                              "leave this section out");
    const std::string near = nearest(section.key, names);
    return context.refuse(
        section.mark, fmt::format("'{}' in defaults is no type of feature", section.key),
        near.empty()
            ? fmt::format("choose {}", joined(std::vector<std::string_view>(names.begin(), names.end())))
            : fmt::format("did you mean '{}'?", near));
  }
  constexpr std::string_view parts[] = {"preprocessing", "encoder", "decoder", "loss"};
  for (const Entry& entry : section.value.entries)
    if (std::find(std::begin(parts), std::end(parts), entry.key) == std::end(parts)) {
      const std::string near =
          nearest(entry.key, std::vector<std::string>(std::begin(parts), std::end(parts)));
      return context.refuse(entry.mark, fmt::format("unknown key '{}' in {}", entry.key, context.path),
                            near.empty() ? fmt::format("the keys here are {}", joined(parts, " and "))
                                         : fmt::format("did you mean '{}'?", near));
    }
  InputFeature input;
  OutputFeature output;
  for (const Side& side : kSides) {
    if (!component_of(side, section.key)) {  // a type that is only read
      for (const Entry& entry : section.value.entries)
        if (entry.key == "decoder" || entry.key == "loss")
          return context.refuse(entry.mark, fmt::format("unknown key '{}' in {}", entry.key, context.path),
                                "features of this type are read and not predicted: leave it out");
      continue;
    }
    Node feature = Node::map();
    feature.set("name", Node::string(section.key));
    feature.set("type", Node::string(section.key));
    for (const std::string_view part : side.parts)
      if (const Entry* entry = section.value.find(part); entry && !part.empty())
        feature.entries.push_back(*entry);
    void* scratch = &side == &kSides[0] ? static_cast<void*>(&input) : &output;
    if (Status read = read_component(context, feature, *features_key(side).type->components[0], scratch);
        !read)
      return read;
  }
  return {};
}

void lay_under(const Side& side, const Node& defaults, Node& feature) {
  const Entry* type = feature.find("type");
  const Entry* section = type ? defaults.find(type->value.text) : nullptr;
  const Component* component = type ? component_of(side, type->value.text) : nullptr;
  if (!section || !component) return;
  for (const std::string_view part : side.parts) {
    const Entry* under = section->value.find(part);
    if (!under || part.empty()) continue;
    Entry* own = feature.find(part);
    const Node below = as_map(under->value);
    if (!own || own->value.is_null()) {
      feature.set(part, below);
      continue;
    }
    const Node above = as_map(own->value);
    const bool says_type = above.find("type") != nullptr;
    if (!says_type || type_of(*component, part, above) == type_of(*component, part, below))
      own->value = merged(below, above);
  }
}

}  // namespace

Result<Node> with_type_defaults(const Context& context, const Node& root) {
  const Entry* defaults = root.find("defaults");
  if (!defaults || defaults->value.is_null()) return root;
  if (!defaults->value.is_map())
    return context.refuse(defaults->value.mark, "defaults must be a map from type to keys",
                          "write 'number:' and the like under it");
  for (const Entry& section : defaults->value.entries)
    if (Status checked = check_section(context, section); !checked) return fail(std::move(checked.error()));
  Node out = root;
  for (const Side& side : kSides)
    if (Entry* features = out.find(side.features))
      for (Node& feature : features->value.items) lay_under(side, defaults->value, feature);
  std::erase_if(out.entries, [](const Entry& entry) { return entry.key == "defaults"; });
  return out;
}

}  // namespace shoestring::task
