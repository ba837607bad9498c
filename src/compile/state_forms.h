// States that are kept in another form than what computes with them sees: moments in 8 bits, or whole tables
// of which a step touches some rows. Whatever reads and writes such a state is built as if it were plain;
// restate() then puts the decoding where it is read and the coding where it is written. So every optimizer's
// formula stands once, and none knows of forms. Not a pass: all graphs of a model must agree on its states.
#pragma once

#include <functional>
#include <map>

#include "ir/graph.h"

namespace shoestring {

// What stands in the new graph for a value of the old one.
using Restated = std::function<Value(ValueId)>;

struct StateForm {
  std::vector<StateInfo> states;  // in place of the plain one
  std::function<Value(Graph&, const Restated&)> read;
  std::function<void(Graph&, const Restated&, Value)> write;
};

// In another dtype.
StateForm cast_form(const StateInfo& plain, DType dtype);

// A table [n,d] of which the plain state is some rows [k,d]: those that `numbers` i32[k], a value of the old
// graph from before the first read, names; a negative number stands for no row.
StateForm rows_form(const StateInfo& table, ValueId numbers);

using StateForms = std::map<std::string, StateForm, std::less<>>;  // by the plain state's name
Graph restate(const Graph& graph, const StateForms& forms);

}  // namespace shoestring
