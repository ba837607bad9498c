// render-config: a recipe with nothing left to defaults.
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/verbs.h"

namespace shoestring::cli {

int render_config(Arguments arguments) {
  RecipeInput input;
  std::string output;
  Options options{"render-config", "prints a recipe with every default filled in", input.options()};
  options.options.push_back({"output", "o", "FILE", "where to write it; stdout if left out", &output});
  if (const auto done = options.read(arguments)) return *done;
  const auto recipe = read_recipe(input);
  if (!recipe) return report(recipe.error());
  const Status written = write_output(output, task::render(*recipe));
  return written ? 0 : report(written.error());
}

}  // namespace shoestring::cli
