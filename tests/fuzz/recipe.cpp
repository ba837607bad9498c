// task::parse_document and parse_recipe: YAML and JSON. What is taken can be written down and read back.
#include "task/recipe.h"

#include "fuzz/fuzz.h"
#include "task/document.h"

using namespace shoestring;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto document = task::parse_document(fuzz::text_of(data, size), "recipe.yaml");
  if (!document) return fuzz::check_refusal(document.error()), 0;
  const auto recipe = task::parse_recipe(*document);
  if (!recipe) return fuzz::check_refusal(recipe.error()), 0;
  const auto again = task::parse_document(task::render(*recipe), "rendered.yaml");
  fuzz::check(again.has_value(), "a rendered recipe parses");
  const auto same = task::parse_recipe(*again);
  fuzz::check(same.has_value() && *same == *recipe, "a rendered recipe is the same recipe");
  return 0;
}
