// Passes as data: each case in tests/passes/*.pass is a graph, the name of a pass, and the graph that must
// come out, all in the text form. Two cases are divided by a line of dashes.
//
//   # what it shows
//   pass simplify                      (store: and the dtype, bf16 if it is left out)
//   graph g { … }
//   =>
//   graph g { … }
//
// Every case is also interpreted before and after on random numbers: the outputs and states must agree.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "base/atomic_file.h"
#include "base/philox.h"
#include "compile/compile.h"
#include "ir/interpret.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

const Pass& pass_named(std::string_view name) {
  for (const Pass& p : passes())
    if (p.name == name) return p;
  ADD_FAILURE() << "no pass " << name;
  return passes()[0];
}

Tensor64 random_values(Philox& random, const Type& type) {
  Tensor64 values(static_cast<size_t>(type.elements()));
  for (double& v : values)
    v = info(type.dtype).floating ? 2.0 * uniform01(random.next()) - 1.0 : random.below(2);
  return values;
}

void expect_same_meaning(const Graph& before, const Graph& after, double tolerance) {
  Philox random(5, 1);
  std::map<std::string, Tensor64> inputs, states;
  for (const Node& n : before.nodes())
    if (n.op == &input_op) inputs[n.name] = random_values(random, n.types[0]);
  for (const StateInfo& s : before.states()) states[s.name] = random_values(random, s.type);
  const Interpretation a = interpret(before, inputs, states), b = interpret(after, inputs, states);
  const auto compare = [&](const auto& want, const auto& got) {
    ASSERT_EQ(want.size(), got.size());
    for (const auto& [name, values] : want) {
      ASSERT_TRUE(got.contains(name)) << name;
      const Tensor64& other = got.at(name);
      ASSERT_EQ(values.size(), other.size()) << name;
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], other[i], tolerance * (1 + std::abs(values[i]))) << name << "[" << i << "]";
    }
  };
  compare(a.outputs, b.outputs);
  compare(a.states, b.states);
}

void run_case(const std::string& text, const std::string& where) {
  SCOPED_TRACE(where);
  const size_t keyword = text.find("pass "), arrow = text.find("\n=>\n");
  ASSERT_NE(keyword, std::string::npos);
  ASSERT_NE(arrow, std::string::npos);
  const size_t line_end = text.find('\n', keyword);
  std::istringstream line(text.substr(keyword + 5, line_end - keyword - 5));
  std::string name, option;
  line >> name >> option;
  const auto before = parse_graph(text.substr(line_end, arrow - line_end), ops::all(), where);
  ASSERT_TRUE(before) << before.error().message();
  const auto wanted = parse_graph(text.substr(arrow + 4), ops::all(), where + " (after)");
  ASSERT_TRUE(wanted) << wanted.error().message();
  const CompileOptions options{.precision = {.products = DType::bf16,
                                             .least_products = 0,
                                             .stored = dtype_named(option).value_or(DType::bf16),
                                             .least_stored = 0},
                               .arena_limit_bytes = 1};
  const Graph after = pass_named(name).run(*before, options);
  const Status valid = verify(after);
  ASSERT_TRUE(valid) << valid.error().message();
  EXPECT_EQ(to_text(*wanted), to_text(after));
  expect_same_meaning(*before, after, name == "precision" || name == "store" ? 0.02 : 1e-6);
}

TEST(Passes, AsTheirCasesSay) {
  int cases = 0;
  for (const auto& file : std::filesystem::directory_iterator("tests/passes")) {
    if (file.path().extension() != ".pass") continue;
    const auto text = read_file(file.path());
    ASSERT_TRUE(text);
    for (size_t begin = 0; begin < text->size();) {
      const size_t end = std::min(text->find("\n----", begin), text->size());
      run_case(text->substr(begin, end - begin), fmt::format("{} case {}", file.path().string(), ++cases));
      begin = std::min(text->find('\n', end + 1), text->size());
    }
  }
  EXPECT_GE(cases, 20);
}

}  // namespace
}  // namespace shoestring
