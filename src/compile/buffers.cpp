#include "compile/buffers.h"

#include <algorithm>
#include <map>

#include "base/arith.h"
#include "base/memory.h"

namespace shoestring {
namespace {

// Whether a node may write output k while it still reads operand i from the same memory: elementwise,
// same size, and inside a fused body never through a broadcast; or an update of some of what lies there.
bool reads_in_step(const Graph& graph, const Node& node, size_t i, size_t k) {
  if (graph.type(node.inputs[i]) != node.types[k]) return false;
  if (node.op->elementwise()) return true;
  if (node.op->traits & kUpdate) return i == 0 && k == 0;
  if (!node.body || node.op->name != "fused") return false;
  const Graph& body = *node.body;
  NodeId parameter;
  size_t seen = 0;
  for (uint32_t n = 0; n < body.nodes().size(); ++n)
    if (body.nodes()[n].op == &input_op && seen++ == i) parameter = NodeId{n};
  for (const Node& n : body.nodes())
    for (const ValueId& v : n.inputs)
      if (v.node == parameter && !n.op->elementwise()) return false;
  return true;
}

class Assignment {
 public:
  Assignment(const Graph& graph, bool reuse) : graph_(graph), reuse_(reuse), readers_(state_readers(graph)) {
    out_.of.resize(graph.nodes().size());
    out_.needs_copy.resize(graph.nodes().size());
    last_use_.resize(graph.nodes().size());
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      last_use_[i].assign(graph.nodes()[i].types.size(), static_cast<int>(i));
      for (const ValueId& v : memory_read(graph, graph.nodes()[i]))
        last_use_[v.node.index][v.output] = static_cast<int>(i);
    }
    for (const auto& o : graph.outputs()) last_use_[o.value.node.index][o.value.output] = end();
    spread_through_views();
  }

  Buffers run() {
    choose_direct_writes();
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i) assign(NodeId{i});
    save_old_outputs();
    return std::move(out_);
  }

 private:
  int end() const { return static_cast<int>(graph_.nodes().size()); }

  // A value lives as long as its views.
  void spread_through_views() {
    for (auto i = static_cast<uint32_t>(graph_.nodes().size()); i-- > 0;) {
      const Node& node = graph_.nodes()[i];
      if (!view_offset(graph_, node)) continue;
      const ValueId source = node.inputs[0];
      int& last = last_use_[source.node.index][source.output];
      last = std::max(last, last_use_[i][0]);
    }
  }

  // A written value is computed right in its state's memory if by then nobody reads the old one.
  void choose_direct_writes() {
    direct_.resize(graph_.nodes().size());
    for (uint32_t w = 0; w < graph_.nodes().size(); ++w) {
      const Node& write = graph_.nodes()[w];
      if (write.op != &write_op) continue;
      const ValueId v = write.inputs[0];
      const Node& maker = graph_.node(v);
      auto& taken = direct_[v.node.index];
      taken.resize(maker.types.size());
      const bool leaf = maker.op == &input_op || maker.op == &constant_op || maker.op == &read_op;
      const bool computed = !leaf && !view_offset(graph_, maker);
      if (reuse_ && computed && taken[v.output].empty() && old_value_is_done(write.name, v))
        taken[v.output] = write.name;
      else
        out_.needs_copy[w] = true;
    }
  }

  bool old_value_is_done(const std::string& state, ValueId v) const {
    const auto maker = static_cast<int>(v.node.index);
    const NodeId read = graph_.reading(state);
    if (read == NodeId{}) return true;
    if (last_use_[read.index][0] > maker) return false;
    for (NodeId reader : readers_[read.index]) {
      if (static_cast<int>(reader.index) > maker) return false;
      if (reader != v.node) continue;
      const Node& node = graph_.node(v);
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (root(node.inputs[i]).node == read &&
            (root(node.inputs[i]) != node.inputs[i] || !reads_in_step(graph_, node, i, v.output)))
          return false;
    }
    return true;
  }

  ValueId root(ValueId v) const {
    while (view_offset(graph_, graph_.node(v))) v = graph_.node(v).inputs[0];
    return v;
  }

  void assign(NodeId id) {
    const Node& node = graph_.node(id);
    const auto i = static_cast<int>(id.index);
    auto& places = out_.of[id.index];
    if (node.op == &write_op) return;
    if (const auto offset = view_offset(graph_, node)) {
      const Location source = out_.at(node.inputs[0]);
      places = {{source.buffer, source.offset + *offset}};
      return;
    }
    for (uint32_t k = 0; k < node.types.size(); ++k) {
      const int last = last_use_[id.index][k];
      const int64_t bytes = round_up(node.types[k].bytes(), kAlignment);
      if (node.op == &read_op) {
        places.push_back({state_buffer(node.name, bytes), 0});
      } else if (node.op == &constant_op) {
        out_.buffers.push_back(
            {.memory = Memory::constant, .bytes = bytes, .first = -1, .last = end(), .constant = id});
        places.push_back({static_cast<int>(out_.buffers.size()) - 1, 0});
      } else if (!direct_[id.index].empty() && !direct_[id.index][k].empty()) {
        places.push_back({state_buffer(direct_[id.index][k], bytes), 0});
      } else if (const int taken = reuse_ ? dying_operand(node, i, k, places) : -1; taken >= 0) {
        out_.buffers[static_cast<size_t>(taken)].last = last;
        places.push_back({taken, 0});
      } else {
        const int first = node.op == &input_op ? -1 : i;
        out_.buffers.push_back({.memory = Memory::arena, .bytes = bytes, .first = first, .last = last});
        places.push_back({static_cast<int>(out_.buffers.size()) - 1, 0});
      }
    }
  }

  int state_buffer(const std::string& name, int64_t bytes) {
    const auto [known, fresh] = states_.emplace(name, static_cast<int>(out_.buffers.size()));
    if (fresh)
      out_.buffers.push_back(
          {.memory = Memory::state, .bytes = bytes, .first = -1, .last = end(), .state = name});
    return known->second;
  }

  // An operand's arena buffer that ends here and that output k can take over, or -1.
  int dying_operand(const Node& node, int i, size_t k, std::span<const Location> taken) const {
    for (size_t op = 0; op < node.inputs.size(); ++op) {
      const Location at = out_.at(node.inputs[op]);
      const Buffer& b = out_.buffers[static_cast<size_t>(at.buffer)];
      if (b.memory != Memory::arena || b.last != i || at.offset != 0 ||
          b.bytes != round_up(node.types[k].bytes(), kAlignment))
        continue;
      if (std::any_of(taken.begin(), taken.end(), [&](const Location& t) { return t.buffer == at.buffer; }))
        continue;
      bool every_reading_in_step = true;  // the same buffer may come in twice
      for (size_t other = 0; other < node.inputs.size(); ++other)
        if (out_.at(node.inputs[other]).buffer == at.buffer &&
            (out_.at(node.inputs[other]).offset != 0 || !reads_in_step(graph_, node, other, k)))
          every_reading_in_step = false;
      if (every_reading_in_step) return at.buffer;
    }
    return -1;
  }

  void save_old_outputs() {
    for (size_t o = 0; o < graph_.outputs().size(); ++o) {
      const ValueId source = root(graph_.outputs()[o].value);
      const Node& read = graph_.node(source);
      if (read.op != &read_op) continue;
      if (graph_.writing(read.name) == NodeId{}) continue;
      out_.buffers.push_back({.memory = Memory::arena,
                              .bytes = round_up(graph_.type(graph_.outputs()[o].value).bytes(), kAlignment),
                              .first = -1,
                              .last = end()});
      out_.saved_outputs.push_back(o);
      out_.saved_to.push_back(static_cast<int>(out_.buffers.size()) - 1);
    }
  }

  const Graph& graph_;
  const bool reuse_;
  std::vector<std::vector<NodeId>> readers_;
  std::vector<std::vector<int>> last_use_;        // [node][output]
  std::vector<std::vector<std::string>> direct_;  // [node][output] -> the state it is computed in
  std::map<std::string, int> states_;             // -> buffer
  Buffers out_;
};

}  // namespace

std::optional<int64_t> view_offset(const Graph& graph, const Node& node) {
  if (!node.op->view) return std::nullopt;
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  return node.op->view({in, node.attrs, node.body.get()}, node.types[0]);
}

std::span<const ValueId> memory_read(const Graph& graph, const Node& node) {
  const std::span<const ValueId> all(node.inputs);
  return view_offset(graph, node) ? all.first(1) : all;
}

std::vector<std::vector<NodeId>> state_readers(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(graph.nodes().size());
  std::vector<int> state_of(graph.nodes().size(), -1);  // node -> the read node it is (a view of)
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.op == &read_op)
      state_of[i] = static_cast<int>(i);
    else if (view_offset(graph, node))
      state_of[i] = state_of[node.inputs[0].node.index];
    for (const ValueId& v : memory_read(graph, node))
      if (const int r = state_of[v.node.index]; r >= 0) {
        auto& list = readers[static_cast<size_t>(r)];
        if (list.empty() || list.back() != NodeId{i}) list.push_back(NodeId{i});
      }
  }
  return readers;
}

Buffers assign_buffers(const Graph& graph, bool reuse) { return Assignment(graph, reuse).run(); }

}  // namespace shoestring
