// Every operator that has a translation, as a graph or several. Here each is translated; where
// SHOESTRING_ONNX_CASES names a folder, it gets the ONNX files with inputs and what the operators' references
// make of them, which tests/deploy/onnx_runtime.py holds ONNX Runtime against.
#include <fmt/format.h>

#include <cstdlib>
#include <random>
#include <set>

#include "deploy/export_onnx.h"
#include "ir/interpret.h"
#include "ops/augment.h"
#include "ops/conv.h"
#include "ops/ops.h"
#include "unit/deploy/onnx_reader.h"

namespace shoestring::deploy {
namespace {

using namespace ops;  // arithmetic, spelled with operators

constexpr int64_t kRows = 5;

// Inputs of graphs: numbers as they come, above 0, small whole ones, and numbers of rows, some out of range.
enum class Kind { any, positive, whole, number, level };

// A graph while it is built for some rows: its inputs are named by their place.
struct Case {
  Graph& g;
  int64_t rows;
  std::vector<Kind>& kinds;

  Value input(std::initializer_list<int64_t> behind, Kind kind = Kind::any) {
    std::vector<int64_t> dims{rows};
    dims.insert(dims.end(), behind);
    kinds.push_back(kind);
    const DType dtype = kind == Kind::number ? DType::i32 : kind == Kind::level ? DType::u8 : DType::f32;
    return g.input(fmt::format("x{}", kinds.size() - 1), {dtype, Shape(dims)});
  }
  // The same numbers for any rows.
  Value constant(std::initializer_list<int64_t> dims) {
    const Type type{DType::f32, Shape(dims)};
    std::vector<double> values(static_cast<size_t>(type.elements()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(1.0 + 2.7 * static_cast<double>(i));
    return g.constant(type, values);
  }
  Value add(std::string_view op, std::vector<Value> in, const Attrs& attrs = {}) {
    return g.add(*ops::find(op), in, attrs);
  }
  // [rows, 4, 5, 6] with its channels first.
  Value pictures() {
    return ops::conv2d(input({4, 5, 3}), constant({3, 3, 3, 6}), {.padding = {1, 1, 1, 1}});
  }
};

using List = std::vector<int64_t>;
using Build = std::function<Value(Case&)>;

// Those that are not elementwise, and the forms in which values may stand.
const std::multimap<std::string, Build>& cases() {
  static const std::multimap<std::string, Build> all{
      {"after",
       [](Case& c) {
         return c.add("after", {c.input({4}), c.input({2})});
       }},
      {"argmax",
       [](Case& c) {
         return ops::cast(ops::argmax(c.input({4, 5}), 1), DType::f32);
       }},
      {"attention",
       [](Case& c) {
         return ops::attention(c.input({2, 3, 4}), c.input({2, 5, 4}), c.input({2, 5, 3}));
       }},
      {"attention",
       [](Case& c) {
         return ops::attention(c.input({2, 3, 4}), c.input({2, 5, 4}), c.input({2, 5, 3}),
                               {.causal = true, .scale = 0.3});
       }},
      {"augment",
       [](Case& c) {
         const ops::augmentation::Step mirror = ops::augmentation::HorizontalFlip{.probability = 1};
         return ops::cast(ops::augment(c.input({3, 4, 3}, Kind::level), std::span(&mirror, 1)), DType::f32);
       }},
      {"average_pool",
       [](Case& c) {
         return ops::average_pool(c.input({5, 6, 2}),
                                  {.kernel = {3, 2}, .strides = {2, 1}, .padding = {1, 0, 1, 1}}, false);
       }},
      {"average_pool",
       [](Case& c) {
         return ops::average_pool(c.input({5, 6, 2}), {.kernel = {3, 3}, .padding = {1, 1, 1, 1}});
       }},
      {"average_pool",
       [](Case& c) {
         return ops::adaptive_average_pool(c.input({4, 6, 2}), 2, 3);
       }},
      {"broadcast",
       [](Case& c) {
         return ops::broadcast(ops::reshape(c.input({4}), {c.rows, 1, 4}), {2, c.rows, 3, 4});
       }},
      {"broadcast",
       [](Case& c) {
         c.input({2});  // which tells the rows
         return ops::broadcast(c.g.scalar(DType::f32, 0.5), {3, c.rows});
       }},
      {"cast", [](Case& c) { return ops::cast(ops::cast(c.input({4}), DType::i32), DType::f32); }},
      {"cast", [](Case& c) { return ops::cast(ops::cast(c.input({40}) * 200.0, DType::u8), DType::f32); }},
      {"cast",
       [](Case& c) { return ops::cast(ops::cast(c.input({4}) * 1e10, DType::i32), DType::f32) * 1e-9; }},
      {"clamp",
       [](Case& c) { return ops::clamp(c.input({4}), -0.5, std::numeric_limits<double>::infinity()); }},
      {"clamp",
       [](Case& c) { return ops::clamp(c.input({4}), -std::numeric_limits<double>::infinity(), 0.25); }},
      {"concat",
       [](Case& c) {
         const Value list[] = {c.pictures(), c.input({4, 5, 2}), c.pictures()};
         return ops::concat(list, -1);
       }},
      {"concat",
       [](Case& c) {
         const Value list[] = {c.input({2, 3}), ops::broadcast(c.constant({1, 1, 3}), {c.rows, 1, 3})};
         return ops::concat(list, 1);
       }},
      {"conv2d",
       [](Case& c) {
         return c.add("conv2d",
                      {c.input({7, 6, 4}), c.constant({3, 2, 2, 6}), c.constant({6}), c.constant({6})},
                      {{"strides", List{2, 1}},
                       {"padding", List{1, 0, 2, 1}},
                       {"dilations", List{1, 2}},
                       {"groups", int64_t{2}},
                       {"activation", std::string("gelu")}});
       }},
      // Filters that are made when running.
      {"conv2d",
       [](Case& c) {
         return ops::conv2d(c.input({4, 4, 2}), ops::exp(c.constant({2, 2, 2, 3})));
       }},
      {"cumsum",
       [](Case& c) {
         return c.add("cumsum", {c.input({4, 3})}, {{"axis", int64_t{1}}, {"reverse", true}});
       }},
      {"cumsum",
       [](Case& c) {
         return c.add("cumsum", {c.input({4, 3})}, {{"exclusive", true}});
       }},
      {"gather",
       [](Case& c) {
         return ops::gather(c.constant({4, 3}), c.input({2}, Kind::number));
       }},
      {"is_finite",
       [](Case& c) {
         const Value x = c.input({6}, Kind::whole);
         return ops::is_finite(x / x) + ops::is_finite(1.0 / x);
       }},
      {"layer_norm",
       [](Case& c) {
         return ops::layer_norm(c.input({3, 6}), c.constant({6}), c.constant({6}), 0.01);
       }},
      {"log_softmax",
       [](Case& c) {
         return c.add("log_softmax", {c.input({4, 5})});
       }},
      {"matmul",
       [](Case& c) {
         return ops::matmul(c.input({4}), c.constant({3, 4}),
                            {.transpose_b = true, .activation = ops::Activation::gelu}, c.constant({3}));
       }},
      {"matmul", [](Case& c) { return ops::matmul(c.input({4}), c.input({3}), {.transpose_a = true}); }},
      {"matmul",
       [](Case& c) {
         return ops::matmul(c.input({3, 4}), c.constant({4, 5}), {}, c.constant({5}));
       }},
      {"matmul",
       [](Case& c) {
         return ops::matmul(
             c.input({4, 3}), c.input({5, 4}),
             {.transpose_a = true, .transpose_b = true, .activation = ops::Activation::sigmoid});
       }},
      {"max_pool",
       [](Case& c) {
         return ops::max_pool(
             c.input({7, 6, 2}),
             {.kernel = {2, 3}, .strides = {1, 2}, .padding = {1, 1, 0, 1}, .dilations = {2, 1}});
       }},
      {"max_pool",
       [](Case& c) {
         return ops::adaptive_max_pool(c.input({4, 6, 2}), 1, 3);
       }},
      {"one_hot", [](Case& c) { return ops::one_hot(c.input({2}, Kind::number), 3); }},
      {"pad",
       [](Case& c) {
         return c.add("pad", {c.pictures()},
                      {{"before", List{0, 1, 0, 2}}, {"after", List{0, 0, 3, 1}}, {"value", 0.5}});
       }},
      {"reshape",
       [](Case& c) {
         return ops::reshape(c.pictures(), {c.rows, 4 * 5 * 6});
       }},
      {"reshape",
       [](Case& c) {
         return ops::reshape(ops::exp(ops::reshape(c.pictures(), {c.rows * 20, 6})), {c.rows * 2, 10, 6});
       }},
      {"reshape",
       [](Case& c) {
         return ops::reshape(ops::broadcast(ops::reshape(c.input({3}), {c.rows, 1, 3}), {c.rows, 2, 3}),
                             {c.rows, 6});
       }},
      {"reshape",  // rows of channels, joined by what no broadcast of channels is
       [](Case& c) {
         const Value flat = ops::reshape(c.pictures(), {c.rows * 20, 6});
         return ops::reshape(flat * ops::reshape(c.input({20, 6}), {c.rows * 20, 6}), {c.rows, 4, 5, 6});
       }},
      {"rms_norm",
       [](Case& c) {
         return c.add("rms_norm", {c.input({3, 6}), c.constant({6})});
       }},
      {"slice", [](Case& c) { return ops::slice(c.pictures(), -1, 2, 3); }},
      {"slice", [](Case& c) { return ops::slice(c.pictures(), 1, 1, 2); }},
      {"slice",
       [](Case& c) {
         return ops::slice(c.input({4, 3}), 2, 1, 2);
       }},
      {"softmax",
       [](Case& c) {
         return ops::softmax(c.input({4, 5}));
       }},
      {"sort",
       [](Case& c) {
         return c.add("sort", {c.input({4, 5})}, {{"descending", true}});
       }},
      {"sort",
       [](Case& c) {
         return c.add("sort", {c.input({4, 5})});
       }},
      {"top_k",
       [](Case& c) {
         return c.add("top_k", {c.input({4, 5})}, {{"k", int64_t{3}}});
       }},
      {"stop_gradient", [](Case& c) { return c.add("stop_gradient", {c.pictures()}); }},
      {"transpose",
       [](Case& c) {
         return ops::transpose(c.pictures(), {2, 0, 3, 1});
       }},
      {"transpose",
       [](Case& c) {
         return ops::transpose(c.input({4, 5}));
       }},
      // Channels weighted by what the whole picture is; the picture and its channels, its rows, its places.
      {"mul",
       [](Case& c) {
         const Value x = c.pictures();
         const Value gate = ops::sigmoid(ops::reshape(ops::reduce_mean(x, {1, 2}), {c.rows, 1, 1, 6}));
         return x * ops::broadcast_like(gate, x);
       }},
      {"mul",
       [](Case& c) {
         const Value x = c.pictures();
         return x * ops::broadcast_like(ops::reduce_max(x, {1, 2}, true), x) +
                ops::broadcast_like(c.constant({6}), x);
       }},
      {"mul",
       [](Case& c) {
         const Value x = c.pictures();
         return x * ops::broadcast_like(c.constant({4, 5, 6}), x);
       }},
      {"mul",
       [](Case& c) {
         const Value x = c.pictures();
         return x * ops::broadcast_like(c.constant({5, 1}), x);
       }},
      {"mul",
       [](Case& c) {
         return c.pictures() * c.input({4, 5, 6});
       }},
      {"where",
       [](Case& c) {
         const Value x = c.pictures();
         return ops::where(ops::less(ops::broadcast_like(c.constant({6}), x), x), x,
                           ops::broadcast_like(c.g.scalar(DType::f32, 2), x));
       }},
  };
  return all;
}

// Pictures [rows, 4, 5, c] through steps drawn by the seed, which mix the forms in which values stand.
Value mixed(Case& c, uint32_t seed) {
  std::mt19937 draw(seed);
  std::vector<Value> made{c.pictures()};
  const auto some = [&] { return made[draw() % made.size()]; };
  for (int step = 0; step < 8; ++step) {
    const Value x = some();
    const Shape dims = x.dims();
    const int64_t channels = dims[3];
    const Value list[] = {x, some()};
    const Value flat = ops::reshape(x, {c.rows * 20, channels});
    switch (draw() % 10) {
      case 0:  // a norm
        made.push_back(ops::reshape(flat * ops::broadcast_like(c.constant({channels}), flat), dims));
        break;
      case 1:
        made.push_back(ops::tanh(ops::conv2d(x, c.constant({1, 1, channels, 6}))));
        break;
      case 2:
        made.push_back(x.dims() == list[1].dims() ? x + list[1] : ops::neg(x));
        break;
      case 3:
        made.push_back(ops::slice(ops::concat(list, 3), 3, 1, 4));
        break;
      case 4:
        made.push_back(x * ops::broadcast_like(ops::reduce_mean(x, {1, 2}, true), x));
        break;
      case 5:
        made.push_back(x - ops::broadcast_like(ops::reduce_max(x, {3}, true), x));
        break;
      case 6:
        made.push_back(ops::reshape(ops::softmax(flat), dims));
        break;
      case 7:
        made.push_back(ops::broadcast(ops::slice(x, 1, 2, 1), dims));
        break;
      case 8:
        made.push_back(ops::max_pool(x, {.kernel = {3, 3}, .strides = {1, 1}, .padding = {1, 1, 1, 1}}));
        break;
      default:
        made.push_back(ops::layer_norm(x, c.constant({channels}), c.constant({channels})));
    }
  }
  return made.back();
}

// All of them: `cases`, reductions over every choice of axes that matters, and each elementwise operator
// alone.
std::multimap<std::string, Build> all_cases() {
  std::multimap<std::string, Build> out = cases();
  for (const char* op : {"reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum"})
    for (const List& axes : {List{1, 2}, List{-1}, List{1, 3}, List{2}, List{}})
      for (const bool keep : {false, true})
        out.emplace(op, [=](Case& c) {
          // Of a product only numbers near 1: others are too many digits apart.
          const bool product = std::string_view(op) == "reduce_prod";
          const Value x = product ? ops::exp(c.pictures() * 0.05) : c.pictures();
          return c.add(op, {x}, {{"axes", axes}, {"keep", keep}});
        });
  for (uint32_t seed = 1; seed <= 60; ++seed) out.emplace("mixed", [=](Case& c) { return mixed(c, seed); });
  for (const Translator& row : translators()) {
    const OpDef& op = *ops::find(row.op);
    if (!op.elementwise()) continue;
    const std::string name = std::string(op.name);
    const bool positive = std::set<std::string>{"log", "log1p", "pow", "rsqrt", "sqrt", "div"}.contains(name);
    const bool whole = std::set<std::string>{"equal", "less", "less_equal", "where", "sign"}.contains(name);
    out.emplace(name, [=, &op](Case& c) {
      std::vector<Value> in;
      for (int i = 0; i < op.min_inputs; ++i)
        in.push_back(c.input({4}, positive ? Kind::positive : whole ? Kind::whole : Kind::any));
      return c.add(op.name, in);
    });
  }
  return out;
}

Tensor64 values_of(const Type& type, Kind kind, std::mt19937& draw) {
  Tensor64 out(static_cast<size_t>(type.elements()));
  std::uniform_real_distribution<double> any(-2, 2), positive(0.2, 2);
  for (double& v : out) {
    const auto below = [&](uint32_t n) { return static_cast<double>(draw() % n); };
    v = kind == Kind::any        ? static_cast<float>(any(draw))
        : kind == Kind::positive ? static_cast<float>(positive(draw))
        : kind == Kind::whole    ? below(3) - 1
        : kind == Kind::number   ? below(8) - 2
                                 : below(256);
  }
  return out;
}

std::string json_of(const Type& type, const Tensor64& values) {
  return fmt::format(R"({{"type": "{}", "dims": {}, "values": [{}]}})", info(type.dtype).name,
                     to_string(type.dims), fmt::join(values, ", "));
}

TEST(OnnxOperators, EveryOneOfTheTableIsTranslated) {
  const char* folder = std::getenv("SHOESTRING_ONNX_CASES");
  std::set<std::string> seen;
  std::map<std::string, int> numbers;
  std::mt19937 draw(5);
  for (const auto& [name, build] : all_cases()) {
    seen.insert(name);
    std::vector<Kind> kinds;
    const auto graph_of = [&](int64_t rows) {
      Graph g("case");
      kinds.clear();
      Case c{g, rows, kinds};
      const Value y = build(c);
      EXPECT_TRUE(g.status()) << name << ": " << g.status().error().message();
      if (y.valid()) g.output("y", y);
      return g;
    };
    const std::string title = fmt::format("{}_{}", name, numbers[name]++);
    const auto model = onnx_of(graph_of, {});
    ASSERT_TRUE(model) << title << ": " << model.error().message();
    if (!folder) {
      ReadModel(bytes_written(*model)).expect_order();
      continue;
    }
    const Graph g = graph_of(kRows);
    std::map<std::string, Tensor64> inputs;
    std::string ports;
    for (const Node& node : g.nodes())
      if (node.op == &input_op) {
        inputs[node.name] = values_of(node.types[0], kinds[inputs.size()], draw);
        ports += fmt::format("{}\"{}\": {}", ports.empty() ? "" : ", ", node.name,
                             json_of(node.types[0], inputs[node.name]));
      }
    const Tensor64 wanted = interpret(g, inputs, {}).outputs.at("y");
    const std::string path = fmt::format("{}/{}", folder, title);
    ASSERT_TRUE(onnx::write(*model, path + ".onnx"));
    std::ofstream(path + ".json") << fmt::format("{{\"inputs\": {{{}}}, \"y\": {}}}\n", ports,
                                                 json_of(g.type(g.outputs()[0].value), wanted));
  }
  for (const Translator& row : translators())
    EXPECT_TRUE(seen.contains(std::string(row.op))) << row.op << " has no case here";
}

}  // namespace
}  // namespace shoestring::deploy
