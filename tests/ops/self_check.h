// The test of the test: operators that are broken on purpose, each in one way, must be caught.
#pragma once

#include <string>
#include <vector>

namespace shoestring::optest {

// What was not caught, or was said in other words than expected; empty if all is well.
std::vector<std::string> self_check();

}  // namespace shoestring::optest
