#include "plans/runner.h"

#include <algorithm>
#include <stdexcept>

namespace shoestring::test {
namespace {

// Tests have no way on from here.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message());
}

}  // namespace

void Interpreted::add(const Graph& graph) { graphs_.emplace(graph.name(), graph); }
void Interpreted::set(const StateInfo& state, const Tensor64& values) { states_[state.name] = values; }
Tensor64 Interpreted::get(const std::string& state) { return states_.at(state); }

std::map<std::string, Tensor64> Interpreted::run(const std::string& graph,
                                                 const std::map<std::string, Tensor64>& inputs,
                                                 const RunContext& context) {
  Interpretation result = interpret(graphs_.at(graph), inputs, states_, context);
  for (auto& [name, values] : result.states) states_[name] = std::move(values);
  return std::move(result.outputs);
}

void Planned::add(const Graph& graph) {
  must(layout_.include(graph));
  graphs_.push_back(graph);
}

void Planned::load() {
  if (!loaded_.empty()) return;
  // The plan that runs most is the training step, which is the largest.
  if (const auto most =
          std::ranges::max_element(graphs_, {}, [](const Graph& g) { return g.nodes().size(); });
      most != graphs_.end())
    must(lay_out_states(*most, layout_, options_));
  states_ = must(Block::reserve(layout_.bytes()));
  for (const Graph& graph : graphs_) {
    Plan plan = must(compile(graph, layout_, options_));
    must(verify(plan));
    Block arena = must(Block::reserve(plan.arena_bytes));
    Loaded& l = loaded_.emplace(graph.name(), Loaded{std::move(plan), std::move(arena), {}}).first->second;
    l.executor = std::make_unique<Executor>(l.plan, states_.data(), l.arena.data());
  }
}

void Planned::set(const StateInfo& state, const Tensor64& values) {
  load();
  const StateSlot* slot = layout_.find(state.name);
  if (!slot) return;  // of no graph that was added
  const StateInfo& info = slot->info;
  std::vector<std::byte> rows(static_cast<size_t>(info.type.bytes()));
  encode(info.type.dtype, values.data(), rows.data(), info.type.elements());
  if (info.layout.row_major())
    std::ranges::copy(rows, states_.data() + slot->offset);
  else
    write_elements(info.layout, info.type, states_.data() + slot->offset, 0, rows);
}

Tensor64 Planned::get(const std::string& state) {
  load();
  const StateSlot* slot = layout_.find(state);
  if (!slot) return {};  // of no graph that was added
  Tensor64 out(static_cast<size_t>(slot->info.type.elements()));
  const StateInfo& info = slot->info;
  const std::span<const std::byte> lying(states_.data() + slot->offset,
                                         static_cast<size_t>(info.type.bytes()));
  std::vector<std::byte> rows(lying.begin(), lying.end());
  if (!info.layout.row_major()) read_elements(info.layout, info.type, lying.data(), 0, rows);
  decode(info.type.dtype, rows.data(), out.data(), info.type.elements());
  return out;
}

std::map<std::string, Tensor64> Planned::run(const std::string& graph,
                                             const std::map<std::string, Tensor64>& inputs,
                                             const RunContext& context) {
  load();
  Loaded& l = loaded_.at(graph);
  for (const auto& port : l.plan.inputs) {
    const Tensor64& values = inputs.at(port.name);
    encode(port.type.dtype, values.data(), l.executor->input(port.name), port.type.elements());
  }
  l.executor->run(context);
  std::map<std::string, Tensor64> out;
  for (const auto& port : l.plan.outputs) {
    Tensor64& values = out[port.name];
    values.resize(static_cast<size_t>(port.type.elements()));
    decode(port.type.dtype, l.executor->output(port.name), values.data(), port.type.elements());
  }
  return out;
}

}  // namespace shoestring::test
