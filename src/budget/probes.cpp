#include "budget/probes.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <memory>
#include <random>

#include "base/float_mode.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "ops/conv.h"
#include "run/executor.h"

namespace shoestring::budget {
namespace {

// A compiled graph without states, its inputs filled: halves, and row numbers at random. Inputs are results
// too, so that nothing is written over them.
class Ready {
 public:
  static std::unique_ptr<Ready> make(Graph graph, const Target& target) {
    StateLayout states;
    auto plan = compile(std::move(graph), states, {.target = target});
    if (!plan) return nullptr;
    auto ready = std::unique_ptr<Ready>(new Ready(std::move(*plan)));
    auto arena = Block::reserve(ready->plan_.arena_bytes);
    if (!arena) return nullptr;
    ready->arena_ = std::move(*arena);
    ready->executor_.emplace(ready->plan_, nullptr, ready->arena_.data());
    ready->fill();
    return ready;
  }
  void run() { executor_->run({.seed = 1, .step = 1}); }
  const Plan& plan() const { return plan_; }

 private:
  explicit Ready(Plan plan) : plan_(std::move(plan)) {}

  void fill() {
    std::mt19937 random(7);
    for (const Port& port : plan_.inputs) {
      void* const at = executor_->input(port.name);
      const auto n = static_cast<size_t>(port.type.elements());
      if (port.type.dtype == DType::f32) std::fill_n(static_cast<float*>(at), n, 0.5f);
      if (port.type.dtype == DType::bf16) std::fill_n(static_cast<uint16_t*>(at), n, uint16_t{0x3f00});
      if (port.type.dtype == DType::i32)
        for (size_t i = 0; i < n; ++i)
          static_cast<int32_t*>(at)[i] = static_cast<int32_t>(random() % kGatherTable);
    }
  }

  static constexpr uint32_t kGatherTable = 1 << 19;
  Plan plan_;
  Block arena_;
  std::optional<Executor> executor_;
};

Value input(Graph& g, const char* name, DType dtype, const Shape& dims) {
  const Value v = g.input(name, {dtype, dims});
  g.output(name, v);
  return v;
}

std::optional<double> seconds_of(const std::unique_ptr<Ready>& ready, const Care& care) {
  if (!ready) return std::nullopt;
  const FlushDenormals flush;  // as training does
  return median_seconds(care, [&] { ready->run(); });
}

// ---- graphs ----

struct ProductSize {
  int64_t m, k, n;
};
constexpr ProductSize kProducts[] = {{32, 16, 16}, {64, 32, 64}, {256, 256, 256}, {1024, 512, 1024}};

Graph product_graph(const ProductSize& s, DType dtype, bool whole) {
  Graph g("product");
  const Value x = input(g, "x", dtype, {s.m, s.k}), w = input(g, "w", dtype, {s.k, s.n});
  g.output("y", ops::matmul(x, w));
  if (!whole) return g;
  const Value d = input(g, "d", dtype, {s.m, s.n});
  g.output("dx", ops::matmul(d, w, {.transpose_b = true}));
  g.output("dw", ops::matmul(x, d, {.transpose_a = true}));
  return g;
}

// One of the three, of 3 x 3 filters.
constexpr int64_t kPictures = 8, kSide = 16, kChannels = 64;
Graph conv_graph(Convolving what, DType dtype) {
  Graph g("convolution");
  const Shape dims{kPictures, kSide, kSide, kChannels}, filter_dims{3, 3, kChannels, kChannels};
  const ops::ConvOptions options{.padding = {1, 1, 1, 1}};
  const Value x = input(g, "x", dtype, dims);
  if (what == Convolving::filters) {
    g.output("df", ops::conv2d_filter(x, input(g, "d", dtype, dims), 3, 3, options));
  } else {
    const Value filters = input(g, "f", dtype, filter_dims);
    g.output("y", what == Convolving::forward ? ops::conv2d(x, filters, options)
                                              : ops::conv2d_transpose(x, filters, kSide, kSide, options));
  }
  return g;
}

Graph read_graph(int64_t bytes) {
  Graph g("read");
  g.output("sum", ops::reduce_sum(input(g, "x", DType::f32, {bytes / 4})));
  return g;
}

Graph copy_graph(int64_t bytes) {
  Graph g("copy");
  g.output("y", ops::operator+(input(g, "x", DType::f32, {bytes / 8}), 1.0));
  return g;
}

constexpr int kChain = 8;
constexpr int64_t kChainElements = 8192;
Graph cheap_graph() {
  Graph g("element_ops");
  const Value x = input(g, "x", DType::f32, {kChainElements}),
              y = input(g, "y", DType::f32, {kChainElements});
  Value z = x;
  for (int i = 0; i < kChain / 2; ++i) z = ops::add(ops::mul(z, y), x);
  g.output("z", z);
  return g;
}
Graph function_graph() {
  Graph g("arithmetic");
  Value z = input(g, "x", DType::f32, {kChainElements});
  for (int i = 0; i < kChain / 2; ++i) z = ops::exp(ops::sin(z));
  g.output("z", z);
  return g;
}

// Products of one number and functions of it, in turn: nothing but what it costs to enter a step.
constexpr int kTurns = 16;
Graph steps_graph() {
  Graph g("steps");
  Value z = input(g, "x", DType::f32, {1, 1});
  const Value w = input(g, "w", DType::f32, {1, 1});
  for (int i = 0; i < kTurns; ++i) z = ops::sin(ops::matmul(z, w));
  g.output("z", z);
  return g;
}

constexpr int64_t kGathered = 1 << 15, kTableRows = 1 << 19, kRowFloats = 16;
Graph gather_graph() {
  Graph g("gather");
  const Value table = input(g, "table", DType::f32, {kTableRows, kRowFloats});
  g.output("rows", ops::gather(table, input(g, "numbers", DType::i32, {kGathered})));
  return g;
}

// ---- rates ----

using Known = const MachineProfile&;

double over(double work, double seconds) { return work / std::max(seconds, 1e-12); }

// FLOP/s of a graph of products.
std::optional<double> product(DType dtype, Graph graph, const Target& target, Known known, const Care& care) {
  const auto ready = Ready::make(std::move(graph), target);
  if (!ready) return std::nullopt;
  const Plan& plan = ready->plan();
  if (dtype == DType::bf16)  // the kernel of last resort computes element by element
    for (const Step& step : plan.steps)
      if (step.kernel == "scalar") return 0;
  const auto seconds = seconds_of(ready, care);
  if (!seconds) return std::nullopt;
  const double steps = known.step_seconds * static_cast<double>(plan.steps.size());
  return over(plan.cost().flops, std::max(*seconds - steps, 0.3 * *seconds));
}

std::optional<double> per_run(double work, Graph graph, const Target& target, const Care& care) {
  const auto seconds = seconds_of(Ready::make(std::move(graph), target), care);
  return seconds ? std::optional(over(work, *seconds)) : std::nullopt;
}

constexpr int64_t kLeastThatTells = 48 << 20;
int64_t reuse_bytes(size_t i, const Care& care) {
  const auto bytes = static_cast<int64_t>(kReuseBytes[i]);
  return care.whole ? bytes : std::min(bytes, kLeastThatTells);
}

double steps(const Target& target, const Care& care) {
  const auto seconds = seconds_of(Ready::make(steps_graph(), target), care);
  return seconds.value_or(0) / (2 * kTurns);
}

double region(const Care& care) {
  std::atomic<int> entered{0};
  auto enter = [&](int, int) { entered.fetch_add(1, std::memory_order_relaxed); };
  return median_seconds(care,
                        [&] {
                          for (int i = 0; i < 8; ++i) parallel(enter);
                        }) /
         8;
}

template <size_t i>
std::optional<double> f32_product(const Target& t, Known k, const Care& c) {
  return product(DType::f32, product_graph(kProducts[i], DType::f32, c.whole), t, k, c);
}
template <size_t i>
std::optional<double> bf16_product(const Target& t, Known k, const Care& c) {
  return product(DType::bf16, product_graph(kProducts[i], DType::bf16, c.whole), t, k, c);
}
template <DType dtype, Convolving what>
std::optional<double> convolution(const Target& t, Known k, const Care& c) {
  return product(dtype, conv_graph(what, dtype), t, k, c);
}
template <size_t i>
std::optional<double> read_at(const Target& t, Known, const Care& c) {
  const int64_t bytes = reuse_bytes(i, c);
  return per_run(static_cast<double>(bytes), read_graph(bytes), t, c);
}
template <size_t i>
std::optional<double> copy_at(const Target& t, Known, const Care& c) {
  const int64_t bytes = reuse_bytes(i, c);
  return per_run(static_cast<double>(bytes), copy_graph(bytes), t, c);
}

struct Probe {
  std::string_view key;
  std::optional<double> (*measure)(const Target&, Known, const Care&);
};
// The overheads first: the others take them off.
constexpr Probe kProbes[] = {
    {"step_seconds", [](const Target& t, Known, const Care& c) { return std::optional(steps(t, c)); }},
    {"region_seconds", [](const Target&, Known, const Care& c) { return std::optional(region(c)); }},
    {"f32_products.tiny", f32_product<0>},
    {"f32_products.small", f32_product<1>},
    {"f32_products.middle", f32_product<2>},
    {"f32_products.large", f32_product<3>},
    {"bf16_products.tiny", bf16_product<0>},
    {"bf16_products.small", bf16_product<1>},
    {"bf16_products.middle", bf16_product<2>},
    {"bf16_products.large", bf16_product<3>},
    {"f32_convolutions.forward", convolution<DType::f32, Convolving::forward>},
    {"f32_convolutions.pictures", convolution<DType::f32, Convolving::pictures>},
    {"f32_convolutions.filters", convolution<DType::f32, Convolving::filters>},
    {"bf16_convolutions.forward", convolution<DType::bf16, Convolving::forward>},
    {"bf16_convolutions.pictures", convolution<DType::bf16, Convolving::pictures>},
    {"bf16_convolutions.filters", convolution<DType::bf16, Convolving::filters>},
    {"arithmetic",
     [](const Target& t, Known, const Care& c) {
       return per_run(20.0 * kChain * kChainElements, function_graph(), t, c);
     }},
    {"element_ops",
     [](const Target& t, Known, const Care& c) {
       return per_run(double{kChain} * kChainElements, cheap_graph(), t, c);
     }},
    {"read.128KiB", read_at<0>},
    {"read.1MiB", read_at<1>},
    {"read.8MiB", read_at<2>},
    {"read.128MiB", read_at<3>},
    {"copy.128KiB", copy_at<0>},
    {"copy.1MiB", copy_at<1>},
    {"copy.8MiB", copy_at<2>},
    {"copy.128MiB", copy_at<3>},
    {"gathered_rows",
     [](const Target& t, Known, const Care& c) { return per_run(double{kGathered}, gather_graph(), t, c); }},
};

const Probe* probe_of(const std::string& key) {
  const auto found = std::ranges::find(kProbes, key, &Probe::key);
  return found == std::end(kProbes) ? nullptr : found;
}

}  // namespace

const Clock& thread_clock() {
  struct ThreadClock final : Clock {
    double seconds() const override {
      timespec t{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    }
  };
  static const ThreadClock clock;
  return clock;
}

double median_seconds(const Care& care, const std::function<void()>& run) {
  const auto timed = [&](int64_t times) {
    const double start = care.clock.seconds();
    for (int64_t i = 0; i < times; ++i) run();
    return (care.clock.seconds() - start) / static_cast<double>(times);
  };
  run();  // pages, code and branch predictors
  const double first = timed(1);
  if (first > 100 * care.block_seconds) return first;
  const auto times = static_cast<int64_t>(care.block_seconds / std::max(first, 1e-9)) + 1;
  std::vector<double> blocks;
  for (int i = 0; i < care.blocks; ++i) blocks.push_back(timed(times));
  std::ranges::sort(blocks);
  return std::max(blocks[blocks.size() / 2], 1e-12);
}

std::optional<double> probe(const std::string& key, const Target& target, const MachineProfile& known,
                            const Care& care) {
  const Probe* found = probe_of(key);
  return found ? found->measure({target.isa, 1}, known, care) : std::nullopt;
}

int64_t probe_bytes(const std::string& key) {
  if (key == "gathered_rows") return 4 * (kTableRows * kRowFloats + kGathered * (kRowFloats + 1));
  if (key.find("_convolutions.") != std::string::npos)
    return 4 * (2 * kPictures * kSide * kSide * kChannels + 9 * kChannels * kChannels);
  constexpr std::string_view kSizes[] = {"tiny", "small", "middle", "large"},
                             kReuse[] = {"128KiB", "1MiB", "8MiB", "128MiB"};
  const std::string_view name = std::string_view(key).substr(key.find('.') + 1);
  for (size_t i = 0; i < std::size(kSizes); ++i) {
    const ProductSize& s = kProducts[i];
    if (name == kSizes[i]) return 4 * (s.m * s.k + s.k * s.n + s.m * s.n);
    if (name == kReuse[i]) return std::min(static_cast<int64_t>(kReuseBytes[i]), kLeastThatTells);
  }
  return 4 * 4 * kChainElements;
}

bool opens_onednn(const std::string& key) {
  return key == "f32_products.middle" || key == "f32_products.large" || key.starts_with("bf16_products") ||
         key.find("_convolutions.") != std::string::npos;
}

bool has_probe(const std::string& key) { return probe_of(key) != nullptr; }
bool needs_team(const std::string& key) { return key == "region_seconds"; }

ThreadScaling probe_scaling(int threads, const Target& target, const Care& care) {
  const auto ratio = [&](const std::function<Graph()>& graph) {
    const auto one = seconds_of(Ready::make(graph(), {target.isa, 1}), care);
    const auto team = seconds_of(Ready::make(graph(), {target.isa, threads}), care);
    // More than the threads is other work that kept the one waiting.
    return one && team ? std::clamp(*one / *team, 0.1, static_cast<double>(threads)) : 1.0;
  };
  const int64_t bytes = reuse_bytes(kReuseBytes.size() - 1, care);
  return {threads, ratio([] {
            return product_graph({512, 512, 512}, DType::f32, false);
          }),
          ratio([bytes] { return copy_graph(bytes); })};
}

}  // namespace shoestring::budget
