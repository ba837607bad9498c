// The recipes in tests/recipes: those in bad/ begin with the exact error they must give, those in good/
// with what they must resolve to. SHOESTRING_REWRITE=1 writes the errors as they are now into bad/; read
// the difference before it is committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/atomic_file.h"
#include "task/recipe.h"

namespace shoestring::task {
namespace {

std::vector<std::filesystem::path> files_in(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The texts of the comments "# KIND: TEXT".
std::vector<std::string> comments(const std::string& text, const std::string& kind) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("# " + kind + ": ", 0) == 0) found.push_back(line.substr(kind.size() + 4));
  return found;
}

Result<Recipe> read(const std::string& text, const std::string& name) {
  const Result<Document> document = parse_document(text, name);
  if (!document) return fail(document.error());
  return parse_recipe(*document);
}

const Node* child(const Node& node, const std::string& key) {
  if (const Entry* entry = node.find(key)) return &entry->value;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Entry* name = node.items[i].find("name");
    if ((name && name->value.text == key) || std::to_string(i) == key) return &node.items[i];
  }
  return nullptr;
}

// The value at a dotted path, as YAML.
std::string value_at(const Node& root, const std::string& path) {
  const Node* node = &root;
  std::istringstream keys(path);
  for (std::string key; node && std::getline(keys, key, '.');) node = child(*node, key);
  std::string text = node ? to_yaml(*node) : "nothing\n";
  text.pop_back();
  return text;
}

TEST(RecipeFiles, BadOnesSayWhatAndWhere) {
  int count = 0;
  for (const auto& path : files_in("tests/recipes/bad")) {
    const std::string text = *read_file(path);
    const Result<Recipe> recipe = read(text, path.filename());
    ASSERT_FALSE(recipe) << path << " is accepted";
    EXPECT_EQ(recipe.error().exit_code(), 2) << path;
    EXPECT_NE(recipe.error().fix, "") << path;
    const std::string message = recipe.error().message();
    if (std::getenv("SHOESTRING_REWRITE")) {
      ASSERT_TRUE(write_file(path, "# error: " + message + text.substr(text.find('\n'))));
      continue;
    }
    EXPECT_EQ(comments(text, "error"), std::vector{message}) << path;
    ++count;
  }
  EXPECT_GT(count, 50);
}

TEST(RecipeFiles, GoodOnesResolve) {
  for (const auto& path : files_in("tests/recipes/good")) {
    const std::string text = *read_file(path);
    const Result<Recipe> recipe = read(text, path.filename());
    ASSERT_TRUE(recipe) << recipe.error().message();
    EXPECT_EQ(recipe->notes.lines, comments(text, "note")) << path;
    const Node resolved = parse_document(render(*recipe), "resolved")->root;
    const auto expected = comments(text, "resolves");
    EXPECT_FALSE(expected.empty()) << path;
    for (const std::string& line : expected) {
      const size_t equals = line.find(" = ");
      EXPECT_EQ(value_at(resolved, line.substr(0, equals)), line.substr(equals + 3)) << path << ": " << line;
    }
  }
}

// What is written reads back as the same recipe, in full and in brief.
TEST(RecipeFiles, GoodOnesComeBack) {
  for (const auto& path : files_in("tests/recipes/good")) {
    const Result<Recipe> recipe = read(*read_file(path), path.filename());
    ASSERT_TRUE(recipe) << recipe.error().message();
    for (const Detail detail : {Detail::resolved, Detail::brief}) {
      const std::string written = render(*recipe, detail);
      const Result<Recipe> again = read(written, "written");
      ASSERT_TRUE(again) << path << again.error().message() << "\n" << written;
      EXPECT_TRUE(*again == *recipe) << path << "\n" << written;
    }
  }
}

}  // namespace
}  // namespace shoestring::task
