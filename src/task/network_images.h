// What encodes pictures. Private to src/task.
#pragma once

#include <string>

#include "model/layers.h"
#include "task/network_inputs.h"

namespace shoestring::task {

// u8[rows,h,w,c] -> [rows, n]: pixels scaled (of a recipe alone: to [0, 1]), then the encoder. Of the
// inputs it reads row_numbers and mixing, where training asks for them.
Value encode_image(model::Forward& forward, Value pixels, const Inputs& inputs, const std::string& name,
                   const ImageInput& input, const PixelScale& scale);

}  // namespace shoestring::task
