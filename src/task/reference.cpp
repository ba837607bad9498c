// docs/recipe.md: one table per component, by a walk over the records.
#include <fmt/format.h>

#include <map>
#include <set>

#include "task/describe.h"
#include "task/schema.h"

namespace shoestring::task {
namespace {

constexpr std::string_view kIntroduction = R"(# The recipe
This page is made from the records that read a recipe: what stands here is what the program knows.

A recipe is YAML or JSON. Needed are `input_features` and `output_features`, each a list of maps with a `name` and a `type`; all else has a default. A key that is not known is an error. Where a part has a `type`, the bare type is short for a map: `optimizer: sgd` means `optimizer: {type: sgd}`.

```yaml
input_features:
  - {name: age, type: number}
  - {name: occupation, type: category}
output_features:
  - {name: income, type: binary}
trainer: {epochs: 20}
```

`render-config` writes a recipe out with every default filled in; `init-config` writes one for a table.
)";

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string code_list(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + code(word);
  return out;
}

std::string later_text(const Key& key) {
  std::string out = key.only.empty() ? code_list(key.type->later) : std::string();
  if (!key.unsupported.empty()) out += (out.empty() ? "" : ", ") + code_list(key.unsupported);
  return out.empty() ? "" : "; not yet: " + out;
}

// What may be written: "integer, at least 1, or auto".
std::string values_text(const Key& key) {
  const ValueType& type = *key.type;
  std::string out(type.words);
  if (type.kind == ValueType::Kind::choice) {
    out = code_list(key.only.empty() ? type.choices : key.only);
  } else if (type.kind == ValueType::Kind::family) {
    out.clear();
    for (const Component* component : type.components)
      if (key.allows(component->name)) out += (out.empty() ? "" : ", ") + code(component->name);
  }
  if (key.range.bounded()) out += ", " + key.range.text();
  if (type.or_auto) out += ", or `auto`";
  if (type.or_boolean) out += ", or `true` or `false`";
  if (type.nullable) out += ", or `null`";
  return out + later_text(key);
}

// The default as the table shows it: a map of keys has a table of its own.
std::string default_text(const Key& key, const void* object) {
  if (key.is_required) return "needed";
  const Node node = key.type->write(key.at(object), nullptr);
  if (key.type->kind == ValueType::Kind::family && node.is_map()) return code(node.find("type")->value.text);
  if (node.is_map()) return "see below";
  std::string text = to_yaml(node);
  text.pop_back();
  return text == "\"\"" ? "–" : code(text);
}

class Writer {
 public:
  std::string out{kIntroduction};

  // A component's section, then those of its parts that have not been described with these defaults.
  void section(const Component& component, const void* object, const std::string& title) {
    out += fmt::format("\n## {}\n{}\n", title.empty() ? "The whole" : title, component.help);
    table(component, object);
    sentence(component, State::noted, "Accepted, with nothing to do");
    sentence(component, State::refused, "Not supported yet");
    for (const Key& key : component.keys)
      if (key.state == State::supported) parts(key, object, title);
  }

 private:
  void table(const Component& component, const void* object) {
    std::string rows;
    for (const Key& key : component.keys) {
      if (key.state == State::folded)
        rows += fmt::format("| {} | map from type to keys | `null` | {} |\n", code(key.name), key.help);
      if (key.state != State::supported) continue;
      rows += fmt::format("| {} | {} | {} | {} |\n", code(key.name), values_text(key),
                          default_text(key, object), key.help);
    }
    if (!rows.empty()) out += "\n| key | values | default | what it is |\n|---|---|---|---|\n" + rows;
  }

  void sentence(const Component& component, State state, std::string_view beginning) {
    std::string list;
    std::string_view last_help;
    for (const Key& key : component.keys) {
      if (key.state != state) continue;
      if (!list.empty())
        list += key.help != last_help || key.help.empty()
                    ? fmt::format("{}, ", last_help.empty() ? "" : fmt::format(" ({})", last_help))
                    : ", ";
      list += code(key.name);
      if (state == State::refused && key.same_as != "null")
        list += fmt::format(" other than `{}`", key.same_as);
      last_help = key.help;
    }
    if (list.empty()) return;
    out += fmt::format("\n{}: {}{}.\n", beginning, list,
                       last_help.empty() ? "" : fmt::format(" ({})", last_help));
  }

  void parts(const Key& key, const void* object, const std::string& title) {
    const ValueType& type = *key.type;
    for (size_t i = 0; i < type.components.size(); ++i) {
      const Component& component = *type.components[i];
      if (!key.allows(component.name)) continue;
      const bool is_family = type.kind == ValueType::Kind::family;
      const void* inner = is_family || type.kind == ValueType::Kind::list ? type.defaults(i) : key.at(object);
      const std::string defaults = to_yaml(write_component(component, inner, nullptr));
      if (!seen_.insert({&component, defaults}).second) continue;
      const std::string own = key.is_beside ? "" : fmt::format("{}{}", title.empty() ? "" : ".", key.name);
      section(component, inner, title + own + (is_family ? fmt::format("[{}]", component.name) : ""));
    }
  }

  std::set<std::pair<const Component*, std::string>> seen_;
};

}  // namespace

std::string recipe_reference() {
  static const Recipe plain;
  Writer writer;
  writer.section(recipe_component(), &plain, "");
  return writer.out;
}

}  // namespace shoestring::task
