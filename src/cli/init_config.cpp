// init-config: a recipe for a table, to start from.
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/verbs.h"
#include "train/infer.h"

namespace shoestring::cli {

int init_config(Arguments arguments) {
  std::string dataset, format, output;
  std::vector<std::string> targets;
  const Options options{"init-config",
                        "writes a recipe for a table, to start from",
                        {{"dataset", "d", "FILES",
                          "the table: CSV, TSV, JSON, Parquet, Feather, SQLite; or pictures: a folder of "
                          "classes, .tar, .zip, IDX, NPY",
                          &dataset},
                         {"target", "t", "COLUMN",
                          "what to predict; several may be named, 'label' is that of pictures", &targets},
                         {"data-format", "", "FORMAT",
                          "csv, tsv, json, jsonl, parquet, feather or sqlite; found by looking", &format},
                         {"output", "o", "FILE", "where to write it; stdout if left out", &output}},
                        "  shoestring init-config --dataset table.csv --target price --output recipe.yaml"};
  if (const auto done = options.read(arguments)) return *done;
  if (targets.empty()) targets = train::usual_targets(dataset);
  if (dataset.empty() || targets.empty())
    return report({ErrorKind::usage, "a table and a target are needed", "init-config",
                   "give --dataset FILE and --target COLUMN"});
  const auto inferred = train::infer_recipe(dataset, format, targets);
  if (!inferred) return report(inferred.error());
  const Status written = write_output(output, task::render(inferred->recipe, task::Detail::brief));
  return written ? 0 : report(written.error());
}

}  // namespace shoestring::cli
