// Bad input as data: each file of tests/recipes/bad_input is a case with its files, the command and
// the exact words and exit code that must come back.
//
//   what the case is about, in words
//   --- file table.csv
//   a,b
//   --- setup                 (bash, in an empty folder that holds the files; `skip REASON` skips; $TABLES
//   has
//                              binary tables: tests/unit/data/tables)
//   gzip -c table.csv | head -c 100 > table.csv.gz
//   --- run                   (bash; its exit code and stderr are what is tested)
//   shoestring train --dataset table.csv.gz --target b
//   --- exit 3
//   --- stderr                ({…} stands for any text within a line)
//   shoestring: table.csv.gz: …
//   --- stdout                (optional: lines that must be among those printed, in this order)
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {
namespace fs = std::filesystem;

struct Section {
  std::string kind, argument, text;
};

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<Section> parse(const std::string& text) {
  std::vector<Section> sections{{"about", "", ""}};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("--- ", 0) == 0) {
      const std::string head = line.substr(4);
      const size_t space = head.find(' ');
      sections.push_back(
          {head.substr(0, space), space == std::string::npos ? "" : head.substr(space + 1), ""});
    } else {
      sections.back().text += line + "\n";
    }
  }
  return sections;
}

// Whether `text` is `pattern`, where {…} stands for any text.
bool matches(std::string_view text, std::string_view pattern) {
  const size_t open = pattern.find("{…}");
  if (open == std::string_view::npos) return text == pattern;
  if (text.substr(0, open) != pattern.substr(0, open)) return false;
  const std::string_view rest = pattern.substr(open + std::string_view("{…}").size());
  for (size_t at = open; at <= text.size(); ++at)
    if (matches(text.substr(at), rest)) return true;
  return false;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int shell(const fs::path& folder, const std::string& script) {
  std::ofstream(folder / "script.sh") << "set -u\nTABLES='" << fs::absolute("tests/unit/data/tables").string()
                                      << "'\nskip() { echo \"$*\" > skipped; exit 77; }\n"
                                      << script;
  const std::string command = "cd '" + folder.string() + "' && PATH='" + (folder / "bin").string() +
                              "':$PATH bash script.sh > stdout 2> stderr < /dev/null";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class BadInput : public testing::TestWithParam<std::string> {
 protected:
  BadInput() {
    char name[] = "/tmp/shoestring_case_XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directory(folder_ / "bin");
    fs::create_symlink(fs::absolute(std::getenv("SHOESTRING_BINARY")), folder_ / "bin" / "shoestring");
  }
  ~BadInput() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_P(BadInput, SaysWhatAndWhereAndWhatToDo) {
  bool ran = false, told_exit = false;
  int exit = -1;
  for (const Section& section : parse(slurp("tests/recipes/bad_input/" + GetParam() + ".case"))) {
    if (section.kind == "about") {
      continue;
    } else if (section.kind == "file") {
      std::ofstream(folder_ / section.argument) << section.text;
    } else if (section.kind == "setup") {
      const int code = shell(folder_, section.text);
      if (code == 77) GTEST_SKIP() << slurp(folder_ / "skipped");
      ASSERT_EQ(code, 0) << slurp(folder_ / "stderr");
    } else if (section.kind == "run") {
      exit = shell(folder_, section.text);
      ran = true;
    } else if (section.kind == "exit") {
      told_exit = true;
      EXPECT_EQ(exit, std::stoi(section.argument)) << slurp(folder_ / "stderr");
    } else if (section.kind == "stderr") {
      EXPECT_TRUE(matches(slurp(folder_ / "stderr"), section.text))
          << "stderr was:\n"
          << slurp(folder_ / "stderr") << "and should be:\n"
          << section.text;
    } else if (section.kind == "stdout") {
      const auto printed = lines_of(slurp(folder_ / "stdout"));
      size_t at = 0;
      for (const std::string& wanted : lines_of(section.text)) {
        while (at < printed.size() && !matches(printed[at], wanted)) ++at;
        EXPECT_LT(at, printed.size()) << "not printed: " << wanted << "\nbut:\n" << slurp(folder_ / "stdout");
      }
    } else {
      ADD_FAILURE() << "unknown section '--- " << section.kind << "'";
    }
  }
  EXPECT_TRUE(ran && told_exit) << "a case needs '--- run' and then '--- exit'";
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("tests/recipes/bad_input"))
    if (entry.path().extension() == ".case") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, BadInput, testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param; });

}  // namespace
