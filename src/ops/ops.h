// The vocabulary as builder functions: each appends one node to its inputs' graph and returns its
// (first) output. Shape errors are recorded in the graph (Graph::status), so building reads straight
// through. Masks are numbers of the operands' dtype: 1 where true, 0 where false.
//
// Shapes of two operands must agree: broadcasting is an explicit node (broadcast, broadcast_like).
// The arithmetic operators below accept a scalar (rank 0) or a double on either side and broadcast it.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace shoestring::ops {

// All operators, in the order of their names; the list is generated from the file names.
std::span<const OpDef* const> all();
const OpDef* find(std::string_view name);
// The best instruction set of this machine that kernels are built for.
Isa best_isa();
// A single elementwise node as a step of its own, by the machinery of fused steps.
PrepareResult prepare_elementwise(const KernelRequest& request, const OpDef& op);

// ---- elementwise: [..] -> [..] ----
Value add(Value a, Value b);
Value sub(Value a, Value b);
Value mul(Value a, Value b);
Value div(Value a, Value b);
Value neg(Value x);
Value abs(Value x);
Value sign(Value x);  // 1, 0 or -1
Value minimum(Value a, Value b);
Value maximum(Value a, Value b);
Value clamp(Value x, double low, double high);  // held between the two; either may be infinite
Value equal(Value a, Value b);                  // masks
Value less(Value a, Value b);
Value less_equal(Value a, Value b);
Value greater(Value a, Value b);                 // less with its arguments swapped
Value where(Value condition, Value a, Value b);  // a where condition is not 0, else b
Value exp(Value x);
Value log(Value x);
Value log1p(Value x);         // log(1 + x)
Value pow(Value a, Value b);  // a to the power of b
Value sin(Value x);           // of radians
Value cos(Value x);
Value erf(Value x);
Value sqrt(Value x);
Value rsqrt(Value x);
Value tanh(Value x);
Value sigmoid(Value x);
Value relu(Value x);
Value gelu(Value x);        // exact, by erf
Value gelu_slope(Value x);  // its derivative
Value square(Value x);
Value lerp(Value a, Value b, Value t);  // a + t (b - a); exactly a where t is 0 and b is finite
Value is_finite(Value x);               // mask
// Errors per element, of a prediction and a target.
Value squared_error(Value prediction, Value target);
Value absolute_error(Value prediction, Value target);
Value huber(Value prediction, Value target, double delta = 1.0);
// Binary cross-entropy from logits, per element: target in [0,1]; positive_weight scales the positives.
Value binary_cross_entropy(Value logits, Value target, double positive_weight = 1.0);

// ---- shape ----
// Explicit broadcast by NumPy's rule: axes are aligned at the back, an axis of 1 is repeated.
Value broadcast(Value x, const Shape& to);
Value broadcast_like(Value x, Value like);
Value reshape(Value x, const Shape& to);
Value transpose(Value x, std::vector<int64_t> permutation = {});  // default: the last two axes
Value concat(std::span<const Value> xs, int64_t axis = -1);
Value slice(Value x, int64_t axis, int64_t begin, int64_t size);
Value pad_slice(Value x, int64_t axis, int64_t begin, int64_t size);  // slice's gradient: zeros around x
Value cast(Value x, DType to);
// The same values in another order in memory: for passes, which know in which they lie.
Value reorder(Value x, const Layout& from, const Layout& to);
Value one_hot(Value indices, int64_t classes,
              DType dtype = DType::f32);  // i32[..] -> [.., classes]; others give zeros

// ---- reductions: axes negative from the back, empty for all; kept as 1 if keep ----
Value reduce_sum(Value x, std::vector<int64_t> axes = {}, bool keep = false);
Value reduce_mean(Value x, std::vector<int64_t> axes = {}, bool keep = false);
Value reduce_max(Value x, std::vector<int64_t> axes = {}, bool keep = false);
Value sum_squares(Value x);                // [..] -> []
Value argmax(Value x, int64_t axis = -1);  // -> i32, the first of equals

// ---- contractions ----
enum class Activation { none, relu, tanh, sigmoid, gelu };
std::string_view to_string(Activation activation);
struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;
  Activation activation = Activation::none;  // after the bias
};
// [..,m,k] x [..,k,n] (+ bias [n]) -> [..,m,n]; b may be [k,n] for every batch.
Value matmul(Value a, Value b, MatmulOptions options = {}, Value bias = {});

// ---- rows of the last axis ----
Value softmax(Value x);
// Cross-entropy from logits [b,c] and class numbers i32[b] -> losses [b]. weights [c] (optional) multiply
// each class's part of a row's loss; label_smoothing spreads that share over all classes.
// A negative class number marks a row that counts nothing (its loss is 0): padding and missing targets.
Value cross_entropy(Value logits, Value classes, double label_smoothing = 0.0, Value weights = {});
Value layer_norm(Value x, Value scale, Value shift, double epsilon = 1e-5);  // over the last axis
// Batch norm over axis 0 of [b,n] in training: outputs y, and the new running mean and variance
// (running ← lerp(running, batch, momentum); the variance unbiased, as PyTorch keeps it).
struct BatchNorm {
  Value y, mean, variance;
};
BatchNorm batch_norm(Value x, Value scale, Value shift, Value running_mean, Value running_variance,
                     double momentum = 0.1, double epsilon = 1e-5);

// ---- sequences ----
struct AttentionOptions {
  bool causal = false;  // query i sees keys 0 .. i + n - m: the last query sees the last key
  double scale = 0;     // of the scores; 0: 1/sqrt(d)
};
// softmax(scale q k^T) v of q [b,h,m,d], k [b,g,n,d], v [b,g,n,e] -> [b,h,m,e]; g divides h, and as many
// query heads in a row share each head of keys. mask [b,n] or [b,m,n] (optional): 1 where a query may attend,
// 0 where not. A query that sees no key gives 0. output(1): the log-sum-exps [b,h,m], which the gradient
// needs.
Value attention(Value q, Value k, Value v, AttentionOptions options = {}, Value mask = {});

// ---- look-ups ----
Value gather(Value table, Value indices);  // [n,d], i32[..] -> [..,d]; numbers out of range clamp
Value gather_grad(Value upstream, Value indices, int64_t rows);  // its gradient: duplicates are summed

// ---- random: Philox of (seed, stream, step, row, element); stream 0 takes a fresh number ----
Value random_uniform(Graph& graph, Type type, double low = 0, double high = 1, int64_t stream = 0);
Value random_normal(Graph& graph, Type type, double mean = 0, double deviation = 1, int64_t stream = 0);
Value dropout(Value x, double rate, int64_t stream = 0);

// ---- spelled with operators ----
Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b);
Value operator-(Value x);
Value operator+(Value a, double b);
Value operator-(Value a, double b);
Value operator*(Value a, double b);
Value operator/(Value a, double b);
Value operator+(double a, Value b);
Value operator-(double a, Value b);
Value operator*(double a, Value b);
Value operator/(double a, Value b);

}  // namespace shoestring::ops
