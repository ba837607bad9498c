// What graphs become in ONNX: by hand-known structure. That ONNX Runtime answers as we do is held by
// tests/deploy/onnx_runtime.py.
#include "deploy/export_onnx.h"
#include "ops/augment.h"
#include "ops/conv.h"
#include "ops/ops.h"
#include "ops/rows.h"
#include "train/train.h"
#include "unit/deploy/onnx_reader.h"

namespace shoestring::deploy {
namespace {

using Build = std::function<void(Graph&, int64_t rows)>;

// State bytes: 0, 1, 2, .. as f32.
Translation::StateBytes counting() {
  return [](const std::string&) -> std::span<const std::byte> {
    static const std::vector<float> values = [] {
      std::vector<float> out(54);
      for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(i);
      return out;
    }();
    return std::as_bytes(std::span(values));
  };
}

Result<onnx::Model> translated(const Build& build) {
  return onnx_of(
      [&](int64_t rows) {
        Graph g("predict");
        build(g, rows);
        return g;
      },
      counting());
}

ReadModel read(const Build& build) {
  const auto model = translated(build);
  EXPECT_TRUE(model) << model.error().message();
  ReadModel out(bytes_written(model ? *model : onnx::Model{}));
  out.expect_order();
  return out;
}

std::string refusal(const Build& build) {
  const auto model = translated(build);
  EXPECT_FALSE(model);
  if (model) return {};
  EXPECT_EQ(model.error().kind, ErrorKind::usage);
  return model.error().message();
}

Type f32(std::initializer_list<int64_t> dims) { return {DType::f32, Shape(dims)}; }

TEST(OnnxTranslation, ChannelsAreTurnedOnceIntoConvolutionsAndOnceOutOfThem) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value w = g.read({.name = "w", .type = f32({3, 3, 2, 3})});
    const Value x = g.input("x", f32({rows, 8, 6, 2}));
    const ops::ConvOptions options{.strides = {2, 1}, .padding = {0, 1, 1, 2}};
    const Value y = ops::relu(ops::conv2d(x, w, options));
    const double factors[] = {1, 2, 3};
    const Value scaled = ops::mul(y, ops::broadcast_like(g.constant(f32({3}), factors), y));
    g.output("y", ops::max_pool(scaled, {.kernel = {2, 3}, .strides = {1, 2}}));
  });
  EXPECT_EQ(m.types(), "Shape Transpose Conv Relu Reshape Mul MaxPool Transpose Identity");
  EXPECT_EQ(m.first("Transpose").integers.at("perm"), (std::vector<int64_t>{0, 3, 1, 2}));
  EXPECT_EQ(m.nodes[7].integers.at("perm"), (std::vector<int64_t>{0, 2, 3, 1}));
  const ReadNode& conv = m.first("Conv");
  EXPECT_EQ(conv.integers.at("strides"), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(conv.integers.at("pads"), (std::vector<int64_t>{0, 1, 1, 2}));  // top, left, bottom, right
  EXPECT_EQ(conv.integers.at("group"), (std::vector<int64_t>{1}));
  EXPECT_EQ(m.first("MaxPool").integers.at("kernel_shape"), (std::vector<int64_t>{2, 3}));
  // Filters [kh,kw,c,n] become [n,c,kh,kw]: entry (n, c, i, j) was number ((i 3 + j) 2 + c) 3 + n.
  const ReadTensor& filters = m.tensors.at(conv.inputs[1]);
  EXPECT_EQ(filters.dims, (std::vector<int64_t>{3, 2, 3, 3}));
  const std::vector<float> values = filters.values();
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 6);            // (0, 0, 0, 1)
  EXPECT_EQ(values[9], 3);            // (0, 1, 0, 0)
  EXPECT_EQ(values[18 + 9 + 5], 34);  // (1, 1, 1, 2)
  EXPECT_EQ(m.ports.at("x"), "1[rows,8,6,2]");
  EXPECT_EQ(m.ports.at("y"), "1[rows,3,3,3]");
  EXPECT_EQ(m.opset, 17);
}

// Norms see pictures as rows of channels.
TEST(OnnxTranslation, ChannelsStayFirstThroughANorm) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value w = g.read({.name = "w", .type = f32({3, 3, 2, 3})});
    const Value y = ops::conv2d(g.input("x", f32({rows, 5, 5, 2})), w);
    const Value flat = ops::reshape(y, {rows * 9, 3});
    const double shifts[] = {1, 2, 3};
    const Value normed = ops::add(flat, ops::broadcast_like(g.constant(f32({3}), shifts), flat));
    g.output("mean", ops::reduce_mean(ops::reshape(normed, {rows, 3, 3, 3}), {1, 2}));
  });
  EXPECT_EQ(m.types(), "Shape Transpose Conv Reshape Add ReduceMean Identity");
  EXPECT_EQ(m.first("ReduceMean").integers.at("axes"), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(m.ports.at("mean"), "1[rows,3]");
}

TEST(OnnxTranslation, TheRowsAreLeftToTheRun) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value x = g.input("x", f32({rows, 6}));
    const Value token =
        ops::broadcast(g.constant(f32({1, 1, 3}), std::vector<double>{1, 2, 3}), {rows, 1, 3});
    const Value list[] = {token, ops::reshape(x, {rows, 2, 3})};
    g.output("y", ops::concat(list, 1));
  });
  const std::vector<int64_t> to = m.tensors.at(m.first("Reshape").inputs[1]).values<int64_t>();
  EXPECT_EQ(to, (std::vector<int64_t>{-1, 2, 3}));
  // The token is repeated for as many rows as the input has.
  EXPECT_EQ(m.first("Shape").integers.at("end"), (std::vector<int64_t>{1}));
  EXPECT_EQ(m.count("Expand"), 1);
  EXPECT_EQ(m.ports.at("y"), "1[rows,3,3]");
}

// Elementwise operators broadcast by themselves, and what nothing needs is not there.
TEST(OnnxTranslation, BroadcastsCostNothing) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value x = g.input("x", f32({rows, 4}));
    ops::exp(x);
    const Value w = g.read({.name = "bias", .type = f32({4})});
    g.read({.name = "unused", .type = f32({4})});
    (void)w;
    g.output("y", ops::add(x, ops::broadcast(g.scalar(DType::f32, 2), {rows, 4})));
  });
  EXPECT_EQ(m.types(), "Shape Add Identity");
  ASSERT_EQ(m.tensors.size(), 1U);
  EXPECT_EQ(m.tensors.begin()->second.values(), std::vector<float>{2});
  EXPECT_TRUE(m.tensors.begin()->second.dims.empty());
}

TEST(OnnxTranslation, AProductOfMatricesIsOneGemm) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value x = g.input("x", f32({rows, 4}));
    const Value w = g.constant(f32({3, 4}), std::vector<double>(12, 0.5));
    const Value bias = g.constant(f32({3}), std::vector<double>{1, 2, 3});
    g.output("y", ops::matmul(x, w, {.transpose_b = true, .activation = ops::Activation::tanh}, bias));
  });
  EXPECT_EQ(m.types(), "Shape Gemm Tanh Identity");
  EXPECT_EQ(m.first("Gemm").integers.at("transB"), std::vector<int64_t>{1});
  EXPECT_EQ(m.first("Gemm").integers.at("transA"), std::vector<int64_t>{0});
}

TEST(OnnxTranslation, CompositesWithoutARowAreWhatTheyAreMadeOf) {
  const ReadModel m = read([](Graph& g, int64_t rows) {
    const Value x = g.input("x", f32({rows, 4, 5}));
    const Value scale = g.constant(f32({4}), std::vector<double>(4, 1));
    g.output("y", g.add(*ops::find("group_norm"), {x, scale, scale}, {{"groups", int64_t{2}}}));
  });
  EXPECT_EQ(m.count("LayerNormalization"), 1);
}

TEST(OnnxTranslation, AMirrorImageIsASliceBackwards) {
  const ops::augmentation::Step mirror = ops::augmentation::HorizontalFlip{.probability = 1};
  const ReadModel m = read([&](Graph& g, int64_t rows) {
    g.output("y", ops::augment(g.input("x", {DType::u8, {rows, 4, 5, 3}}), std::span(&mirror, 1)));
  });
  const ReadNode& slice = m.first("Slice");
  EXPECT_EQ(m.tensors.at(slice.inputs[3]).values<int64_t>(), std::vector<int64_t>{2});   // axis
  EXPECT_EQ(m.tensors.at(slice.inputs[4]).values<int64_t>(), std::vector<int64_t>{-1});  // step
  EXPECT_EQ(m.ports.at("x"), "2[rows,4,5,3]");

  const ops::augmentation::Step chance = ops::augmentation::HorizontalFlip{};
  EXPECT_EQ(
      refusal([&](Graph& g, int64_t rows) {
        g.output("y", ops::augment(g.input("x", {DType::u8, {rows, 4, 5, 3}}), std::span(&chance, 1)));
      }),
      "export: 'augment' has no ONNX operator here: it draws random numbers; 'shoestring serve' takes any "
      "model; or train one without it");
}

TEST(OnnxTranslation, RefusesByName) {
  EXPECT_EQ(
      refusal([](Graph& g, int64_t rows) {
        const Value x = g.input("x", f32({rows, 4}));
        g.output("y", g.add(*ops::find("take_along"), {x, g.input("i", {DType::i32, {rows, 2}})}));
      }),
      "export: 'take_along' has no ONNX operator here; 'shoestring serve' takes any model; or train one "
      "without it");
  // Nobody needs it: then it is no hindrance.
  read([](Graph& g, int64_t rows) {
    const Value x = g.input("x", f32({rows, 4}));
    g.add(*ops::find("take_along"), {x, g.input("i", {DType::i32, {rows, 2}})});
    g.output("y", ops::neg(x));
  });
  EXPECT_NE(refusal([](Graph& g, int64_t rows) {
              const Value x = g.input("x", f32({rows, 3, 4, 2}));
              g.output("y", g.add(*ops::find("max_pool"), {x}).output(1));
            }).find("which tap was the largest is asked for"),
            std::string::npos);
}

TEST(OnnxTranslation, RefusesWhatIsAnotherGraphForOtherRows) {
  EXPECT_NE(refusal([](Graph& g, int64_t rows) {
              const Value x = g.input("x", f32({rows, 4}));
              g.output("y", ops::operator*(x, 1.0 / static_cast<double>(rows)));
            }).find("'constant' is another one for other numbers of rows"),
            std::string::npos);
  EXPECT_NE(refusal([](Graph& g, int64_t rows) {
              const Value x = g.input("x", f32({rows, 4}));
              g.output("y", rows > 2 ? ops::exp(x) : ops::neg(x));
            }).find("other numbers of rows"),
            std::string::npos);
  EXPECT_NE(refusal([](Graph& g, int64_t rows) {
              const Value x = g.input("x", f32({rows, 4}));
              g.output("y", ops::broadcast(x, {rows * rows, rows, 4}));
            }).find("'broadcast'"),
            std::string::npos);
}

TEST(OnnxTranslation, RefusesRowsThatNoInputTells) {
  EXPECT_NE(refusal([](Graph& g, int64_t rows) {
              g.output("y", ops::broadcast(g.scalar(DType::f32, 1), {rows, 2}));
            }).find("no input tells how many rows there are"),
            std::string::npos);
}

// A whole model: all that a caller needs stands in the file, and the weights are the model file's.
TEST(ExportOnnx, AModelOfATable) {
  const train::Folder folder;
  const std::string table = folder.write("sums.csv", train::sums_table(200));
  const auto trained = train::train({.recipe = train::recipe_from(train::sums_recipe()),
                                     .data = {.dataset = table},
                                     .output_directory = folder.file("out")},
                                    {});
  ASSERT_TRUE(trained) << trained.error().message();
  const std::string path = folder.file("m.onnx");
  const auto exported = export_onnx(trained->folder, path);
  ASSERT_TRUE(exported) << exported.error().message();
  EXPECT_EQ(exported->inputs, (std::vector<std::string>{"numbers", "category:kind"}));
  EXPECT_EQ(exported->outputs, std::vector<std::string>{"probability:y"});
  std::ifstream file(path, std::ios::binary);
  const ReadModel m(std::string{std::istreambuf_iterator<char>(file), {}});
  m.expect_order();
  EXPECT_EQ(m.producer, "shoestring");
  EXPECT_EQ(m.ir, 8);
  EXPECT_EQ(m.ports.at("numbers"), "1[rows,2]");
  EXPECT_EQ(m.ports.at("category:kind"), "6[rows]");
  EXPECT_EQ(m.ports.at("probability:y"), "1[rows]");
  EXPECT_EQ(m.metadata.at("labels"), R"({"y":["no","yes"]})");
  EXPECT_EQ(m.metadata.at("inputs"),
            R"([{"name":"a","type":"number","column":"a","port":"numbers","index":0},)"
            R"({"name":"b","type":"number","column":"b","port":"numbers","index":1},)"
            R"({"name":"kind","type":"category","column":"kind","port":"category:kind"}])");
  EXPECT_NE(m.metadata.at("preprocessing").find("\"vocabulary\""), std::string::npos);
  EXPECT_NE(m.doc.find("# Predicts `y`"), std::string::npos);
  const auto saved = train::load_model(trained->folder);
  ASSERT_TRUE(saved);
  int found = 0;
  for (const auto& tensor : saved->file.tensors) {
    if (!m.tensors.contains(tensor.name)) continue;
    ++found;
    EXPECT_EQ(m.tensors.at(tensor.name).bytes,
              std::string_view(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  }
  EXPECT_EQ(found, static_cast<int>(saved->file.tensors.size()));
}

TEST(ExportOnnx, FailsAsTheModelAndTheFileDo) {
  const train::Folder folder;
  EXPECT_EQ(export_onnx(folder.file("none"), folder.file("m.onnx")).error().kind, ErrorKind::data);
}

}  // namespace
}  // namespace shoestring::deploy
