// What several verbs are given alike: a recipe by file or text, and data files.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/options.h"
#include "task/recipe.h"

namespace shoestring::cli {

struct RecipeInput {
  std::string file, text;  // --config, --config_str
  bool given() const { return !file.empty() || !text.empty(); }
  std::vector<Option> options();
};

// Fails with ErrorKind::usage where neither or both are given, or the recipe is wrong.
Result<task::Recipe> read_recipe(const RecipeInput& input);

// Writes to the file, or to stdout where it is "" or "-".
Status write_output(const std::string& file, std::string_view text);

}  // namespace shoestring::cli
