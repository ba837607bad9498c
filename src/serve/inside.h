// A live model's parts, for the folder's own code.
#pragma once

#include <mutex>
#include <optional>

#include "data/row_text.h"
#include "serve/cells.h"
#include "serve/live_model.h"
#include "train/answers.h"
#include "train/engine.h"

namespace shoestring::serve {

struct LiveModel::Inside {
  Inside(task::NetworkSpec spec_, task::Fits fits_)
      : spec(std::move(spec_)),
        fits(std::move(fits_)),
        description(describe(spec, fits)),
        text_bytes(answer_bytes(description)),
        layout(spec),
        cells(spec, fits, layout, description),
        answers(spec, fits),
        objects(data::WriteKind::jsonl, answers.columns()),
        arrays(data::WriteKind::arrays, answers.columns()) {}

  // Each refers to those before it.
  task::NetworkSpec spec;
  task::Fits fits;
  Description description;
  int64_t text_bytes;  // of a row's answers, at most
  RowLayout layout;
  CellTable cells;
  train::Answers answers;

  // Answers as text are made here, by one thread at a time.
  std::mutex text_mutex;
  data::RowText objects, arrays;
  train::Ports text_ports;

  std::optional<train::Engine> engine;
  std::vector<train::Runner*> runners;  // as many as `passes`
  std::vector<PassTime> passes;
  std::unique_ptr<Batcher> batcher;  // last: it uses all the others until it is gone

  int64_t answer_words() const;  // floats of a row's answers
  // One pass over these pieces, which have `rows` in all.
  void pass(std::span<const Batcher::Piece> pieces, int64_t rows);
};

}  // namespace shoestring::serve
