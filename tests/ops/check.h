// The checks that a row goes through. Each reports what failed; none stops the suite.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ops/row.h"
#include "ops/values.h"

namespace shoestring::optest {

std::string_view isa_name(Isa isa);
// The instruction sets that this machine has, scalar first.
std::vector<Isa> machine_isas();

// A row and the graph of its node: an input for each operand, the node, an output for each result.
struct Case {
  const Row& row;
  Graph graph;
  Value value;  // the node's first output
  const Node& node() const { return graph.node(value.id()); }
};

struct Failure {
  std::string where, what, command;  // "softmax:12", …, "optest softmax --row 12 --isa avx2"
};

class Report {
 public:
  // `flags` is what, besides operator and row, reproduces it: "--only kernels --isa avx2 --threads 2".
  void fail(const Row& row, std::string what, std::string flags = {});
  void passed() { ++checks_; }
  void refused(const OpDef& op, std::string_view kernel, Isa isa, const std::string& reason);
  void accepted(const OpDef& op, std::string_view kernel, Isa isa) {
    accepted_[op.name][std::string(kernel)].insert(isa);
  }

  const std::vector<Failure>& failures() const { return failures_; }
  int64_t checks() const { return checks_; }
  using Support = std::map<std::string, std::set<Isa>>;  // kernel -> where it accepted a row
  const Support& support(const OpDef& op) const;
  const std::set<std::string>& refusals(const OpDef& op) const;

 private:
  std::vector<Failure> failures_;
  int64_t checks_ = 0;
  std::map<std::string_view, Support> accepted_;
  std::map<std::string_view, std::set<std::string>> refusals_;
};

// Builds the row's graph; reports and returns nothing if the types or the error are not as written.
std::optional<Case> check_types(const Row& row, const RowFile& file, Report& report);

// The reference on drawn operands, and the values that the row writes down.
std::vector<Tensor64> reference_of(const Case& c, std::span<const Data> data);
void check_reference(const Case& c, Report& report);

struct KernelOptions {
  std::vector<Isa> isas;
  int threads = 1;
  double seconds_per_kernel = 0;                // > 0: time each accepted kernel
  std::function<void(const std::string&)> say;  // of times
};
void check_kernels(const Case& c, const KernelOptions& options, Report& report);

void check_gradients(const Case& c, Report& report);

// `folder` holds OPERATOR.txt.
void check_torch(const Case& c, const std::string& folder, Report& report);

// The context in which random nodes draw, in every check.
inline constexpr RunContext kContext{.seed = 42, .step = 3, .row_offset = 5};

}  // namespace shoestring::optest
