#include <dlfcn.h>

#include "data/arrow_module.h"

namespace shoestring::data {
namespace {

Result<const ArrowModule*> open_module() {
  // Found by the run path of the executable (or library) that this code is linked into. It stays open:
  // batches that it made call back into it when they are released.
  void* handle = ::dlopen("shoestring_arrow.so", RTLD_NOW | RTLD_LOCAL);
  const auto incomplete = [](std::string why) {
    return fail(ErrorKind::machine, "cannot open the module that reads tables: " + std::move(why),
                "shoestring_arrow.so",
                "install Shoestring again; the module belongs beside the program or in ../lib/shoestring");
  };
  if (handle == nullptr) return incomplete(::dlerror());
  auto* entry =
      reinterpret_cast<decltype(&shoestring_arrow_module)>(::dlsym(handle, "shoestring_arrow_module"));
  if (entry == nullptr) return incomplete("it lacks its entry point");
  const ArrowModule* module = entry();
  if (module->version != kArrowModuleVersion) return incomplete("it is of another version");
  return module;
}

}  // namespace

Result<const ArrowModule*> arrow_module() {
  static const Result<const ArrowModule*> module = open_module();
  return module;
}

}  // namespace shoestring::data
