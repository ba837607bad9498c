// The text form of graphs: prints, parses, and says where it is wrong.
#include "ir/text.h"

#include <gtest/gtest.h>

#include "base/philox.h"
#include "ir/verify.h"
#include "unit/ir/small_ops.h"

namespace shoestring {
namespace {

using test::kOps;

TEST(Text, IsWhatTheHeaderShows) {
  Graph g("forward");
  const Value x = g.input("x", {DType::f32, {3}});
  const Value w = g.read({"w1", {DType::f32, {3}}, StateRole::moment});
  const Value c = g.constant({DType::f32, {}}, std::array{0.5});
  const Value s = g.add(test::split_op, {x},
                        {{"at", int64_t{2}},
                         {"scale", 0.25},
                         {"exact", true},
                         {"mode", std::string("far")},
                         {"order", std::vector<int64_t>{1, 0}}});
  g.write("w1", g.add(test::sum_op, {x, w}));
  g.output("tail", s.output(1));
  g.output("half", c);
  EXPECT_EQ(to_text(g), R"(graph forward {
  state w1: moment f32[3]
  %0 = input "x": f32[3]
  %1 = read w1: f32[3]
  %2 = constant {0.5}: f32[]
  %3 = split(%0) {at=2, scale=0.25, exact=true, mode="far", order=[1,0]}: f32[2]; f32[1]
  %4 = sum(%0, %1): f32[3]
  write w1, %4
  output "tail" = %3.1
  output "half" = %2
}
)");
}

// ---- round trips ----

void expect_round_trip(const Graph& g) {
  ASSERT_TRUE(verify(g)) << verify(g).error().message();
  const std::string text = to_text(g);
  const Result<Graph> again = parse_graph(text, kOps);
  ASSERT_TRUE(again) << again.error().message() << "\n" << text;
  EXPECT_EQ(to_text(*again), text);
  ASSERT_EQ(again->nodes().size(), g.nodes().size());
  for (size_t i = 0; i < g.nodes().size(); ++i) {
    const Node &a = g.nodes()[i], &b = again->nodes()[i];
    EXPECT_EQ(a.op, b.op);
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.attrs, b.attrs);
    EXPECT_EQ(a.types, b.types);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.literal == nullptr, b.literal == nullptr);
    if (a.literal && b.literal) {
      EXPECT_EQ(*a.literal, *b.literal);
    }
  }
  EXPECT_EQ(std::vector(g.states().begin(), g.states().end()),
            std::vector(again->states().begin(), again->states().end()));
}

// A graph of any shape: values from every source, attributes of every kind, states read and written.
Graph random_graph(Philox& random, int depth = 0) {
  Graph g(fmt::format("g{}", random.below(100)));
  auto type = [&] {
    const DType dtypes[] = {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8};
    return Type{dtypes[random.below(5)], {1 + random.below(3), random.below(4)}};
  };
  std::vector<Value> values;
  auto pick = [&] { return values[random.below(static_cast<uint32_t>(values.size()))]; };
  values.push_back(g.input("x", type()));
  const uint32_t nodes = 3 + random.below(15);
  for (uint32_t i = 0; i < nodes; ++i) {
    switch (random.below(8)) {
      case 0:
        values.push_back(g.input(fmt::format("in {}", i), type()));
        break;
      case 1: {
        const Type t = type();
        std::vector<double> numbers(static_cast<size_t>(t.elements()));
        for (double& x : numbers) x = (static_cast<double>(random.next()) - 0x1p31) / 1000;
        values.push_back(g.constant(t, numbers));
        break;
      }
      case 2:
        values.push_back(
            g.read({fmt::format("layer{}.w", i), type(), static_cast<StateRole>(random.below(5))}));
        break;
      case 3:
      case 4: {
        const Value v = pick();
        const Value s =
            g.add(test::split_op, {v},
                  {{"at", static_cast<int64_t>(random.below(static_cast<uint32_t>(v.dims()[0]) + 1))},
                   {"scale", random.next() * 1e-7},
                   {"exact", random.below(2) == 1}});
        if (s.dims()[0] > 0) values.push_back(s);
        if (s.output(1).dims()[0] > 0) values.push_back(s.output(1));
        break;
      }
      case 5:
        if (depth < 2) {
          auto body = std::make_shared<Graph>(random_graph(random, depth + 1));
          values.push_back(g.add(test::holds_op, std::array{pick()}, {}, std::move(body)));
        }
        break;
      default: {
        const Value v = pick();
        values.push_back(g.add(test::sum_op, {v, v}));
      }
    }
  }
  for (const StateInfo& s : std::vector(g.states().begin(), g.states().end())) {
    Value same;
    for (const Value& v : values)
      if (v.type() == s.type) same = v;
    if (random.below(2)) g.write(s.name, same);
  }
  g.output("y", pick());
  return g;
}

TEST(Text, RandomGraphsReadBack) {
  Philox random(42, 1);
  for (int i = 0; i < 300; ++i) {
    const Graph g = random_graph(random);
    ASSERT_TRUE(g.status()) << g.status().error().message();
    expect_round_trip(g);
    if (HasFailure()) break;
  }
}

TEST(Text, ConstantsReadBackToTheBit) {
  Graph g("constants");
  g.constant({DType::f32, {6}}, std::array{0.1, 1e-45, 3.4028234663852886e38, -0.0, 1.0 / 3, 16777217.0});
  g.constant({DType::f64, {4}}, std::array{0.1, 5e-324, 1.7976931348623157e308, 2.0 / 3});
  g.constant({DType::f64, {3}}, std::array{HUGE_VAL, -HUGE_VAL, std::nan("")});
  g.constant({DType::f32, {2}}, std::array{0.0, -0.0});
  g.constant({DType::i32, {3}}, std::array{-2147483648.0, 2147483647.0, 0.0});
  g.constant({DType::u8, {2}}, std::array{0.0, 255.0});
  g.constant({DType::bf16, {2}}, std::array{1.5, -3.0e38});
  g.constant({DType::f32, {0}}, std::vector<double>{});
  g.constant({DType::f32, {2, 1000}}, std::array{7.0});
  expect_round_trip(g);
}

TEST(Text, NamesWithAnyCharacter) {
  for (const std::string name : {"a b", "price ($)", "\"quoted\"", "back\\slash", "new\nline", "tab\t", "é",
                                 "%0", "graph", "a=b", "{x}", "#no comment", ""}) {
    Graph g(name);
    const Value x = g.input(name, {DType::f32, {1}});
    g.write(name, g.add(test::sum_op, {x, g.read({name, {DType::f32, {1}}})}));
    g.output(name, x);
    expect_round_trip(g);
    const Result<Graph> again = parse_graph(to_text(g), kOps);
    if (again) {
      EXPECT_EQ(again->name(), name);
    }
  }
}

TEST(Text, WholeNumbersOfAnySizeReadBack) {
  Graph g("g");
  g.add(test::draw_op, {}, {{"stream", int64_t{9007199254740993}}});
  expect_round_trip(g);
}

TEST(Text, SeveralGraphs) {
  const auto graphs = parse_graphs("graph a {}\n# between\ngraph b { %0 = input \"x\": f32[] }\n", kOps);
  ASSERT_TRUE(graphs);
  ASSERT_EQ(graphs->size(), 2u);
  EXPECT_EQ((*graphs)[1].name(), "b");
  EXPECT_EQ(parse_graph("", kOps).error().message(), "graph: holds 0 graphs, not one; keep one graph");
}

// The text's numbers are its own.
TEST(Text, NumbersNeedNotBeInOrder) {
  const auto g =
      parse_graph("graph g { %7 = input \"x\": f32[2]  %3 = sum(%7, %7): f32[2]  output \"y\" = %3 }", kOps);
  ASSERT_TRUE(g) << g.error().message();
  EXPECT_EQ(g->nodes().size(), 2u);
}

// ---- errors ----

std::string error_of(std::string_view text) {
  const auto g = parse_graph(text, kOps, "m.graph");
  return g ? "" : g.error().message();
}

TEST(Text, ErrorsNameLineAndColumn) {
  const std::string hint = "; see the text form in ir/text.h";
  EXPECT_EQ(error_of("grph g {}"), "m.graph:1:1: expected 'graph'" + hint);
  EXPECT_EQ(error_of("graph g {\n  %0 = input \"x\": f32[2\n}"),
            "m.graph:2:19: expected a type such as f32[70,5]" + hint);
  EXPECT_EQ(error_of("graph g {\n  %0 = foo()\n}"),
            "m.graph:2:11: unknown operator 'foo'; use one of the operators in src/ops");
  EXPECT_EQ(error_of("graph g {\n  output \"y\" = %0\n}"),
            "m.graph:2:18: %0 is not defined above; define values before they are used");
  EXPECT_EQ(error_of("graph g { %0 = input \"x\": f32[2] %1 = sum(%0): f32[3] }"),
            "m.graph:1:55: sum gives f32[2], not f32[3]; correct the type or its inputs");
  EXPECT_EQ(error_of("graph g { %0 = input \"x\": f32[2] %0 = input \"y\": f32[2] }"),
            "m.graph:1:36: %0 is defined twice; give each value its own number");
  EXPECT_EQ(error_of("graph g { %0 = input \"x\": f32[2] %1 = split(%0) {wrong=1}: f32[1]; f32[1] }"),
            "m.graph:1:55: split: no attribute 'wrong'; see the operator's file in src/ops");
  EXPECT_EQ(error_of("graph g { %0 = input \"x"), "m.graph:1:24: a string does not end" + hint);
  EXPECT_EQ(error_of("graph g {"), "m.graph:1:10: expected '%'" + hint);
}

// What a damaged or hostile file may hold: no crash, an error.
TEST(Text, SurvivesBadText) {
  EXPECT_NE(error_of("graph g { %0 = constant {0}: f32[4611686018427387904,4] }"), "");
  EXPECT_NE(error_of("graph g { %0 = constant {0}: f32[1000000000000] }"), "");
  EXPECT_NE(error_of("graph g { %0 = constant {1, 2}: f32[3] }"), "");
  EXPECT_NE(error_of("graph g { %0 = draw() {stream=1e300}: f32[3] }"), "");
  EXPECT_NE(error_of("graph g { %99999999999999999999 = input \"x\": f32[2] }"), "");
  EXPECT_NE(error_of("graph g { %0 = input \"x\": f32[2] output \"y\" = %0.4294967296 }"), "");
  std::string nested = "graph g { %0 = input \"x\": f32[2]";
  for (int i = 0; i < 100000; ++i) nested += " %1 = holds(%0) graph g { %0 = input \"x\": f32[2]";
  EXPECT_NE(error_of(nested), "");
}

TEST(Text, EveryPrefixIsAnError) {
  Philox random(7, 1);
  const std::string text = to_text(random_graph(random));
  for (size_t n = 0; n + 2 < text.size(); ++n)
    EXPECT_NE(error_of(text.substr(0, n)), "") << text.substr(0, n);
}

TEST(Text, RandomDamageNeverCrashes) {
  Philox random(9, 1);
  for (int i = 0; i < 2000; ++i) {
    std::string text = to_text(random_graph(random));
    for (uint32_t k = 0; k <= random.below(3); ++k) {
      const size_t at = random.below(static_cast<uint32_t>(text.size()));
      if (random.below(2))
        text[at] = static_cast<char>(32 + random.below(95));
      else
        text.erase(at, 1 + random.below(4));
    }
    const auto g = parse_graph(text, kOps);
    if (g) {
      EXPECT_TRUE(verify(*g)) << text;
    }
  }
}

}  // namespace
}  // namespace shoestring
