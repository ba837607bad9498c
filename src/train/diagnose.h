// Where a number went bad: a step is run again, node by node, until a result holds NaN or infinity.
#pragma once

#include <string>

#include "train/engine.h"

namespace shoestring::train {

// The inputs of the runner must hold the batch of the bad step; they are used up. Names the first node
// with a bad result and the states it reads: "%12 matmul (combiner.fc0.weights)"; "" if all are finite.
std::string find_bad_node(Engine& engine, Runner& runner, const RunContext& context);

}  // namespace shoestring::train
