// Published networks as encoders. Private to src/task.
#pragma once

#include <string>

#include "model/layers.h"
#include "task/recipe.h"

namespace shoestring::task {

// [rows,h,w,c] -> [rows,n]; model/vision/vision.h has the networks.
Value encode_published(model::Forward& forward, Value x, const std::string& name,
                       const ImageEncoderSpec& encoder);

}  // namespace shoestring::task
