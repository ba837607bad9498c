#include "api/problem.h"

namespace shoestring {

std::string Problem::message() const { return Error{ErrorKind::internal, what, where, fix}.message(); }

}  // namespace shoestring
