// simplify: identities that leave every number as it is (up to rounding of constants): shape changes
// that change nothing, chains of them, arithmetic with 0 and 1, transposes that a matmul can read
// through. Runs until nothing changes.
#include <numeric>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

using Replaced = std::optional<std::vector<Value>>;

// One rule set per operator, over the new graph's inputs.
struct Site {
  Graph& graph;  // the new graph
  const Node& node;
  std::vector<Value> in;

  const Node& maker(size_t i) const { return graph.node(in[i].id()); }
  bool made_by(size_t i, std::string_view op) const { return maker(i).op->name == op; }
  bool is_uniform(size_t i, double value) const { return uniform_value(graph, in[i].id()) == value; }
  Value input_of(size_t i, size_t k = 0) const { return graph.value(maker(i).inputs[k]); }
};

Replaced same(Value v) { return std::vector{v}; }

Replaced reshape(const Site& s) {
  if (s.in[0].type() == s.node.types[0]) return same(s.in[0]);
  if (s.made_by(0, "reshape")) return same(ops::reshape(s.input_of(0), s.node.types[0].dims));
  return std::nullopt;
}

Replaced broadcast(const Site& s) {
  if (s.in[0].type() == s.node.types[0]) return same(s.in[0]);
  if (s.made_by(0, "broadcast")) return same(ops::broadcast(s.input_of(0), s.node.types[0].dims));
  return std::nullopt;
}

Replaced cast(const Site& s) {
  if (s.in[0].type() == s.node.types[0]) return same(s.in[0]);
  return std::nullopt;
}

Replaced transpose(const Site& s) {
  std::vector<int64_t> p = s.node.attrs.list("permutation");
  const int rank = s.in[0].dims().rank();
  const auto normal = [rank](std::vector<int64_t> perm) {
    if (perm.empty()) {  // the default swaps the last two
      perm.resize(static_cast<size_t>(rank));
      std::iota(perm.begin(), perm.end(), 0);
      if (rank >= 2) std::swap(perm[static_cast<size_t>(rank) - 1], perm[static_cast<size_t>(rank) - 2]);
    }
    return perm;
  };
  p = normal(p);
  bool identity = true;
  for (size_t i = 0; i < p.size(); ++i) identity = identity && p[i] == static_cast<int64_t>(i);
  if (identity) return same(s.in[0]);
  if (s.made_by(0, "transpose")) {
    const std::vector<int64_t> first = normal(s.maker(0).attrs.list("permutation"));
    std::vector<int64_t> both(p.size());
    for (size_t i = 0; i < p.size(); ++i) both[i] = first[static_cast<size_t>(p[i])];
    return same(ops::transpose(s.input_of(0), both));
  }
  return std::nullopt;
}

// Whether the node swaps the last two axes and nothing else.
bool swaps_last_two(const Node& transpose) {
  const auto& p = transpose.attrs.list("permutation");
  const int rank = transpose.types[0].dims.rank();
  if (p.empty()) return rank >= 2;
  for (int i = 0; i < rank - 2; ++i)
    if (p[static_cast<size_t>(i)] != i) return false;
  return rank >= 2 && p[static_cast<size_t>(rank) - 1] == rank - 2;
}

Replaced matmul(const Site& s) {
  std::vector<Value> in = s.in;
  Attrs attrs = s.node.attrs;
  bool changed = false;
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (!s.made_by(i, "transpose") || !swaps_last_two(s.maker(i))) continue;
    const char* flag = i == 0 ? "transpose_a" : "transpose_b";
    attrs.set(flag, !attrs.flag(flag));
    in[i] = s.input_of(i);
    changed = true;
  }
  if (!changed) return std::nullopt;
  return same(s.graph.add(*s.node.op, in, attrs));
}

Replaced slice(const Site& s) {
  if (s.in[0].type() == s.node.types[0]) return same(s.in[0]);
  return std::nullopt;
}

Replaced concat(const Site& s) {
  if (s.in.size() == 1) return same(s.in[0]);
  return std::nullopt;
}

Replaced add(const Site& s) {
  for (size_t i : {size_t{0}, size_t{1}})
    if (s.is_uniform(i, 0)) return same(s.in[1 - i]);
  if (s.made_by(1, "neg")) return same(ops::sub(s.in[0], s.input_of(1)));
  if (s.made_by(0, "neg")) return same(ops::sub(s.in[1], s.input_of(0)));
  return std::nullopt;
}

Replaced sub(const Site& s) {
  if (s.is_uniform(1, 0)) return same(s.in[0]);
  return std::nullopt;
}

Replaced mul(const Site& s) {
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (s.is_uniform(i, 1)) return same(s.in[1 - i]);
    if (s.is_uniform(i, -1)) return same(ops::neg(s.in[1 - i]));
  }
  if (s.in[0].id() == s.in[1].id()) return same(ops::square(s.in[0]));
  return std::nullopt;
}

Replaced div(const Site& s) {
  if (s.is_uniform(1, 1)) return same(s.in[0]);
  return std::nullopt;
}

Replaced neg(const Site& s) {
  if (s.made_by(0, "neg")) return same(s.input_of(0));
  return std::nullopt;
}

// The max pool whose gradient an operand is.
const Node* pool_before(const Site& s, size_t i) {
  if (!s.made_by(i, "max_pool_grad")) return nullptr;
  const Node& pool = s.graph.node(s.maker(i).inputs[1]);
  return pool.op->name == "max_pool" ? &pool : nullptr;
}

// max_pool_grad of something else, made of the pooled upstream and the pool's results.
template <class F>
Value before_pool_grad(const Site& s, size_t i, F&& f) {
  const Node grad = s.maker(i);
  const Value numbers = s.graph.value(grad.inputs[1]);
  const Value upstream = f(s.graph.value(grad.inputs[0]), s.graph.value({numbers.id().node, 0}));
  return s.graph.add(*grad.op, {upstream, numbers}, grad.attrs);
}

Replaced where(const Site& s) {
  // A pooled relu: where the largest of a window is 0, its gradient is. So nothing behind the pool needs what
  // the relu made, which is several times as large.
  if (const Node* pool = pool_before(s, 1); pool && pool->inputs[0] == s.in[0].id() && s.is_uniform(2, 0))
    return same(before_pool_grad(s, 1, [&](Value upstream, Value largest) {
      return ops::where(largest, upstream,
                        ops::broadcast_like(s.graph.scalar(upstream.type().dtype, 0), upstream));
    }));
  if (const auto c = uniform_value(s.graph, s.in[0].id())) return same(*c != 0 ? s.in[1] : s.in[2]);
  if (s.in[1].id() == s.in[2].id()) return same(s.in[1]);
  return std::nullopt;
}

// Over axes of size 1 there is nothing to add up.
Replaced reduce(const Site& s) {
  if (s.in[0].type().elements() == s.node.types[0].elements() && s.in[0].type().elements() > 0)
    return same(ops::reshape(s.in[0], s.node.types[0].dims));
  return std::nullopt;
}

// All of a pool's gradient, summed over the pictures, is all that came from above.
Replaced sum(const Site& s) {
  const std::vector<int64_t> over{0, 1, 2};
  const Node* pool = pool_before(s, 0);
  if (!pool || s.node.attrs.list("axes") != over ||
      pool->attrs.list("padding") != std::vector<int64_t>{0, 0, 0, 0})
    return reduce(s);
  return same(ops::reduce_sum(s.input_of(0), over, s.node.attrs.flag("keep")));
}

struct Rule {
  std::string_view op;
  Replaced (*apply)(const Site&);
};
constexpr Rule kRules[] = {
    {"reshape", reshape},
    {"broadcast", broadcast},
    {"cast", cast},
    {"transpose", transpose},
    {"matmul", matmul},
    {"slice", slice},
    {"pad", slice},
    {"concat", concat},
    {"add", add},
    {"sub", sub},
    {"mul", mul},
    {"div", div},
    {"neg", neg},
    {"where", where},
    {"reduce_sum", sum},
    {"reduce_mean", reduce},
    {"reduce_max", reduce},
    {"reduce_min", reduce},
    {"reduce_prod", reduce},
};

}  // namespace

Graph simplify(const Graph& graph, const Target& target) {
  bool changed = false;
  Graph out = rewrite(graph, [&](Rewriter& r, NodeId id) -> Replaced {
    const Node& node = graph.node(id);
    for (const Rule& rule : kRules) {
      if (rule.op != node.op->name) continue;
      Site site{r.to(), node, {}};
      for (const ValueId& v : node.inputs) site.in.push_back(r(v));
      if (Replaced replaced = rule.apply(site)) {
        changed = true;
        return replaced;
      }
    }
    return std::nullopt;
  });
  return changed ? simplify(prune(out, target), target) : out;
}

}  // namespace shoestring
