// The service's routes as an OpenAPI 3.1 document, with the rows of its first model.
#pragma once

#include <span>
#include <string>

#include "serve/description.h"

namespace shoestring::serve {

struct ServedModel {
  std::string name;
  const Description* model = nullptr;  // null while it is unloaded
};

// `models`: the first is the one that routes without a name mean. `version`: of the program. `keys`: whether
// clients must show one.
std::string openapi(std::span<const ServedModel> models, const std::string& version, bool keys);

}  // namespace shoestring::serve
