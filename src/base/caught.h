// Where exceptions end. Libraries throw, and so does the standard library when memory runs out; the
// program's main and every function of the public library catch, and tell it as an Error.
#pragma once

#include "base/error.h"

namespace shoestring {

// The exception that is being handled; call it in a catch block only. Too little memory and file systems
// that refuse are ErrorKind::machine, everything else is ErrorKind::internal.
Error caught();

}  // namespace shoestring
