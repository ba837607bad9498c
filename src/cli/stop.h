// Ctrl-C as a flag: the first one asks, the second one ends the process as usual.
#pragma once

#include <atomic>

namespace shoestring::cli {

// Catches SIGINT and SIGTERM from now on; the flag is set when one came.
const std::atomic<bool>* stop_flag();

}  // namespace shoestring::cli
