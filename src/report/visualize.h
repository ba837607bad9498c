// The page made again from what runs wrote down, or one page that compares several.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace shoestring::report {

inline constexpr size_t kMostCompared = 24;

// `runs`: folders with a report.json, or such files. `output`: the page; "": report.html beside the only
// run's report.json, or comparison.html here. Returns the path of the page. ErrorKind::data where there is no
// report, or one of another version.
Result<std::string> visualize(const std::vector<std::string>& runs, std::string output);

}  // namespace shoestring::report
