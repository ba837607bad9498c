// export: a trained model in a format of other programs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "data/sources.h"
#include "deploy/export_onnx.h"
#include "train/run_folder.h"

namespace shoestring::cli {
namespace {

constexpr std::string_view kFormats[] = {"onnx"};

struct Given {
  std::string positional, model, format = "onnx", output;
  bool quiet = false, json = false;
};

Status complete(Given& g) {
  if (g.model.empty()) g.model = g.positional;
  if (g.model.empty()) return fail(ErrorKind::usage, "a model is needed", "export", "give --model_path PATH");
  g.format = lowered(g.format);
  const std::vector<std::string> formats(std::begin(kFormats), std::end(kFormats));
  if (std::find(formats.begin(), formats.end(), g.format) == formats.end()) {
    const std::string near = nearest(g.format, formats);
    return fail(ErrorKind::usage, fmt::format("unknown format '{}'", g.format), "export, --format",
                near.empty() ? fmt::format("{} is what there is", fmt::join(formats, ", "))
                             : fmt::format("did you mean '{}'?", near));
  }
  const auto file = train::find_model(g.model);
  if (!file) return fail(file.error());
  if (g.output.empty()) g.output = std::filesystem::path(*file).replace_extension("." + g.format).string();
  if (g.output == "-" || is_stream(g.output))
    return fail(ErrorKind::usage, "the model goes to a file, not to a stream", "export, --output",
                "name a file");
  if (data::same_file(*file, g.output))
    return fail(ErrorKind::usage, "the export would be written over the model that is read", g.output,
                "give another --output");
  return {};
}

void tell(const Given& g, const deploy::Exported& exported) {
  if (g.json) {
    print(nlohmann::ordered_json{{"file", g.output},
                                 {"format", g.format},
                                 {"bytes", exported.bytes},
                                 {"operators", exported.operations},
                                 {"inputs", exported.inputs},
                                 {"outputs", exported.outputs}}
              .dump() +
          "\n");
  } else if (!g.quiet) {
    print(fmt::format("{}: {}, {}; from {} to {}\n", g.output, human_bytes(exported.bytes),
                      count_of(exported.operations, "operator"), fmt::join(exported.inputs, ", "),
                      fmt::join(exported.outputs, ", ")));
  }
}

}  // namespace

int export_model(Arguments arguments) {
  Given g;
  const Options options{
      "export",
      "writes a trained model in a format of other programs",
      {{"", "", "PATH", "model file, model folder or run folder (or --model_path)", &g.positional},
       {"model-path", "m", "PATH", "the same", &g.model},
       {"format", "f", "FORMAT", "onnx: operator set 17, with any number of rows", &g.format},
       {"output", "o", "FILE", "where it goes; beside the model file, with the format's ending, if left out",
        &g.output},
       {"quiet", "q", "", "say nothing but errors", &g.quiet},
       {"json", "", "", "for programs", &g.json}},
      "  shoestring export --model_path results/experiment_run --format onnx -o model.onnx"};
  if (const auto done = options.read(arguments)) return *done;
  if (auto ok = complete(g); !ok) return report(ok.error());
  const auto exported = deploy::export_onnx(g.model, g.output);
  if (!exported) return report(exported.error());
  tell(g, *exported);
  return 0;
}

}  // namespace shoestring::cli
