// How much each member of an ensemble counts: the weights, at least 0 and adding up to 1, with which the
// blended answers have the least loss on the validation rows.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "train/batches.h"

namespace shoestring::train {

// What members said about some rows of one output, and what was right.
struct MemberAnswers {
  bool squared =
      false;  // values, judged by squared error; else probabilities of the right class, by their logarithm
  double loss_weight = 1;
  std::vector<std::vector<float>> of_member;  // [members][rows]
  std::vector<float> truth;                   // of values: [rows]
};

// By exponentiated gradients (Kivinen, Warmuth 1997) from equal weights, then drawn back to equal ones: for n
// rows they keep 0.8 n / (n + 200) of their way, as few rows say little about small differences. Equal where
// there are no rows.
// Once `enough` says so, the best weights so far have to do.
std::vector<double> blend(std::span<const MemberAnswers> outputs, size_t members,
                          const std::function<bool()>& enough = {});

// The plan that fitting them runs; none where there is nothing to fit.
std::optional<PlanRequest> members_plan(const task::Recipe& recipe, int64_t rows, int64_t batch);

// Fits the weights of the engine's ensemble on a split and sets its state; nothing without an ensemble or
// rows, or where the recipe says equal. Without members_plan() among the engine's it makes it: the arena may
// move.
Status fit_blend(Engine& engine, const Dataset& data, task::SplitName split, int64_t batch,
                 const std::function<bool()>& enough = {});

}  // namespace shoestring::train
