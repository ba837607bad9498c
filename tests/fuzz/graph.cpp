// parse_graphs: the text form. What is taken prints to text that gives the same text again.
#include "fuzz/fuzz.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/ops.h"

using namespace shoestring;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graphs = parse_graphs(fuzz::text_of(data, size), ops::all(), "network.graph");
  if (!graphs) return fuzz::check_refusal(graphs.error()), 0;
  for (const Graph& graph : *graphs) {
    fuzz::check(verify(graph).has_value(), "what parses is sound");
    const std::string text = to_text(graph);
    const auto again = parse_graph(text, ops::all(), "printed.graph");
    fuzz::check(again.has_value() && to_text(*again) == text, "what prints parses to the same");
  }
  return 0;
}
