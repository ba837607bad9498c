// The rows of a split, batch by batch, wherever they are: what trains, evaluates and blends takes them from
// here and knows nothing of where.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "train/dataset.h"

namespace shoestring::train {

// Some rows where they lie encoded: their places in columns of the whole table, or of a part of it.
struct RowsAt {
  const EncodedInputs* inputs = nullptr;
  const EncodedTargets* targets = nullptr;
  std::span<const uint32_t> rows;
  const FileRows* file = nullptr;  // where the columns are a window of one

  // The row's own number among those of its split, the same in every epoch; without gaps or not.
  uint32_t number(size_t i) const { return file ? file->number(rows[i]) : rows[i]; }
};

// Fills a plan's inputs and targets with these rows (at least one); the plan's rows beyond them repeat the
// last.
inline void gather(const RowsAt& at, int64_t plan_rows, const Ports& ports) {
  gather(*at.inputs, at.rows, plan_rows, ports);
  gather(*at.targets, at.rows, plan_rows, ports);
}

// Of each row what its port "row_numbers" wants (task/network.h): a number drawn for the row by the seed,
// plus the epoch. So in each epoch about half of the numbers are odd, and every row's is odd in each second
// one.
void number_rows(const RowsAt& at, uint64_t seed, uint32_t epoch, int64_t plan_rows, int32_t* out);

class Batches {
 public:
  // The data set outlives it. With a seed each epoch has an order of its own, a function of seed and epoch;
  // without one, the rows keep the order of their split.
  Batches(const Dataset& data, task::SplitName split, int64_t batch_rows, std::optional<uint64_t> seed = {});

  int64_t rows() const { return rows_; }
  int64_t count() const { return (rows_ + batch_rows_ - 1) / batch_rows_; }
  // The rows [batch * batch_rows, …) of the epoch, batch_rows of them but for the last batch. They stay until
  // the next call, of any Batches of the data set. Takes no memory.
  RowsAt at(int64_t batch, uint32_t epoch = 0);

 private:
  const Dataset* data_;
  task::SplitName split_;
  int64_t rows_, batch_rows_;
  std::optional<uint64_t> seed_;
  std::optional<FileBatches> of_file_;  // where the rows are in a file, else:
  std::vector<uint32_t> order_;         // of the epoch, where there is a seed
  int64_t order_epoch_ = -1;
};

}  // namespace shoestring::train
