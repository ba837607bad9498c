#include "ops/check_compiled.h"

#include <algorithm>
#include <cstring>

#include "compile/compile.h"
#include "ops/differentiated.h"
#include "ops/guarded.h"
#include "run/executor.h"

namespace shoestring::optest {
namespace {

// What a chain of f32 kernels may lose against f64, relative as in difference().
double chain_tolerance(const Row& row, DType dtype) {
  const double base = dtype == DType::f64 ? 1e-9 : dtype == DType::f32 ? 5e-5 : default_tolerance(dtype);
  return std::max(base, 10 * row.tolerance.value_or(0));
}

class Runner {
 public:
  Runner(const Graph& graph, const Configuration& configuration, Isa isa, int threads) : graph_(graph) {
    CompileOptions options;
    options.target = {configuration.scalar ? Isa::scalar : isa, configuration.one_thread ? 1 : threads};
    options.skip = configuration.skip;
    options.reuse_memory = configuration.reuse_memory;
    const Status s = states_.include(graph);
    plan_ = s ? compile(graph, states_, options) : Result<Plan>(fail(s.error()));
  }
  const Result<Plan>& plan() const { return plan_; }

  // The outputs' bytes, in the graph's order; empty if a guard byte was written.
  std::vector<std::vector<std::byte>> run(const std::map<std::string, Tensor64>& inputs, std::byte garbage) {
    Guarded arena(plan_->arena_bytes), states(plan_->state_bytes);
    arena.fill(garbage);
    Executor executor(*plan_, states.data(), arena.data());
    for (const Port& port : plan_->inputs) {
      const Data data = encoded(port.type, inputs.at(port.name));
      if (!data.bytes.empty()) std::memcpy(executor.input(port.name), data.bytes.data(), data.bytes.size());
    }
    executor.run(kContext);
    if (!arena.intact() || !states.intact()) return {};
    std::vector<std::vector<std::byte>> outputs;
    for (const NamedValue& o : graph_.outputs()) {
      const auto* bytes = static_cast<const std::byte*>(executor.output(o.name));
      outputs.emplace_back(bytes, bytes + graph_.type(o.value).bytes());
    }
    return outputs;
  }

 private:
  const Graph& graph_;
  StateLayout states_;
  Result<Plan> plan_;
};

}  // namespace

const std::vector<Configuration>& configurations() {
  static const std::vector<Configuration> all = {
      {.name = "default"},
      {.name = "no_fusion", .skip = {"epilogue", "fuse"}},
      {.name = "scalar_only", .scalar = true},
      {.name = "one_thread", .one_thread = true},
      {.name = "poison", .reuse_memory = false},
  };
  return all;
}

void check_compiled(const Case& c, const Configuration& configuration, Isa isa, int threads, Report& report) {
  const std::string flags = fmt::format("--only compiled --config {} --isa {} --threads {}",
                                        configuration.name, isa_name(isa), threads);
  const std::vector<Data> data = draw(c.row);
  auto check = [&](const std::string& what, const Graph& graph, const std::map<std::string, Tensor64>& inputs,
                   bool chain) {
    Runner runner(graph, configuration, isa, threads);
    if (!runner.plan())
      return report.fail(c.row,
                         fmt::format("{}does not compile ({}): {}", what, configuration.name,
                                     runner.plan().error().message()),
                         flags);
    const auto outputs = runner.run(inputs, std::byte{0xFF});
    if (outputs.size() != graph.outputs().size())
      return report.fail(c.row, fmt::format("{}writes outside the arena ({})", what, configuration.name),
                         flags);
    const auto again = runner.run(inputs, std::byte{0x3B});
    const Interpretation reference = interpret(graph, inputs, {}, kContext);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const NamedValue& o = graph.outputs()[i];
      const Type& type = graph.type(o.value);
      Tensor64 got(static_cast<size_t>(type.elements()));
      decode(type.dtype, outputs[i].data(), got.data(), type.elements());
      const double tolerance = chain ? chain_tolerance(c.row, type.dtype)
                                     : c.row.tolerance.value_or(default_tolerance(type.dtype));
      if (const auto wrong = difference(type, got, reference.outputs.at(o.name), tolerance))
        report.fail(c.row, fmt::format("{}{} of the plan ({}): {}", what, o.name, configuration.name, *wrong),
                    flags);
      else if (outputs[i] != again[i])
        report.fail(c.row,
                    fmt::format("{}{} of the plan ({}) depends on what the arena held before", what, o.name,
                                configuration.name),
                    flags);
      else
        report.passed();
    }
  };
  std::map<std::string, Tensor64> inputs;
  for (size_t i = 0; i < data.size(); ++i) inputs[c.row.in[i].name] = data[i].values;
  check("", c.graph, inputs, false);
  if (c.row.nograd) return;
  const std::optional<Differentiated> d = differentiated(c);
  if (d && d->graph.status()) check("with its gradient: ", d->graph, inputs_of(c, *d, data), true);
}

}  // namespace shoestring::optest
