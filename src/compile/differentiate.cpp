#include "compile/differentiate.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "ops/loop.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

std::vector<Value> pull_back(Graph& graph, std::span<const ops::Returned> returned,
                             std::span<const Value> wrt);

class Differentiation {
 public:
  Differentiation(Graph& graph, std::span<const Value> wrt) : graph_(graph) {
    for (const Value& v : wrt) sources_.insert(v.id().node);
    mark_new_nodes();
  }

  void seed(Value output, Value upstream) { contribute(output.id(), upstream); }

  // Nodes [begin, end) in reverse: every use of a value stands after it, so its gradient is complete
  // when its node is reached.
  void backward(uint32_t begin, uint32_t end) {
    for (uint32_t i = end; i-- > begin;) step(NodeId{i});
  }

  Value gradient(ValueId id) {
    const auto& list = contributions(id);
    if (list.empty()) return {};
    Value sum = list[0];
    for (size_t i = 1; i < list.size(); ++i) sum = ops::add(sum, list[i]);
    contributions(id) = {sum};
    return sum;
  }

 private:
  void step(NodeId id) {
    if (!depends_[id.index] || id.index >= gradients_.size()) return;
    const OpDef& op = *graph_.node(id).op;
    std::vector<Value> upstream;
    bool reached = false;
    for (uint32_t k = 0; k < graph_.node(id).types.size(); ++k) {
      upstream.push_back(gradient({id, k}));
      reached |= upstream.back().valid();
    }
    if (!reached || graph_.node(id).inputs.empty()) return;

    if (op.grad) {
      by_rule(id, upstream, op.grad);
    } else if (ops::is_loop(graph_.node(id))) {
      through_loop(id, upstream);
    } else if (op.expand) {
      through_expansion(id, upstream);
    } else if (op.no_grad.empty()) {
      graph_.error(fmt::format("{}: has no gradient rule", op.name));
    }
  }

  template <class Rule>
  void by_rule(NodeId id, std::span<const Value> upstream, Rule&& rule) {
    const std::vector<ValueId> inputs = graph_.node(id).inputs;
    const auto wanted = std::make_unique<bool[]>(inputs.size());  // vector<bool> has no span
    for (size_t k = 0; k < inputs.size(); ++k) wanted[k] = depends_[inputs[k].node.index];
    Backward b(graph_, id, upstream, std::span(wanted.get(), inputs.size()));
    rule(b);
    mark_new_nodes();
    for (size_t k = 0; k < inputs.size(); ++k)
      if (wanted[k])
        for (const Value& g : b.gradients(static_cast<int>(k))) contribute(inputs[k], g);
  }

  // The gradient of a loop is another one, whose body is differentiated here.
  void through_loop(NodeId id, std::span<const Value> upstream) {
    const std::shared_ptr<const Graph> body = graph_.node(id).body;
    by_rule(id, upstream,
            [&](Backward& b) { ops::scan_gradient(b, body, static_cast<int>(upstream.size()), pull_back); });
  }

  // A composite's gradient is that of its expansion. The nodes appended here are the very ones that the
  // expand pass will make of the composite itself, and merging makes them one.
  void through_expansion(NodeId id, std::span<const Value> upstream) {
    std::vector<Value> inputs;
    for (const ValueId& v : graph_.node(id).inputs) inputs.push_back(graph_.value(v));
    const Attrs attrs = graph_.node(id).attrs;
    const OpDef& op = *graph_.node(id).op;
    const auto begin = static_cast<uint32_t>(graph_.nodes().size());
    Expansion expansion(graph_, inputs, attrs);
    const std::vector<Value> outputs = op.expand(expansion);
    const auto end = static_cast<uint32_t>(graph_.nodes().size());
    mark_new_nodes();
    for (size_t k = 0; k < outputs.size(); ++k)
      if (upstream[k].valid() && outputs[k].valid()) contribute(outputs[k].id(), upstream[k]);
    backward(begin, end);
  }

  // Which nodes depend on a source, for the nodes appended since the last call.
  void mark_new_nodes() {
    for (auto i = static_cast<uint32_t>(depends_.size()); i < graph_.nodes().size(); ++i) {
      bool d = sources_.contains(NodeId{i});
      for (const ValueId& v : graph_.nodes()[i].inputs) d |= static_cast<bool>(depends_[v.node.index]);
      depends_.push_back(d);
    }
  }

  std::vector<Value>& contributions(ValueId id) {
    if (gradients_.size() <= id.node.index) gradients_.resize(id.node.index + 1);
    auto& outputs = gradients_[id.node.index];
    if (outputs.size() <= id.output) outputs.resize(id.output + 1);
    return outputs[id.output];
  }
  void contribute(ValueId id, Value gradient) {
    if (!gradient.valid() || !depends_[id.node.index]) return;
    if (gradient.type() != graph_.type(id)) {
      graph_.error(fmt::format("the gradient of {} is {}, its value {}", graph_.node(id).op->name,
                               to_string(gradient.type()), to_string(graph_.type(id))));
      return;
    }
    contributions(id).push_back(gradient);
  }

  Graph& graph_;
  std::set<NodeId> sources_;
  std::vector<char> depends_;
  std::vector<std::vector<std::vector<Value>>> gradients_;  // [node][output] -> what was added so far
};

std::vector<Value> pull_back(Graph& graph, std::span<const ops::Returned> returned,
                             std::span<const Value> wrt) {
  std::vector<Value> out(wrt.size());
  if (!graph.status()) return out;
  Differentiation pass(graph, wrt);
  uint32_t end = 0;
  for (const ops::Returned& r : returned) {
    pass.seed(r.output, r.upstream);
    end = std::max(end, r.output.id().node.index + 1);
  }
  pass.backward(0, end);
  for (size_t i = 0; i < wrt.size(); ++i) {
    out[i] = pass.gradient(wrt[i].id());
    if (!out[i].valid()) out[i] = graph.constant(wrt[i].type(), std::array{0.0});
  }
  return out;
}

}  // namespace

std::vector<Value> differentiate(Graph& graph, Value loss, std::span<const Value> wrt) {
  if (!loss.valid() || !graph.status()) return std::vector<Value>(wrt.size());
  if (loss.dims().rank() != 0) {
    graph.error(fmt::format("differentiate: the loss must be a scalar, not {}", to_string(loss.type())));
    return std::vector<Value>(wrt.size());
  }
  return pull_back(graph, std::array{ops::Returned{loss, graph.constant(loss.type(), std::array{1.0})}}, wrt);
}

}  // namespace shoestring
