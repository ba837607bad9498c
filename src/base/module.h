// A part of the program that is opened at first use, because what it links costs milliseconds of every start.
#pragma once

#include <string>

#include "base/error.h"

namespace shoestring {

// The C function `entry` of the shared object `file`, which lies on the run path of the executable (or
// library) that this code is linked into. It stays open. Fails with ErrorKind::machine where the installation
// is not whole.
Result<void*> module_entry(const std::string& file, const std::string& entry);

}  // namespace shoestring
