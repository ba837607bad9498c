#include "base/error.h"

namespace shoestring {

std::string Error::message() const {
  std::string text;
  if (!where.empty()) text += where + ": ";
  text += what;
  if (!fix.empty()) text += "; " + fix;
  return text;
}

}  // namespace shoestring
