// A long table answered on all threads: each takes the next batch, answers it with a plan and an arena of
// its own over the model's states, and writes its answers when its turn comes. So reading, the network and
// the writing of text overlap, and the answers stand in the table's order, whichever thread gave them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "train/picture_names.h"
#include "train/predict.h"

namespace shoestring::train {

struct AnsweredTable {
  data::TableReader* reader = nullptr;
  std::optional<data::RecordBatch> next = {};  // read already
  const ColumnMap* map = nullptr;
  const PictureNames* names = nullptr;
  std::span<const uint8_t> wanted = {};  // of each row of the table, whether it is answered; empty: all are
  data::RowWriter* out = nullptr;
};

struct Answered {
  int64_t rows = 0;                      // written
  std::vector<data::BadCells> bad = {};  // of each input
};

// Answers table.next and what the reader has left, in the reader's order; adds to `answered`. For models
// whose rows do not look at each other (task::looks_around). Fails as the reader, the output or memory does.
Status answer_in_lanes(Predictor& predictor, AnsweredTable table, Answered& answered);

}  // namespace shoestring::train
