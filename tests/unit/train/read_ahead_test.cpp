// Typing on several threads while the next block is read changes nothing: not a number, not a code, not a
// word of what is told, not a line of an error.
#include <algorithm>

#include "base/parallel.h"
#include "train/dataset.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

// Some blocks of 1 MiB; quoted line breaks, rows that are too short and cells that are no numbers among them.
std::string long_table(int rows, int every_bad) {
  std::string text = "a,b,kind,y\n";
  for (int i = 0; i < rows; ++i) {
    text += i % every_bad == 5 ? "oops" : std::to_string(i % 1013) + "." + std::to_string(i % 7);
    text += "," + std::to_string(i % 3001 - 1500);
    text += i % 991 == 0 ? ",\"two\nlines\"" : ",word number " + std::to_string(i % 257);
    if (i % 4999 != 17) text += i % 3 == 0 ? ",yes" : ",no";
    text += "\n";
  }
  return text;
}

struct Seen {
  std::vector<std::string> notes;
  std::vector<float> numbers, targets;
  std::string error;
  bool operator==(const Seen&) const = default;
};

Seen seen_by(int threads, const std::string& path) {
  set_thread_count(threads);
  Seen seen;
  const auto data =
      prepare({.dataset = path}, recipe_from(sums_recipe()),
              {.seed = 42, .log = [&](LogLevel, std::string_view text) { seen.notes.emplace_back(text); }});
  set_thread_count(available_cores());
  if (!data) {
    seen.error = data.error().message();
    return seen;
  }
  for (int64_t r = 0; r < data->inputs.numbers.rows(); ++r)
    seen.numbers.insert(seen.numbers.end(), data->inputs.numbers.row(r),
                        data->inputs.numbers.row(r) + data->inputs.numbers.width());
  seen.targets = data->targets.numbers[0];
  return seen;
}

TEST(ReadAhead, ThreadsChangeNothing) {
  const Folder folder;
  const std::string path = folder.write("t.csv", long_table(120'000, 9973));
  const Seen one = seen_by(1, path);
  EXPECT_EQ(one.error, "");
  EXPECT_GT(one.numbers.size(), 200'000u);
  EXPECT_EQ(std::count_if(one.notes.begin(), one.notes.end(),
                          [](const std::string& note) { return note.find("'oops'") != std::string::npos; }),
            1);
  for (const int threads : {2, 3}) EXPECT_TRUE(seen_by(threads, path) == one) << threads;
}

TEST(ReadAhead, ErrorsKeepTheirLines) {
  const Folder folder;
  const std::string path = folder.write("t.csv", long_table(120'000, 11));
  const Seen one = seen_by(1, path);
  EXPECT_NE(one.error.find("t.csv:8, column 'a'"), std::string::npos) << one.error;
  for (const int threads : {2, 3}) EXPECT_TRUE(seen_by(threads, path) == one) << threads;
}

}  // namespace
}  // namespace shoestring::train
