// Loops against PyTorch's recurrent layers (recurrent.py): outputs, last states, and every gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "compile/differentiate.h"
#include "ops/loop.h"
#include "ops/ops.h"
#include "plans/runner.h"

namespace shoestring::test {
namespace {

using namespace ops;

constexpr int64_t kBatch = 2, kInputs = 3, kHidden = 4;

Tensor64 sines(std::string_view name, int64_t n) {
  Tensor64 out(static_cast<size_t>(n));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = 0.6 * std::sin(1.3 * static_cast<double>(i) + static_cast<double>(name.size()));
  return out;
}

// The bodies: inputs the states, the slice of the input, w, u, bias of the input and of the state.
struct Cell {
  Graph body{"cell"};
  std::vector<Value> states;
  Value x, w, u, b_input, b_state;

  Cell(DType dtype, int64_t gates, std::initializer_list<std::string> names) {
    for (const std::string& n : names) states.push_back(body.input(n, {dtype, {kBatch, kHidden}}));
    x = body.input("x", {dtype, {kBatch, kInputs}});
    w = body.input("w", {dtype, {gates * kHidden, kInputs}});
    u = body.input("u", {dtype, {gates * kHidden, kHidden}});
    b_input = body.input("b_input", {dtype, {gates * kHidden}});
    b_state = body.input("b_state", {dtype, {gates * kHidden}});
  }
  Value from_input() const { return matmul(x, w, {.transpose_b = true}, b_input); }
  Value from_state() const { return matmul(states[0], u, {.transpose_b = true}, b_state); }
  static Value gate(Value all, int64_t number) { return slice(all, 1, number * kHidden, kHidden); }
  Graph finish(std::vector<Value> next) {
    for (const Value& v : next) body.output("", v);
    body.output("y", next[0]);
    return std::move(body);
  }
};

Graph rnn_body(DType dtype) {
  Cell c(dtype, 1, {"h"});
  return c.finish({tanh(c.from_input() + c.from_state())});
}

Graph lstm_body(DType dtype) {
  Cell c(dtype, 4, {"h", "c"});
  const Value all = c.from_input() + c.from_state();
  const Value in = sigmoid(Cell::gate(all, 0)), forget = sigmoid(Cell::gate(all, 1)),
              candidate = tanh(Cell::gate(all, 2)), out = sigmoid(Cell::gate(all, 3));
  const Value cell = forget * c.states[1] + in * candidate;
  return c.finish({out * tanh(cell), cell});
}

Graph gru_body(DType dtype) {
  Cell c(dtype, 3, {"h"});
  const Value a = c.from_input(), b = c.from_state();
  const Value reset = sigmoid(Cell::gate(a, 0) + Cell::gate(b, 0));
  const Value update = sigmoid(Cell::gate(a, 1) + Cell::gate(b, 1));
  const Value candidate = tanh(Cell::gate(a, 2) + reset * Cell::gate(b, 2));
  return c.finish({lerp(candidate, c.states[0], update)});
}

struct Layer {
  std::string_view name;
  int64_t gates;
  std::vector<std::string> states;
  Graph (*body)(DType);
};
const Layer kLayers[] = {
    {"RNN", 1, {"h"}, rnn_body}, {"LSTM", 4, {"h", "cell"}, lstm_body}, {"GRU", 3, {"h"}, gru_body}};

// Results and gradients as outputs, named as in recurrent.txt.
Graph training_graph(const Layer& layer, DType dtype, int64_t steps) {
  Graph g("layer");
  std::map<std::string, Value> wrt;
  const auto input = [&](const std::string& name, Shape dims) {
    return wrt[name] = g.input(name, {dtype, dims});
  };
  std::vector<Value> states, sequence{input("input", {steps, kBatch, kInputs})};
  for (const std::string& n : layer.states) states.push_back(input(n, {kBatch, kHidden}));
  const std::vector<Value> captures{
      input("w", {layer.gates * kHidden, kInputs}), input("u_", {layer.gates * kHidden, kHidden}),
      input("bias", {layer.gates * kHidden}), input("b_state", {layer.gates * kHidden})};
  const Scan s = scan(states, sequence, captures, layer.body(dtype));
  if (s.stacked.empty()) return g;  // status() says why
  g.output("y", s.stacked[0]);
  Value loss = reduce_sum(s.stacked[0] * g.input("upstream y", s.stacked[0].type()));
  for (size_t i = 0; i < states.size(); ++i) {
    g.output(layer.states[i], s.carries[i]);
    loss = loss + reduce_sum(s.carries[i] * g.input("upstream " + layer.states[i], s.carries[i].type()));
  }
  std::vector<Value> values;
  for (const auto& [name, v] : wrt) values.push_back(v);
  const std::vector<Value> gradients = differentiate(g, loss, values);
  size_t at = 0;
  for (const auto& [name, v] : wrt) g.output("d_" + name, gradients[at++]);
  return g;
}

using Stored = std::map<std::string, Tensor64>;  // of one layer and number of steps
std::map<std::pair<std::string, int64_t>, Stored> stored() {
  std::map<std::pair<std::string, int64_t>, Stored> all;
  std::istringstream lines(read_file("tests/plans/recurrent.txt").value());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string layer, name;
    int64_t steps = 0;
    words >> layer >> steps >> name;
    Tensor64& values = all[{layer, steps}][name];
    for (std::string word; words >> word;) values.push_back(std::stod(word));
  }
  return all;
}

void compare(Runner& runner, DType dtype, double tolerance) {
  size_t compared = 0;
  for (const auto& [key, expected] : stored()) {
    const auto layer = std::find_if(std::begin(kLayers), std::end(kLayers),
                                    [&](const Layer& l) { return l.name == key.first; });
    ASSERT_NE(layer, std::end(kLayers));
    Graph g = training_graph(*layer, dtype, key.second);
    ASSERT_TRUE(g.status()) << g.status().error().message();
    g.rename(key.first + std::to_string(key.second));
    runner.add(g);
  }
  for (const auto& [key, expected] : stored()) {
    const auto layer = std::find_if(std::begin(kLayers), std::end(kLayers),
                                    [&](const Layer& l) { return l.name == key.first; });
    const Graph g = training_graph(*layer, dtype, key.second);
    std::map<std::string, Tensor64> inputs;
    for (const Node& n : g.nodes())
      if (n.op == &input_op) inputs[n.name] = sines(n.name, n.types[0].elements());
    const auto got = runner.run(key.first + std::to_string(key.second), inputs);
    for (const auto& [name, values] : expected) {
      ASSERT_EQ(got.at(name).size(), values.size()) << name;
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(got.at(name)[i], values[i], tolerance * (1 + std::abs(values[i])))
            << key.first << " of " << key.second << " steps: " << name << " at " << i;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3 * (8 + 10 + 8));
}

TEST(Recurrent, ReferenceMatchesPyTorch) {
  Interpreted runner;
  compare(runner, DType::f64, 1e-12);
}

TEST(Recurrent, PlansMatchPyTorch) {
  Planned f64, f32;
  compare(f64, DType::f64, 1e-12);
  compare(f32, DType::f32, 2e-5);
}

}  // namespace
}  // namespace shoestring::test
