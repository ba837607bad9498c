#include "ops/onednn_module/module.h"

extern "C" const shoestring::ops::OnednnModule* shoestring_onednn_module() {
  namespace ops = shoestring::ops;
  static constexpr ops::OnednnModule kModule{ops::kOnednnModuleVersion, ops::prepare_matmul,
                                             ops::prepare_conv, ops::conv_layout};
  return &kModule;
}
