// The text form of a graph: what is dumped, diffed, stored in model files and written by hand.
//
//   graph forward {
//     state w1: parameter f32[5,10]
//     %0 = input "x": f32[70,5]
//     %1 = read w1: f32[5,10]
//     %2 = matmul(%0, %1) {transpose_b=true}: f32[70,10]
//     %3 = constant {0.5}: f32[]
//     write w1, %2
//     output "logits" = %2
//   }
//
// Attributes that have their default are left out. A node with several outputs lists their types with
// "; " between, and %2.1 is its second output. A body follows its node in braces: `fused(%0) { … }`.
// Names with other characters than letters, digits and _./- are quoted. Constants print all their values
// (shortest form that reads back); # starts a comment. Parsing runs every shape rule and compares the result
// with the written type.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace shoestring {

std::string to_text(const Graph& graph);

// `ops` is the vocabulary (ops::all()); `where` names the text in errors ("model.graph:12:3").
Result<Graph> parse_graph(std::string_view text, std::span<const OpDef* const> ops,
                          std::string_view where = "graph");
// Several graphs one after the other.
Result<std::vector<Graph>> parse_graphs(std::string_view text, std::span<const OpDef* const> ops,
                                        std::string_view where = "graph");

}  // namespace shoestring
