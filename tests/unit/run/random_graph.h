// Graphs drawn at random over the vocabulary: states read, written and swapped, values used many times,
// views, broadcasts, reductions that cross, products, random nodes, losses with their gradients and updates.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/philox.h"
#include "compile/differentiate.h"
#include "ops/ops.h"

namespace shoestring::test {

using ops::operator+, ops::operator-, ops::operator*, ops::operator/;

class RandomGraph {
 public:
  RandomGraph(uint64_t seed, DType dtype, uint32_t nodes)
      : random_(seed, 1), dtype_(dtype), graph_(fmt::format("random{}", seed)) {
    for (const Shape& dims : {Shape{4, 6}, Shape{6}, Shape{6, 5}})
      keep(graph_.input(fmt::format("x{}", values_.size()), {dtype_, dims}));
    indices_ = graph_.input("indices", {DType::i32, {3}});
    for (const Shape& dims : {Shape{4, 6}, Shape{4, 6}, Shape{6}, Shape{}, Shape{6, 5}})
      keep(graph_.read({fmt::format("s{}", values_.size()), {dtype_, dims}, StateRole::parameter}));
    for (uint32_t i = 0; i < nodes; ++i) keep(step());
    if (chance(2)) train();
    write_states();
    const uint32_t outputs = 1 + random_.below(4);
    for (uint32_t i = 0; i < outputs; ++i) graph_.output(fmt::format("y{}", i), pick());
  }
  Graph take() { return std::move(graph_); }

 private:
  bool chance(uint32_t one_in) { return random_.below(one_in) == 0; }
  Value pick() { return values_[random_.below(static_cast<uint32_t>(values_.size()))]; }
  // Of the same type as v; v itself if there is no other.
  Value like(Value v) {
    for (int tries = 0; tries < 30; ++tries)
      if (const Value other = pick(); other.type() == v.type()) return other;
    return v;
  }
  void keep(Value v) {
    if (v.valid() && v.type().dtype == dtype_ && v.type().elements() <= 400) values_.push_back(v);
  }
  int64_t axis_of(Value v) { return random_.below(static_cast<uint32_t>(v.dims().rank())); }
  double small() { return (random_.below(2001) - 1000.0) / 500; }

  Value step() {
    const Value x = pick();
    switch (random_.below(10)) {
      case 0:
      case 1:
        return unary(x);
      case 2:
      case 3:
        return binary(x, like(x));
      case 4:
      case 5:
        return cross(x, like(x));
      case 6:
        return spread(x);
      case 7:
        return x.dims().rank() ? reduce(x) : unary(x);
      case 8:
        return x.dims().rank() ? move(x) : unary(x);
      default:
        return wide(x);
    }
  }

  Value unary(Value x) {
    switch (random_.below(12)) {
      case 0:
        return ops::neg(x);
      case 1:
        return ops::abs(x);
      case 2:
        return ops::relu(x);
      case 3:
        return ops::tanh(x);
      case 4:
        return ops::sigmoid(x);
      case 5:
        return ops::gelu(ops::tanh(x));
      case 6:
        return ops::exp(ops::neg(ops::abs(x)));
      case 7:
        return ops::square(ops::tanh(x));
      case 8:
        return ops::sqrt(ops::abs(x) + 0.5);
      case 9:
        return x * small();
      case 10:
        return 1.0 - x;
      default:
        return ops::tanh(x) / 3.0;
    }
  }
  Value binary(Value a, Value b) {
    switch (random_.below(9)) {
      case 0:
        return a + b;
      case 1:
        return a - b;
      case 2:
        return ops::tanh(a) * b;
      case 3:
        return a / (ops::abs(b) + 1.0);
      case 4:
        return ops::maximum(a, b);
      case 5:
        return ops::minimum(a, b);
      case 6:
        return ops::lerp(a, b, ops::sigmoid(like(a)));
      case 7:
        return ops::where(ops::less(a, b), ops::sigmoid(b), a);
      default:
        return ops::squared_error(ops::tanh(a), ops::tanh(b));
    }
  }
  // Elementwise chains that each need all of another, in any order: fused wrongly they would wait for each
  // other.
  Value cross(Value x, Value y) {
    const Value a = chance(3) ? x : unary(x), early = chance(2) ? all_of(a) : Value();
    const Value b = chance(3) ? y : unary(y), all_b = all_of(b);
    const Value all_a = early.valid() ? early : all_of(chance(2) ? a : ops::tanh(a));
    keep(a), keep(all_a), keep(all_b);
    keep(binary(a, all_b));
    return binary(b, all_a);
  }
  // Of the same type; every element depends on all of a row or of x.
  Value all_of(Value x) {
    if (x.dims().rank() && chance(2)) return ops::softmax(x);
    return ops::broadcast(chance(2) ? ops::tanh(ops::sum_squares(x)) : ops::reduce_mean(x), x.dims());
  }
  Value spread(Value x) {
    if (x.dims() == Shape{}) return ops::broadcast(x, chance(2) ? Shape{6} : Shape{4, 6});
    if (x.dims() == Shape{6}) return ops::broadcast(x, {4, 6});
    if (x.dims() == Shape{4, 1}) return ops::broadcast(x, {4, 6});
    return binary(x, like(x));
  }
  Value reduce(Value x) {
    const int64_t axis = axis_of(x);
    switch (random_.below(6)) {
      case 0:
        return ops::tanh(ops::reduce_sum(x, {axis}, chance(2)));
      case 1:
        return ops::reduce_mean(x, {axis}, chance(2));
      case 2:
        return ops::reduce_max(x, {axis}, chance(2));
      case 3:
        return ops::tanh(ops::sum_squares(x));
      case 4:
        return ops::reduce_mean(x);
      default:
        return ops::softmax(x);
    }
  }
  Value move(Value x) {
    const int64_t axis = axis_of(x), size = x.dims()[static_cast<int>(axis)];
    switch (random_.below(6)) {
      case 0:
        return ops::transpose(x);
      case 1:
        return ops::reshape(x, {x.type().elements()});
      case 2: {
        const int64_t begin = random_.below(static_cast<uint32_t>(size));
        return ops::slice(x, axis, begin, 1 + random_.below(static_cast<uint32_t>(size - begin)));
      }
      case 3:
        return ops::pad_slice(x, axis, random_.below(2), size + 2);
      case 4: {
        const Value both[] = {x, like(x)};
        return ops::concat(both, axis);
      }
      default:
        return ops::cast(ops::cast(x, DType::f64), dtype_);
    }
  }
  Value wide(Value x) {
    switch (random_.below(5)) {
      case 0:
        return ops::dropout(x, 0.3);
      case 1:
        return x + ops::random_uniform(graph_, x.type(), -1, 1);
      case 2:
        if (x.dims().rank() == 2) return ops::gather(x, indices_);
        return unary(x);
      case 3:
        return ops::one_hot(indices_, 1 + random_.below(5), dtype_);
      default:
        return product(x);
    }
  }
  // x by whatever fits it, in any of the four ways, with a bias and an activation at times.
  Value product(Value x) {
    if (x.dims().rank() != 2) return unary(x);
    for (int tries = 0; tries < 20; ++tries) {
      const Value w = pick();
      const bool ta = chance(3), tb = chance(3);
      if (w.dims().rank() != 2 || x.dims()[ta ? 0 : 1] != w.dims()[tb ? 1 : 0]) continue;
      const auto activation = static_cast<ops::Activation>(random_.below(5));
      const int64_t n = w.dims()[tb ? 0 : 1];
      Value bias;
      for (const Value& v : values_)
        if (v.dims() == Shape{n} && chance(2)) bias = v;
      switch (random_.below(3)) {
        case 0:
          return ops::tanh(ops::matmul(x, w, {ta, tb}));
        case 1:
          return ops::tanh(ops::matmul(x, w, {ta, tb, activation}, bias));
        default: {  // what the epilogue pass looks for
          const Value y = ops::matmul(x, w, {ta, tb});
          return ops::tanh(bias.valid() ? y + ops::broadcast_like(bias, y) : y);
        }
      }
    }
    return unary(x);
  }

  // One step down a slope, for the states of a loss that depends on everything.
  void train() {
    Value loss = ops::reduce_mean(ops::tanh(pick()));
    for (int i = 0; i < 3; ++i) loss = loss + ops::reduce_mean(ops::tanh(pick()));
    std::vector<Value> parameters;
    for (const StateInfo& s : std::vector(graph_.states().begin(), graph_.states().end()))
      parameters.push_back(graph_.read(s));
    const std::vector<Value> gradients = differentiate(graph_, loss, parameters);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (chance(3)) keep(gradients[i]);
      keep(parameters[i] - gradients[i] * 0.1);
    }
    graph_.output("loss", loss);
  }

  // Some states take a value computed, the old value of another, or their own; the rest stay. A state's old
  // value has its last use before the state is written, so these come in an order.
  void write_states() {
    std::vector<std::pair<std::string, Value>> writes;
    std::vector<ValueId> written;
    for (const StateInfo& s : std::vector(graph_.states().begin(), graph_.states().end())) {
      const Value value = like(graph_.read(s));
      if (chance(3) || std::find(written.begin(), written.end(), value.id()) != written.end()) continue;
      writes.emplace_back(s.name, value);
      written.push_back(graph_.read(s).id());
    }
    for (const auto& [name, value] : writes) graph_.write(name, value);
  }

  Philox random_;
  DType dtype_;
  Graph graph_;
  Value indices_;
  std::vector<Value> values_;
};

}  // namespace shoestring::test
