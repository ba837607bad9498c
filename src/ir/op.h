// What an operator is: one constant record per operator, no classes and no registration. The file
// src/ops/NAME.cpp defines `const OpDef NAME_op`; the build lists the files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/philox.h"
#include "ir/attr.h"
#include "ir/layout.h"
#include "ir/type.h"

namespace shoestring {

class Graph;
class Value;
class Backward;
class Expansion;

using Types = std::vector<Type>;

// What shape and cost rules see of a node.
struct OpArgs {
  std::span<const Type> in;
  const Attrs& attrs;
  const Graph* body = nullptr;  // of operators that hold a graph (fused, later scan)
};

struct Cost {
  double flops = 0;  // algorithmic
  double bytes = 0;  // compulsory: each operand read or written once
};

// What a run is told from outside; the rest is in the plan.
struct RunContext {
  uint64_t seed = 0;
  uint32_t step = 0;        // of the optimizer: random nodes draw new values each step
  uint32_t row_offset = 0;  // of this batch's row 0 in the global batch
};

// ---- the reference: the obvious f64 loop, oracle of every kernel ----
struct ReferenceArgs {
  std::span<const Type> in_types, out_types;
  const Attrs& attrs;
  std::span<const double* const> in;  // every dtype widened to f64, row-major
  std::span<double* const> out;
  RunContext context;
};
using ReferenceFn = void (*)(const ReferenceArgs&);

// ---- kernels ----
enum class Isa : uint8_t { scalar, avx2, avx512, neon };
struct Target {
  Isa isa = Isa::scalar;
  int threads = 1;
};

struct KernelRequest {
  std::span<const Type> in, out;
  const Attrs& attrs;
  const Graph* body;
  Target target;
};

// Operands in order: inputs, outputs, then scratch if prepare() asked for it. Pointers are aligned to
// 64 bytes except for views into the middle of a tensor (aligned to the element).
struct KernelArgs {
  void* const* operands;
  const RunContext* context;
  template <class T>
  T* at(int i) const {
    return static_cast<T*>(operands[i]);
  }
};
using KernelFn = void (*)(const void* data, const KernelArgs& args) noexcept;

// A kernel made ready for one node: sizes, strides and primitives are in `data`, which lives as long
// as the plan.
struct Prepared {
  KernelFn run = nullptr;
  std::shared_ptr<const void> data;
  int64_t scratch_bytes = 0;
};
using PrepareResult = tl::expected<Prepared, std::string>;  // or the reason for refusing
struct Kernel {
  std::string_view name;  // "highway", "onednn", "scalar": recorded in the plan
  PrepareResult (*prepare)(const KernelRequest&);
  // The order in which it takes, or makes, the operator's laid-out operand (OpDef::laid_out), or the reason
  // for refusing; the request has it row-major. Absent: row-major, and no other.
  tl::expected<Layout, std::string> (*wants)(const KernelRequest&) = nullptr;
};

// An operand that need not lie row-major: which (inputs, then outputs), and the attribute that says how it
// lies (Layout::attribute()).
struct LaidOut {
  int operand;
  std::string_view attr;
};

// Elementwise operators give tile functions instead of kernels: n consecutive elements of each input
// to n of the output, all of one dtype. `out` may be one of `in`. A fused step calls them one after
// the other on tiles that stay in cache; alone, an elementwise node is a fused step of one.
struct Tile {
  const void* const* in;
  void* out;
  int64_t n;
  const double* params;  // the node's numeric attributes, in declared order
  uint32_t uniform = 0;  // bit k: in[k] is a single element that counts for all n
  bool padded = false;   // out has room for a whole vector where n ends inside of one
};
using TileFn = void (*)(const Tile&) noexcept;
struct TileSet {
  TileFn f32 = nullptr, f64 = nullptr;
};

enum Trait : uint32_t {
  kElementwise = 1u << 0,  // all inputs and the output have one type; has tiles and scalar
  kRandom = 1u << 1,       // has a `stream` attribute; never merged with a node of another stream
  kCheap = 1u << 2,        // better computed again than kept
  kCommutative = 1u << 3,  // binary, arguments may swap
  kNoFold = 1u << 4,       // never folded into a constant (random, inputs, states)
  kBlocks = 1u << 5,       // takes operands whose elements come in blocks
  kUpdate = 1u << 6,       // the output is input 0 with parts replaced, and may be made in its memory
};

struct OpDef {
  std::string_view name, doc;  // doc: one line, the formula
  int version = 1;             // stands in model files
  int min_inputs = 1, max_inputs = 1;
  uint32_t traits = 0;
  std::span<const AttrDef> attrs = {};
  std::span<const LaidOut> laid_out = {};

  // The only shape rule; Graph::add calls it. Errors begin with the operator's name and show both shapes.
  Result<Types> (*infer)(const OpArgs&) = nullptr;
  Cost (*cost)(const OpArgs&, std::span<const Type> out) = nullptr;

  // What it is made of, for composites; used where no kernel accepts it. Returns the outputs.
  std::vector<Value> (*expand)(Expansion&) = nullptr;
  // Appends ordinary nodes; what it reads is what stays alive. Absent: the gradient of expand, or
  // no_grad says why there is none.
  void (*grad)(Backward&) = nullptr;
  std::string_view no_grad = {};

  ReferenceFn reference = nullptr;  // absent for elementwise (scalar) and composites (expand)
  double (*scalar)(const double* in, const double* params) = nullptr;  // elementwise operators' reference

  std::span<const Kernel> kernels = {};  // best first; the last one accepts every compute type
  TileSet (*tiles)(Isa) = nullptr;       // elementwise operators only

  // If the output is a run of input 0's bytes: where it starts. The node is then a view, not a step.
  std::optional<int64_t> (*view)(const OpArgs&, const Type& out) = nullptr;

  bool elementwise() const { return traits & kElementwise; }
};

// The operators that are the graph's own and have no kernel.
extern const OpDef input_op, constant_op, read_op, write_op;

}  // namespace shoestring
