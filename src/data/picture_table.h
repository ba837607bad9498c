// The table that pictures are which lie in folders, archives or files of many: a name and perhaps a label and
// a split in every row.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/picture_files.h"
#include "data/table.h"

namespace shoestring::data {

inline constexpr std::string_view kImageColumn = "image_path", kLabelColumn = "label", kSplitColumn = "split";

struct PictureRow {
  std::string image, label;
  int split = 0;
};

struct PictureRows {
  int64_t count = 0;
  bool labels = false, splits = false;  // which columns there are
  std::function<void(int64_t row, PictureRow& out)> row;
  // Opened when pictures are first asked for.
  std::function<Result<std::shared_ptr<const PictureFiles>>()> files;
};

// `path` is what the user named.
std::unique_ptr<TableReader> table_of_pictures(std::string path, PictureRows rows,
                                               std::vector<std::string> notes);

// 0, 1 or 2 for words that folders and files of a split are named by: "train", "val", "test", …; -1 for
// others.
int split_of_word(std::string_view word);

}  // namespace shoestring::data
