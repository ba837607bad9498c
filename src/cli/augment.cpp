// augment: what training makes of pictures, to look at.
#include <algorithm>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "data/sources.h"
#include "train/contact_sheet.h"
#include "train/infer.h"

namespace shoestring::cli {
namespace {

// Whether `file` is there and is the data, or lies in its folder.
bool is_of_the_data(const std::string& data, const std::string& file) {
  std::error_code none;
  if (!std::filesystem::exists(file, none)) return false;
  if (data::same_file(data, file)) return true;
  const auto folder = std::filesystem::canonical(data, none), path = std::filesystem::canonical(file, none);
  return std::filesystem::is_directory(folder, none) &&
         std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

Result<int64_t> count_of_flag(std::optional<int64_t> given, int64_t otherwise, std::string_view flag) {
  constexpr int64_t kMost = 1000;
  const int64_t count = given.value_or(otherwise);
  if (count >= 1 && count <= kMost) return count;
  return fail(ErrorKind::usage, fmt::format("{} is {}", flag, count), "augment",
              fmt::format("give a number from 1 to {}", kMost));
}

}  // namespace

int augment(Arguments arguments) {
  RecipeInput recipe;
  train::SheetRequest request;
  std::string sheet;
  std::optional<int64_t> pictures, views, seed;
  Options options{
      "augment",
      "shows what the augmentation of a recipe makes of pictures",
      {{"dataset", "d", "DATA", "pictures: a folder of classes, a table with their paths, ...",
        &request.data.dataset},
       {"data-format", "", "FORMAT", "of a table; found by looking", &request.data.format},
       {"contact-sheet", "", "FILE",
        "the PNG to write: a row for each picture, as it is and then as "
        "training would see it",
        &sheet},
       {"feature", "", "NAME", "the image input; the first", &request.feature},
       {"pictures", "", "N", "pictures, the first of the data; 8", &pictures},
       {"views", "", "N", "views of each; 7", &views},
       {"random-seed", "rs", "N",
        "what is drawn; 42. With train's seed a flip that alternates is seen as in its first epochs", &seed}},
      "  shoestring augment --dataset pictures/ --config recipe.yaml --contact-sheet sheet.png\n"};
  for (Option& option : recipe.options()) options.options.push_back(option);
  if (const auto done = options.read(arguments)) return *done;
  if (request.data.dataset.empty() || sheet.empty())
    return report({ErrorKind::usage, "pictures and a file to write are needed", "augment",
                   "give --dataset DATA and --contact-sheet FILE"});
  if (sheet == "-" || is_stream(sheet))
    return report({ErrorKind::usage, "the sheet goes to a file, not to a stream", "augment, --contact-sheet",
                   "name a file"});
  if (is_of_the_data(request.data.dataset, sheet))
    return report({ErrorKind::usage, "the sheet would be written over the data that is read", sheet,
                   "give another --contact-sheet"});
  const auto rows = count_of_flag(pictures, request.pictures, "--pictures");
  if (!rows) return report(rows.error());
  const auto columns = count_of_flag(views, request.views, "--views");
  if (!columns) return report(columns.error());
  request.pictures = *rows, request.views = *columns;
  if (seed) request.seed = static_cast<uint64_t>(*seed);
  // Without a recipe: what would be trained.
  auto read = recipe.given() ? read_recipe(recipe)
                             : train::infer_recipe(request.data.dataset, request.data.format, {"label"})
                                   .map([](train::InferredRecipe made) { return std::move(made.recipe); });
  if (!read) return report(read.error());
  const auto made = train::contact_sheet(request, std::move(*read));
  if (!made) return report(made.error());
  if (auto ok = write_file(sheet, made->png); !ok) return report(ok.error());
  print(fmt::format("{}: {} of '{}', each as it is and in {}\n", sheet, count_of(made->pictures, "picture"),
                    made->feature, count_of(request.views, "view")));
  print(wrapped("by: " + (made->steps.empty() ? std::string("nothing, the recipe has no augmentation")
                                              : made->steps),
                reading_columns(), 4) +
        "\n");
  return 0;
}

}  // namespace shoestring::cli
