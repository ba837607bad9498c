// Between the library's errors and the public ones.
#pragma once

#include "base/error.h"
#include "shoestring/shoestring.h"

namespace shoestring {

inline Problem to_problem(const Error& e) { return {e.exit_code(), e.what, e.where, e.fix}; }

}  // namespace shoestring
