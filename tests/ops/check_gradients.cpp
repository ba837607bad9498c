// Gradients, in f64: the graph that the gradient rule makes, evaluated by the interpreter, against
// central differences of the operator's reference.
#include <cmath>

#include "base/philox.h"
#include "compile/differentiate.h"
#include "ir/verify.h"
#include "ops/check.h"
#include "ops/differentiated.h"
#include "ops/ops.h"

namespace shoestring::optest {
namespace {

constexpr double kStep = 1e-5;
constexpr int kDirections = 2, kElements = 12;

bool real(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

double dot(const Tensor64& a, const Tensor64& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Sum over results of upstream * result, and the size of its terms (which bounds its rounding).
struct Loss {
  double value = 0, size = 0;
};

class Differences {
 public:
  Differences(const Case& c, const Differentiated& d, std::vector<Tensor64> at)
      : c_(c), d_(d), at_(std::move(at)) {}

  Loss loss() const {
    std::vector<const Tensor64*> in;
    for (const Tensor64& t : at_) in.push_back(&t);
    const std::vector<Tensor64> out = interpret_node(c_.node(), c_.row.in_types(), in, kContext);
    Loss l;
    for (const auto& [result, upstream] : d_.upstream)
      for (size_t i = 0; i < upstream.size(); ++i) {
        l.value += upstream[i] * out[result][i];
        l.size += std::abs(upstream[i] * out[result][i]);
      }
    return l;
  }
  // The derivative along `direction` (one tensor for each of d.wrt).
  double along(const std::vector<Tensor64>& direction) {
    const double up = moved(direction, kStep), down = moved(direction, -kStep);
    return (up - down) / (2 * kStep);
  }
  double element(size_t operand, size_t i) {
    double& x = at_[operand][i];
    const double old = x;
    x = old + kStep;
    const double up = loss().value, above = x;
    x = old - kStep;
    const double down = loss().value, below = x;
    x = old;
    return (up - down) / (above - below);
  }

 private:
  double moved(const std::vector<Tensor64>& direction, double h) {
    const std::vector<Tensor64> old = at_;
    for (size_t k = 0; k < d_.wrt.size(); ++k)
      for (size_t i = 0; i < direction[k].size(); ++i) at_[d_.wrt[k]][i] += h * direction[k][i];
    const double value = loss().value;
    at_ = old;
    return value;
  }

  const Case& c_;
  const Differentiated& d_;
  std::vector<Tensor64> at_;
};

}  // namespace

std::optional<Differentiated> differentiated(const Case& c) {
  const OpDef& op = *c.row.op;
  if (!op.no_grad.empty()) return std::nullopt;
  Differentiated d{Graph("gradient"), {}, {}};
  std::vector<Value> in, wrt;
  for (size_t i = 0; i < c.row.in.size(); ++i) {
    in.push_back(d.graph.input(c.row.in[i].name, c.row.in[i].type));
    if (!real(c.row.in[i].type.dtype) || c.row.in[i].constant) continue;
    d.wrt.push_back(i);
    wrt.push_back(in.back());
  }
  Value first = d.graph.add(op, in, c.row.attrs, c.node().body), loss;
  for (size_t k = 0; k < c.row.out.size(); ++k) {
    const Expected& e = c.row.out[k];
    if (e.aux || !real(e.type.dtype)) continue;
    const Tensor64 upstream = encoded(e.type, normal(e.type.elements(), static_cast<uint32_t>(k))).values;
    const std::string name = fmt::format("upstream{}", k);
    const Value term =
        ops::reduce_sum(ops::mul(first.output(static_cast<uint32_t>(k)), d.graph.input(name, e.type)));
    loss = loss.valid() ? ops::add(loss, term) : term;
    d.upstream.emplace_back(k, upstream);
  }
  if (wrt.empty() || !loss.valid()) return std::nullopt;
  const std::vector<Value> gradients = differentiate(d.graph, loss, wrt);
  for (size_t k = 0; k < gradients.size(); ++k) d.graph.output(gradient_name(c, d.wrt[k]), gradients[k]);
  return d;
}

std::string gradient_name(const Case& c, size_t operand) { return "d " + c.row.in[operand].name; }

std::map<std::string, Tensor64> inputs_of(const Case& c, const Differentiated& d,
                                          std::span<const Data> data) {
  std::map<std::string, Tensor64> inputs;
  for (size_t i = 0; i < data.size(); ++i) inputs[c.row.in[i].name] = data[i].values;
  for (const auto& [result, upstream] : d.upstream) inputs[fmt::format("upstream{}", result)] = upstream;
  return inputs;
}

void check_gradients(const Case& c, Report& report) {
  const std::string flags = "--only gradients";
  if (c.row.nograd) return;
  const std::optional<Differentiated> d = differentiated(c);
  if (!d) return;
  if (const Status s = d->graph.status(); !s)
    return report.fail(c.row, "the gradient rule's graph: " + s.error().what, flags);
  if (const Status s = verify(d->graph); !s)
    return report.fail(c.row, "the gradient rule's graph: " + s.error().message(), flags);

  const std::vector<Data> data = draw(c.row);
  const Interpretation interpreted = interpret(d->graph, inputs_of(c, *d, data), {}, kContext);
  std::vector<Tensor64> gradients, at;
  for (size_t operand : d->wrt) gradients.push_back(interpreted.outputs.at(gradient_name(c, operand)));
  for (const Data& x : data) at.push_back(x.values);
  Differences differences(c, *d, at);
  const Loss loss = differences.loss();
  const double rounding = 1e-9 + 1e-15 * loss.size / kStep;

  auto compare = [&](const std::string& what, double rule, double numeric, double scale) {
    const double allowed = c.row.gradient_tolerance * (std::abs(rule) + scale) + rounding;
    if (!(std::abs(rule - numeric) <= allowed))
      report.fail(c.row,
                  fmt::format("the gradient {} is {:.9g}, by differences {:.9g} (allowed: {:.2g} apart)",
                              what, rule, numeric, allowed),
                  flags);
    else
      report.passed();
  };
  for (uint32_t n = 0; n < kDirections; ++n) {
    std::vector<Tensor64> direction;
    double rule = 0, scale = 0;
    for (size_t k = 0; k < gradients.size(); ++k) {
      direction.push_back(
          normal(static_cast<int64_t>(gradients[k].size()), 100 + 10 * n + static_cast<uint32_t>(k)));
      rule += dot(gradients[k], direction.back());
      scale += dot(gradients[k], gradients[k]);
    }
    compare("along a random direction", rule, differences.along(direction), std::sqrt(scale));
  }
  Philox random(11, 0);
  for (size_t k = 0; k < gradients.size(); ++k) {
    const Tensor64& g = gradients[k];
    if (g.empty() || g.size() > 20000) continue;
    const double scale = std::sqrt(dot(g, g) / static_cast<double>(g.size()));
    for (int n = 0; n < kElements; ++n) {
      const size_t i =
          g.size() <= kElements ? static_cast<size_t>(n) : random.below(static_cast<uint32_t>(g.size()));
      if (i >= g.size()) break;
      compare(fmt::format("by {} at {}", c.row.in[d->wrt[k]].name, i), g[i],
              differences.element(d->wrt[k], i), scale);
    }
  }
}

}  // namespace shoestring::optest
