// Answers to pictures: where the table is pictures, each row begins with the picture's name; one whose
// picture cannot be read has no answer.
#pragma once

#include <string>
#include <vector>

#include "data/picture_table.h"
#include "data/row_text.h"
#include "train/raw_columns.h"

namespace shoestring::train {

class PictureNames {
 public:
  explicit PictureNames(const data::TableReader& table)
      : column_(table.format().kind == data::TableKind::pictures ? table.index_of(data::kImageColumn) : -1) {}

  // The columns of the answers, with that of the names in front.
  std::vector<std::string> columns(std::vector<std::string> answers) const {
    if (column_ >= 0) answers.insert(answers.begin(), std::string(data::kImageColumn));
    return answers;
  }

  // Of all the rows in the columns.
  struct Rows {
    std::vector<std::string> names = {};  // none: rows are not named
    std::vector<uint8_t> broken = {};     // none: there are no pictures
    // Begins the row's answer; false where that is all of it, `answers` being so many columns.
    bool begin(int64_t row, size_t answers, data::RowText& out) const;
  };
  Rows rows(const data::RecordBatch& batch, const RawColumns& raw) const;  // of one batch, in empty columns
  // Adds those of a batch that was appended to the columns, behind others perhaps.
  void add(const data::RecordBatch& batch, const RawColumns& raw, Rows& rows) const;

 private:
  int column_;
};

}  // namespace shoestring::train
