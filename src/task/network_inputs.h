// The first part of a network: from the graph's inputs to the columns that the combiner sees. Private to
// src/task.
#pragma once

#include <string>
#include <vector>

#include "model/layers.h"
#include "task/mixing.h"
#include "task/network.h"

namespace shoestring::task {

// The name of a feature inside the names of states.
std::string state_name(std::string_view feature);

// The graph's inputs, declared once, whichever members read them.
struct Inputs {
  Value numbers;           // invalid where there are none
  std::vector<Value> own;  // of each input its own port (port_of); invalid where it has none
  Value row_numbers = {};  // where a training step reads them
  BatchMixing mixing = {};
};
Inputs declare_inputs(const model::Forward& forward, const NetworkSpec& spec, int64_t rows);

// The encoders' columns side by side: [rows, n]. First the numbers that pass through, then those that are
// encoded in groups, then the others in the recipe's order. `features` are the recipe's, with a member's own
// encoders.
Value encode_inputs(model::Forward& forward, const NetworkSpec& spec,
                    const std::vector<InputFeature>& features, const Inputs& inputs,
                    const std::string& prefix);

// From the pixels of the inputs whose features are kept, to these, as results of the graph.
void add_features(model::Forward& forward, const NetworkSpec& spec, int64_t rows);

}  // namespace shoestring::task
