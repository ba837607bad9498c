// Which kernels take convolutions: where the machine has AVX-512, everything of some size goes to oneDNN, in
// f32 and in bf16. That they compute the right thing is what the rows of conv2d*.optest are for.
#include "ops/conv.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace shoestring {
namespace {

struct Size {
  int64_t batch, side, in, kernel, out;
  ops::ConvOptions options = {};
};

// Why oneDNN refuses the node; empty where it takes it.
std::string refused(const Graph& g, Value v) {
  const Node& node = g.node(v.id());
  Types in;
  for (const ValueId& i : node.inputs) in.push_back(g.type(i));
  const auto onednn = std::ranges::find(node.op->kernels, "onednn", &Kernel::name);
  const PrepareResult made = onednn->prepare({in, node.types, node.attrs, nullptr, {Isa::avx512, 2}});
  return made ? "" : made.error();
}

TEST(Conv, LargeOnesGoToOnednn) {
  if (ops::best_isa() != Isa::avx512) GTEST_SKIP() << "this machine has no AVX-512";
  const ops::ConvOptions same{.padding = {1, 1, 1, 1}};
  const Size sizes[] = {
      {8, 16, 64, 3, 64, same},
      {8, 28, 1, 3, 32, same},
      {8, 32, 3, 3, 64, same},
      {8, 16, 64, 1, 128, {.strides = {2, 2}}},
      {8, 16, 64, 3, 128, {.strides = {2, 2}, .padding = {1, 1, 1, 1}}},
      {64, 4, 128, 3, 128, same},
      {8, 32, 64, 3, 64, {.padding = {1, 1, 1, 1}, .groups = 64}},
      {8, 16, 64, 3, 64, {.padding = {1, 1, 1, 1}, .groups = 8}},
      {8, 16, 64, 3, 64, {.padding = {2, 2, 2, 2}, .dilations = {2, 2}}},
  };
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const Size& s : sizes) {
      Graph g;
      const Value x = g.input("x", {dtype, {s.batch, s.side, s.side, s.in}});
      const Value f = g.input("f", {dtype, {s.kernel, s.kernel, s.in / s.options.groups, s.out}});
      const Value y = ops::conv2d(x, f, s.options);
      ASSERT_TRUE(g.status()) << g.status().error().message();
      const auto wide = [&](Value v) {  // gradients in f32, as training asks for them
        const Node& node = g.node(v.id());
        Attrs attrs = node.attrs;
        attrs.set("dtype", std::string("f32"));
        return g.add(*node.op, {g.value(node.inputs[0]), g.value(node.inputs[1])}, attrs);
      };
      const std::string what = to_string(x.type()) + " by " + to_string(f.type());
      EXPECT_EQ(refused(g, y), "") << what;
      EXPECT_EQ(refused(g, wide(ops::conv2d_transpose(y, f, s.side, s.side, s.options))), "") << what;
      EXPECT_EQ(refused(g, wide(ops::conv2d_filter(x, y, s.kernel, s.kernel, s.options))), "") << what;
    }
}

}  // namespace
}  // namespace shoestring
