// From a graph to a plan, through named passes: each takes a graph and returns a graph, is verified
// after, can be skipped by name and dumped.
#pragma once

#include <functional>
#include <memory>

#include "compile/plan.h"

namespace shoestring {

struct MachineProfile;

// What may be computed or kept with fewer bits than the graph says.
struct Precision {
  DType products = DType::f32;                // what products of matrices take: f32 or bf16
  int64_t least_products = int64_t{1} << 25;  // multiplications from which one is worth it; 0: all
  // How values of the forward part are kept for the backward part: f32, bf16, or f16, which keeps what is
  // beyond 65,504 as that (NaN stays NaN). What is computed with is f32 in any case.
  DType stored = DType::f32;
  int64_t least_stored = int64_t{1} << 16;  // bytes from which a value is worth it
};

struct CompileOptions;
struct Pass {
  std::string_view name, doc;
  Graph (*run)(const Graph&, const CompileOptions&);
};
// In order: expand, fold, simplify, merge (common nodes), prune (dead nodes), epilogue, precision, store,
// recompute, layout, fuse, schedule. Placing follows and makes the plan.
std::span<const Pass> passes();

struct CompileOptions {
  Target target;        // native_target() unless a test forces one
  Precision precision;  // training plans take what the recipe asks for and the machine gains by
  std::shared_ptr<const MachineProfile> machine;  // whose rates decide; none: built_in_profile(target)
  // Above 0: what the forward part made is computed again, as little as it takes, until the arena is no
  // larger. Where nothing makes it so small, the plan has the smallest arena that was found:
  // Plan::arena_bytes says so.
  int64_t arena_limit_bytes = 0;
  std::vector<std::string> skip;  // pass names
  // Called after each pass (and once with "build" before the first): name, graph, seconds it took.
  std::function<void(std::string_view pass, const Graph& graph, double seconds)> observe;
  // Asked before each pass: true gives up, with ErrorKind::interrupted.
  std::function<bool()> stopped;
  bool reuse_memory = true;  // false: no slot is used twice (for tests that poison)
};

// The best instruction set of this machine and the team's threads. SHOESTRING_ISA=scalar|avx2|avx512
// in the environment lowers it (for tests and bug reports).
Target native_target();
std::string_view to_string(Isa isa);

// The profile that decides: the one in the options, or the built-in one.
MachineProfile machine_of(const CompileOptions& options);

// An error once options.stopped says so.
Status go_on(const CompileOptions& options);

// The arena of the plan that compile() makes, for whoever looks for options that fit.
Result<int64_t> arena_bytes_of(Graph graph, const StateLayout& states, const CompileOptions& options);

// Says how the states of a graph lie (StateInfo::layout), for all plans of a model, where an earlier call has
// not said it: as it is best for this graph. So the plan that runs most comes first, and no plan is compiled
// before all that have states of their own. States that no call has seen lie row-major.
Status lay_out_states(const Graph& graph, StateLayout& states, const CompileOptions& options);

// `states` must include the graph's states already (StateLayout::include).
Result<Plan> compile(Graph graph, const StateLayout& states, const CompileOptions& options);

}  // namespace shoestring
