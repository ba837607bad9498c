#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "cli/console.h"

namespace shoestring::cli {
namespace {

std::string with_hyphens(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const Option* find(std::span<const Option> options, std::string_view name, std::string_view Option::*which) {
  for (const Option& option : options)
    if (!name.empty() && option.*which == name) return &option;
  return nullptr;
}

bool is_number(std::string_view text) { return text.size() > 1 && (std::isdigit(text[1]) || text[1] == '.'); }

// "--model_path=x" as "--model-path=x" and "-mrp x" as "--model-resume-path x"; a flag that the verb
// does not have is an error with the nearest that it has.
Result<std::vector<std::string>> normalized(const Options& verb, std::span<const std::string> arguments) {
  std::vector<std::string> known{"help"};
  for (const Option& option : verb.options)
    if (!option.name.empty() && !option.help.empty()) known.emplace_back(option.name);
  std::vector<std::string> result;
  const Option* awaiting = nullptr;  // the flag whose value comes next, whatever it looks like
  const auto lacks_value = [&](const Option& option) {
    return fail(ErrorKind::usage, fmt::format("'--{}' needs a value", option.name), std::string(verb.verb),
                fmt::format("write --{} {}", option.name, option.value));
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (awaiting && argument.empty()) return lacks_value(*awaiting);
    if (awaiting || argument.size() < 2 || argument[0] != '-' || is_number(argument)) {
      result.push_back(argument);
      awaiting = nullptr;
      continue;
    }
    const bool is_long = argument[1] == '-';
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string written = argument.substr(0, equals);
    const std::string name = with_hyphens(written.substr(is_long ? 2 : 1));
    const Option* option = find(verb.options, name, is_long ? &Option::name : &Option::shorthand);
    if (!option && (name == "help" || (!is_long && name == "h"))) {
      result.push_back("--help");
      continue;
    }
    if (!option) {
      const std::string near = nearest(name, known);
      return fail(ErrorKind::usage, fmt::format("unknown flag '{}'", written), std::string(verb.verb),
                  near.empty() ? fmt::format("'shoestring {} --help' lists them", verb.verb)
                               : fmt::format("did you mean '--{}'?", near));
    }
    if (equals == argument.size() && !option->value.empty()) {
      awaiting = option;
      if (i + 1 == arguments.size()) return lacks_value(*option);
    }
    if (equals + 1 == argument.size() && !option->value.empty()) return lacks_value(*option);
    result.push_back("--" + std::string(option->name) + argument.substr(equals));
  }
  return result;
}

void declare(CLI::App& app, const Option& option) {
  const std::string name = option.name.empty() ? std::string(option.value) : "--" + std::string(option.name);
  if (auto* const* flag = std::get_if<bool*>(&option.place)) {
    app.add_flag(name, **flag);
  } else if (auto* const* text = std::get_if<std::string*>(&option.place)) {
    auto* added = app.add_option(name, **text);
    if (option.value == "FILES") added->expected(1, -1)->join(',')->allow_extra_args();
  } else if (auto* const* list = std::get_if<std::vector<std::string>*>(&option.place)) {
    app.add_option(name, **list);
  } else {
    auto* number = std::get<std::optional<int64_t>*>(option.place);
    app.add_option_function<std::string>(name, [number, name](const std::string& word) {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size())
        throw CLI::ValidationError(fmt::format("{}: '{}' is not a whole number", name, word));
      *number = value;
    });
  }
}

// Every verb's --logging_level takes the same words.
void check_levels(const Options& verb) {
  static const std::string kLevels[] = {"critical", "error", "warning", "info", "debug"};
  for (const Option& option : verb.options) {
    if (option.name != "logging-level") continue;
    const std::string& level = *std::get<std::string*>(option.place);
    if (level.empty() || std::ranges::find(kLevels, level) != std::end(kLevels)) continue;
    throw CLI::ValidationError(
        fmt::format("--logging_level: '{}' is none of critical, error, warning, info, debug", level));
  }
}

std::string flags_of(const Option& option) {
  std::string text = option.name.empty() ? std::string() : "--" + std::string(option.name);
  if (!option.shorthand.empty()) text += ", -" + std::string(option.shorthand);
  if (!option.value.empty()) text += (text.empty() ? "" : " ") + std::string(option.value);
  return text;
}

}  // namespace

std::string Options::help() const {
  const size_t columns = reading_columns();
  std::string text = wrapped(fmt::format("shoestring {} - {}", verb, summary), columns, 4) + "\n\n";
  size_t width = std::string_view("--help, -h").size();
  for (const Option& option : options)
    if (!option.help.empty()) width = std::max(width, flags_of(option).size());
  constexpr size_t kFewest = 24;  // columns that are worth a column of their own
  const size_t indent = columns >= width + 4 + kFewest ? width + 4 : 6;
  const auto add = [&](const std::string& flags, std::string_view about) {
    text += wrapped(fmt::format("  {:{}}  {}", flags, width, about), columns, indent) + "\n";
  };
  for (const Option& option : options)
    if (!option.help.empty()) add(flags_of(option), option.help);
  add("--help, -h", "this text");
  if (!epilogue.empty()) text += fmt::format("\n{}\n", epilogue);
  return text;
}

std::optional<int> Options::read(std::span<const std::string> arguments) const {
  auto words = normalized(*this, arguments);
  if (!words) return report(words.error());
  if (std::find(words->begin(), words->end(), "--help") != words->end()) {
    print(help());
    return 0;
  }
  for (const Option& option : options) {
    const std::string flag = "--" + std::string(option.name);
    const auto given = std::ranges::count_if(
        *words, [&](const std::string& word) { return word == flag || word.starts_with(flag + "="); });
    if (given > 1 && !option.name.empty() && !std::holds_alternative<std::vector<std::string>*>(option.place))
      return report({ErrorKind::usage, fmt::format("{} is given {} times", flag, given), std::string(verb),
                     "give it once"});
  }
  CLI::App app;
  app.set_help_flag();
  for (const Option& option : options) declare(app, option);
  std::reverse(words->begin(), words->end());  // CLI11 takes them from the back
  try {
    app.parse(*words);
    check_levels(*this);
  } catch (const CLI::ParseError& error) {
    return report(
        {ErrorKind::usage, error.what(), std::string(verb), fmt::format("see 'shoestring {} --help'", verb)});
  }
  return {};
}

Result<int64_t> size_of_flag(std::string_view flag, const std::string& text, int64_t most) {
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes > most)
    return fail(ErrorKind::usage, fmt::format("{} '{}' is no size up to {}", flag, text, human_bytes(most)),
                {}, "write it as 8MiB");
  return *bytes;
}

}  // namespace shoestring::cli
