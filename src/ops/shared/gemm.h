// Matrix products by one strided kernel: C[m,n] = act(A[m,k] B[k,n] + bias[n]) for each batch. Any
// transposition is a matter of strides, any size from 0 up; f32 or f64.
#pragma once

#include <cstdint>

#include "ir/op.h"

namespace shoestring::ops {

// A matrix: element (i, j) of batch `z` at z * batch + i * row + j * col. Strides count elements.
struct MatrixStrides {
  int64_t row = 0, col = 0, batch = 0;
};

struct Gemm {
  int64_t batches = 1, m = 0, n = 0, k = 0;
  MatrixStrides a, b, c;
  bool bias = false;                                   // operand 2, over n
  bool relu = false;                                   // applied in registers
  void (*activation)(const Tile&) noexcept = nullptr;  // others, over each finished piece of C
  int threads = 1;
};

// How a Gemm is run; made by prepare_gemm.
struct GemmPlan {
  enum class Way : uint8_t {
    tiles,  // register tiles over m and n, in blocks of k
    dots    // few columns, long k: dot products along k
  };
  Gemm gemm;
  bool turned = false;  // gemm is that of C^T = B^T A^T
  Way way = Way::tiles;
  bool pack = false;           // B is copied panel by panel into scratch
  bool split_columns = false;  // threads divide n, else m (batches, if there are enough)
  int64_t k_block = 0, m_block = 0;
  int64_t scratch_per_thread = 0;  // elements
  KernelFn run = nullptr;          // data is the GemmPlan; operands a, b, [bias], c, [scratch]
};
GemmPlan prepare_gemm(Isa isa, DType dtype, const Gemm& gemm);

// The pieces of it, for kernels that are made of small products (attention): on the calling thread, over
// blocks that fit the cache.
template <class T>
struct BlockProduct {  // C[rows, columns] = or += A[rows, k] B[k, columns]; rows of B and C are contiguous
  int64_t rows, columns, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  bool accumulate;
};
template <class T>
struct BlockKernels {
  void (*product)(const BlockProduct<T>&);
  // The transpose of rows[columns, k], `row` apart, as k rows of `width` (whole vectors) elements; columns
  // beyond the last repeat it.
  void (*transpose)(const T* rows, int64_t row, int64_t k, int64_t columns, int64_t width, T* to);
};
template <class T>
BlockKernels<T> block_kernels(Isa isa);  // f32 or f64

}  // namespace shoestring::ops
