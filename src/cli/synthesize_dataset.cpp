// synthesize-dataset: a made-up table of any size, to try things on.
#include "base/clock.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "data/synthesize.h"
#include "task/synthetic.h"

namespace shoestring::cli {
namespace {

struct Given {
  RecipeInput recipe;
  std::string features, output, format, missing, noise;
  std::optional<int64_t> rows = 100, seed = 42;
  bool quiet = false;
};

Result<double> share(const std::string& text, const char* flag) {
  const auto value = task::parse_document(text, flag).map([](const task::Document& d) {
    return d.root.is_scalar() ? d.root.as_number() : std::nullopt;
  });
  if (value && *value && **value >= 0 && **value <= 1) return **value;
  return fail(ErrorKind::usage, fmt::format("'{}' is no number from 0 to 1", text), flag,
              "0.05 is one in twenty");
}

Result<data::SyntheticTable> table_of(const Given& g) {
  if (g.recipe.given() == !g.features.empty())
    return fail(ErrorKind::usage, "either a list of features or a recipe is wanted", "synthesize-dataset",
                "give --features '[{name: a, type: number}]' or --config FILE");
  auto table =
      g.features.empty()
          ? read_recipe(g.recipe).and_then([](const task::Recipe& r) { return task::synthetic_table(r); })
          : task::parse_document(g.features, "--features").and_then([](const task::Document& d) {
              return task::synthetic_table(d);
            });
  if (!table) return table;
  if (!g.missing.empty()) {
    const auto missing = share(g.missing, "--missing");
    if (!missing) return fail(missing.error());
    for (auto& column : table->columns)
      if (!column.is_target && column.kind != data::SyntheticColumn::Kind::split && column.missing == 0)
        column.missing = *missing;
  }
  if (!g.noise.empty()) {
    const auto noise = share(g.noise, "--noise");
    if (!noise) return fail(noise.error());
    table->noise = *noise;
  }
  return table;
}

}  // namespace

int synthesize_dataset(Arguments arguments) {
  Given g;
  Options options{"synthesize-dataset", "makes up a table of any size, with targets that can be learned",
                  g.recipe.options(),
                  "  shoestring synthesize-dataset --dataset_size 1000 --output_path made.csv \\\n"
                  "      --features '[{name: age, type: number, min: 18, max: 90, decimals: 0},\n"
                  "                   {name: job, type: category}]'\n"
                  "  shoestring synthesize-dataset --config recipe.yaml --dataset_size 1000000 \\\n"
                  "      --output_path made.csv.gz\n\n"
                  "A feature may have: missing (share of empty cells); of a number min, max,\n"
                  "decimals; of binary prob (share that is true) and bool2str ([no, yes]); of\n"
                  "category, set and bag vocab_size or idx2str (the words), of the last two\n"
                  "max_len; of a vector vector_size and decimals. Instead of a list, --features\n"
                  "takes a map with input_features and output_features. An output feature is a\n"
                  "random network of the inputs and noise. Equal seeds give equal tables."};
  const Option more[] = {
      {"features", "f", "LIST", "the columns: [{name: a, type: number}, …], in place of a recipe",
       &g.features},
      {"dataset-size", "d", "N", "rows (100)", &g.rows},
      {"output-path", "o", "FILE",
       "where to write it: .csv, .tsv or .jsonl, perhaps with .gz; stdout if left out", &g.output},
      {"output-format", "of", "FORMAT", "csv, tsv or jsonl, where the file's name does not say it",
       &g.format},
      {"missing", "", "SHARE", "share of the input cells that are empty (0)", &g.missing},
      {"noise", "", "SHARE", "share of a target's variance that nothing explains (0.1)", &g.noise},
      {"random-seed", "rs", "N", "another seed makes another table (42)", &g.seed},
      {"quiet", "q", "", "say nothing but errors", &g.quiet}};
  options.options.insert(options.options.end(), std::begin(more), std::end(more));
  if (const auto done = options.read(arguments)) return *done;
  if (*g.rows < 0 || *g.rows > data::kMostSyntheticRows)
    return report({ErrorKind::usage, fmt::format("{} rows cannot be made", *g.rows), "--dataset_size",
                   fmt::format("give a number from 0 to {}", data::kMostSyntheticRows)});
  if (*g.seed < 0)
    return report({ErrorKind::usage,
                   fmt::format("the random seed {} is below 0", *g.seed),
                   {},
                   "give a whole number from 0"});
  const auto kind = written_kind(g.format, g.output.empty() ? "-" : g.output, "--output_path");
  if (!kind) return report(kind.error());
  const auto table = table_of(g);
  if (!table) return report(table.error());
  const std::string path = g.output.empty() ? "-" : g.output;
  auto output = data::Output::open(path);
  if (!output) return report(output.error());
  const SteadyClock clock;
  const double began = clock.seconds();
  const auto* stop = stop_flag();
  auto ok =
      data::synthesize(*table, static_cast<uint64_t>(*g.seed), *g.rows, kind->value_or(data::WriteKind::csv),
                       *output, [stop] { return stop->load(std::memory_order_relaxed); });
  if (ok) ok = output->finish(false);
  if (!ok) return report(ok.error());
  Console console(g.quiet || path == "-", false);
  console.line(fmt::format("{} of {} in {}, in {}", count_of(*g.rows, "row"),
                           count_of(std::ssize(table->columns), "column"),
                           human_seconds(clock.seconds() - began), path));
  return 0;
}

}  // namespace shoestring::cli
