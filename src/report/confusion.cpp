#include "report/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/screen.h"
#include "base/text.h"

namespace shoestring::report {
namespace {

constexpr size_t kMostClasses = 12, kListed = 10, kMostName = 24, kLeastName = 8, kRightColumn = 8;

std::string blanks(size_t width, std::string_view text) {
  return std::string(width - std::min(width, screen_width(text)), ' ');
}
std::string to_the_left(const std::string& text, size_t width) { return text + blanks(width, text); }
std::string to_the_right(const std::string& text, size_t width) { return blanks(width, text) + text; }

int64_t row_sum(const train::Confusion& c, size_t truth) {
  int64_t sum = 0;
  for (size_t answer = 0; answer < c.labels.size(); ++answer) sum += c.at(truth, answer);
  return sum;
}
// 100 only where it is all.
std::string share_of(int64_t part, int64_t whole) {
  if (whole == 0) return "–";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  return fmt::format("{:.1f} %", part < whole ? std::min(percent, 99.9) : percent);
}

std::string matrix(const train::Confusion& c, size_t name_width, size_t cell_width) {
  const size_t k = c.labels.size();
  std::vector<std::string> heads, names = c.labels;
  for (const std::string& label : c.labels) heads.push_back(cut_to_width(label, cell_width));
  if (std::set<std::string>(heads.begin(), heads.end()).size() < k)  // cut, they are no longer apart
    for (size_t i = 0; i < k; ++i) {
      heads[i] = fmt::format("{}", i + 1);
      names[i] = heads[i] + " " + names[i];
    }
  std::string out = to_the_left("true \\ answered", name_width);
  for (const std::string& head : heads) out += " " + to_the_right(head, cell_width);
  out += to_the_right("right", kRightColumn) + "\n";
  for (size_t truth = 0; truth < k; ++truth) {
    out += to_the_left(cut_to_width(names[truth], name_width), name_width);
    for (size_t answer = 0; answer < k; ++answer) {
      const int64_t count = c.at(truth, answer);
      out += " " + to_the_right(count == 0 ? "." : fmt::format("{}", count), cell_width);
    }
    out += to_the_right(share_of(c.at(truth, truth), row_sum(c, truth)), kRightColumn) + "\n";
  }
  return out;
}

std::string list(const train::Confusion& c) {
  struct Cell {
    size_t truth, answer;
    int64_t rows;
  };
  std::vector<Cell> cells;
  for (size_t truth = 0; truth < c.labels.size(); ++truth)
    for (size_t answer = 0; answer < c.labels.size(); ++answer)
      if (truth != answer && c.at(truth, answer) > 0) cells.push_back({truth, answer, c.at(truth, answer)});
  std::stable_sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.rows > b.rows; });
  if (cells.empty()) return "no class is taken for another\n";
  std::string out = "most often taken for another:\n";
  const size_t shown = std::min(kListed, cells.size());
  std::vector<std::string> names;  // of the classes that are listed, whole where they would look alike
  for (const std::string& label : c.labels) names.push_back(cut_to_width(label, kMostName));
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size())
    for (size_t i = 0; i < names.size(); ++i) names[i] = cut_to_width(c.labels[i], SIZE_MAX);
  size_t truths = 0, answers = 0;
  for (size_t i = 0; i < shown; ++i) {
    truths = std::max(truths, screen_width(names[cells[i].truth]));
    answers = std::max(answers, screen_width(names[cells[i].answer]));
  }
  for (size_t i = 0; i < shown; ++i)
    out += fmt::format("  {} for {}  {}, {} of these\n", to_the_left(names[cells[i].truth], truths),
                       to_the_left(names[cells[i].answer], answers), count_of(cells[i].rows, "row"),
                       share_of(cells[i].rows, row_sum(c, cells[i].truth)));
  return out;
}

}  // namespace

std::string confusion_text(const train::Confusion& c, size_t columns) {
  const size_t k = c.labels.size();
  const auto largest = std::max_element(c.counts.begin(), c.counts.end());
  if (largest == c.counts.end() || *largest == 0) return {};
  size_t longest = screen_width("true \\ answered");
  for (const std::string& label : c.labels) longest = std::max(longest, screen_width(label));
  const size_t digits = fmt::formatted_size("{}", *largest);
  const size_t least = std::max<size_t>(digits, 4) + 1;
  const size_t narrow = std::max(kLeastName, screen_width("true \\ answered"));
  if (k > kMostClasses || narrow + k * least + kRightColumn > columns) return list(c);
  const size_t names = std::min({longest, kMostName, columns - k * least - kRightColumn});
  // Cells as wide as names ask for, where there is room.
  const size_t room = (columns - names - kRightColumn) / k - 1;
  return matrix(c, names, std::clamp(longest, least - 1, std::max(room, least - 1)));
}

}  // namespace shoestring::report
