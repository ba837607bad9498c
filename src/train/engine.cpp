#include "train/engine.h"

#include <algorithm>
#include <cstring>

#include "compile/machine.h"

namespace shoestring::train {
Graph build(const task::NetworkSpec& spec, PlanRequest request) {
  switch (request.kind) {
    case PlanKind::update:
      return task::build_training(spec, request.rows, task::StepKind::update);
    case PlanKind::accumulate:
      return task::build_training(spec, request.rows, task::StepKind::accumulate);
    case PlanKind::accumulate_and_update:
      return task::build_training(spec, request.rows, task::StepKind::accumulate_and_update);
    case PlanKind::evaluate:
      return task::build_evaluation(spec, request.rows);
    case PlanKind::members:
      return task::build_members(spec, request.rows);
    case PlanKind::features:
      return task::build_features(spec, request.rows);
    case PlanKind::predict:
      break;
  }
  return task::build_prediction(spec, request.rows);
}

void Runner::bind(const task::NetworkSpec& spec, std::byte* states, std::byte* arena) {
  executor_.emplace(plan_, states, arena);
  ports_ = {};
  ports_.numbers = executor_->input<float>("numbers");
  ports_.learning_rate = executor_->input<float>("learning_rate");
  ports_.row_numbers = executor_->input<int32_t>("row_numbers");
  ports_.loss = executor_->output<float>("loss");
  ports_.gradient_norm = executor_->output<float>("gradient_norm");
  ports_.finite = executor_->output<float>("finite");
  for (const auto& input : spec.recipe.inputs) {
    ports_.inputs.push_back(executor_->input(task::port_of(input)));
    ports_.features.push_back(executor_->input<float>(task::features_port_of(input)));
    ports_.made_features.push_back(executor_->output<float>(task::features_port_of(input)));
  }
  for (const auto& output : spec.recipe.outputs) {
    ports_.targets.push_back(executor_->input("target:" + output.name));
    ports_.losses.push_back(executor_->output<float>("losses:" + output.name));
    ports_.answers.push_back(executor_->output<float>("answers:" + output.name));
    ports_.predictions.push_back(executor_->output<float>(task::answer_port_of(output)));
  }
}

Result<Engine> Engine::create(task::NetworkSpec spec, std::span<const PlanRequest> requests,
                              const CompileOptions& options) {
  auto engine = compiled(std::move(spec), requests, options);
  if (engine)
    if (auto ok = engine->reserve(); !ok) return fail(ok.error());
  return engine;
}

Result<Engine> Engine::compiled(task::NetworkSpec spec, std::span<const PlanRequest> requests,
                                const CompileOptions& options) {
  Engine engine(std::move(spec), options);
  std::vector<Graph> graphs;
  for (const PlanRequest& request : requests) {
    if (auto ok = go_on(options); !ok) return fail(ok.error());
    graphs.push_back(build(engine.spec_, request));
    if (auto ok = graphs.back().status(); !ok) return fail(ok.error());
    if (auto ok = engine.layout_.include(graphs.back()); !ok) return fail(ok.error());
  }
  for (size_t i = 0; i < requests.size(); ++i)
    if (auto ok = lay_out_states(graphs[i], engine.layout_, engine.options_of(requests[i].kind)); !ok)
      return fail(ok.error());
  for (size_t i = 0; i < requests.size(); ++i)
    if (auto added = engine.add(requests[i], std::move(graphs[i])); !added) return fail(added.error());
  engine.options_.stopped = nullptr;
  return engine;
}

Precision training_precision(const task::Trainer& trainer, const CompileOptions& options) {
  Precision precision;
  constexpr DType kStored[] = {DType::f32, DType::bf16, DType::f16};
  precision.stored = kStored[static_cast<size_t>(trainer.stored_activations.or_else(task::Stored::float32))];
  if (trainer.use_mixed_precision && bf16_gain(machine_of(options)) > 1) precision.products = DType::bf16;
  return precision;
}

namespace {

bool is_training(PlanKind kind) {
  return kind == PlanKind::update || kind == PlanKind::accumulate || kind == PlanKind::accumulate_and_update;
}

}  // namespace

CompileOptions Engine::options_of(PlanKind kind) const {
  CompileOptions options = options_;
  if (!is_training(kind)) options.precision = {}, options.arena_limit_bytes = 0;
  return options;
}

Result<Runner*> Engine::add(PlanRequest request, Graph graph) {
  auto plan = compile(std::move(graph), layout_, options_of(request.kind));
  if (!plan) return fail(plan.error());
  runners_.push_back(std::make_unique<Runner>(request, std::move(*plan)));
  return runners_.back().get();
}

int64_t Engine::arena_bytes() const {
  int64_t bytes = 0;
  for (const auto& runner : runners_) bytes = std::max(bytes, runner->plan().arena_bytes);
  return bytes;
}

Status Engine::reserve() {
  if (states_.data() == nullptr) {
    auto states = Block::reserve(layout_.bytes());
    if (!states) return fail(states.error());
    states_ = std::move(*states);
  }
  const int64_t bytes = arena_bytes();
  if (bytes > arena_.bytes() || arena_.data() == nullptr) {
    arena_ = Block();
    auto arena = Block::reserve(bytes);
    if (!arena) return fail(arena.error());
    arena_ = std::move(*arena);
  }
  for (auto& runner : runners_) runner->bind(spec_, states_.data(), arena_.data());
  return {};
}

Result<Runner*> Engine::runner(PlanRequest request) {
  for (auto& runner : runners_)
    if (runner->request() == request) return runner.get();
  Graph graph = build(spec_, request);
  if (auto ok = graph.status(); !ok) return fail(ok.error());
  for (const StateInfo& state : graph.states())
    if (!layout_.find(state.name))
      return fail(ErrorKind::internal,
                  fmt::format("the plan needs the state '{}', which the model lacks", state.name));
  auto added = add(request, std::move(graph));
  if (!added) return fail(added.error());
  if (auto ok = reserve(); !ok) return fail(ok.error());
  return *added;
}

Status Engine::compile_initial(const CompileOptions& options) {
  if (initial_) return {};
  Graph graph = task::build_initial(spec_);
  if (auto ok = graph.status(); !ok) return ok;
  const int64_t before = layout_.bytes();
  if (auto ok = layout_.include(graph); !ok) return ok;
  if (layout_.bytes() != before)
    return fail(ErrorKind::internal, "the model initialises a state that none of its plans has");
  auto plan = compile(std::move(graph), layout_, options);
  if (!plan) return fail(plan.error());
  initial_ = std::move(*plan);
  return {};
}

Result<int64_t> Engine::initial_bytes(const CompileOptions& options) {
  if (auto ok = compile_initial(options); !ok) return fail(ok.error());
  return initial_->arena_bytes > arena_bytes() ? initial_->arena_bytes : 0;
}

Status Engine::initialize(uint64_t seed, const CompileOptions& options) {
  if (auto ok = compile_initial(options); !ok) return ok;
  Block scratch;
  if (initial_->arena_bytes > arena_.bytes()) {
    auto own = Block::reserve(initial_->arena_bytes);
    if (!own) return fail(own.error());
    scratch = std::move(*own);
  }
  Executor(*initial_, states_.data(), scratch.data() ? scratch.data() : arena_.data()).run({.seed = seed});
  initial_.reset();
  return {};
}

Status Engine::load(std::string_view state, const Type& type, std::span<const std::byte> bytes) {
  const StateSlot* slot = layout_.find(state);
  if (!slot || slot->info.type != type) {
    return fail(ErrorKind::data,
                fmt::format("state '{}' is {}, but the model has {}", state, to_string(type),
                            slot ? to_string(slot->info.type) : std::string("no such state")),
                {}, "use the recipe that it was trained with");
  }
  lay(slot->info, bytes, states_.data() + slot->offset);
  return {};
}

void lay(const StateInfo& state, std::span<const std::byte> rows, std::byte* place) {
  if (state.layout.row_major())
    std::memcpy(place, rows.data(), rows.size());
  else
    write_elements(state.layout, state.type, place, 0, rows);
}

Status Engine::change(std::string_view name, const std::function<Status(std::span<float>)>& change) {
  const StateSlot* slot = layout_.find(name);
  if (!slot || slot->info.type.dtype != DType::f32)
    return fail(ErrorKind::internal, fmt::format("the model has no f32 state '{}'", name));
  const StateInfo& info = slot->info;
  const auto floats = [&](std::byte* at) {
    return std::span(reinterpret_cast<float*>(at), static_cast<size_t>(info.type.elements()));
  };
  std::byte* const place = states_.data() + slot->offset;
  if (info.layout.row_major()) return change(floats(place));
  // A plan that moves the state from one order to another has it in the arena, and most do.
  std::vector<std::byte> own(arena_.bytes() < info.type.bytes() ? static_cast<size_t>(info.type.bytes()) : 0);
  std::byte* const rows = own.empty() ? arena_.data() : own.data();
  const std::span<std::byte> all(rows, static_cast<size_t>(info.type.bytes()));
  read_elements(info.layout, info.type, place, 0, all);
  auto changed = change(floats(rows));
  lay(info, all, place);
  return changed;
}

std::span<const std::byte> Engine::bytes(const StateSlot& slot) const {
  return {states_.data() + slot.offset, static_cast<size_t>(slot.info.type.bytes())};
}

int64_t parameter_count(const StateLayout& layout) {
  int64_t count = 0;
  for (const StateSlot& slot : layout.slots())
    if (slot.info.role == StateRole::parameter) count += slot.info.type.elements();
  return count;
}

}  // namespace shoestring::train
