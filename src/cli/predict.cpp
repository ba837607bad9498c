// predict: answers new rows with a trained model.
#include "train/predict.h"

#include "base/atomic_file.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "data/sources.h"

namespace shoestring::cli {
namespace {

struct Given {
  train::PredictRequest request;
  std::string split = "full", folder = "results", output_format, logging_level;
  std::optional<int64_t> batch_size;
  bool quiet = false, json = false, skip_save = false;
};

Status complete(Given& g) {
  train::PredictRequest& r = g.request;
  if (r.model.empty() || r.dataset.empty())
    return fail(ErrorKind::usage, "a model and a table are needed", "predict",
                "give --model_path PATH and --dataset FILE ('-' for stdin)");
  auto split = train::split_named(g.split);
  if (!split) return fail(split.error());
  r.split = *split;
  if (r.split != train::SplitWanted::all && (r.dataset == "-" || is_stream(r.dataset)))
    return fail(ErrorKind::usage,
                fmt::format("--split needs the whole table, which {} cannot give twice",
                            r.dataset == "-" ? "stdin" : r.dataset),
                "predict", "give a file");
  if (auto ok = check_batch_rows(g.batch_size, "predict", "--batch_size"); !ok) return ok;
  r.batch_size = g.batch_size.value_or(0);
  const auto kind = written_kind(g.output_format, r.output, "--output");
  if (!kind) return fail(kind.error());
  const bool lines_in =
      r.format == "jsonl" || r.dataset.ends_with(".jsonl") || r.dataset.ends_with(".jsonl.gz");
  r.kind = kind->value_or(g.json || lines_in ? data::WriteKind::jsonl : data::WriteKind::csv);
  if (g.skip_save)
    r.output = "/dev/null";
  else if (r.output.empty() && (r.dataset == "-" || g.json))
    r.output = "-";
  else if (r.output.empty()) {
    r.folder = g.folder;
    const char* ending = r.kind == data::WriteKind::jsonl ? "jsonl"
                         : r.kind == data::WriteKind::tsv ? "tsv"
                                                          : "csv";
    r.output = fmt::format("{}/predictions.{}", g.folder, ending);
  }
  if (r.dataset != "-" && !g.skip_save)
    if (const auto files = data::files_of(r.dataset))  // what is wrong with them is told where they are read
      for (const std::string& file : *files)
        if (data::same_file(file, r.output))
          return fail(ErrorKind::usage, "the answers would be written over the table that is read", r.output,
                      "give another --output");
  return {};
}

}  // namespace

int predict(Arguments arguments) {
  Given g;
  train::PredictRequest& r = g.request;
  const Options options{
      "predict",
      "answers new rows with a trained model",
      {{"model-path", "m", "PATH", "model file, model folder or run folder", &r.model},
       {"dataset", "d", "FILES", "the rows: CSV, TSV, JSON, Parquet, Feather, SQLite; '-' for stdin",
        &r.dataset},
       {"data-format", "", "FORMAT", "csv, tsv, json, jsonl, parquet, feather or sqlite; found by looking",
        &r.format},
       {"output", "o", "FILE",
        "where the answers go: .csv, .tsv or .jsonl, perhaps with .gz; '-' for stdout (what stdin gives if "
        "left out)",
        &r.output},
       {"output-directory", "od", "FOLDER", "else they go to predictions.csv in this folder (results)",
        &g.folder},
       {"output-format", "of", "FORMAT",
        "csv, tsv or jsonl; if left out as FILE ends, else jsonl for a table named .jsonl and csv for others",
        &g.output_format},
       {"split", "s", "SPLIT", "only the rows that were in training, validation or test; full is all",
        &g.split},
       {"batch-size", "bs", "N", "rows that are answered at a time; chosen if left out", &g.batch_size},
       {"skip-save-predictions", "", "", "write no answers", &g.skip_save},
       {"logging-level", "l", "LEVEL", "critical, error, warning, info or debug; the first two are --quiet",
        &g.logging_level},
       {"quiet", "q", "", "say nothing but errors", &g.quiet},
       {"json", "", "", "answers as JSON lines on stdout", &g.json}},
      "  shoestring predict --model_path results/experiment_run --dataset new.csv\n"
      "  echo '{\"age\": 39}' | shoestring predict --model_path FILE --dataset -"};
  if (const auto done = options.read(arguments)) return *done;
  if (auto ok = complete(g); !ok) return report(ok.error());
  // The answers have stdout for themselves.
  Console console(g.quiet || g.json || g.logging_level == "critical" || g.logging_level == "error", false,
                  r.output == "-");
  r.stop = stop_flag(r.dataset);
  const auto outcome = train::predict(r, console.sink());
  if (!outcome) return report(outcome.error());
  if (r.output != "-")
    console.line(fmt::format("{} answered in {}{}", count_of(outcome->rows, "row"),
                             human_seconds(outcome->seconds), g.skip_save ? "" : ", in " + r.output));
  return 0;
}

}  // namespace shoestring::cli
