// Answers to pictures: each row begins with the picture's name, and one that cannot be read has no answer.
#pragma once

#include <string>
#include <vector>

#include "data/picture_table.h"
#include "data/row_text.h"
#include "train/raw_columns.h"

namespace shoestring::train {

class PictureNames {
 public:
  // For tables that are pictures; of others it adds nothing.
  PictureNames(const data::TableReader& table, const ColumnMap& map)
      : column_(table.format().kind == data::TableKind::pictures ? table.index_of(data::kImageColumn) : -1) {
    for (size_t i = 0; i < map.inputs.size(); ++i)
      if (column_ >= 0 && map.inputs[i] == column_) input_ = static_cast<int>(i);
  }

  // The columns of the answers, with that of the names in front.
  std::vector<std::string> columns(std::vector<std::string> answers) const {
    if (column_ >= 0) answers.insert(answers.begin(), std::string(data::kImageColumn));
    return answers;
  }

  // Of the rows of a batch that was appended to empty columns.
  struct Rows {
    std::vector<std::string> names = {};  // none: rows are not named
    std::vector<uint8_t> broken = {};
    // Begins the row's answer; false where that is all of it, `answers` being so many columns.
    bool begin(int64_t row, size_t answers, data::RowText& out) const;
  };
  Rows rows(const data::RecordBatch& batch, const RawColumns& raw) const;

 private:
  int column_, input_ = -1;
};

}  // namespace shoestring::train
