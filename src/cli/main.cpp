// shoestring VERB …: finds the verb and hands it the rest.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "base/caught.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/verbs.h"

namespace shoestring::cli {
namespace {

constexpr Verb kVerbs[] = {
    {"train", "trains a model on a table", train},
    {"plan", "says what train with the same flags would take", plan},
    {"evaluate", "measures a model on a table whose answers are known", evaluate},
    {"predict", "answers new rows", predict},
    {"serve", "answers over HTTP", serve},
    {"experiment", "trains, then evaluates", experiment},
    {"init-config", "writes a recipe for a table, to start from", init_config},
    {"render-config", "prints a recipe with every default filled in", render_config},
    {"augment", "shows what augmentation makes of pictures", augment},
    {"inspect", "shows what is in a model file or a run folder", inspect},
    {"export", "writes a model in a format of other programs", export_model},
    {"compile", "shows the plans that a recipe compiles to", compile},
    {"synthesize-dataset", "makes up a table of any size, with targets that can be learned",
     synthesize_dataset},
    {"calibrate", "measures this machine, for plans and their times", calibrate},
    {"visualize", "makes the page of a run again, or one that compares several", visualize},
    {"docs", "", docs},
};

// Known to users, and to come.
constexpr std::string_view kPlanned[] = {"explain", "compress", "profile",    "clean",   "generate",
                                         "deploy",  "hyperopt", "preprocess", "forecast"};

void print_help() {
  std::string text =
      "Shoestring trains and serves models inside a budget.\n\n"
      "  shoestring train --dataset table.csv --target column\n\n";
  for (const Verb& verb : kVerbs)
    if (!verb.summary.empty())
      text += wrapped(fmt::format("  {:18} {}", verb.name, verb.summary), reading_columns(), 21) + "\n";
  text += "\n" +
          wrapped("'shoestring VERB --help' tells its flags; 'shoestring --version' the version.",
                  reading_columns(), 0) +
          "\n";
  print(text);
}

int unknown(const std::string& name) {
  if (std::find(std::begin(kPlanned), std::end(kPlanned), name) != std::end(kPlanned))
    return report({ErrorKind::usage,
                   fmt::format("'{}' is planned, but not part of this version", name),
                   {},
                   "'shoestring --help' lists what there is"});
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs)
    if (!verb.summary.empty()) names.emplace_back(verb.name);
  const std::string near = nearest(name, names);
  return report({ErrorKind::usage,
                 fmt::format("unknown verb '{}'", name),
                 {},
                 near.empty() ? "'shoestring --help' lists them" : fmt::format("did you mean '{}'?", near)});
}

int run(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    print_help();
    return static_cast<int>(ErrorKind::usage);
  }
  std::string name = arguments.front();
  if (name == "--version" || name == "-V" || name == "version") {
    print("shoestring " SHOESTRING_VERSION "\n");
    return 0;
  }
  if (name == "help" && arguments.size() > 1) {
    arguments = {arguments[1], "--help"};
    name = arguments.front();
  }
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return 0;
  }
  std::replace(name.begin(), name.end(), '_', '-');
  for (const Verb& verb : kVerbs)
    if (verb.name == name) return verb.run(std::span(arguments).subspan(1));
  return unknown(name);
}

}  // namespace
}  // namespace shoestring::cli

int main(int argc, char** argv) {
  (void)shoestring::process_started();
  // What is large goes back to the system when it is freed. The heap's own rule raises this limit as it goes,
  // and then what stays resident depends on how threads met.
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  // A stream that was closed is opened so that using it fails; else the next file would take its number.
  for (const auto& [fd, mode] : {std::pair{0, O_WRONLY}, {1, O_RDONLY}, {2, O_RDONLY}})
    if (::fcntl(fd, F_GETFD) < 0) (void)!::open("/dev/null", mode);
  // A limit on file sizes and a reader that has gone are errors of write, not deaths.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const int code = shoestring::cli::run({argv + 1, argv + argc});
    const auto told = shoestring::cli::flush_output();
    return code == 0 && !told ? shoestring::cli::report(told.error()) : code;
  } catch (...) {
    return shoestring::cli::report(shoestring::caught());
  }
}
