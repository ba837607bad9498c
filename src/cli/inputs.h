// What several verbs are given alike: a recipe by file or text, and data files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/options.h"
#include "data/row_text.h"
#include "task/recipe.h"

namespace shoestring::cli {

struct RecipeInput {
  std::string file, text;  // --config, --config_str
  bool given() const { return !file.empty() || !text.empty(); }
  std::vector<Option> options();
};

// Fails with ErrorKind::usage where neither or both are given, or the recipe is wrong.
Result<task::Recipe> read_recipe(const RecipeInput& input);

// That a batch size given with `flag`, if one was, can be one.
Status check_batch_rows(std::optional<int64_t> rows, std::string_view verb, std::string_view flag);

// What a table is written as: by the flag --output_format, else by the end of the file's name (.csv, .tsv,
// .jsonl, each perhaps with .gz). Nothing where neither says it; ErrorKind::usage for what cannot be written.
// `flag` is that of the file.
Result<std::optional<data::WriteKind>> written_kind(const std::string& format, const std::string& file,
                                                    std::string_view flag);

// Writes to the file, or to stdout where it is "" or "-".
Status write_output(const std::string& file, std::string_view text);

}  // namespace shoestring::cli
