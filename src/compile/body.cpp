#include "compile/body.h"

#include <algorithm>

#include "compile/buffers.h"
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ir/verify.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// The read whose memory a value is, through views.
ValueId root(const Graph& graph, ValueId v) {
  while (view_offset(graph, graph.node(v))) v = graph.node(v).inputs[0];
  return v;
}

Value copied(Value v) {
  const Value flat = ops::reshape(v, {v.type().elements()});
  return ops::reshape(ops::concat(std::array{flat}, 0), v.dims());
}

// The body over its ports: every port is a state, of which inputs are read and outputs written. So a carried
// value is computed right where the old one was, and a stacked output right in its slice, whenever the rules
// of states allow.
Graph with_ports(const Graph& body, size_t carries) {
  Graph to(body.name());
  std::vector<Value> made(body.nodes().size());  // each node's first output
  std::vector<ValueId> inputs;
  for (uint32_t i = 0; i < body.nodes().size(); ++i) {
    const Node& node = body.nodes()[i];
    if (node.op == &input_op) {
      made[i] = to.read({.name = std::to_string(inputs.size()), .type = node.types[0]});
      inputs.push_back({NodeId{i}, 0});
      continue;
    }
    std::vector<Value> in;
    for (const ValueId& v : node.inputs) in.push_back(made[v.node.index].output(v.output));
    made[i] = to.clone(node, in);
  }
  std::vector<Value> values;  // of the outputs: all are made before anything is written
  for (size_t k = 0; k < body.outputs().size(); ++k) {
    const ValueId v = body.outputs()[k].value;
    values.push_back(made[v.node.index].output(v.output));
    // Another carry's old value may be replaced before it is copied: keep it.
    if (k < carries && v != inputs[k] && body.node(root(body, v)).op == &input_op)
      values[k] = copied(values[k]);
  }
  const auto write = [&](size_t k) {
    const std::string port = std::to_string(k < carries ? k : inputs.size() + k);
    to.declare({.name = port, .type = values[k].type()});
    to.write(port, values[k]);
  };
  for (size_t k = carries; k < values.size(); ++k) write(k);  // these may be carries' old values
  for (size_t k = 0; k < carries; ++k)
    if (body.outputs()[k].value != inputs[k]) write(k);  // else it stays
  return to;
}

}  // namespace

Graph in_bodies(Graph graph, const Pass& pass, const CompileOptions& options) {
  const auto nodes = graph.nodes();
  if (std::none_of(nodes.begin(), nodes.end(), ops::is_loop)) return graph;
  return rewrite(graph, [&](Rewriter& r, NodeId id) -> std::optional<std::vector<Value>> {
    const Node& node = graph.node(id);
    if (!ops::is_loop(node)) return std::nullopt;
    auto body = std::make_shared<const Graph>(in_bodies(pass.run(*node.body, options), pass, options));
    std::vector<Value> in, out;
    for (const ValueId& v : node.inputs) in.push_back(r(v));
    const Value value = r.to().add(*node.op, in, node.attrs, std::move(body));
    for (uint32_t k = 0; k < node.types.size(); ++k) out.push_back(value.output(k));
    return out;
  });
}

Result<PlacedBody> place_body(const Graph& body, size_t carries, const CompileOptions& options) {
  Graph graph = with_ports(body, carries);
  if (std::find(options.skip.begin(), options.skip.end(), "schedule") == options.skip.end())
    graph = schedule(graph, options.target);
  if (auto s = verify(graph); !s) return fail(s.error());
  StateLayout layout;
  if (auto s = layout.include(graph); !s) return fail(s.error());
  Result<Plan> placed = place_steps(std::move(graph), layout, options);
  if (!placed) return fail(placed.error());
  const auto plan = std::make_shared<const Plan>(std::move(*placed));

  PlacedBody out{{.scratch_bytes = plan->arena_bytes, .constants = plan->constants.data(), .plan = plan},
                 plan};
  const auto slots = layout.slots();
  for (const Step& step : plan->steps) {
    ops::PreparedBody::Step s{step.prepared.run, step.prepared.data.get(), {}};
    for (const Operand& o : step.operands) {
      ops::PreparedBody::Operand to{ops::PreparedBody::Memory::scratch, 0, o.place.offset};
      if (o.place.memory == Memory::constant) to.memory = ops::PreparedBody::Memory::constant;
      if (o.place.memory == Memory::state) {
        const auto after =
            std::upper_bound(slots.begin(), slots.end(), o.place.offset,
                             [](int64_t offset, const StateSlot& x) { return offset < x.offset; });
        const StateSlot& slot = *(after - 1);
        to = {ops::PreparedBody::Memory::port, static_cast<uint32_t>(std::stoul(slot.info.name)),
              o.place.offset - slot.offset};
      }
      s.operands.push_back(to);
    }
    out.prepared.steps.push_back(std::move(s));
  }
  return out;
}

Result<PlacedBody> compile_body(const Graph& body, size_t carries, const CompileOptions& options) {
  return run_passes(body, options).and_then([&](const Graph& graph) {
    return place_body(graph, carries, options);
  });
}

}  // namespace shoestring
