// Times one training step of a network of convolutions, from u8 pictures in memory: forward, cross-entropy,
// backward, update. bench/peers/pictures.py is the same in PyTorch.
//
//   bench_pictures cnn --batch 128                 28x28x1: two convolutions with pools, two dense layers,
//   Adam bench_pictures resnet18 --batch 64 --bf16      32x32x3: ResNet-18 with a 3x3 stem, SGD with momentum
//   bench_pictures compact --batch 512 --bf16      32x32x3: the default network, 64, 256 and 256 wide
//
// One JSON line; --profile adds where the time goes, by operator and step by step. --bf16 lets large products
// take bf16 operands, --isa scalar|avx2|avx512 forces an instruction set, --threads N sets the team,
// --seconds S how long to measure, --dump prints the plan. One thread is timed by its own clock. planned_ms
// is what the machine's profile says of the step.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/float_mode.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "budget/machine_profile.h"
#include "budget/step_time.h"
#include "compile/compile.h"
#include "compile/differentiate.h"
#include "model/optimizers.h"
#include "ops/conv.h"
#include "run/executor.h"

namespace {

using namespace shoestring;
using Clock = std::chrono::steady_clock;
constexpr DType f32 = DType::f32;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}
// With one thread its own time, so that other work on the machine does not pass for slowness.
double now() {
  if (thread_count() > 1) return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Options {
  std::string network = "cnn", isa;
  int64_t batch = 0;
  int threads = 0;
  double seconds = 3;
  bool profile = false, dump = false, bf16 = false;
};

// A value or the end of the program: this is no library code.
template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(result.error().exit_code());
}
void need(Status status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  std::exit(status.error().exit_code());
}

// A network while it is built: its parameters, and the statistics that a step updates.
struct Net {
  Graph& g;
  std::vector<model::Trained> parameters = {};
  std::vector<model::StateUpdate> statistics = {};

  Value parameter(const std::string& name, const Shape& dims) {
    const Value v = g.read({.name = name, .type = {f32, dims}, .role = StateRole::parameter});
    parameters.push_back({.name = name, .value = v, .gradient = {}});
    return v;
  }
  Value conv(Value x, const std::string& name, int64_t size, int64_t channels, int64_t stride = 1,
             bool bias = false) {
    const int64_t pad = size / 2;
    const Value filters = parameter(name + ".filters", {size, size, x.dims()[3], channels});
    return ops::conv2d(x, filters, {.strides = {stride, stride}, .padding = {pad, pad, pad, pad}},
                       bias ? parameter(name + ".bias", {channels}) : Value());
  }
  Value norm(Value x, const std::string& name) {
    const Shape dims = x.dims();
    const int64_t c = dims[3];
    const auto statistic = [&](const char* what) {
      return g.read({.name = name + what, .type = {f32, {c}}, .role = StateRole::statistic});
    };
    const auto y =
        ops::batch_norm(ops::reshape(x, {dims.elements() / c, c}), parameter(name + ".scale", {c}),
                        parameter(name + ".shift", {c}), statistic(".mean"), statistic(".variance"));
    statistics.push_back({name + ".mean", y.mean});
    statistics.push_back({name + ".variance", y.variance});
    return ops::reshape(y.y, dims);
  }
  Value dense(Value x, const std::string& name, int64_t columns) {
    const Value y = ops::matmul(x, parameter(name + ".weights", {x.dims()[1], columns}));
    return ops::add(y, ops::broadcast_like(parameter(name + ".bias", {columns}), y));
  }
};

Value cnn(Net& net, Value x) {
  x = ops::max_pool(ops::relu(net.conv(x, "conv1", 3, 32, 1, true)));
  x = ops::max_pool(ops::relu(net.conv(x, "conv2", 3, 64, 1, true)));
  x = ops::reshape(x, {x.dims()[0], x.dims().elements() / x.dims()[0]});
  return net.dense(ops::relu(net.dense(x, "dense1", 128)), "dense2", 10);
}

Value resnet18(Net& net, Value x) {
  x = ops::relu(net.norm(net.conv(x, "stem", 3, 64), "stem.norm"));
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < 2; ++block) {
      const std::string name = fmt::format("stage{}.block{}.", stage, block);
      const int64_t channels = int64_t{64} << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      Value y = ops::relu(net.norm(net.conv(x, name + "conv1", 3, channels, stride), name + "norm1"));
      y = net.norm(net.conv(y, name + "conv2", 3, channels), name + "norm2");
      if (stride != 1) x = net.norm(net.conv(x, name + "down", 1, channels, stride), name + "down.norm");
      x = ops::relu(ops::add(y, x));
    }
  return net.dense(ops::reduce_mean(x, {1, 2}), "head", 10);
}

Value compact(Net& net, Value x) {
  x = ops::gelu(net.conv(x, "white", 2, 24, 1, true));
  for (int group = 0; group < 3; ++group)
    for (int c = 0; c < 2; ++c) {
      const std::string name = fmt::format("group{}.conv{}", group, c);
      x = net.conv(x, name, 3, group == 0 ? 64 : 256);
      if (c == 0) x = ops::max_pool(x, {});
      x = ops::gelu(net.norm(x, name + ".norm"));
    }
  return net.dense(ops::reduce_max(x, {1, 2}), "head", 10);
}

Graph training_graph(const Options& options) {
  const bool small = options.network == "cnn";
  Graph g("train");
  Net net{g};
  const Shape dims = small ? Shape{options.batch, 28, 28, 1} : Shape{options.batch, 32, 32, 3};
  const Value pixels = ops::operator*(ops::cast(g.input("image", {DType::u8, dims}), f32), 1.0 / 255);
  const Value logits = small                          ? cnn(net, pixels)
                       : options.network == "compact" ? compact(net, pixels)
                                                      : resnet18(net, pixels);
  const Value classes = g.input("classes", {DType::i32, {options.batch}});
  const Value loss = ops::reduce_mean(ops::cross_entropy(logits, classes));
  std::vector<Value> wanted;
  for (const auto& p : net.parameters) wanted.push_back(p.value);
  const std::vector<Value> gradients = differentiate(g, loss, wanted);
  for (size_t i = 0; i < gradients.size(); ++i) net.parameters[i].gradient = gradients[i];
  const model::Optimizer optimizer =
      small ? model::Optimizer(model::Adam{})
            : model::Optimizer(model::Sgd{.momentum = 0.9, .weight_decay = 5e-4});
  const Value rate = g.scalar(f32, small ? 1e-3 : 0.01), ok = g.scalar(f32, 1);
  for (const auto& u : model::update(optimizer, net.parameters, rate, ok)) g.write(u.state, u.value);
  for (const auto& s : net.statistics) g.write(s.state, s.value);
  g.output("loss", loss);
  need(g.status());
  return g;
}

// Filters by He's rule, scales and variances 1, all else 0.
void initialise(const StateLayout& layout, std::byte* states) {
  std::mt19937 random(7);
  for (const StateSlot& slot : layout.slots()) {
    const Shape& dims = slot.info.type.dims;
    auto* x = reinterpret_cast<float*>(states + slot.offset);
    const bool one = slot.info.name.ends_with(".scale") || slot.info.name.ends_with(".variance");
    const bool drawn = slot.info.name.ends_with(".filters") || slot.info.name.ends_with(".weights");
    const double fan_in = drawn ? static_cast<double>(dims.elements() / dims.back()) : 1;
    std::normal_distribution<float> normal(0, static_cast<float>(std::sqrt(2 / fan_in)));
    for (int64_t i = 0; i < dims.elements(); ++i) x[i] = one ? 1.0f : drawn ? normal(random) : 0.0f;
  }
}

double quantile(std::vector<double> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void print_line(double seconds, double flops, double bytes, double planned, const std::string& what) {
  std::fprintf(stderr, "%9.3f ms %7.1f GFLOP/s %6.1f GB/s  planned %8.3f ms  %s\n", seconds * 1e3,
               flops / seconds * 1e-9, bytes / seconds * 1e-9, planned * 1e3, what.c_str());
}

// Each step's share, by running the plan one step at a time; lower deciles.
template <class Fill>
void print_profile(Executor& executor, const Options& options, std::span<const budget::StepTime> planned,
                   Fill&& fill) {
  const Plan& plan = executor.plan();
  std::vector<std::vector<double>> seconds(plan.steps.size());
  const FlushDenormals flush;
  const auto begin = Clock::now();
  for (uint32_t t = 1; t < 5 || seconds_since(begin) < options.seconds; ++t) {
    fill();
    for (size_t i = 0; i < seconds.size(); ++i) {
      const double start = now();
      executor.run_steps(i, i + 1, {.seed = 42, .step = t});
      seconds[i].push_back(now() - start);
    }
  }
  struct Sum {
    double seconds = 0, flops = 0, bytes = 0, planned = 0;
  };
  std::map<std::string, Sum> sums;
  Sum all;
  for (size_t i = 0; i < seconds.size(); ++i) {
    const Step& step = plan.steps[i];
    const double s = quantile(seconds[i], 0.1);
    const Node* node = step.node >= 0 ? &plan.graph.nodes()[static_cast<size_t>(step.node)] : nullptr;
    std::string what = fmt::format("{} {}", step.name, step.kernel);
    if (node) {
      for (const ValueId& v : node->inputs) what += " " + to_string(plan.graph.type(v));
      if (!node->types.empty()) what += " -> " + to_string(node->types[0]);
    }
    print_line(s, step.cost.flops, step.cost.bytes, planned[i].seconds, what);
    for (Sum* sum : {&sums[fmt::format("{} {}", node ? node->op->name : "copy", step.kernel)], &all}) {
      sum->seconds += s;
      sum->flops += step.cost.flops;
      sum->bytes += step.cost.bytes;
      sum->planned += planned[i].seconds;
    }
  }
  std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
  std::ranges::sort(order, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  for (const auto& [what, s] : order) print_line(s.seconds, s.flops, s.bytes, s.planned, "all " + what);
  print_line(all.seconds, all.flops, all.bytes, all.planned, "together");
}

void measure(Options options) {
  if (options.threads) set_thread_count(options.threads);
  if (options.batch == 0) options.batch = options.network == "cnn" ? 128 : 64;
  Target target = native_target();
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (to_string(isa) == options.isa) target.isa = isa;
  CompileOptions compiling{.target = target};
  const auto machine = budget::load_or_built_in(target).profile;
  compiling.machine = machine;
  if (options.bf16) compiling.precision.products = DType::bf16;
  Graph graph = training_graph(options);
  StateLayout layout;
  need(layout.include(graph));
  need(lay_out_states(graph, layout, compiling));
  const Plan plan = need(compile(std::move(graph), layout, compiling));
  if (options.dump) std::fputs(to_text(plan).c_str(), stderr);
  const Block states = need(Block::reserve(layout.bytes())), arena = need(Block::reserve(plan.arena_bytes));
  initialise(layout, states.data());
  Executor executor(plan, states.data(), arena.data());

  const int64_t pixels = plan.inputs[0].type.elements();
  std::mt19937 random(11);
  std::vector<uint8_t> images(static_cast<size_t>(pixels) * 8);
  for (uint8_t& p : images) p = static_cast<uint8_t>(random());
  uint32_t t = 0;
  const auto fill = [&] {  // inputs may share their memory with later values
    auto* classes = executor.input<int32_t>("classes");
    std::copy_n(images.data() + (t % 8) * static_cast<size_t>(pixels), pixels,
                executor.input<uint8_t>("image"));
    for (int64_t i = 0; i < options.batch; ++i) classes[i] = static_cast<int32_t>((i + t) % 10);
  };
  const auto one = [&] {
    fill();
    const FlushDenormals flush;  // as training does
    executor.run({.seed = 42, .step = ++t});
  };
  for (int i = 0; i < 3; ++i) one();
  std::vector<double> blocks;
  const auto begin = Clock::now();
  while (blocks.size() < 3 || seconds_since(begin) < options.seconds) {
    const double start = now();
    one();
    blocks.push_back(now() - start);
  }
  const double seconds = quantile(blocks, 0.5);
  const auto planned = budget::step_times(plan, *machine, thread_count());
  double planned_seconds = 0;
  for (const auto& step : planned) planned_seconds += step.seconds;
  std::printf(
      "{\"network\": \"%s\", \"batch\": %lld, \"isa\": \"%s\", \"threads\": %d, \"bf16\": %s, "
      "\"ms_per_step\": %.3f, \"best_ms\": %.3f, \"planned_ms\": %.3f, \"samples_per_second\": %.1f, "
      "\"plan_steps\": %zu, \"arena_mib\": %.1f, \"state_mib\": %.1f, \"loss\": %.6f}\n",
      options.network.c_str(), static_cast<long long>(options.batch),
      std::string(to_string(target.isa)).c_str(), thread_count(), options.bf16 ? "true" : "false",
      seconds * 1e3, quantile(blocks, 0) * 1e3, planned_seconds * 1e3,
      static_cast<double>(options.batch) / seconds, plan.steps.size(),
      static_cast<double>(plan.arena_bytes) / (1 << 20), static_cast<double>(layout.bytes()) / (1 << 20),
      static_cast<double>(*executor.output<float>("loss")));
  if (options.profile) print_profile(executor, options, planned, fill);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] {
      if (i + 1 < argc) return std::string(argv[++i]);
      std::fprintf(stderr, "%s needs a value\n", flag.c_str());
      std::exit(2);
    };
    if (flag == "--batch")
      options.batch = std::stoll(value());
    else if (flag == "--isa")
      options.isa = value();
    else if (flag == "--threads")
      options.threads = std::stoi(value());
    else if (flag == "--seconds")
      options.seconds = std::stod(value());
    else if (flag == "--profile")
      options.profile = true;
    else if (flag == "--bf16")
      options.bf16 = true;
    else if (flag == "--dump")
      options.dump = true;
    else if (flag == "cnn" || flag == "resnet18" || flag == "compact")
      options.network = flag;
    else
      return std::fprintf(stderr, "unknown: %s\n", flag.c_str()), 2;
  }
  measure(options);
}
