// Large tables of embeddings are updated by the rows that a step took, and at no cost for their height:
// gradient and value shrink to those rows, and so do the moments, which stand still where no row comes by
// (lazy, as torch.optim.SparseAdam has them). Weight decay then reaches a row only when it is taken.
#pragma once

#include <vector>

#include "compile/state_forms.h"
#include "model/optimizers.h"

namespace shoestring::task {

// Above, a table is updated by rows; below, the whole gradient is the quicker one.
inline constexpr int64_t kMostDenseTableBytes = int64_t{4} << 20;

// Whether an update of this optimizer looks at each element by itself, so that it may be of some rows.
bool updates_rows(const model::Optimizer& optimizer);

// The parameters of a training graph that are updated by rows.
std::vector<std::string> tables_by_rows(const Graph& training);

class TableRows {
 public:
  // Of each parameter that is larger and from which the step does nothing but gather: its rows in its place.
  void take(Graph& graph, std::vector<model::Trained>& trained,
            int64_t most_dense_bytes = kMostDenseTableBytes);
  // The rows' new values become their tables'.
  void put(std::vector<model::StateUpdate>& updates) const;
  // Of the moments, which were read and written by rows: for restate(), once all is built.
  StateForms forms(const Graph& graph) const;

 private:
  struct Table {
    std::string name;
    Value whole, numbers;  // [n,d], i32[k]
    Type rows;             // [k,d]
  };
  std::vector<Table> tables_;
};

}  // namespace shoestring::task
