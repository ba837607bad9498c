// The command line of one verb: a table of flags, read by CLI11 behind this header (it takes 6 s to
// compile). Either spelling of a name is accepted, --model-path and --model_path; a flag may stand
// before or after what it belongs to, with a space or with '='.
//
//   Options options{"predict", "Answers new rows with a trained model.", {
//       {"model-path", "m", "PATH", "model file, model folder or run folder", &model},
//       {"quiet", "q", "", "say nothing but errors", &quiet}}};
//   if (auto exit_code = options.read(arguments)) return *exit_code;
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace shoestring::cli {

struct Option {
  using Place = std::variant<bool*, std::string*, std::vector<std::string>*, std::optional<int64_t>*>;

  std::string_view name;       // with hyphens; "" for what stands without a flag
  std::string_view shorthand;  // "m" or "mrp" for -m and -mrp, or ""
  std::string_view value;      // what follows it: "FILE"; "FILES": several, joined by commas; "" for a switch
  std::string_view help;       // "" keeps it out of --help
  Place place;
};

struct Options {
  std::string_view verb, summary;
  std::vector<Option> options;
  std::string_view epilogue = "";  // after the flags in --help: an example

  // Fills the places. An exit code where the verb is not to run: 0 after --help, 2 after a mistake,
  // which was printed.
  std::optional<int> read(std::span<const std::string> arguments) const;
  std::string help() const;
};

// A size that a flag was given as text: "--max-body 8MiB". ErrorKind::usage where it is none, or above
// `most`.
Result<int64_t> size_of_flag(std::string_view flag, const std::string& text, int64_t most);

}  // namespace shoestring::cli
