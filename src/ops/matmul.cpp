// matmul: products of matrices, with transposed operands, a bias and an activation.
//   a [.., m, k] (or [.., k, m] with transpose_a), b [.., k, n] (or [.., n, k] with transpose_b), or one b
//   for all batches; bias [n] -> [.., m, n]
#include "ops/ops.h"
#include "ops/shared/gemm.h"
#include "ops/shared/onednn.h"
#include "ops/shared/product.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"transpose_a", false},
                          {"transpose_b", false},
                          {"activation", std::string("none")},
                          {"dtype", std::string()}};  // of the result; empty: that of the operands

// From where on oneDNN gains on our tiles (bench/micro_matmul).
constexpr int64_t kOnednnSide = 64, kOnednnProducts = int64_t{1} << 25;

struct Sizes {
  int64_t batches = 1, m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false, shared_b = false, bias = false;
  Activation activation = Activation::none;
};

Sizes sizes_of(std::span<const Type> in, const Attrs& attrs) {
  const Shape &a = in[0].dims, &b = in[1].dims;
  Sizes s{.transpose_a = attrs.flag("transpose_a"), .transpose_b = attrs.flag("transpose_b")};
  s.m = a[a.rank() - (s.transpose_a ? 1 : 2)];
  s.k = a[a.rank() - (s.transpose_a ? 2 : 1)];
  s.n = b[b.rank() - (s.transpose_b ? 2 : 1)];
  for (int i = 0; i < a.rank() - 2; ++i) s.batches *= a[i];
  s.shared_b = b.rank() == 2;
  s.bias = in.size() > 2;
  s.activation = *activation_named(attrs.text("activation"));
  return s;
}

Result<Types> infer(const OpArgs& args) {
  const Type &a = args.in[0], &b = args.in[1];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("matmul: {} by {}: {}", to_string(a), to_string(b), why));
  };
  const auto result = product_type(a.dtype, b.dtype, args.attrs.text("dtype"));
  if (!result) return no(result.error());
  if (a.dims.rank() < 2 || b.dims.rank() < 2) return no("both must have two axes at least");
  if (!activation_named(args.attrs.text("activation")))
    return no(fmt::format("no activation '{}'", args.attrs.text("activation")));
  const Sizes s = sizes_of(args.in, args.attrs);
  const int64_t b_inner = b.dims[b.dims.rank() - (s.transpose_b ? 1 : 2)];
  if (s.k != b_inner) return no(fmt::format("inner sizes {} and {} differ", s.k, b_inner));
  if (!s.shared_b) {
    if (a.dims.rank() != b.dims.rank()) return no("the batches differ");
    for (int i = 0; i < a.dims.rank() - 2; ++i)
      if (a.dims[i] != b.dims[i]) return no("the batches differ");
  }
  if (s.bias && args.in[2] != Type{summed(a.dtype), {s.n}})
    return no(fmt::format("the bias must be [{}], not {}", s.n, to_string(args.in[2])));
  const int rank = a.dims.rank();
  return Types{{*result, a.dims.with(rank - 2, s.m).with(rank - 1, s.n)}};
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  const Sizes s = sizes_of(args.in, args.attrs);
  Cost c = moving_cost(args, out);
  c.flops = 2.0 * static_cast<double>(s.batches) * static_cast<double>(s.m) * static_cast<double>(s.n) *
            static_cast<double>(s.k);
  return c;
}

// With batches folded into the rows: [.., m, k] -> [batches * m, k]; for products that share one b.
Value folded(const Sizes& s, Value v, int64_t columns) { return reshape(v, {s.batches * s.m, columns}); }

void grad(Backward& b) {
  std::vector<Type> in;
  for (int i = 0; i < b.inputs(); ++i) in.push_back(b.input(i).type());
  const Sizes s = sizes_of(in, b.attrs());
  const Value a = wide(b.input(0)), w = wide(b.input(1));
  const Value g = before_activation(b, s.activation, [&] {
    return matmul(a, w, {s.transpose_a, s.transpose_b}, s.bias ? b.input(2) : Value());
  });
  const auto add = [&](int input, Value gradient) { add_as_input(b, input, gradient); };
  const bool many = s.shared_b && a.dims().rank() > 2;  // one w for all batches can only stand on the right
  if (b.wants(0)) {
    if (s.transpose_a && !many) {
      add(0, matmul(w, g, {s.transpose_b, true}));
    } else {
      const Value da = matmul(g, w, {false, !s.transpose_b});
      add(0, s.transpose_a ? transpose(da) : da);
    }
  }
  if (b.wants(1)) {
    if (many && !s.transpose_a) {  // one product over all batches' rows
      const Value ga = folded(s, g, s.n), aa = folded(s, a, s.k);
      add(1, s.transpose_b ? matmul(ga, aa, {true, false}) : matmul(aa, ga, {true, false}));
    } else {
      Value dw = s.transpose_b ? matmul(g, a, {true, s.transpose_a}) : matmul(a, g, {!s.transpose_a, false});
      if (many) {  // transposed batches: a product each, then their sum
        std::vector<int64_t> axes(static_cast<size_t>(dw.dims().rank() - 2));
        std::iota(axes.begin(), axes.end(), 0);
        dw = reduce_sum(dw, axes);
      }
      add(1, dw);
    }
  }
  if (b.inputs() > 2 && b.wants(2)) add(2, reduce_sum(folded(s, g, s.n), {0}));
}

// T: what is summed in; In and Out: how operands and result are kept.
template <class T, class In, class Out>
void plain(const Sizes& s, const In* a, const In* b, const T* bias, Out* c) {
  const int64_t a_row = s.transpose_a ? 1 : s.k, a_col = s.transpose_a ? s.m : 1;
  const int64_t b_row = s.transpose_b ? 1 : s.n, b_col = s.transpose_b ? s.k : 1;
  for (int64_t z = 0; z < s.batches; ++z)
    for (int64_t i = 0; i < s.m; ++i)
      for (int64_t j = 0; j < s.n; ++j) {
        const In* x = a + z * s.m * s.k + i * a_row;
        const In* y = b + (s.shared_b ? 0 : z * s.k * s.n) + j * b_col;
        T sum = bias ? bias[j] : 0;
        for (int64_t p = 0; p < s.k; ++p) sum += static_cast<T>(x[p * a_col]) * static_cast<T>(y[p * b_row]);
        c[(z * s.m + i) * s.n + j] = static_cast<Out>(activated(sum, s.activation));
      }
}

void reference(const ReferenceArgs& r) {
  plain(sizes_of(r.in_types, r.attrs), r.in[0], r.in[1], r.in.size() > 2 ? r.in[2] : nullptr, r.out[0]);
}

template <class T, class In, class Out>
void scalar(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  plain(s, args.at<const In>(0), args.at<const In>(1), s.bias ? args.at<const T>(2) : nullptr,
        args.at<Out>(s.bias ? 3 : 2));
}

PrepareResult prepare_scalar(const KernelRequest& r) {
  const KernelFn run = with_product_types(
      r.in[0].dtype, r.out[0].dtype,
      []<class T, class In, class Out>(T, In, Out) -> KernelFn { return scalar<T, In, Out>; });
  return Prepared{run, std::make_shared<const Sizes>(sizes_of(r.in, r.attrs))};
}

// Rows of all batches follow each other where one b serves them: one tall product.
Sizes one_product(Sizes s) {
  if (s.shared_b && !s.transpose_a) {
    s.m *= s.batches;
    s.batches = 1;
  }
  return s;
}

// Large products. Making a primitive costs a millisecond and memory that stays, so it must gain.
PrepareResult prepare_large(const KernelRequest& r) {
  const auto no = [](const char* why) { return tl::unexpected(std::string(why)); };
  if (r.in[0].dtype == DType::f64) return no("f32 and bf16 only");
  if (r.target.isa != Isa::avx512) return no("AVX-512 only");
  const Sizes s = one_product(sizes_of(r.in, r.attrs));
  if (std::min({s.m, s.n, s.k}) < kOnednnSide || s.m * s.n * s.k < kOnednnProducts)
    return no("too small to gain");
  return prepare_onednn({.batches = s.batches,
                         .m = s.m,
                         .n = s.n,
                         .k = s.k,
                         .transpose_a = s.transpose_a,
                         .transpose_b = s.transpose_b,
                         .shared_b = s.shared_b,
                         .bias = s.bias,
                         .activation = s.activation,
                         .threads = r.target.threads,
                         .operands = r.in[0].dtype,
                         .result = r.out[0].dtype});
}

// Our own tiles: any size, any transposition.
PrepareResult prepare_tiles(const KernelRequest& r) {
  if (!info(r.in[0].dtype).compute) return tl::unexpected(std::string("f32 and f64 only"));
  const Sizes s = one_product(sizes_of(r.in, r.attrs));
  Gemm g{.batches = s.batches, .m = s.m, .n = s.n, .k = s.k};
  g.a = {.row = s.transpose_a ? 1 : s.k, .col = s.transpose_a ? s.m : 1, .batch = s.m * s.k};
  g.b = {.row = s.transpose_b ? 1 : s.n, .col = s.transpose_b ? s.k : 1, .batch = s.shared_b ? 0 : s.k * s.n};
  g.c = {.row = s.n, .col = 1, .batch = s.m * s.n};
  g.bias = s.bias;
  g.relu = s.activation == Activation::relu;
  if (s.activation != Activation::none && !g.relu) {
    const TileSet tiles = find(to_string(s.activation))->tiles(r.target.isa);
    g.activation = r.out[0].dtype == DType::f32 ? tiles.f32 : tiles.f64;
  }
  g.threads = r.target.threads;
  auto plan = std::make_shared<const GemmPlan>(prepare_gemm(r.target.isa, r.out[0].dtype, g));
  const int64_t scratch = plan->scratch_per_thread * plan->gemm.threads * info(r.out[0].dtype).block_bytes;
  return Prepared{plan->run, plan, scratch};
}

const Kernel kKernels[] = {{"onednn", prepare_large}, {"tiles", prepare_tiles}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef matmul_op{
    .name = "matmul",
    .doc = "activation(a b + bias), either transposed",
    .min_inputs = 2,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
