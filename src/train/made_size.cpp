#include "train/made_size.h"

#include <algorithm>

#include "base/memory.h"
#include "ir/op.h"

namespace shoestring::train {
namespace {

// Bytes of the process with this network's plans, roughly: its weights, their moments and gradients and the
// best of them, the products of a step's forward part (what follows them is fused or in their place), and
// oneDNN where it would be used.
int64_t guess(const task::NetworkSpec& spec, int64_t rows) {
  constexpr int64_t kOfWeight = 6, kOther = 7 << 20, kLibrary = 17 << 20;
  constexpr double kLargeProduct = 2.0 * (1 << 25);  // FLOP; of smaller ones oneDNN makes nothing faster
  const Graph graph = task::build_training(spec, rows, task::StepKind::update, task::TrainingPart::forward);
  int64_t values = 0, weights = 0;
  bool large = false;
  for (const Node& node : graph.nodes()) {
    if (node.op->name != "matmul") continue;
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
    values += node.types.front().bytes();
    large |= node.op->cost({in, node.attrs, node.body.get()}, node.types).flops >= kLargeProduct;
  }
  for (const auto& state : graph.states()) weights += state.type.bytes();
  return resident_bytes() + kOfWeight * weights + values + kOther + (large ? kLibrary : 0);
}

}  // namespace

std::optional<budget::Choice> take_small_enough(Job& job, Dataset& data, int64_t limit_bytes) {
  const auto guess_of = [&](const task::Recipe& recipe) {
    task::NetworkSpec spec = data.spec;
    spec.recipe = recipe;
    return guess(spec, task::batch_sizes(recipe.trainer, data.count(task::SplitName::training)).batch);
  };
  if (job.smaller.empty()) return std::nullopt;
  const int64_t before = guess_of(job.recipe);
  if (before <= limit_bytes) return std::nullopt;
  auto chosen = std::ranges::find_if(
      job.smaller, [&](const budget::Smaller& one) { return guess_of(one.recipe) <= limit_bytes; });
  if (chosen == job.smaller.end()) --chosen;
  job.recipe = data.spec.recipe = chosen->recipe;
  budget::Choice choice{.kind = "model",
                        .change = chosen->what,
                        .price = "a smaller model",
                        .saved_bytes = std::max<int64_t>(before - guess_of(job.recipe), 0)};
  job.smaller.erase(job.smaller.begin(), chosen + 1);
  return choice;
}

}  // namespace shoestring::train
