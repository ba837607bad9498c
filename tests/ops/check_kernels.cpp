// Every kernel against the reference, in guarded and poisoned memory.
#include <chrono>

#include "base/parallel.h"
#include "compile/body.h"
#include "ops/check.h"
#include "ops/guarded.h"
#include "ops/loop.h"
#include "ops/ops.h"

namespace shoestring::optest {
namespace {

// NaN in every floating type, -1 in every integer; and a harmless finite number.
constexpr std::byte kPoison[] = {std::byte{0xFF}, std::byte{0x3B}};

struct Run {
  std::byte poison = kPoison[0];
  bool shifted = false;    // operands aligned to an element only
  int in_place = -1;       // the operand whose memory a result takes
  size_t result = 0;       // which one
  bool in_region = false;  // on one thread of a team, as when a batch is split
};

struct Outcome {
  std::vector<std::vector<std::byte>> outputs;
  std::string problem;
};

class Bench {
 public:
  // Operands lie as the attributes say (OpDef::laid_out).
  Bench(const Case& c, std::span<const Data> data, const Attrs& attrs) : case_(c) {
    for (const Data& d : data) data_.push_back(d.bytes);
    for (size_t i = 0; i < data_.size(); ++i)
      if (const Layout layout = layout_of(i, attrs); !layout.row_major())
        write_elements(layout, c.row.in[i].type, data_[i].data(), 0, data[i].bytes);
    for (size_t k = 0; k < c.row.out.size(); ++k) results_.push_back(layout_of(data.size() + k, attrs));
  }

  // The operands in fresh memory, one run, what it left.
  Outcome run(const Prepared& kernel, const Run& how) {
    std::vector<Guarded> memory;
    std::vector<void*> operands;
    memory.reserve(case_.row.in.size() + case_.row.out.size() + 1);
    for (size_t i = 0; i < data_.size(); ++i) {
      Guarded& m = memory.emplace_back(case_.row.in[i].type.bytes(), shift(case_.row.in[i].type, how));
      m.fill(data_[i]);
      operands.push_back(m.data());
    }
    std::vector<size_t> outputs;
    for (size_t i = 0; i < case_.row.out.size(); ++i) {
      if (i == how.result && how.in_place >= 0) {
        outputs.push_back(static_cast<size_t>(how.in_place));
        operands.push_back(operands[outputs.back()]);
        continue;
      }
      outputs.push_back(memory.size());
      Guarded& m = memory.emplace_back(case_.row.out[i].type.bytes(), shift(case_.row.out[i].type, how));
      m.fill(how.poison);
      operands.push_back(m.data());
    }
    if (kernel.scratch_bytes > 0) {
      Guarded& m = memory.emplace_back(kernel.scratch_bytes);
      m.fill(how.poison);
      operands.push_back(m.data());
    }
    const KernelArgs args{operands.data(), &kContext};
    if (how.in_region) {
      set_thread_count(2);
      parallel([&](int thread, int) noexcept {
        if (thread == 0) kernel.run(kernel.data.get(), args);
      });
      set_thread_count(1);
    } else {
      kernel.run(kernel.data.get(), args);
    }

    Outcome outcome;
    for (size_t i = 0; i < memory.size(); ++i)
      if (!memory[i].intact()) outcome.problem = fmt::format("writes outside operand {}", i);
    for (size_t i = 0; i < data_.size(); ++i)
      if (static_cast<int>(i) != how.in_place &&
          !std::equal(data_[i].begin(), data_[i].end(), memory[i].data()))
        outcome.problem = fmt::format("changes operand {}", case_.row.in[i].name);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const auto bytes = memory[outputs[k]].bytes();
      auto& rows = outcome.outputs.emplace_back(bytes.begin(), bytes.end());
      if (!results_[k].row_major()) read_elements(results_[k], case_.row.out[k].type, bytes.data(), 0, rows);
    }
    return outcome;
  }

 private:
  static int64_t shift(const Type& type, const Run& how) {
    return how.shifted ? info(type.dtype).block_bytes : 0;
  }
  Layout layout_of(size_t operand, const Attrs& attrs) const {
    for (const LaidOut& l : case_.row.op->laid_out)
      if (l.operand == static_cast<int>(operand)) return Layout(attrs.list(l.attr));
    return {};
  }
  const Case& case_;
  std::vector<std::vector<std::byte>> data_;
  std::vector<Layout> results_;
};

// The largest relative distance to the reference that the row allows in this result.
double tolerance_of(const Row& row, size_t result) {
  return row.tolerance ? *row.tolerance : default_tolerance(row.out[result].type.dtype);
}

std::string compare(const Row& row, std::span<const Tensor64> reference, const Outcome& outcome) {
  if (!outcome.problem.empty()) return outcome.problem;
  for (size_t i = 0; i < reference.size(); ++i) {
    const Type& type = row.out[i].type;
    Tensor64 got(static_cast<size_t>(type.elements()));
    decode(type.dtype, outcome.outputs[i].data(), got.data(), type.elements());
    if (const auto wrong = difference(type, got, reference[i], tolerance_of(row, i), row.relative))
      return reference.size() > 1 ? fmt::format("result {}, {}", i, *wrong) : *wrong;
  }
  return {};
}

// Whether the planner may put a result where this operand is (compile/buffers.cpp).
bool may_run_in_place(const Case& c, size_t operand, size_t result) {
  if (c.row.in[operand].type != c.row.out[result].type) return false;
  if (c.row.op->elementwise()) return true;
  if (c.row.op->name == "update_at") return operand == 0 && result == 0;
  if (!c.node().body || ops::is_loop(c.node())) return false;
  const Graph& body = *c.node().body;
  size_t seen = 0;
  for (uint32_t i = 0; i < body.nodes().size(); ++i) {
    if (body.nodes()[i].op != &input_op || seen++ != operand) continue;
    for (const Node& n : body.nodes())
      for (const ValueId& v : n.inputs)
        if (v.node.index == i && !n.op->elementwise()) return false;
    return true;
  }
  return false;
}

void check_one(const Case& c, std::span<const Data> data, std::span<const Tensor64> reference,
               const Attrs& attrs, const Prepared& kernel, const std::string& name, const std::string& flags,
               int threads, Report& report) {
  Bench bench(c, data, attrs);
  auto wrong = [&](const std::string& how, const std::string& what) {
    if (!what.empty())
      report.fail(c.row, fmt::format("{}{}: {}", name, how, what), flags);
    else
      report.passed();
    return !what.empty();
  };
  const Outcome first = bench.run(kernel, {});
  if (wrong("", compare(c.row, reference, first))) return;
  const Outcome second = bench.run(kernel, {.poison = kPoison[1]});
  for (size_t i = 0; i < first.outputs.size(); ++i)
    wrong(" over other garbage",
          first.outputs[i] == second.outputs[i]
              ? ""
              : fmt::format("result {} differs: something is not written, or read before it is", i));
  wrong(" with operands aligned to an element",
        compare(c.row, reference, bench.run(kernel, {.shifted = true})));
  if (threads == 1)
    wrong(" on one thread of a team", compare(c.row, reference, bench.run(kernel, {.in_region = true})));
  for (size_t i = 0; i < data.size(); ++i)
    for (size_t k = 0; k < c.row.out.size(); ++k)
      if (may_run_in_place(c, i, k))
        wrong(fmt::format(", result {} in place of {}", k, c.row.in[i].name),
              compare(c.row, reference, bench.run(kernel, {.in_place = static_cast<int>(i), .result = k})));
}

void time_one(const Case& c, std::span<const Data> data, const Prepared& kernel, const std::string& name,
              const KernelOptions& options) {
  std::vector<Guarded> memory;
  std::vector<void*> operands;
  memory.reserve(c.row.in.size() + c.row.out.size() + 1);
  for (size_t i = 0; i < data.size(); ++i) memory.emplace_back(c.row.in[i].type.bytes()).fill(data[i].bytes);
  for (const Expected& e : c.row.out) memory.emplace_back(e.type.bytes());
  memory.emplace_back(std::max<int64_t>(kernel.scratch_bytes, 1));
  for (const Guarded& m : memory) operands.push_back(m.data());
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  const auto end = Clock::now() + std::chrono::duration<double>(options.seconds_per_kernel);
  for (int64_t batch = 1; Clock::now() < end; batch = std::min<int64_t>(2 * batch, 1024)) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < batch; ++i) kernel.run(kernel.data.get(), {operands.data(), &kContext});
    best = std::min(best,
                    std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(batch));
  }
  const Types in = c.row.in_types();
  const Cost cost =
      c.row.op->cost ? c.row.op->cost({in, c.node().attrs, c.node().body.get()}, c.node().types) : Cost{};
  options.say(fmt::format("{:<24} {:<28} {:>10.2f} us {:>8.1f} GFLOP/s {:>8.1f} GB/s", c.row.where(), name,
                          best * 1e6, cost.flops / best * 1e-9, cost.bytes / best * 1e-9));
}

// A view is no step: its bytes must be where it says in operand 0.
bool check_view(const Case& c, std::span<const Data> data, std::span<const Tensor64> reference,
                Report& report) {
  if (!c.row.op->view) return false;
  const Types in = c.row.in_types();
  const auto offset = c.row.op->view({in, c.node().attrs, c.node().body.get()}, c.row.out[0].type);
  if (!offset) return false;
  const Type& type = c.row.out[0].type;
  if (*offset < 0 || *offset + type.bytes() > in[0].bytes()) {
    report.fail(c.row,
                fmt::format("views bytes {} to {} of {}", *offset, *offset + type.bytes(), in[0].bytes()));
    return true;
  }
  Outcome outcome;
  const auto begin = data[0].bytes.begin() + *offset;
  outcome.outputs.emplace_back(begin, begin + type.bytes());
  if (const std::string what = compare(c.row, reference, outcome); !what.empty())
    report.fail(c.row, "as a view: " + what);
  else
    report.passed();
  report.accepted(*c.row.op, "view", Isa::scalar);
  return true;
}

// The tile function alone, on unaligned and odd runs of elements: what a fused step calls.
void check_tiles(const Case& c, std::span<const Data> data, std::span<const Tensor64> reference, Isa isa,
                 const std::string& flags, Report& report) {
  const Type& type = c.row.out[0].type;
  if (!c.row.op->tiles) return report.fail(c.row, "has no tiles");
  const TileSet tiles = c.row.op->tiles(isa);
  const TileFn tile = type.dtype == DType::f32 ? tiles.f32 : type.dtype == DType::f64 ? tiles.f64 : nullptr;
  if (!tile) return;
  struct Numbers {
    TileFn tile;
    std::vector<double> params;
    int64_t n, element;
    size_t inputs;
  };
  auto numbers = std::make_shared<Numbers>(
      Numbers{tile, {}, type.elements(), info(type.dtype).block_bytes, data.size()});
  for (const auto& [name, value] : c.node().attrs.pairs()) {
    if (const auto* x = std::get_if<double>(&value)) numbers->params.push_back(*x);
    if (const auto* i = std::get_if<int64_t>(&value)) numbers->params.push_back(static_cast<double>(*i));
    if (const auto* b = std::get_if<bool>(&value)) numbers->params.push_back(*b);
  }
  // 1, 2, 3, … elements at a time, so that every tail length occurs.
  const KernelFn pieces = [](const void* data_, const KernelArgs& args) noexcept {
    const auto& k = *static_cast<const Numbers*>(data_);
    for (int64_t at = 0, n = 1; at < k.n; at += n, n = n < 70 ? n + 1 : 1000) {
      const void* in[8];
      for (size_t i = 0; i < k.inputs; ++i) in[i] = args.at<std::byte>(static_cast<int>(i)) + at * k.element;
      k.tile({in, args.at<std::byte>(static_cast<int>(k.inputs)) + at * k.element, std::min(n, k.n - at),
              k.params.data()});
    }
  };
  check_one(c, data, reference, c.node().attrs, {pieces, numbers, 0},
            fmt::format("tile on {}", isa_name(isa)), flags, 0, report);
}

}  // namespace

void check_kernels(const Case& c, const KernelOptions& options, Report& report) {
  const std::vector<Data> data = draw(c.row);
  const std::vector<Tensor64> reference = reference_of(c, data);
  const bool is_view = check_view(c, data, reference, report);
  const Types in = c.row.in_types();
  const OpDef& op = *c.row.op;
  for (const Isa isa : options.isas) {
    const std::string flags =
        fmt::format("--only kernels --isa {} --threads {}", isa_name(isa), options.threads);
    const Target target{isa, options.threads};
    const KernelRequest request{in, c.node().types, c.node().attrs, c.node().body.get(), target};
    bool accepted = is_view || op.expand != nullptr;
    auto take = [&](std::string_view kernel, const PrepareResult& prepared, const Attrs& attrs) {
      if (!prepared) {
        report.refused(op, kernel, isa, prepared.error());
        if (prepared.error().empty())
          report.fail(c.row, fmt::format("{} refuses without a reason", kernel), flags);
        return;
      }
      accepted = true;
      report.accepted(op, kernel, isa);
      const std::string name =
          fmt::format("{} on {} with {} threads", kernel, isa_name(isa), options.threads);
      check_one(c, data, reference, attrs, *prepared, name, flags, options.threads, report);
      if (options.seconds_per_kernel > 0)
        time_one(c, data, *prepared, fmt::format("{} {} x{}", kernel, isa_name(isa), options.threads),
                 options);
    };
    if (op.elementwise()) {
      check_tiles(c, data, reference, isa, flags, report);
      take("tiles", ops::prepare_elementwise(request, op), request.attrs);
    }
    if (ops::is_loop(c.node()))
      take("steps",
           ops::prepare_scan(request,
                             [&](const Graph& body, size_t carries) {
                               return compile_body(body, carries, {.target = target})
                                   .map([](PlacedBody&& placed) { return std::move(placed.prepared); })
                                   .map_error([](const Error& e) { return e.message(); });
                             }),
           request.attrs);
    for (const Kernel& kernel : op.kernels) {
      take(kernel.name, kernel.prepare(request), request.attrs);
      // Once more in the order that it would rather have.
      const auto wanted =
          kernel.wants ? kernel.wants(request) : tl::expected<Layout, std::string>(tl::unexpect, "none");
      if (!wanted || wanted->row_major()) continue;
      Attrs attrs = request.attrs;
      attrs.set(op.laid_out[0].attr, wanted->attribute());
      const PrepareResult laid_out = kernel.prepare({in, c.node().types, attrs, nullptr, target});
      if (!laid_out)
        report.fail(c.row,
                    fmt::format("{} refuses the order that it wants: {}", kernel.name, laid_out.error()),
                    flags);
      take(fmt::format("{}, {}", kernel.name, to_string(*wanted)), laid_out, attrs);
    }
    if (!accepted) report.fail(c.row, "no kernel accepts it", flags);
  }
}

}  // namespace shoestring::optest
