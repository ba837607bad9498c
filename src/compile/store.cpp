// store: what the forward part makes and only late nodes still read is kept in 16 bits between, where the
// caller asked for it. All computing stays in f32: the forward part goes on with the value itself, and each
// late reader widens what was kept for itself, so that only the half lives from one to the next.
//
// bf16 has f32's range. f16 has four times finer steps and ends at 65,504: what is larger is kept as that.
#include <map>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "compile/turn.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

constexpr double kLargestF16 = 65504;

class Storing {
 public:
  Storing(const Graph& graph, const Precision& precision) : graph_(graph), turn_(graph) {
    if (!turn_.exists()) return;
    for (const ValueId& v : turn_.crossing())
      if (const Type& t = graph.type(v); t.dtype == DType::f32 && t.bytes() >= precision.least_stored)
        kept_.emplace(v, Value());
    dtype_ = precision.stored;
  }
  bool anything() const { return !kept_.empty(); }

  std::optional<std::vector<Value>> operator()(Rewriter& r, NodeId id) {
    const Node& node = graph_.node(id);
    if (!turn_.forward(id)) return late(r, id, node);
    r.copy(id);
    std::vector<Value> outputs;
    for (uint32_t k = 0; k < node.types.size(); ++k) {
      outputs.push_back(r({id, k}));
      if (const auto kept = kept_.find({id, k}); kept != kept_.end()) kept->second = narrow(outputs.back());
    }
    return outputs;
  }

 private:
  Value narrow(Value v) const {
    if (dtype_ == DType::f16) v = ops::clamp(v, -kLargestF16, kLargestF16);
    return ops::cast(v, dtype_);
  }

  std::optional<std::vector<Value>> late(Rewriter& r, NodeId id, const Node& node) {
    return reading(r, node, [&](ValueId v) { return widened(r, v, id); });
  }

  // What a late reader takes for a value. Readers whose turn comes at the same time share it.
  Value widened(Rewriter& r, ValueId v, NodeId reader) {
    const Node& maker = graph_.node(v);
    if (const auto kept = kept_.find(v); kept != kept_.end()) {
      const ValueId when = turn_.before(reader);
      Value& known = widened_[{v, when}];
      if (!known.valid()) known = ops::cast(after(kept->second, r(when)), DType::f32);
      return known;
    }
    if (!turn_.forward(v) || is_leaf(maker) || !is_view(graph_, maker)) return r(v);
    const Value shown = widened(r, maker.inputs[0], reader);
    return shown.id() == r(maker.inputs[0]).id() ? r(v) : r.to().clone(maker, {&shown, 1});
  }

  const Graph& graph_;
  Turn turn_;
  DType dtype_ = DType::f32;
  std::map<ValueId, Value> kept_;  // of the old graph -> in the new one, in 16 bits
  std::map<std::pair<ValueId, ValueId>, Value> widened_;
};

}  // namespace

Graph store_narrow(const Graph& graph, const CompileOptions& options) {
  if (options.precision.stored == DType::f32) return graph;
  Storing storing(graph, options.precision);
  if (!storing.anything()) return graph;
  return rewrite(graph, [&](Rewriter& r, NodeId id) { return storing(r, id); });
}

}  // namespace shoestring
