// The forward half of a network: what a recipe's encoders, combiner, decoders and losses mean as layers.
// Private to src/task; task/network.h makes whole graphs of it.
#pragma once

#include <vector>

#include "model/layers.h"
#include "task/mixing.h"
#include "task/network.h"

namespace shoestring::task {

// From the graph's inputs, which are declared here, to each output's logits or value: [rows] of a number
// or binary output, [rows, n] of a category, a set or a vector; of a batch ensemble [members, rows] and
// [members, rows, n]. In order: the encoders (first the numbers that pass through, then those that are
// encoded in groups, then the others in the recipe's order), side by side; the combiner; each output's
// decoder. One list for each member of the recipe's ensemble; the recipe's network alone is one member.
std::vector<std::vector<Value>> forward_members(model::Forward& forward, const NetworkSpec& spec,
                                                int64_t rows, const BatchMixing& mixing = {});

// What the members answer as one, as logits or value again: [rows] or [rows, n]. The mean of values or
// of probabilities, over the members of a batch ensemble and then, weighted by the state "blend.weights"
// [members], over those of the ensemble.
std::vector<Value> blended(model::Forward& forward, const NetworkSpec& spec,
                           const std::vector<std::vector<Value>>& members);

// Each member's answers to output i, one after the other: [members, rows] or [members, rows, n].
Value answers_of(const NetworkSpec& spec, size_t i, const std::vector<std::vector<Value>>& members);

// Declares the input "target:NAME" of output i.
Value target_input(Graph& graph, const NetworkSpec& spec, size_t i, int64_t rows);
// Each row's loss, not weighted; of root_mean_squared_error its square: [rows], of a batch ensemble
// [members, rows].
Value row_losses(const NetworkSpec& spec, size_t i, Value logits, Value target);
// The same against the row's target and its partner's, by their shares.
Value mixed_losses(const NetworkSpec& spec, size_t i, Value logits, Value target, const BatchMixing& mixing);
// The loss of many rows: the mean of theirs, or its root.
Value mean_loss(const NetworkSpec& spec, size_t i, Value row_losses);
// Adds output i's answer as a result of the graph.
void add_prediction(Graph& graph, const NetworkSpec& spec, size_t i, Value logits);

}  // namespace shoestring::task
