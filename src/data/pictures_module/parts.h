// What the files of this module give to module.cpp; see data/pictures_module.h for what they do.
#pragma once

#include <cstdio>

#include "data/pictures_module.h"

namespace shoestring::data {

bool decode_jpeg(DecodeRequest& request) noexcept;
bool decode_png(DecodeRequest& request) noexcept;
bool decode_webp(DecodeRequest& request) noexcept;

inline bool refuse(DecodeRequest& request, const char* why) noexcept {
  std::snprintf(request.message, sizeof request.message, "%s", why);
  return false;
}

}  // namespace shoestring::data
