// Part of prune: of a loop, what nobody needs goes: stacked outputs without a user, carries that only feed
// themselves, and inputs that the body does not read any more.
#include <algorithm>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/loop.h"

namespace shoestring {
namespace {

struct Live {
  std::vector<char> inputs, outputs, nodes;  // of the body
  bool all() const {
    const auto yes = [](char c) { return c != 0; };
    return std::all_of(inputs.begin(), inputs.end(), yes) && std::all_of(outputs.begin(), outputs.end(), yes);
  }
};

// A carry lives if its last value is used or a live one's next value needs it.
Live live_parts(const Graph& body, size_t carries, std::vector<char> used) {
  Live live{{}, std::move(used), std::vector<char>(body.nodes().size())};
  std::vector<uint32_t> inputs;
  for (uint32_t i = 0; i < body.nodes().size(); ++i)
    if (body.nodes()[i].op == &input_op) inputs.push_back(i);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t k = 0; k < body.outputs().size(); ++k)
      if (live.outputs[k]) live.nodes[body.outputs()[k].value.node.index] = true;
    for (auto i = static_cast<uint32_t>(body.nodes().size()); i-- > 0;)
      if (live.nodes[i])
        for (const ValueId& v : body.nodes()[i].inputs) live.nodes[v.node.index] = true;
    for (size_t i = 0; i < carries; ++i)
      if (live.nodes[inputs[i]] && !live.outputs[i]) live.outputs[i] = changed = true;
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    live.inputs.push_back(i < carries ? live.outputs[i] : live.nodes[inputs[i]]);
  return live;
}

Graph trimmed(const Graph& body, const Live& live) {
  Graph to(body.name());
  std::vector<Value> made(body.nodes().size());
  size_t input = 0;
  for (uint32_t i = 0; i < body.nodes().size(); ++i) {
    const Node& node = body.nodes()[i];
    if (node.op == &input_op ? !live.inputs[input++] : !live.nodes[i]) continue;
    std::vector<Value> in;
    for (const ValueId& v : node.inputs) in.push_back(made[v.node.index].output(v.output));
    made[i] = to.clone(node, in);
  }
  for (size_t k = 0; k < body.outputs().size(); ++k) {
    const auto& o = body.outputs()[k];
    if (live.outputs[k]) to.output(o.name, made[o.value.node.index].output(o.value.output));
  }
  return to;
}

}  // namespace

std::optional<Graph> trim_loops(const Graph& graph) {
  const auto nodes = graph.nodes();
  if (std::none_of(nodes.begin(), nodes.end(), ops::is_loop)) return std::nullopt;
  std::vector<std::vector<char>> used(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) used[i].resize(nodes[i].types.size());
  for (const Node& node : nodes)
    for (const ValueId& v : node.inputs) used[v.node.index][v.output] = true;
  for (const auto& o : graph.outputs()) used[o.value.node.index][o.value.output] = true;
  return rewrite(graph, [&](Rewriter& r, NodeId id) -> std::optional<std::vector<Value>> {
    const Node& node = graph.node(id);
    if (!ops::is_loop(node)) return std::nullopt;
    const auto carries = static_cast<size_t>(node.attrs.integer("carries"));
    const auto sequences = static_cast<size_t>(node.attrs.integer("sequences"));
    const Live live = live_parts(*node.body, carries, used[id.index]);
    if (live.all()) return std::nullopt;
    Attrs attrs = node.attrs;
    const auto kept = [&](size_t begin, size_t end) {
      return static_cast<int64_t>(std::count(live.inputs.begin() + static_cast<std::ptrdiff_t>(begin),
                                             live.inputs.begin() + static_cast<std::ptrdiff_t>(end), 1));
    };
    if (sequences > 0) attrs.set("steps", graph.type(node.inputs[carries]).dims[0]);
    attrs.set("carries", kept(0, carries));
    attrs.set("sequences", kept(carries, carries + sequences));
    if (kept(carries, carries + sequences) > 0) attrs.set("steps", int64_t{-1});
    std::vector<Value> in, out;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (live.inputs[i]) in.push_back(r(node.inputs[i]));
    const Value value =
        r.to().add(*node.op, in, attrs, std::make_shared<const Graph>(trimmed(*node.body, live)));
    uint32_t next = 0;
    for (size_t k = 0; k < node.types.size(); ++k)
      out.push_back(live.outputs[k] ? value.output(next++) : Value());
    return out;
  });
}

}  // namespace shoestring
