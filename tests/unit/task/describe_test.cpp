#include "task/describe.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/atomic_file.h"
#include "task/schema.h"

namespace shoestring::task {
namespace {

TEST(Describe, ThePageIsUpToDate) {
  if (std::getenv("SHOESTRING_REWRITE")) {
    ASSERT_TRUE(write_file("docs/recipe.md", recipe_reference()));
  }
  const auto page = read_file("docs/recipe.md");
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_TRUE(*page == recipe_reference())
      << "docs/recipe.md is not what the records say: run this test with SHOESTRING_REWRITE=1";
}

TEST(Describe, TheSchemaIsWhole) {
  const auto schema = nlohmann::json::parse(recipe_json_schema());
  EXPECT_EQ(schema["required"], nlohmann::json({"input_features", "output_features"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  // Every reference leads somewhere.
  std::vector<const nlohmann::json*> open{&schema};
  int references = 0;
  while (!open.empty()) {
    const nlohmann::json& node = *open.back();
    open.pop_back();
    if (node.is_object() && node.contains("$ref")) {
      const std::string name = node["$ref"].get<std::string>().substr(8);
      EXPECT_TRUE(schema["$defs"].contains(name)) << name;
      ++references;
    }
    if (node.is_structured())
      for (const auto& child : node) open.push_back(&child);
  }
  EXPECT_GT(references, 20);
}

// Every component: no name twice, help for every key that does something.
void check(const Component& component, std::set<const Component*>& seen) {
  if (!seen.insert(&component).second) return;
  EXPECT_FALSE(component.help.empty()) << component.name;
  std::set<std::string_view> names;
  for (const Key& key : component.keys) {
    EXPECT_TRUE(names.insert(key.name).second) << component.name << "." << key.name;
    EXPECT_FALSE(is_other_name(key.name)) << key.name;
    EXPECT_EQ(key.help.empty(), key.state == State::refused) << component.name << "." << key.name;
    if (key.state != State::supported) continue;
    for (const Component* inner : key.type->components) check(*inner, seen);
  }
}

TEST(Describe, RecordsAreInOrder) {
  std::set<const Component*> seen;
  check(recipe_component(), seen);
  EXPECT_GT(seen.size(), 40u);
  EXPECT_TRUE(is_other_name("stacked_layers"));
  EXPECT_FALSE(is_other_name("stacked_layers num_filters"));
  EXPECT_FALSE(is_other_name(""));
}

}  // namespace
}  // namespace shoestring::task
