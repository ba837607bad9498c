// What the records say, for people and for editors. Both texts are made from the same records that
// read a recipe, so they cannot fall behind it.
#pragma once

#include <string>

namespace shoestring::task {

std::string recipe_reference();    // docs/recipe.md
std::string recipe_json_schema();  // JSON Schema (draft 2020-12) of a recipe

}  // namespace shoestring::task
