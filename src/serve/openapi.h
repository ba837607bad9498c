// The service's routes as an OpenAPI 3.1 document, with the rows of its first model.
#pragma once

#include <span>
#include <string>

#include "serve/description.h"

namespace shoestring::serve {

// `model`: the first, null while it is not loaded. `models`: the names of all. `version`: of the program.
// `keys`: whether clients must show one.
std::string openapi(const Description* model, std::span<const std::string> models, const std::string& version,
                    bool keys);

}  // namespace shoestring::serve
