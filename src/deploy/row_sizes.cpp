#include "deploy/row_sizes.h"

#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring::deploy {
namespace {

// Two sizes make the function, the third is its proof.
constexpr int64_t kRows[] = {2, 3, 7};

// What a node says beside the shapes that its operands and results have anyway.
bool same_attributes(const Node& a, const Node& b) {
  static const OpDef *const reshape = ops::find("reshape"), *const broadcast = ops::find("broadcast");
  return a.attrs == b.attrs || a.op == reshape || a.op == broadcast;
}

// A constant with rows has to be one number all over, and the same one.
bool same_literals(const Node& a, const Node& b) {
  if (!a.literal || !b.literal) return a.literal == b.literal;
  if (a.types == b.types) return *a.literal == *b.literal;
  const auto bytes = static_cast<size_t>(info(a.types[0].dtype).block_bytes);
  for (const Node* n : {&a, &b})
    for (size_t i = 0; i < n->literal->size(); ++i)
      if ((*n->literal)[i] != (*a.literal)[i % bytes]) return false;
  return true;
}

bool same_node(const Node& a, const Node& b) {
  return a.op == b.op && a.inputs == b.inputs && a.name == b.name && a.types.size() == b.types.size() &&
         !a.body == !b.body && same_attributes(a, b) && same_literals(a, b);
}

Failure other_rows(const Node& node) {
  return fail(ErrorKind::usage, fmt::format("'{}' is another one for other numbers of rows", node.op->name),
              "export", "'shoestring serve' takes any model");
}

}  // namespace

Result<RowSizes> sizes_by_rows(const std::function<Graph(int64_t rows)>& build) {
  std::vector<Graph> graphs;
  for (int64_t rows : kRows) {
    graphs.push_back(build(rows));
    if (auto ok = graphs.back().status(); !ok) return fail(ok.error());
  }
  const Graph &first = graphs[0], &second = graphs[1], &third = graphs[2];
  std::vector<std::vector<Axes>> of(first.nodes().size());
  for (uint32_t i = 0; i < first.nodes().size(); ++i) {
    const Node& node = first.nodes()[i];
    for (const Graph* other : {&second, &third})
      if (i >= other->nodes().size() || !same_node(node, other->nodes()[i])) return other_rows(node);
    for (size_t k = 0; k < node.types.size(); ++k) {
      const Type &a = node.types[k], &b = second.nodes()[i].types[k], &c = third.nodes()[i].types[k];
      if (a.dtype != b.dtype || a.dims.rank() != b.dims.rank() || a.dims.rank() != c.dims.rank())
        return other_rows(node);
      Axes axes;
      for (int axis = 0; axis < a.dims.rank(); ++axis) {
        const int64_t per_row = (b.dims[axis] - a.dims[axis]) / (kRows[1] - kRows[0]);
        axes.push_back({per_row, a.dims[axis] - per_row * kRows[0]});
        if (axes.back().per_row * kRows[2] + axes.back().fixed != c.dims[axis]) return other_rows(node);
      }
      of[i].push_back(std::move(axes));
    }
  }
  return RowSizes{std::move(graphs[0]), std::move(of)};
}

}  // namespace shoestring::deploy
