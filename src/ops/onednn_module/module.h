// What the module's files hand to its entry.
#pragma once

#include "ops/shared/onednn.h"

namespace shoestring::ops {

PrepareResult prepare_matmul(const OnednnMatmul& matmul);
PrepareResult prepare_conv(const OnednnConv& conv);
tl::expected<Layout, std::string> conv_layout(const OnednnConv& conv);

}  // namespace shoestring::ops
