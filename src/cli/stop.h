// Ctrl-C as a flag: the first one asks, the second one ends the process as usual. A closed terminal asks too.
#pragma once

#include <atomic>
#include <string>

namespace shoestring::cli {

// Catches SIGINT, SIGTERM and SIGHUP (where it is not ignored) from now on; the flag is set when one came.
const std::atomic<bool>* stop_flag();

// The same for a verb that has nothing to save while it reads this table; null, and nothing caught, where
// rows come from stdin or a pipe: a process that waits for them ends at once.
const std::atomic<bool>* stop_flag(const std::string& dataset);

}  // namespace shoestring::cli
