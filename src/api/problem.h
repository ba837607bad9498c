// Between the library's errors and the public ones.
#pragma once

#include "base/caught.h"
#include "shoestring/shoestring.h"

namespace shoestring {

inline Problem to_problem(const Error& e) { return {e.exit_code(), e.what, e.where, e.fix}; }

// What `f` returns; an exception that leaves it is a problem too.
template <class F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (...) {
    return to_problem(caught());
  }
}

}  // namespace shoestring
