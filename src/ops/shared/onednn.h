// Products of matrices and convolutions by oneDNN. Nothing of it is created, looked up or allocated while a
// plan runs. oneDNN costs 3 ms of every process's start, so what links it sits in shoestring_onednn.so, which
// is opened when the first product large enough for it is planned.
#pragma once

#include "ir/op.h"
#include "ops/ops.h"
#include "ops/shared/conv.h"

namespace shoestring::ops {

// C[z,m,n] = act(A[z,m,k] B[z or 1,k,n] + bias[n]), summed in f32, C row-major, A and B with any strides of
// which one is 1. The bias is f32.
struct OnednnMatmul {
  int64_t batches = 1, m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false, shared_b = false, bias = false;
  Activation activation = Activation::none;
  int threads = 1;
  DType operands = DType::f32, result = DType::f32;  // f32 or bf16; of A and B, and of C
};

// One of the three relations of pictures, filters and results (ops/shared/conv.h), summed in f32. Pictures
// and results are row-major, which oneDNN's kernels take as they are. It keeps filters in a format of its
// own, which onednn_layout() tells: other filters are put into it, or the gradient out of it, in the kernel's
// scratch.
struct OnednnConv {
  enum class Makes : uint8_t { results, pictures, filters };
  Makes makes = Makes::results;
  ConvSizes sizes;
  DType operands = DType::f32, result = DType::f32;  // f32 or bf16
  Layout filters;                                    // how they lie: row-major or in oneDNN's own format
};

inline constexpr int kOnednnModuleVersion = 4;  // of these structs
struct OnednnModule {
  int version;
  // Operands a, b, [bias], c, [scratch].
  PrepareResult (*matmul)(const OnednnMatmul& matmul);
  // Operands x, filters, [bias, [scale]], y; y, filters, x; or x, y, filters; then [scratch].
  PrepareResult (*conv)(const OnednnConv& conv);
  tl::expected<Layout, std::string> (*conv_layout)(const OnednnConv& conv);
};

// The module's, or why there is none.
PrepareResult prepare_onednn(const OnednnMatmul& matmul);
// The same for the convolution that a kernel is asked for, where it is large enough to gain.
PrepareResult prepare_onednn(OnednnConv::Makes makes, const ConvSizes& sizes, const KernelRequest& request);
// How it would have the filters, or why it is not for that convolution. Row-major where its format has gaps.
tl::expected<Layout, std::string> onednn_layout(OnednnConv::Makes makes, const ConvSizes& sizes,
                                                const KernelRequest& request);

}  // namespace shoestring::ops

extern "C" const shoestring::ops::OnednnModule* shoestring_onednn_module();
