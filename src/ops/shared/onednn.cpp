#include "ops/shared/onednn.h"

#include "base/module.h"

namespace shoestring::ops {
namespace {

Result<const OnednnModule*> open_module() {
  const auto entry = module_entry("shoestring_onednn.so", "shoestring_onednn_module");
  if (!entry) return fail(entry.error());
  const OnednnModule* module = reinterpret_cast<decltype(&shoestring_onednn_module)>(*entry)();
  if (module->version != kOnednnModuleVersion) return fail(ErrorKind::machine, "it is of another version");
  return module;
}

}  // namespace

PrepareResult prepare_onednn(const OnednnMatmul& matmul) {
  static const Result<const OnednnModule*> module = open_module();
  if (!module) return tl::unexpected<std::string>(module.error().message());
  return (*module)->matmul(matmul);
}

}  // namespace shoestring::ops
