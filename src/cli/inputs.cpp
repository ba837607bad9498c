#include "cli/inputs.h"

#include <utility>

#include "base/atomic_file.h"
#include "cli/console.h"

namespace shoestring::cli {

std::vector<Option> RecipeInput::options() {
  return {{"config", "c", "FILE", "the recipe, YAML or JSON", &file},
          {"config-str", "cs", "TEXT", "the recipe itself instead of a file", &text}};
}

Result<task::Recipe> read_recipe(const RecipeInput& input) {
  if (!input.file.empty() && !input.text.empty())
    return fail(ErrorKind::usage, "--config and --config_str are both given", {}, "give one of them");
  if (!input.given()) return fail(ErrorKind::usage, "there is no recipe", {}, "give one with --config FILE");
  auto document =
      input.file.empty() ? task::parse_document(input.text, "--config_str") : task::read_document(input.file);
  return document.and_then([](const task::Document& d) { return task::parse_recipe(d); });
}

Status check_batch_rows(std::optional<int64_t> rows, std::string_view verb, std::string_view flag) {
  if (!rows || (*rows >= 1 && *rows <= task::kMostBatchRows)) return {};
  return fail(ErrorKind::usage,
              fmt::format("{} {}: a batch has from 1 to {} rows", flag, *rows, task::kMostBatchRows),
              std::string(verb), "leave it out to have it chosen");
}

Result<std::optional<data::WriteKind>> written_kind(const std::string& format, const std::string& file,
                                                    std::string_view flag) {
  constexpr std::pair<std::string_view, data::WriteKind> kKinds[] = {
      {"csv", data::WriteKind::csv}, {"tsv", data::WriteKind::tsv}, {"jsonl", data::WriteKind::jsonl}};
  std::string word = format;
  if (word.empty() && file != "-" && !is_stream(file)) {
    std::string_view name = file;
    name.remove_prefix(name.rfind('/') + 1);  // all of it where there is none
    if (name.ends_with(".gz")) name.remove_suffix(3);
    if (const size_t dot = name.rfind('.'); dot != std::string_view::npos) word = name.substr(dot + 1);
  }
  if (word.empty()) return std::nullopt;
  for (const auto& [known, kind] : kKinds)
    if (known == word) return kind;
  if (!format.empty())
    return fail(ErrorKind::usage, fmt::format("unknown format '{}'", format), "--output_format",
                "csv, tsv or jsonl");
  return fail(ErrorKind::usage, fmt::format("a table cannot be written as .{}", word),
              fmt::format("{} {}", flag, file),
              "end the name in .csv, .tsv or .jsonl, perhaps with .gz, or give --output_format");
}

Status write_output(const std::string& file, std::string_view text) {
  if (!file.empty() && file != "-") return shoestring::write_output(file, text);
  print(text);
  return {};
}

}  // namespace shoestring::cli
