// A model in memory: one block of states, the plans that run over it, and one arena as large as the
// largest of them needs. Everything is reserved and touched here, before the first step; a run then
// takes no memory and cannot fail.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/float_mode.h"
#include "base/memory.h"
#include "compile/compile.h"
#include "run/executor.h"
#include "task/network.h"

namespace shoestring::train {

enum class PlanKind { update, accumulate, accumulate_and_update, evaluate, predict, members, features };

struct PlanRequest {
  PlanKind kind;
  int64_t rows;
  bool operator==(const PlanRequest&) const = default;
};

// Where the caller writes a plan's inputs and reads its results; null where a plan has no such port.
// Names and shapes are those of task/network.h.
struct Ports {
  float* numbers = nullptr;      // [rows, number_columns]
  std::vector<void*> inputs;     // of each input: its own port (task::port_of), null where it has none
  std::vector<float*> features;  // of each input: task::features_port_of, where they are kept
  std::vector<void*> targets;    // of each output: [rows], i32 for a category, else f32
  float* learning_rate = nullptr;
  int32_t* row_numbers = nullptr;  // [rows]

  const float *loss = nullptr, *gradient_norm = nullptr, *finite = nullptr;
  std::vector<const float*> losses;         // of each output: [rows]
  std::vector<const float*> predictions;    // of each output: task::answer_port_of, [rows] or [rows, n]
  std::vector<const float*> made_features;  // of each input, of the plan that makes them: [rows, n]
  std::vector<const float*> answers;        // of each output: [members, rows] or [members, rows, n]
};

// A plan and its executor over the engine's memory.
class Runner {
 public:
  Runner(PlanRequest request, Plan plan) : request_(request), plan_(std::move(plan)) {}
  void bind(const task::NetworkSpec& spec, std::byte* states, std::byte* arena);

  int64_t rows() const { return request_.rows; }
  const PlanRequest& request() const { return request_; }
  const Plan& plan() const { return plan_; }
  const Ports& ports() const { return ports_; }
  void run(const RunContext& context) noexcept {
    const FlushDenormals flush;
    executor_->run(context);
  }
  Executor& executor() { return *executor_; }

 private:
  PlanRequest request_;
  Plan plan_;
  std::optional<Executor> executor_;
  Ports ports_;
};

class Engine {
 public:
  // Compiles the plans, of which the first says how states lie (lay_out_states), and reserves memory. The
  // states are zero until initialize() or load(). Only here options.stopped is asked: who ends a run early
  // may need one more plan to save what there is.
  static Result<Engine> create(task::NetworkSpec spec, std::span<const PlanRequest> requests,
                               const CompileOptions& options);

  // The same without the memory: for asking what it would take. reserve() takes it.
  static Result<Engine> compiled(task::NetworkSpec spec, std::span<const PlanRequest> requests,
                                 const CompileOptions& options);
  // Reserves and touches the states and the arena, and binds the runners to them.
  Status reserve();
  int64_t arena_bytes() const;  // of the largest plan

  // The plan of this kind and size; made at the first call. A plan that was not asked for at create()
  // may move the arena: pointers from before are stale, never inside a loop.
  Result<Runner*> runner(PlanRequest request);

  // Draws the initial value of every state, by a plan that runs in the arena, or where that is too small in
  // one of its own.
  Status initialize(uint64_t seed, const CompileOptions& options);
  // What initialize() will take beside the arena.
  Result<int64_t> initial_bytes(const CompileOptions& options);
  // Copies a state in, row-major. Fails with ErrorKind::data where the model has no such state or another
  // type.
  Status load(std::string_view state, const Type& type, std::span<const std::byte> bytes);
  // A state as it lies (StateInfo::layout).
  std::span<const std::byte> bytes(const StateSlot& slot) const;

  const task::NetworkSpec& spec() const { return spec_; }
  const CompileOptions& options() const { return options_; }
  const StateLayout& layout() const { return layout_; }
  // Hands a state's values, row-major, to be changed between runs; the arena's content is lost where the
  // state lies otherwise. Fails as `change` does, and with ErrorKind::internal where the model has no such
  // f32 state.
  Status change(std::string_view state, const std::function<Status(std::span<float> values)>& change);
  std::span<std::byte> states() { return {states_.data(), static_cast<size_t>(states_.bytes())}; }
  std::span<const std::byte> arena() const { return {arena_.data(), static_cast<size_t>(arena_.bytes())}; }
  std::span<const std::unique_ptr<Runner>> runners() const { return runners_; }

 private:
  Status compile_initial(const CompileOptions& options);
  Engine(task::NetworkSpec spec, CompileOptions options)
      : spec_(std::move(spec)), options_(std::move(options)) {}
  Result<Runner*> add(PlanRequest request, Graph graph);
  CompileOptions options_of(PlanKind kind) const;

  task::NetworkSpec spec_;
  CompileOptions options_;
  StateLayout layout_;
  Block states_, arena_;
  std::optional<Plan> initial_;  // until it has run
  std::vector<std::unique_ptr<Runner>> runners_;
};

// How training steps of this recipe are computed on this machine: with bf16 products only where asked for and
// faster. Evaluation and prediction are always f32.
Precision training_precision(const task::Trainer& trainer, const CompileOptions& options);

// The graph of a plan, before any pass.
Graph build(const task::NetworkSpec& spec, PlanRequest request);

// Puts a state's row-major bytes where it lies.
void lay(const StateInfo& state, std::span<const std::byte> rows, std::byte* place);

// Trainable numbers: the elements of all states that are parameters.
int64_t parameter_count(const StateLayout& layout);

}  // namespace shoestring::train
