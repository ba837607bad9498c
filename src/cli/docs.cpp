// docs (hidden): writes what is generated from the recipe's records: docs/recipe.md, the JSON schema.
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/verbs.h"
#include "task/describe.h"

namespace shoestring::cli {

int docs(Arguments arguments) {
  std::string what, output;
  const Options options{"docs",
                        "writes the reference of recipes",
                        {{"", "", "WHAT", "recipe (Markdown) or schema (JSON Schema)", &what},
                         {"output", "o", "FILE", "where to write it; stdout if left out", &output}}};
  if (const auto done = options.read(arguments)) return *done;
  if (what != "recipe" && what != "schema")
    return report(
        {ErrorKind::usage, fmt::format("unknown text '{}'", what), "docs", "ask for recipe or schema"});
  const Status written =
      write_output(output, what == "recipe" ? task::recipe_reference() : task::recipe_json_schema());
  return written ? 0 : report(written.error());
}

}  // namespace shoestring::cli
