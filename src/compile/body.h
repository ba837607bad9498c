// From the body of a loop to steps that run over and over (ops::PreparedBody).
#pragma once

#include "compile/compile.h"
#include "ops/loop.h"

namespace shoestring {

// Applies a pass to the body of every loop in the graph, innermost bodies included.
Graph in_bodies(Graph graph, const Pass& pass, const CompileOptions& options);

// Places a body that has been through the passes. Its plan comes along, for people: ports stand in it as
// states, named by their numbers.
struct PlacedBody {
  ops::PreparedBody prepared;
  std::shared_ptr<const Plan> plan;
};
Result<PlacedBody> place_body(const Graph& body, size_t carries, const CompileOptions& options);

// A body as it was built: the passes, then its place.
Result<PlacedBody> compile_body(const Graph& body, size_t carries, const CompileOptions& options);

// Turns an ordered graph, after all passes, into steps over slots (compile.cpp).
Result<Plan> place_steps(Graph graph, const StateLayout& states, const CompileOptions& options);
Result<Graph> run_passes(Graph graph, const CompileOptions& options, std::string_view until = {});

}  // namespace shoestring
