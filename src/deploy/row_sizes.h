// A graph's sizes as functions of its rows. Plans have fixed sizes, and so has every graph; what an exported
// one needs is where its batch is in each shape. It is found by building the graph for several numbers of
// rows: the graphs must have the same nodes, and every axis be a multiple of the rows, or not hang on them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace shoestring::deploy {

// An axis: rows * per_row + fixed.
struct Axis {
  int64_t per_row = 0, fixed = 0;
  bool operator==(const Axis&) const = default;
};
using Axes = std::vector<Axis>;

inline bool hangs_on_rows(const Axes& axes) {
  for (const Axis& axis : axes)
    if (axis.per_row != 0) return true;
  return false;
}

struct RowSizes {
  Graph graph;  // of some number of rows: for its nodes, and all that does not hang on rows
  std::vector<std::vector<Axes>> of;  // of each node, each output

  const Axes& operator()(ValueId id) const { return of[id.node.index][id.output]; }
};

// Fails as build(rows) does, and with ErrorKind::usage where a node is another one for other rows, or a size
// is no such function; the error names the node.
Result<RowSizes> sizes_by_rows(const std::function<Graph(int64_t rows)>& build);

}  // namespace shoestring::deploy
