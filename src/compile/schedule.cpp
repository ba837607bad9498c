// schedule: an order of the nodes with a low peak of live memory. A state's value is replaced only after
// everybody has read the old one; where possible its new value is computed after that too, so that it
// can be computed in place. Of the order in which the graph was built and a greedy one, the better wins.
#include <algorithm>
#include <set>

#include "base/arith.h"
#include "base/memory.h"
#include "compile/buffers.h"
#include "compile/memory_planner.h"
#include "compile/passes.h"
#include "compile/rewrite.h"

namespace shoestring {
namespace {

struct Edges {
  std::vector<std::vector<uint32_t>> hard, soft;  // [node] -> those that come after it
  std::vector<int> hard_in, soft_in;
};

Edges edges_of(const Graph& graph) {
  const size_t n = graph.nodes().size();
  Edges e{std::vector<std::vector<uint32_t>>(n), std::vector<std::vector<uint32_t>>(n), std::vector<int>(n),
          std::vector<int>(n)};
  const auto add = [](auto& lists, auto& counts, uint32_t from, uint32_t to) {
    lists[from].push_back(to);
    ++counts[to];
  };
  for (uint32_t i = 0; i < n; ++i)
    for (const ValueId& v : graph.nodes()[i].inputs) add(e.hard, e.hard_in, v.node.index, i);
  const auto readers = state_readers(graph);
  for (uint32_t w = 0; w < n; ++w) {
    if (graph.nodes()[w].op != &write_op) continue;
    const uint32_t maker = graph.nodes()[w].inputs[0].node.index;
    for (uint32_t r = 0; r < n; ++r) {
      if (graph.nodes()[r].op != &read_op || graph.nodes()[r].name != graph.nodes()[w].name) continue;
      if (r != maker) add(e.hard, e.hard_in, r, w);
      for (NodeId reader : readers[r]) {
        if (reader.index != w) add(e.hard, e.hard_in, reader.index, w);
        if (reader.index < maker) add(e.soft, e.soft_in, reader.index, maker);
      }
    }
  }
  return e;
}

// Bytes that a node's outputs take, and which nodes free what.
class Greedy {
 public:
  explicit Greedy(const Graph& graph)
      : graph_(graph),
        edges_(edges_of(graph)),
        left_(graph.nodes().size()),
        bytes_(graph.nodes().size()),
        root_(graph.nodes().size()) {
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      const bool view = view_offset(graph, node).has_value();
      root_[i] = view ? root_[node.inputs[0].node.index] : i;
      const bool in_arena = !view && node.op != &read_op && node.op != &constant_op && node.op != &write_op;
      if (in_arena)
        for (const Type& t : node.types) bytes_[i] += round_up(t.bytes(), kAlignment);
      std::set<uint32_t> roots;
      for (const ValueId& v : node.inputs) roots.insert(root_[v.node.index]);
      for (uint32_t r : roots) ++left_[r];
    }
    for (const auto& o : graph.outputs()) ++left_[root_[o.value.node.index]];  // never freed
  }

  std::vector<uint32_t> run() {
    const size_t n = graph_.nodes().size();
    std::set<uint32_t> ready;
    for (uint32_t i = 0; i < n; ++i)
      if (edges_.hard_in[i] == 0) ready.insert(i);
    std::vector<uint32_t> order;
    while (!ready.empty()) {
      const uint32_t next = choose(ready);
      ready.erase(next);
      order.push_back(next);
      for (uint32_t r : roots_of(next)) --left_[r];
      for (uint32_t to : edges_.soft[next]) --edges_.soft_in[to];
      for (uint32_t to : edges_.hard[next])
        if (--edges_.hard_in[to] == 0) ready.insert(to);
    }
    return order;
  }

 private:
  std::set<uint32_t> roots_of(uint32_t i) const {
    std::set<uint32_t> roots;
    for (const ValueId& v : graph_.nodes()[i].inputs) roots.insert(root_[v.node.index]);
    return roots;
  }
  // Leaves at once; then what lets go of the most and takes the least; a node that is better later waits.
  uint32_t choose(const std::set<uint32_t>& ready) const {
    uint32_t best = *ready.begin();
    std::pair<bool, int64_t> best_key{true, INT64_MAX};
    for (uint32_t i : ready) {
      if (graph_.nodes()[i].inputs.empty() && bytes_[i] == 0) return i;
      if (graph_.nodes()[i].op == &input_op) return i;
      int64_t change = bytes_[i];
      for (uint32_t r : roots_of(i))
        if (left_[r] == 1) change -= bytes_[r];
      const std::pair<bool, int64_t> key{edges_.soft_in[i] > 0, change};
      if (key < best_key) best_key = key, best = i;
    }
    return best;
  }

  const Graph& graph_;
  Edges edges_;
  std::vector<int> left_;  // uses of a node's memory still to come
  std::vector<int64_t> bytes_;
  std::vector<uint32_t> root_;  // of a view: whose memory it shows
};

Graph reordered(const Graph& graph, std::span<const uint32_t> order) {
  Rewriter r(graph);
  for (uint32_t i : order) r.copy(NodeId{i});
  return r.finish();
}

}  // namespace

int64_t peak_live_bytes(const Graph& graph) {
  std::vector<Lifetime> lifetimes;
  for (const Buffer& b : assign_buffers(graph).buffers)
    if (b.memory == Memory::arena) lifetimes.push_back({b.bytes, b.first, b.last});
  return largest_live_set(lifetimes);
}

Graph schedule(const Graph& graph, const Target&) {
  Graph greedy = reordered(graph, Greedy(graph).run());
  return peak_live_bytes(greedy) < peak_live_bytes(graph) ? greedy : graph;
}

}  // namespace shoestring
