// The bytes of an ONNX file.
#include <numeric>

#include "unit/deploy/onnx_reader.h"

namespace shoestring::deploy {
namespace {

template <class T>
std::shared_ptr<const std::vector<std::byte>> bytes_of_values(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

onnx::Tensor tensor_of(const std::string& name, const Shape& dims, const std::vector<float>& values) {
  const auto bytes = bytes_of_values(values);
  return {.name = name, .type = {DType::f32, dims}, .bytes = *bytes, .owner = bytes};
}

// The same model by Python's onnx 1.23.2:
//   n = helper.make_node("Conv", ["x", "w"], ["y"], name="y", group=1, pads=[1, 0, 1, -1], auto_pad="NOTSET")
//   l = helper.make_node("LeakyRelu", ["y"], ["z"], name="z", alpha=0.25)
//   t = helper.make_tensor("w", FLOAT, [3, 2], array([[0, 3], [1, 4], [2, 5]], float32).tobytes(), raw=True)
//   g = helper.make_graph([n, l], "predict", [make_tensor_value_info("x", UINT8, ["rows", 300])],
//                         [make_tensor_value_info("z", FLOAT, ["rows"])], [t])
//   m = helper.make_model(g, opset_imports=[make_opsetid("", 17)], ir_version=8, producer_name="shoestring",
//                         producer_version="0.1.0", doc_string="a card")
//   helper.set_model_props(m, {"labels": "{}"}); m.SerializeToString().hex()
constexpr std::string_view kByPython =
    "0808120a73686f65737472696e671a05302e312e3032066120636172643ad9010a530a01780a01771201791a01792204"
    "436f6e762a0c0a0567726f75701801a001022a1a0a047061647340014000400140ffffffffffffffffff01a001072a15"
    "0a086175746f5f70616422064e4f54534554a001030a250a017912017a1a017a22094c65616b7952656c752a0f0a0561"
    "6c706861150000803ea001011207707265646963742a230803080210014201774a1800000000000040400000803f0000"
    "8040000000400000a0405a180a017812130a110802120d0a061204726f77730a0308ac0262130a017a120e0a0c080112"
    "080a061204726f777342040a001011720c0a066c6162656c7312027b7d";

TEST(OnnxFile, IsWhatOnnxWritesItself) {
  onnx::Tensor w = tensor_of("w", {2, 3}, {0, 1, 2, 3, 4, 5});
  w.permutation = {1, 0};
  const onnx::Model model{.graph_name = "predict",
                          .producer_version = "0.1.0",
                          .doc = "a card",
                          .operations = {{"Conv",
                                          {"x", "w"},
                                          {"y"},
                                          {{"group", int64_t{1}},
                                           {"pads", std::vector<int64_t>{1, 0, 1, -1}},
                                           {"auto_pad", std::string("NOTSET")}}},
                                         {"LeakyRelu", {"y"}, {"z"}, {{"alpha", 0.25F}}}},
                          .tensors = {w},
                          .inputs = {{"x", DType::u8, {"rows", int64_t{300}}}},
                          .outputs = {{"z", DType::f32, {"rows"}}},
                          .metadata = {{"labels", "{}"}}};
  std::string hex;
  for (const char c : bytes_written(model)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex, kByPython);
}

// Longer than the piece that is put in order at a time, and with axes of several sizes.
TEST(OnnxFile, PutsAxesInAnotherOrder) {
  constexpr int64_t a = 7, b = 5, c = 64, d = 256;
  std::vector<float> values(a * b * c * d);
  std::iota(values.begin(), values.end(), 0.0F);
  onnx::Tensor tensor = tensor_of("t", {a, b, c, d}, values);
  tensor.permutation = {3, 2, 0, 1};
  ReadTensor read = ReadModel(bytes_written({.tensors = {tensor}})).tensors.at("t");
  ASSERT_EQ(read.dims, (std::vector<int64_t>{d, c, a, b}));
  const std::vector<float> out = read.values();
  ASSERT_EQ(out.size(), values.size());
  for (const auto& [i, j, k, l] :
       {std::array<int64_t, 4>{0, 0, 0, 0}, {6, 4, 63, 255}, {3, 2, 17, 200}, {0, 4, 1, 9}})
    EXPECT_EQ(out[static_cast<size_t>(((l * c + k) * a + i) * b + j)],
              static_cast<float>(((i * b + j) * c + k) * d + l));
}

TEST(OnnxFile, RefusesTwoGibibytesBeforeItWritesAnything) {
  // Never read: what is refused is the size.
  static const std::byte none{};
  onnx::Model model;
  for (const char* name : {"a", "b"})
    model.tensors.push_back(
        {.name = name, .type = {DType::f32, {1 << 14, 1 << 14}}, .bytes = std::span(&none, size_t{1} << 30)});
  const train::Folder folder;
  const auto ok = onnx::write(model, folder.file("m.onnx"));
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().kind, ErrorKind::usage);
  EXPECT_NE(ok.error().message().find("shorter than 2 GiB"), std::string::npos) << ok.error().message();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(OnnxFile, TypesInBlocksHaveNoNumber) {
  EXPECT_EQ(onnx::number_of(DType::f32), 1);
  EXPECT_EQ(onnx::number_of(DType::bf16), 16);
  EXPECT_EQ(onnx::number_of(DType::dyn8), 0);
}

}  // namespace
}  // namespace shoestring::deploy
