// Times one training step of a multilayer perceptron: rows gathered from a table, forward, softmax
// cross-entropy, backward, Adam. The plan is the one that `train` runs.
//
//   bench_steps 108-256-256-2 --batch 256 --table 32561        one JSON line
//   bench_steps 5-10-2 --batch 70 --profile                    and where the time goes, step by step
//
// Sizes are inputs, hidden layers (ReLU) and classes. --isa scalar|avx2|avx512 forces an instruction set,
// --machine FILE plans with that profile (this machine's by default): planned_us is what it says of the step.
// --needed first measures anew what the plan hangs on, as training does where the machine was never measured.
// --bf16 lets large products take bf16 operands, --threads N sets the team, --seconds S how long to measure,
// --dump prints the plan. us_per_step is the median over blocks of about 2 ms, best_us the least; the profile
// shows lower deciles, which other work on the machine disturbs little.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/float_mode.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "budget/calibrate.h"
#include "budget/machine_profile.h"
#include "budget/step_time.h"
#include "compile/compile.h"
#include "data/columns.h"
#include "run/executor.h"
#include "task/document.h"
#include "task/network.h"
#include "task/recipe.h"

namespace {

using namespace shoestring;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
  std::string network = "5-10-2";
  int64_t batch = 70, table = 10'000;
  std::string isa, machine;
  int threads = 0;
  double seconds = 2;
  bool profile = false, dump = false, bf16 = false, needed = false;
};

std::vector<int64_t> sizes_of(const std::string& network) {
  std::vector<int64_t> sizes;
  for (size_t at = 0; at < network.size();) {
    size_t used = 0;
    sizes.push_back(std::stoll(network.substr(at), &used));
    at += used + 1;
  }
  return sizes;
}

std::string recipe_of(const std::vector<int64_t>& sizes) {
  std::string text = "input_features:\n";
  for (int64_t i = 0; i < sizes.front(); ++i) text += fmt::format("  - {{name: x{}, type: number}}\n", i);
  text += "output_features:\n  - {name: y, type: category}\ncombiner:\n  type: concat\n";
  if (sizes.size() > 2) text += "  fc_layers:\n";
  for (size_t i = 1; i + 1 < sizes.size(); ++i) text += fmt::format("    - {{output_size: {}}}\n", sizes[i]);
  text += "trainer: {optimizer: {type: adam}, gradient_clipping: null}\n";
  return text;
}

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

task::NetworkSpec spec_of(const std::vector<int64_t>& sizes) {
  task::NetworkSpec spec;
  spec.recipe = need(task::parse_recipe(need(task::parse_document(recipe_of(sizes), "bench"))));
  spec.input_sizes.assign(static_cast<size_t>(sizes.front()), 1);
  spec.output_sizes = {sizes.back()};
  spec.class_weights.resize(1);
  return spec;
}

// The rows that the steps are fed from, gathered as `train` does it, in an order that is shuffled once.
class Table {
 public:
  Table(int64_t rows, int64_t columns, int64_t classes)
      : x_(static_cast<int>(columns), rows), y_(rows), order_(rows) {
    x_.append(rows);
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < rows; ++i) {
      float* x = x_.column(0, i);
      for (int64_t j = 0; j < columns; ++j) x[j] = normal(random);
      // Half of the answer is noise: a loss that falls to 0 would leave nothing but denormal numbers.
      y_[i] = static_cast<int32_t>(x[0] + normal(random) > 0) % static_cast<int32_t>(classes);
    }
    std::iota(order_.begin(), order_.end(), 0u);
    std::shuffle(order_.begin(), order_.end(), random);
  }
  void gather(int64_t rows, float* x, int32_t* y) {
    if (next_ + rows > static_cast<int64_t>(order_.size())) next_ = 0;
    const std::span<const uint32_t> batch(order_.data() + next_, static_cast<size_t>(rows));
    x_.gather(batch, x);
    for (size_t i = 0; i < batch.size(); ++i) y[i] = y_[batch[i]];
    next_ += rows;
  }

 private:
  int64_t next_ = 0;
  data::FloatRows x_;
  std::vector<int32_t> y_;
  std::vector<uint32_t> order_;
};

struct Job {
  Plan plan;
  Block states, arena;
};

Target target_of(const Options& options) {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (to_string(isa) == options.isa) return {isa, thread_count()};
  return native_target();
}

Job prepare(const task::NetworkSpec& spec, const Options& options) {
  CompileOptions compiling{.target = target_of(options)};
  if (options.bf16) compiling.precision.products = DType::bf16;
  Graph initial = task::build_initial(spec);
  Graph training = task::build_training(spec, options.batch, task::StepKind::update);
  need(initial.status());
  need(training.status());
  StateLayout layout;
  need(layout.include(training));
  need(layout.include(initial));
  const Plan start = need(compile(std::move(initial), layout, compiling));
  Job job{.plan = need(compile(std::move(training), layout, compiling)), .states = {}, .arena = {}};
  job.states = need(Block::reserve(layout.bytes()));
  job.arena = need(Block::reserve(std::max<int64_t>(64, std::max(start.arena_bytes, job.plan.arena_bytes))));
  Executor(start, job.states.data(), job.arena.data()).run({.seed = 42});
  return job;
}

MachineProfile machine_of(const Options& options) {
  if (!options.machine.empty()) return need(budget::read_profile(options.machine));
  return *budget::load_or_built_in(target_of(options)).profile;
}

double quantile(std::vector<double> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Each step's share, by running the plan one step at a time; the clock's own cost is taken off.
void print_profile(Executor& executor, Table& table, float* x, int32_t* y, const Options& options,
                   std::span<const budget::StepTime> planned) {
  const size_t count = executor.plan().steps.size();
  std::vector<std::vector<double>> seconds(count);
  std::vector<double> gathers;
  double clock_cost = 1;
  for (int i = 0; i < 1000; ++i) {
    const auto start = Clock::now();
    clock_cost = std::min(clock_cost, seconds_since(start));
  }
  const FlushDenormals flush;
  const auto begin = Clock::now();
  for (uint32_t t = 1; t < 100 || seconds_since(begin) < options.seconds; ++t) {
    const auto gather_start = Clock::now();
    table.gather(options.batch, x, y);
    gathers.push_back(seconds_since(gather_start) - clock_cost);
    for (size_t i = 0; i < count; ++i) {
      const auto start = Clock::now();
      executor.run_steps(i, i + 1, {.seed = 42, .step = t});
      seconds[i].push_back(seconds_since(start) - clock_cost);
    }
  }
  double total = quantile(gathers, 0.1);
  std::fprintf(stderr, "%9.3f us  gather\n", total * 1e6);
  for (size_t i = 0; i < count; ++i) {
    const Step& step = executor.plan().steps[i];
    const double s = std::max(0.0, quantile(seconds[i], 0.1));
    total += s;
    std::fprintf(stderr, "%9.3f us %7.2f GFLOP/s %7.2f GB/s  planned %9.3f us %-10s  %-20s %s\n", s * 1e6,
                 step.cost.flops / s * 1e-9, step.cost.bytes / s * 1e-9, planned[i].seconds * 1e6,
                 std::string(name_of(planned[i].bound)).c_str(), step.name.c_str(), step.kernel.c_str());
  }
  std::fprintf(stderr, "%9.3f us  together, of %zu steps\n", total * 1e6, count);
}

void measure(const Options& options) {
  if (options.threads) set_thread_count(options.threads);
  const std::vector<int64_t> sizes = sizes_of(options.network);
  const task::NetworkSpec spec = spec_of(sizes);
  const Job job = prepare(spec, options);
  if (options.dump) std::fputs(to_text(job.plan).c_str(), stderr);
  MachineProfile machine = machine_of(options);
  const auto need_begin = Clock::now();
  if (options.needed) {
    const Plan* const plans[] = {&job.plan};
    machine = budget::measure_needed(plans, machine, {.target = target_of(options)});
  }
  const double needed_seconds = seconds_since(need_begin);
  const std::vector<budget::StepTime> planned = budget::step_times(job.plan, machine, thread_count());
  double planned_seconds = 0;
  for (const auto& step : planned) planned_seconds += step.seconds;
  Executor executor(job.plan, job.states.data(), job.arena.data());
  auto* x = executor.input<float>("numbers");
  auto* y = executor.input<int32_t>("target:y");
  *executor.input<float>("learning_rate") = 0.001f;
  Table table(options.table, sizes.front(), sizes.back());

  uint32_t t = 0;
  const auto one = [&] {
    // Inputs may share their memory with later values: everything is written before every run.
    *executor.input<float>("learning_rate") = 0.001f;
    table.gather(options.batch, x, y);
    const FlushDenormals flush;  // as training does
    executor.run({.seed = 42, .step = ++t});
  };
  const auto warm = Clock::now();
  int64_t block = 0;
  for (; seconds_since(warm) < 0.2; ++block) one();
  block = std::max<int64_t>(1, block / 100);
  std::vector<double> blocks;
  const auto begin = Clock::now();
  while (seconds_since(begin) < options.seconds) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < block; ++i) one();
    blocks.push_back(seconds_since(start) / static_cast<double>(block));
  }
  const double seconds = quantile(blocks, 0.5);
  std::printf(
      "{\"network\": \"%s\", \"batch\": %lld, \"isa\": \"%s\", \"threads\": %d, \"us_per_step\": %.3f, "
      "\"planned_us\": %.3f, \"measured_ms\": %.0f, \"best_us\": %.3f, "
      "\"samples_per_second\": %.0f, \"plan_steps\": %zu, \"arena_bytes\": %lld, \"loss\": %.6f}\n",
      options.network.c_str(), static_cast<long long>(options.batch),
      options.isa.empty() ? std::string(to_string(native_target().isa)).c_str() : options.isa.c_str(),
      thread_count(), seconds * 1e6, planned_seconds * 1e6, needed_seconds * 1e3, quantile(blocks, 0) * 1e6,
      static_cast<double>(options.batch) / seconds, job.plan.steps.size(),
      static_cast<long long>(job.plan.arena_bytes), static_cast<double>(*executor.output<float>("loss")));
  if (options.profile) print_profile(executor, table, x, y, options, planned);
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
    else if (flag == "--table")
      options.table = std::stoll(value());
    else if (flag == "--isa")
      options.isa = value();
    else if (flag == "--machine")
      options.machine = value();
    else if (flag == "--threads")
      options.threads = std::stoi(value());
    else if (flag == "--seconds")
      options.seconds = std::stod(value());
    else if (flag == "--profile")
      options.profile = true;
    else if (flag == "--bf16")
      options.bf16 = true;
    else if (flag == "--needed")
      options.needed = true;
    else if (flag == "--dump")
      options.dump = true;
    else if (flag.starts_with("-"))
      return std::fprintf(stderr, "unknown flag %s\n", flag.c_str()), 2;
    else
      options.network = flag;
  }
  options.table = std::max(options.table, options.batch);
  measure(options);
}
