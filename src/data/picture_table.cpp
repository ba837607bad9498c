#include "data/picture_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shoestring::data {
namespace {

constexpr int64_t kBatchRows = 4096;

class PictureTable final : public TableReader {
 public:
  PictureTable(std::string path, PictureRows rows, std::vector<std::string> notes)
      : rows_of_(std::move(rows)) {
    path_ = std::move(path);
    format_ = TableFormat{.kind = TableKind::pictures, .delimiter = 0, .quote = 0, .header = false};
    names_.emplace_back(kImageColumn);
    if (rows_of_.labels) names_.emplace_back(kLabelColumn);
    if (rows_of_.splits) names_.emplace_back(kSplitColumn);
    notes_ = std::move(notes);
  }

  Result<std::optional<RecordBatch>> next() override {
    const int64_t count = std::min(kBatchRows, rows_of_.count - rows_);
    if (count == 0) return std::nullopt;
    BatchBuilder batch(static_cast<int>(names_.size()));
    PictureRow row;
    for (int64_t r = rows_; r < rows_ + count; ++r) {
      rows_of_.row(r, row);
      batch.cell(row.image);
      if (rows_of_.labels) batch.cell(row.label);
      if (rows_of_.splits) batch.cell(std::to_string(row.split));
    }
    const int64_t first = rows_;
    rows_ += count;
    return batch.finish(first);
  }

  int64_t line_of(int64_t row) override { return row + 1; }
  std::string place(int64_t row) override {
    PictureRow there;
    rows_of_.row(row, there);
    return fmt::format("{}: {}", path_, there.image);
  }

  Result<std::shared_ptr<const PictureFiles>> pictures() const override { return rows_of_.files(); }

 private:
  PictureRows rows_of_;
};

}  // namespace

std::unique_ptr<TableReader> table_of_pictures(std::string path, PictureRows rows,
                                               std::vector<std::string> notes) {
  return std::make_unique<PictureTable>(std::move(path), std::move(rows), std::move(notes));
}

int split_of_word(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, int>, 8> kWords{{{"train", 0},
                                                                    {"training", 0},
                                                                    {"val", 1},
                                                                    {"valid", 1},
                                                                    {"validation", 1},
                                                                    {"test", 2},
                                                                    {"testing", 2},
                                                                    {"t10k", 2}}};
  const std::string low = lowered(word);
  for (const auto& [known, split] : kWords)
    if (low == known) return split;
  return -1;
}

Result<std::shared_ptr<const PictureFiles>> TableReader::pictures() const {
  std::vector<std::string> paths;
  for (const TableFile& file : files()) paths.push_back(file.path);
  return pictures_beside(paths);
}

}  // namespace shoestring::data
