// schedule: an order of the nodes with a low peak of live memory. A state's value is replaced only after
// everybody has read the old one; where possible its new value is computed after that too, so that it
// can be computed in place. Of the order in which the graph was built and two greedy ones, the best wins.
#include <algorithm>
#include <set>
#include <tuple>

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
  // What needs nothing that is computed (random numbers, a moment decoded from 8 bits) comes when all else
  // that its first reader needs is there.
  const auto users = users_of(graph);
  const auto reads_computed = [&](const Node& node) {
    return std::ranges::any_of(node.inputs, [&](ValueId v) { return !graph.node(v).inputs.empty(); });
  };
  for (uint32_t i = 0; i < n; ++i) {
    const Node& node = graph.nodes()[i];
    if (!node.op->cost || reads_computed(node) || users[i].empty()) continue;
    for (const ValueId& v : graph.node(users[i].front()).inputs)
      if (v.node.index != i && reads_computed(graph.node(v))) add(e.soft, e.soft_in, v.node.index, i);
  }
  const auto readers = state_readers(graph);
  for (uint32_t w = 0; w < n; ++w) {
    if (graph.nodes()[w].op != &write_op) continue;
    const uint32_t maker = graph.nodes()[w].inputs[0].node.index;
    const uint32_t r = graph.reading(graph.nodes()[w].name).index;
    if (r >= n) continue;
    if (r != maker) add(e.hard, e.hard_in, r, w);
    for (NodeId reader : readers[r]) {
      if (reader.index != w) add(e.hard, e.hard_in, reader.index, w);
      if (reader.index < maker) add(e.soft, e.soft_in, reader.index, maker);
    }
  }
  return e;
}

// Takes, of the nodes that could come next: leaves at once; then what lets go of the most and takes the
// least; a node that is better later waits. Equals come in the order in which they were built.
class Greedy {
 public:
  // With `in_states`, what becomes a state's value is taken to be computed in its place.
  Greedy(const Graph& graph, bool in_states)
      : graph_(graph),
        edges_(edges_of(graph)),
        roots_(graph.nodes().size()),
        users_(graph.nodes().size()),
        left_(graph.nodes().size()),
        bytes_(graph.nodes().size()),
        root_(graph.nodes().size()),
        key_(graph.nodes().size()),
        ready_(graph.nodes().size()) {
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      const bool view = view_offset(graph, node).has_value();
      root_[i] = view ? root_[node.inputs[0].node.index] : i;
      const bool in_arena = !view && node.op != &read_op && node.op != &constant_op && node.op != &write_op;
      if (in_arena)
        for (const Type& t : node.types) bytes_[i] += round_up(t.bytes(), kAlignment);
      for (const ValueId& v : memory_read(graph, node)) roots_[i].push_back(root_[v.node.index]);
      std::sort(roots_[i].begin(), roots_[i].end());
      roots_[i].erase(std::unique(roots_[i].begin(), roots_[i].end()), roots_[i].end());
      for (uint32_t r : roots_[i]) {
        ++left_[r];
        users_[r].push_back(i);
      }
    }
    if (in_states)
      for (const Node& node : graph.nodes())
        if (node.op == &write_op)
          if (const ValueId v = node.inputs[0]; root_[v.node.index] == v.node.index)
            bytes_[v.node.index] =
                std::max<int64_t>(bytes_[v.node.index] - round_up(graph.type(v).bytes(), kAlignment), 0);
    for (const auto& o : graph.outputs()) ++left_[root_[o.value.node.index]];  // never freed
  }

  std::vector<uint32_t> run() {
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i)
      if (edges_.hard_in[i] == 0) enter(i);
    std::vector<uint32_t> order;
    while (!queue_.empty()) {
      const uint32_t next = queue_.begin()->second;
      queue_.erase(queue_.begin());
      ready_[next] = false;
      order.push_back(next);
      for (uint32_t r : roots_[next])
        if (--left_[r] == 1)
          for (uint32_t user : users_[r]) reconsider(user);
      for (uint32_t to : edges_.soft[next])
        if (--edges_.soft_in[to] == 0) reconsider(to);
      for (uint32_t to : edges_.hard[next])
        if (--edges_.hard_in[to] == 0) enter(to);
    }
    return order;
  }

 private:
  // No leaf; better later; bytes taken, less those let go of.
  using Key = std::tuple<bool, bool, int64_t>;

  Key key_of(uint32_t i) const {
    const Node& node = graph_.nodes()[i];
    if (node.op == &input_op || (node.inputs.empty() && bytes_[i] == 0)) return {false, false, 0};
    int64_t change = bytes_[i];
    for (uint32_t r : roots_[i])
      if (left_[r] == 1) change -= bytes_[r];
    return {true, edges_.soft_in[i] > 0, change};
  }
  void enter(uint32_t i) {
    ready_[i] = true;
    key_[i] = key_of(i);
    queue_.emplace(key_[i], i);
  }
  void reconsider(uint32_t i) {
    if (!ready_[i]) return;
    queue_.erase({key_[i], i});
    enter(i);
  }

  const Graph& graph_;
  Edges edges_;
  std::vector<std::vector<uint32_t>> roots_, users_;  // whose memory a node reads, and who reads a node's
  std::vector<int> left_;                             // uses of a node's memory still to come
  std::vector<int64_t> bytes_;                        // of a node's outputs
  std::vector<uint32_t> root_;                        // of a view: whose memory it shows
  std::vector<Key> key_;                              // of those that are ready
  std::vector<char> ready_;
  std::set<std::pair<Key, uint32_t>> queue_;
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
  std::optional<Graph> best;
  int64_t least = peak_live_bytes(graph);
  for (const bool in_states : {false, true}) {
    Graph greedy = reordered(graph, Greedy(graph, in_states).run());
    const int64_t peak = peak_live_bytes(greedy);
    if (peak < least) best = std::move(greedy), least = peak;
  }
  return best ? std::move(*best) : graph;
}

}  // namespace shoestring
