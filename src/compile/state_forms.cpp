#include "compile/state_forms.h"

#include "ops/ops.h"

namespace shoestring {

StateForm cast_form(const StateInfo& plain, DType dtype) {
  const StateInfo kept{plain.name, {dtype, plain.type.dims}, plain.role};
  return {
      .states = {kept},
      .read = [=](Graph& g, const Restated&) { return ops::cast(g.read(kept), plain.type.dtype); },
      .write = [=](Graph& g, const Restated&, Value value) { g.write(kept.name, ops::cast(value, dtype)); }};
}

StateForm rows_form(const StateInfo& table, ValueId numbers) {
  return {
      .states = {table},
      .read = [=](Graph& g, const Restated& at) { return ops::gather(g.read(table), at(numbers)); },
      .write =
          [=](Graph& g, const Restated& at, Value value) {
            g.write(table.name, g.add(*ops::find("scatter_rows"), {g.read(table), at(numbers), value}, {}));
          }};
}

Graph restate(const Graph& graph, const StateForms& forms) {
  if (!graph.status() || forms.empty()) return graph;
  Graph to(graph.name());
  for (const StateInfo& s : graph.states()) {
    const auto form = forms.find(s.name);
    if (form == forms.end())
      to.declare(s);
    else
      for (const StateInfo& kept : form->second.states) to.declare(kept);
  }
  std::vector<Value> values(graph.nodes().size());  // of each node its first output
  const Restated restated = [&](ValueId v) { return values[v.node.index].output(v.output); };
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    std::vector<Value> inputs;
    for (const ValueId& v : node.inputs) inputs.push_back(restated(v));
    const bool on_state = node.op == &read_op || node.op == &write_op;
    const auto form = on_state ? forms.find(node.name) : forms.end();
    if (form == forms.end())
      values[i] = to.clone(node, inputs);
    else if (node.op == &read_op)
      values[i] = form->second.read(to, restated);
    else
      form->second.write(to, restated, inputs[0]);
  }
  for (const NamedValue& o : graph.outputs()) to.output(o.name, restated(o.value));
  return to;
}

}  // namespace shoestring
