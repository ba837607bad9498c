// Rows through the compiler and the executor, under configurations.
#pragma once

#include <string>
#include <vector>

#include "ops/check.h"

namespace shoestring::optest {

struct Configuration {
  std::string name;
  std::vector<std::string> skip;  // passes
  bool scalar = false, one_thread = false, reuse_memory = true;
};
const std::vector<Configuration>& configurations();

// The operator alone, and with its gradient: compiled, run twice over different garbage, compared with
// the interpreter. `threads` of the team are used unless the configuration says one.
void check_compiled(const Case& c, const Configuration& configuration, Isa isa, int threads, Report& report);

}  // namespace shoestring::optest
