#include "budget/step_time.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace shoestring::budget {
namespace {

constexpr double kNever = 1e300;

// What one thread has to do for a step.
struct Work {
  double seconds = 0;  // of arithmetic
  double bytes = 0;    // that it touches
  double steps = 0;    // that it enters: more than one for a loop
  bool splits = true;  // over threads
};

// Kernels decide by their size, when they are prepared, whether they enter the team. From where on they do.
struct Worth {
  std::string_view op;
  double flops, elements, bytes;  // any of them; 0: does not count
};
constexpr Worth kWorthTeam[] = {{"matmul", 4e5, 0, 0},
                                {"conv2d", 1 << 20, 0, 0},
                                {"conv2d_transpose", 1 << 20, 0, 0},
                                {"conv2d_filter", 1 << 20, 0, 0},
                                {"max_pool", 0, 1 << 15, 0},
                                {"average_pool", 0, 1 << 15, 0},
                                {"attention", 4e5, 0, 0},
                                {"attention_grad", 4e5, 0, 0},
                                {"fused", 1e5, 0, 0},
                                {"reduce_sum", 0, 1 << 18, 0},
                                {"sum_squares", 0, 1 << 18, 0},
                                {"softmax", 0, 1 << 15, 0},
                                {"log_softmax", 0, 1 << 15, 0},
                                {"layer_norm", 0, 1 << 15, 0},
                                {"rms_norm", 0, 1 << 15, 0},
                                {"batch_norm", 0, 1 << 15, 0},
                                {"layer_norm_grad", 0, 1 << 15, 0},
                                {"rms_norm_grad", 0, 1 << 15, 0},
                                {"batch_norm_grad", 0, 1 << 15, 0},
                                {"broadcast", 0, 0, 1 << 18},
                                {"cross_entropy", kNever, 0, 0},
                                {"cross_entropy_grad", kNever, 0, 0},
                                {"scatter_rows", kNever, 0, 0},
                                {"sort", 0, 1 << 13, 0},
                                {"top_k", 0, 1 << 13, 0},
                                {"augment", 0, 1 << 15, 0},
                                {"random_uniform", 0, 1 << 10, 0},
                                {"random_normal", 0, 1 << 10, 0},
                                {"random_beta", 0, 1 << 7, 0},
                                {"upsample", 0, 1 << 14, 0}};
constexpr Worth kElsewhere{"", 0, 0, 1 << 20};

bool enters_team(const OpDef& op, const Cost& cost, double elements) {
  const auto* found = std::ranges::find(kWorthTeam, op.elementwise() ? "fused" : op.name, &Worth::op);
  const Worth& worth = found == std::end(kWorthTeam) ? kElsewhere : *found;
  return (worth.flops > 0 && cost.flops >= worth.flops) ||
         (worth.elements > 0 && elements >= worth.elements) || (worth.bytes > 0 && cost.bytes >= worth.bytes);
}

class Estimator {
 public:
  Estimator(const MachineProfile& machine, int threads) : m_(machine) {
    threads_ = threads > 0 ? threads : std::max(1, machine.machine.cores);
    scaling_ = scaling_at(threads_);
  }

  int threads() const { return threads_; }
  const ThreadScaling& scaling() const { return scaling_; }

  Work work_of(const Graph& graph, const Node& node, std::string_view kernel) const {
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
    const OpArgs args{in, node.attrs, node.body.get()};
    const Cost cost = node.op->cost ? node.op->cost(args, node.types) : Cost{};
    const Type& largest = in.empty() ? node.types[0] : in[0];
    Work w{
        .bytes = cost.bytes,
        .steps = 1,
        .splits = kernel == "onednn" || enters_team(*node.op, cost, static_cast<double>(largest.elements()))};
    const std::string_view op = node.op->name;
    if (op == "matmul") {
      w.seconds = product_seconds(in, node, cost.flops, kernel);
    } else if (const auto what = convolving(op)) {
      w.seconds = conv_seconds(*what, in, cost.flops, kernel);
    } else if (op == "scan") {
      w = loop_work(*node.body, cost);
    } else if (op.starts_with("attention")) {
      w.seconds = cost.flops / product_rate(m_.f32_products, cost.flops / kBlocksOfAttention);
    } else if (node.body) {
      for (const Node& each : node.body->nodes())
        if (const double seconds = element_seconds(*node.body, each); seconds > 0)
          w.seconds += seconds + kShareOfEntry * m_.step_seconds;
    } else if (node.op->elementwise()) {
      w.seconds = element_seconds(graph, node);
    } else if (op.starts_with("gather") || op.starts_with("scatter")) {
      w.seconds = rows_of(in) / m_.gathered_rows + cost.flops / m_.arithmetic;
    } else {
      w.seconds = cost.flops / m_.arithmetic;
    }
    return w;
  }

  // Bytes that were last touched `distance` bytes ago.
  double moving_seconds(double bytes, double distance, bool writes) const {
    return bytes / bytes_a_second(writes ? m_.copy : m_.read, distance);
  }

  StepTime time_of(const Work& work, double moving) const {
    const double overhead = work.steps * m_.step_seconds;
    const double one = std::max(work.seconds, moving);
    StepTime t{overhead + one, work.seconds >= moving ? Bound::arithmetic : Bound::memory, 1};
    if (threads_ > 1 && work.splits) {
      const double team = std::max(work.seconds / scaling_.arithmetic, moving / scaling_.memory);
      t.seconds = overhead + m_.region_seconds + team;
      t.threads = threads_;
      if (m_.region_seconds > team) t.bound = Bound::overhead;
    }
    if (overhead > t.seconds - overhead) t.bound = Bound::overhead;
    return t;
  }

 private:
  // Of what it costs to enter a step, what it costs to call one of the operators in it.
  static constexpr double kShareOfEntry = 0.25;
  // Attention multiplies blocks that fit the cache, each about so large a part of the whole.
  static constexpr double kBlocksOfAttention = 16;

  ThreadScaling scaling_at(int threads) const {
    ThreadScaling before{};
    for (const ThreadScaling& s : m_.scaling) {
      if (s.threads >= threads) {
        if (s.threads == before.threads) return s;
        const double share = static_cast<double>(threads - before.threads) / (s.threads - before.threads);
        return {threads, before.arithmetic + share * (s.arithmetic - before.arithmetic),
                before.memory + share * (s.memory - before.memory)};
      }
      before = s;
    }
    return before;
  }

  double vector_lanes() const {
    const std::string& isa = m_.machine.isa;
    return isa == "avx512" ? 16 : isa == "avx2" ? 8 : isa == "neon" ? 4 : 1;
  }

  // Columns fill whole vectors; where they are few the kernel turns the product, or sums along k.
  double product_seconds(const Types& in, const Node& node, double flops, std::string_view kernel) const {
    const Shape &a = in[0].dims, &out = node.types[0].dims;
    const auto n = static_cast<double>(out.back()), m = static_cast<double>(out[out.rank() - 2]);
    const auto k = static_cast<double>(a[a.rank() - (node.attrs.flag("transpose_a") ? 2 : 1)]);
    const double lanes = vector_lanes();
    const auto filled = [&](double size) { return std::ceil(size / lanes) * lanes / std::max(size, 1.0); };
    if (kernel == "tiles") {
      const bool turns = node.attrs.flag("transpose_a") && node.inputs.size() == 2 && k <= 1024;
      const bool dots = !node.attrs.flag("transpose_a") && n <= 4 && k >= 4 * lanes;
      flops *= std::min({filled(n), turns ? filled(m) : lanes, dots ? filled(k) : lanes});
    }
    const ProductRates& rates = in[0].dtype == DType::bf16 ? m_.bf16_products : m_.f32_products;
    double rate = product_rate(rates, flops);
    if (rate <= 0)
      rate = product_rate(m_.f32_products, flops) / 8;  // no kernel of its own: widened one by one
    if (in[0].dtype == DType::f64) rate /= 2;
    double seconds = flops / rate;
    if (const std::string& activation = node.attrs.text("activation");
        activation != "none" && activation != "relu")
      seconds += static_cast<double>(out.elements()) * kTranscendental / m_.arithmetic;
    return seconds;
  }
  static constexpr double kTranscendental = 20;

  double conv_seconds(Convolving what, const Types& in, double flops, std::string_view kernel) const {
    constexpr double kPlain = 0.1;  // of the rate of functions in cache: one product after the other
    if (kernel == "scalar") return flops / (kPlain * m_.arithmetic);
    const ConvRates& rates = in[0].dtype == DType::bf16 ? m_.bf16_convolutions : m_.f32_convolutions;
    const auto i = static_cast<size_t>(what);
    return flops / (rates[i] > 0 ? rates[i] : m_.f32_convolutions[i]);
  }

  double element_seconds(const Graph& graph, const Node& node) const {
    if (!node.op->elementwise() || !node.op->cost) return 0;
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
    const double wide = node.types[0].dtype == DType::f64 ? 2 : 1;
    const double flops = node.op->cost({in, node.attrs, nullptr}, node.types).flops;
    const auto elements = static_cast<double>(node.types[0].elements());
    return wide * std::max(flops / m_.arithmetic, elements / m_.element_ops);
  }

  // A body's arena stays in cache; its steps run one after another on this thread's terms.
  Work loop_work(const Graph& body, const Cost& cost) const {
    Work once;
    double body_flops = 0;
    for (const Node& node : body.nodes()) {
      if (!node.op->cost) continue;
      const Work w = work_of(body, node, "tiles");
      const double moving = moving_seconds(w.bytes, w.bytes, true);
      once.seconds += std::max(w.seconds, moving);
      once.steps += w.steps;
      Types in;
      for (const ValueId& v : node.inputs) in.push_back(body.type(v));
      body_flops += node.op->cost({in, node.attrs, node.body.get()}, node.types).flops;
    }
    const double turns = body_flops > 0 ? cost.flops / body_flops : 1;
    return {.seconds = turns * once.seconds, .bytes = 0, .steps = turns * once.steps, .splits = false};
  }

  static double rows_of(const Types& in) {
    for (const Type& t : in)
      if (t.dtype == DType::i32) return static_cast<double>(t.elements());
    return 0;
  }

  const MachineProfile& m_;
  int threads_ = 1;
  ThreadScaling scaling_;
};

// For each operand, how many bytes were touched since it was touched before, in this run or the one before
// it.
class Distances {
 public:
  explicit Distances(const Plan& plan) {
    for (const Step& step : plan.steps) take(step);  // the run before
    total_ = touched_;
  }
  // The step's operands, in order.
  std::vector<double> take(const Step& step) {
    std::vector<double> distances;
    for (const Operand& o : step.operands) {
      const auto [known, fresh] = last_.try_emplace({o.place.memory, o.place.offset}, touched_);
      distances.push_back(fresh ? std::max(total_, static_cast<double>(o.bytes)) : touched_ - known->second);
    }
    for (const Operand& o : step.operands) touched_ += static_cast<double>(o.bytes);
    for (const Operand& o : step.operands)
      last_[{o.place.memory, o.place.offset}] = touched_ - static_cast<double>(o.bytes);
    return distances;
  }

 private:
  std::map<std::pair<Memory, int64_t>, double> last_;
  double touched_ = 0, total_ = 0;
};

double moving_seconds(const Estimator& e, const Step& step, const std::vector<double>& distances,
                      double compulsory, size_t count) {
  double bytes = 0, written = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += static_cast<double>(step.operands[i].bytes);
    if (step.operands[i].written) written += static_cast<double>(step.operands[i].bytes);
  }
  if (bytes <= 0) return 0;
  // Look-ups touch a part of their tables.
  const double share = compulsory > 0 ? std::min(1.0, compulsory / bytes) : 1;
  double seconds = 0;
  for (size_t i = 0; i < count; ++i)
    seconds += e.moving_seconds(share * static_cast<double>(step.operands[i].bytes), distances[i],
                                written > bytes / 4);
  return seconds;
}

}  // namespace

std::string_view name_of(Bound bound) {
  constexpr std::string_view names[] = {"arithmetic", "memory", "overhead"};
  return names[static_cast<size_t>(bound)];
}

std::vector<StepTime> step_times(const Plan& plan, const MachineProfile& machine, int threads) {
  const Estimator e(machine, threads);
  Distances distances(plan);
  std::vector<StepTime> times;
  for (const Step& step : plan.steps) {
    const std::vector<double> far = distances.take(step);
    if (step.node < 0 || step.kernel == "copy") {
      times.push_back(e.time_of({.bytes = step.cost.bytes, .steps = 1, .splits = false},
                                moving_seconds(e, step, far, 0, step.operands.size())));
      continue;
    }
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    const Work work = e.work_of(plan.graph, node, step.kernel);
    const size_t values =
        std::min(node.inputs.size() + node.types.size(), step.operands.size());  // no scratch
    times.push_back(e.time_of(work, moving_seconds(e, step, far, work.bytes, values)));
  }
  return times;
}

double seconds_of(const Plan& plan, const MachineProfile& machine, int threads) {
  double seconds = 0;
  for (const StepTime& t : step_times(plan, machine, threads)) seconds += t.seconds;
  return seconds;
}

}  // namespace shoestring::budget
