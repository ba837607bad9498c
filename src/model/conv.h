// Layers over pictures [b,h,w,c].
#pragma once

#include <array>
#include <string>

#include "model/layers.h"
#include "ops/conv.h"

namespace shoestring::model {

struct Conv {
  int64_t out_channels = 32;
  std::array<int64_t, 2> kernel{3, 3};
  ops::ConvOptions options = {};
  bool use_bias = true;
  // He's normal values by default; fans are kernel * channels of a group.
  InitializerOf weights = [](Fans f) { return kaiming_normal(f.in, 1.4142135623730951); };
  InitializerOf bias = always(zeros());
};
// [b,h,w,c] -> [b,p,q,n], with NAME.weights [kh,kw,c/groups,n] and NAME.bias [n]. Filters over more channels
// than a picture's four are hidden ones, but for those in groups.
Value conv(Forward& forward, Value x, const std::string& name, const Conv& layer);

// Batch norm of each channel over all pixels of the batch; [b,h,w,c] -> the same, states as norm() has them.
Value channel_norm(Forward& forward, Value x, const std::string& name, const NormParams& params = {});

}  // namespace shoestring::model
