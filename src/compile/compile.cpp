#include "compile/compile.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/arith.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "compile/body.h"
#include "compile/buffers.h"
#include "compile/machine.h"
#include "compile/memory_planner.h"
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ir/verify.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// A pass that asks for nothing but the target.
template <Graph (*pass)(const Graph&, const Target&)>
Graph on_target(const Graph& graph, const CompileOptions& options) {
  return pass(graph, options.target);
}

constexpr Pass kPasses[] = {
    {"expand", "composites become what they are made of", on_target<expand_composites>},
    {"fold", "nodes of constants become constants", on_target<fold_constants>},
    {"simplify", "identities go; transposes are read through", on_target<simplify>},
    {"merge", "equal nodes become one", on_target<merge_common>},
    {"prune", "nodes that nothing needs go", on_target<prune>},
    {"epilogue", "bias and activation join their matmul", on_target<fuse_epilogues>},
    {"precision", "large products take bf16 operands, if asked to", choose_precision},
    {"store", "what waits for the backward part takes 16 bits, if asked to", store_narrow},
    {"recompute", "what the arena's limit has no room for is computed again", recompute},
    {"layout", "filters and what goes with them lie as their kernels want them", on_target<choose_layouts>},
    {"fuse", "elementwise chains become one node, run in cache", on_target<fuse_elementwise>},
    {"schedule", "an order with a low peak of memory", on_target<schedule>},
};

// A node's kernel, ready to run, and its name.
struct Chosen {
  std::string kernel;
  Prepared prepared;
};

Result<Chosen> choose_kernel(const Graph& graph, uint32_t i, const CompileOptions& options) {
  const Node& node = graph.nodes()[i];
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  const KernelRequest request{in, node.types, node.attrs, node.body.get(), options.target};
  std::string refused;
  if (node.op->elementwise()) {
    if (PrepareResult p = ops::prepare_elementwise(request, *node.op))
      return Chosen{"tiles", std::move(*p)};
    else
      refused = p.error();
  }
  if (ops::is_loop(node)) {
    const auto prepare_body = [&](const Graph& body, size_t carries) {
      return place_body(body, carries, options)
          .map([](PlacedBody&& placed) { return std::move(placed.prepared); })
          .map_error([](const Error& e) { return e.message(); });
    };
    if (PrepareResult p = ops::prepare_scan(request, prepare_body))
      return Chosen{"steps", std::move(*p)};
    else
      refused = p.error();
  }
  for (const Kernel& kernel : node.op->kernels) {
    if (PrepareResult p = kernel.prepare(request))
      return Chosen{std::string(kernel.name), std::move(*p)};
    else
      refused += fmt::format("{}{}: {}", refused.empty() ? "" : ", ", kernel.name, p.error());
  }
  std::string shapes;
  for (const Type& t : in) shapes += (shapes.empty() ? "" : ", ") + to_string(t);
  return fail(ErrorKind::usage, fmt::format("{}: no kernel takes {} ({})", node.op->name, shapes, refused),
              fmt::format("graph {}, %{}", graph.name(), i), "compute in f32 or f64 and cast");
}

void copy_bytes(const void* data, const KernelArgs& args) noexcept {
  std::memcpy(args.operands[1], args.operands[0], static_cast<size_t>(*static_cast<const int64_t*>(data)));
}

Prepared copy_of(int64_t bytes) { return {copy_bytes, std::make_shared<const int64_t>(bytes), 0}; }

// With every write at the end, in their order: then a pass may take the state itself for a value made of it
// wherever that value is used, and the old value is still there. (schedule puts them where they cost least.)
Graph with_writes_last(const Graph& graph) {
  Rewriter r(graph);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (graph.nodes()[i].op != &write_op) r.copy(NodeId{i});
  return r.finish();
}

// Turns an ordered graph into steps over slots.
class Placer {
 public:
  Placer(Graph graph, const StateLayout& states, const CompileOptions& options)
      : states_(states), options_(options), buffers_(assign_buffers(graph, options.reuse_memory)) {
    plan_.name = graph.name();
    plan_.graph = std::move(graph);
    plan_.state_bytes = states.bytes();
    for (size_t b = 0; b < buffers_.buffers.size(); ++b)
      if (const Buffer& buffer = buffers_.buffers[b]; buffer.memory == Memory::state)
        state_buffers_.emplace(buffer.state, static_cast<int>(b));
  }

  Result<Plan> run() {
    const Graph& graph = plan_.graph;
    for (size_t s = 0; s < buffers_.saved_outputs.size(); ++s) {
      const ValueId v = graph.outputs()[buffers_.saved_outputs[s]].value;
      pending_.push_back({fmt::format("{} copy", label(v.node.index)),
                          "copy",
                          copy_of(graph.type(v).bytes()),
                          copied(v, {buffers_.saved_to[s], 0}),
                          -1,
                          {}});
    }
    for (uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (auto s = add_node(i); !s) return fail(s.error());
    place_buffers();
    finish_steps();
    make_ports();
    if (auto s = verify(plan_); !s) return fail(s.error());
    return std::move(plan_);
  }

 private:
  struct Located {
    Location at;
    int64_t bytes;
    bool written;
  };
  struct Pending {
    std::string name, kernel;
    Prepared prepared;
    std::vector<Located> operands;
    int node;
    Cost cost;
  };

  std::vector<Located> copied(ValueId v, const Location& to) const {
    const int64_t bytes = plan_.graph.type(v).bytes();
    return {{buffers_.at(v), bytes, false}, {to, bytes, true}};
  }

  static std::string label(uint32_t node) { return fmt::format("%{}", node); }

  Status add_node(uint32_t i) {
    const Graph& graph = plan_.graph;
    const Node& node = graph.nodes()[i];
    if (node.op == &write_op) {
      if (!buffers_.needs_copy[i]) return {};
      const ValueId v = node.inputs[0];
      pending_.push_back({fmt::format("{} write {}", label(i), node.name),
                          "copy",
                          copy_of(graph.type(v).bytes()),
                          copied(v, {state_buffer(node.name), 0}),
                          static_cast<int>(i),
                          {}});
      return {};
    }
    if (node.op == &input_op || node.op == &constant_op || node.op == &read_op || view_offset(graph, node))
      return {};
    Result<Chosen> chosen = kernel_of(i);
    if (!chosen) return fail(chosen.error());
    std::vector<Located> operands;
    for (const ValueId& v : node.inputs) operands.push_back({buffers_.at(v), graph.type(v).bytes(), false});
    for (size_t k = 0; k < node.types.size(); ++k)
      operands.push_back({buffers_.of[i][k], node.types[k].bytes(), true});
    if (const int64_t scratch = chosen->prepared.scratch_bytes; scratch > 0) {
      buffers_.buffers.push_back({.memory = Memory::arena,
                                  .bytes = round_up(scratch, kAlignment),
                                  .first = static_cast<int>(i),
                                  .last = static_cast<int>(i)});
      operands.push_back({{static_cast<int>(buffers_.buffers.size()) - 1, 0}, scratch, true});
      scratch_.push_back({static_cast<int>(buffers_.buffers.size()) - 1, i});
    }
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
    const Cost cost = node.op->cost ? node.op->cost({in, node.attrs, node.body.get()}, node.types) : Cost{};
    pending_.push_back({fmt::format("{} {}", label(i), node.op->name), chosen->kernel,
                        std::move(chosen->prepared), std::move(operands), static_cast<int>(i), cost});
    return {};
  }

  // Nodes that differ in nothing but their operands share a kernel: making one may cost a millisecond.
  Result<Chosen> kernel_of(uint32_t i) {
    const Node& node = plan_.graph.nodes()[i];
    if (node.body || node.op->elementwise()) return choose_kernel(plan_.graph, i, options_);
    std::string key(node.op->name);
    for (const ValueId& v : node.inputs) key += " " + to_string(plan_.graph.type(v));
    for (const auto& [name, value] : node.attrs.pairs()) key += " " + name + "=" + to_string(value);
    for (const Type& t : node.types) key += " " + to_string(t);
    const auto known = kernels_.find(key);
    if (known != kernels_.end()) return known->second;
    Result<Chosen> chosen = choose_kernel(plan_.graph, i, options_);
    if (chosen) kernels_.emplace(std::move(key), *chosen);
    return chosen;
  }

  int state_buffer(const std::string& name) {
    const auto [known, fresh] = state_buffers_.emplace(name, static_cast<int>(buffers_.buffers.size()));
    if (fresh) buffers_.buffers.push_back({.memory = Memory::state, .state = name});
    return known->second;
  }

  // The step at or after which a node's time begins: lifetimes are counted in nodes until here.
  int step_of(int node) const {
    if (node < 0) return -1;
    const auto at = std::lower_bound(pending_.begin(), pending_.end(), node,
                                     [](const Pending& p, int n) { return p.node < n; });
    return static_cast<int>(at - pending_.begin());
  }

  void place_buffers() {
    std::vector<Lifetime> lifetimes;
    std::vector<size_t> which;
    const int nodes = static_cast<int>(plan_.graph.nodes().size());
    for (size_t b = 0; b < buffers_.buffers.size(); ++b) {
      const Buffer& buffer = buffers_.buffers[b];
      if (buffer.memory != Memory::arena) continue;
      which.push_back(b);
      const int last = buffer.last >= nodes ? static_cast<int>(pending_.size()) : step_of(buffer.last);
      lifetimes.push_back({buffer.bytes, options_.reuse_memory ? step_of(buffer.first) : -1,
                           options_.reuse_memory ? std::max(last, step_of(buffer.first))
                                                 : static_cast<int>(pending_.size())});
    }
    const Placement placement = place(lifetimes);
    offsets_.assign(buffers_.buffers.size(), 0);
    std::vector<std::string> names = buffer_names();
    for (size_t k = 0; k < which.size(); ++k) {
      offsets_[which[k]] = placement.offsets[k];
      plan_.slots.push_back({std::move(names[which[k]]), placement.offsets[k], lifetimes[k].bytes,
                             lifetimes[k].first, lifetimes[k].last});
    }
    plan_.arena_bytes = placement.bytes;
    plan_.live_bytes = largest_live_set(lifetimes);
    for (size_t b = 0; b < buffers_.buffers.size(); ++b) {
      const Buffer& buffer = buffers_.buffers[b];
      if (buffer.memory == Memory::state) offsets_[b] = states_.find(buffer.state)->offset;
      if (buffer.memory == Memory::constant) {
        offsets_[b] = static_cast<int64_t>(plan_.constants.size());
        const auto& bytes = *plan_.graph.node(buffer.constant).literal;
        plan_.constants.insert(plan_.constants.end(), bytes.begin(), bytes.end());
        plan_.constants.resize(
            static_cast<size_t>(round_up(static_cast<int64_t>(plan_.constants.size()), kAlignment)));
      }
    }
  }

  // Each is named after the first value that lives in it.
  std::vector<std::string> buffer_names() const {
    std::vector<std::string> names(buffers_.buffers.size());
    for (uint32_t i = 0; i < buffers_.of.size(); ++i)
      for (size_t k = 0; k < buffers_.of[i].size(); ++k)
        if (std::string& name = names[static_cast<size_t>(buffers_.of[i][k].buffer)]; name.empty())
          name = buffers_.of[i].size() > 1 ? fmt::format("{}.{}", label(i), k) : label(i);
    for (const auto& [b, node] : scratch_) names[static_cast<size_t>(b)] = label(node) + " scratch";
    for (std::string& name : names)
      if (name.empty()) name = "copy";
    return names;
  }

  Place at(const Location& l) const {
    const auto b = static_cast<size_t>(l.buffer);
    return {buffers_.buffers[b].memory, offsets_[b] + l.offset};
  }

  void finish_steps() {
    for (Pending& p : pending_) {
      Step step{std::move(p.name), std::move(p.kernel), {}, std::move(p.prepared), p.cost, p.node};
      for (const Located& o : p.operands) step.operands.push_back({at(o.at), o.bytes, o.written});
      plan_.steps.push_back(std::move(step));
    }
  }

  void make_ports() {
    const Graph& graph = plan_.graph;
    for (uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (const Node& n = graph.nodes()[i]; n.op == &input_op)
        plan_.inputs.push_back({n.name, n.types[0], at(buffers_.of[i][0])});
    for (size_t o = 0; o < graph.outputs().size(); ++o) {
      const NamedValue& out = graph.outputs()[o];
      Location l = buffers_.at(out.value);
      for (size_t s = 0; s < buffers_.saved_outputs.size(); ++s)
        if (buffers_.saved_outputs[s] == o) l = {buffers_.saved_to[s], 0};
      plan_.outputs.push_back({out.name, graph.type(out.value), at(l)});
    }
  }

  Plan plan_;
  const StateLayout& states_;
  const CompileOptions& options_;
  Buffers buffers_;
  std::map<std::string, int> state_buffers_;
  std::map<std::string, Chosen> kernels_;  // by what asks for one
  std::vector<std::pair<int, uint32_t>> scratch_;
  std::vector<Pending> pending_;
  std::vector<int64_t> offsets_;  // by buffer
};

}  // namespace

std::span<const Pass> passes() { return kPasses; }

std::string_view to_string(Isa isa) {
  constexpr std::string_view names[] = {"scalar", "avx2", "avx512", "neon"};
  return names[static_cast<size_t>(isa)];
}

Target native_target() {
  Isa isa = ops::best_isa();
  if (const char* lower = std::getenv("SHOESTRING_ISA"))
    for (Isa wanted : {Isa::scalar, Isa::avx2, Isa::avx512})
      if (to_string(wanted) == lower && (isa == Isa::neon ? wanted == Isa::scalar : wanted < isa))
        isa = wanted;
  return {isa, thread_count()};
}

MachineProfile machine_of(const CompileOptions& options) {
  return options.machine ? *options.machine : built_in_profile(options.target);
}

Status go_on(const CompileOptions& options) {
  if (!options.stopped || !options.stopped()) return {};
  return fail(ErrorKind::interrupted, "stopped while the network was compiled", {},
              "run the same command again");
}

Result<Plan> place_steps(Graph graph, const StateLayout& states, const CompileOptions& options) {
  return Placer(std::move(graph), states, options).run();
}

Result<Graph> run_passes(Graph graph, const CompileOptions& options, std::string_view until) {
  const SteadyClock clock;
  for (const Pass& pass : kPasses) {
    if (pass.name == until) break;
    if (std::find(options.skip.begin(), options.skip.end(), pass.name) != options.skip.end()) continue;
    if (auto ok = go_on(options); !ok) return fail(ok.error());
    const double start = clock.seconds();
    graph = in_bodies(pass.run(graph, options), pass, options);
    if (options.observe) options.observe(pass.name, graph, clock.seconds() - start);
    if (auto s = verify(graph); !s) {
      Error e = s.error();
      e.where += fmt::format(", after pass {}", pass.name);
      return fail(std::move(e));
    }
  }
  return graph;
}

namespace {

Result<Plan> compile_once(Graph graph, const StateLayout& states, const CompileOptions& options) {
  return run_passes(std::move(graph), options).and_then([&](Graph ready) {
    return go_on(options).and_then([&] { return place_steps(std::move(ready), states, options); });
  });
}

// `recompute` sees neither scratch nor the order that schedule finds, so what it is told to reach is
// corrected by what came out: down until the plan fits, and up again while there is room.
Result<Plan> compile_within(const Graph& graph, const StateLayout& states, const CompileOptions& options) {
  constexpr int kTries = 6;
  const int64_t limit = options.arena_limit_bytes;
  CompileOptions now = options;
  now.arena_limit_bytes = 0;
  Result<Plan> best = compile_once(graph, states, now);
  if (!best || best->arena_bytes <= limit) return best;
  int64_t aim = limit, fits = 0, does_not = INT64_MAX;
  for (int t = 0; t < kTries && aim > 0; ++t) {
    now.arena_limit_bytes = aim;
    Result<Plan> plan = compile_once(graph, states, now);
    if (!plan) return plan;
    const int64_t arena = plan->arena_bytes;
    const bool within = arena <= limit;
    (within ? fits : does_not) = within ? std::max(fits, aim) : std::min(does_not, aim);
    const bool was_within = best->arena_bytes <= limit;
    if (within != was_within ? within
        : within             ? plan->cost().flops < best->cost().flops
                             : arena < best->arena_bytes)
      best = std::move(plan);
    const int64_t step = std::max(std::abs(limit - arena), limit / 64);
    int64_t next = within ? aim + step : aim - step;
    if (fits > 0 && does_not < INT64_MAX && (next <= fits || next >= does_not))
      next = fits + (does_not - fits) / 2;
    if (within && (limit - arena < limit / 32 || next - aim < limit / 64)) break;
    if (!within && fits > 0 && does_not - fits < limit / 64) break;
    aim = next;
  }
  return best;
}

}  // namespace

Result<Plan> compile(Graph graph, const StateLayout& states, const CompileOptions& options) {
  if (auto s = verify(graph); !s) return fail(s.error());
  for (const StateInfo& info : graph.states())
    if (const StateSlot* slot = states.find(info.name); !slot || slot->info.type != info.type)
      return fail(ErrorKind::internal, fmt::format("state '{}' is not in the layout", info.name),
                  "graph " + graph.name());
  if (std::ranges::find(options.skip, "layout") != options.skip.end() &&
      std::ranges::any_of(states.slots(), [](const StateSlot& s) { return !s.info.layout.row_major(); }))
    return fail(ErrorKind::internal, "the states do not lie row-major, and the pass for layouts is skipped",
                "graph " + graph.name());
  if (options.observe) options.observe("build", graph, 0);
  graph = with_writes_last(graph);
  for (const StateInfo& info : std::vector(graph.states().begin(), graph.states().end()))
    graph.lay_out(info.name, states.find(info.name)->info.layout);
  return options.arena_limit_bytes > 0 ? compile_within(graph, states, options)
                                       : compile_once(std::move(graph), states, options);
}

Status lay_out_states(const Graph& graph, StateLayout& states, const CompileOptions& options) {
  constexpr std::string_view kPass = "layout";
  const auto settled = [&](const StateInfo& s) {
    const StateSlot* slot = states.find(s.name);
    return slot && slot->settled;
  };
  if (std::ranges::find(options.skip, kPass) != options.skip.end() ||
      std::ranges::none_of(graph.nodes(), [](const Node& n) { return !n.op->laid_out.empty(); }) ||
      std::ranges::all_of(graph.states(), settled))
    return {};
  CompileOptions quiet = options;
  quiet.observe = nullptr, quiet.arena_limit_bytes = 0;
  const auto ready = run_passes(with_writes_last(graph), quiet, kPass);
  if (!ready) return fail(ready.error());
  const std::vector<Layout> layouts = state_layouts(*ready, options.target);
  for (size_t s = 0; s < layouts.size(); ++s)
    if (const StateInfo& state = ready->states()[s]; !settled(state)) states.lay_out(state.name, layouts[s]);
  return {};
}

Result<int64_t> arena_bytes_of(Graph graph, const StateLayout& states, const CompileOptions& options) {
  return compile(std::move(graph), states, options).map([](const Plan& plan) { return plan.arena_bytes; });
}

}  // namespace shoestring
