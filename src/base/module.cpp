#include "base/module.h"

#include <dlfcn.h>

namespace shoestring {

Result<void*> module_entry(const std::string& file, const std::string& entry) {
  const auto incomplete = [&](const std::string& why) {
    return fail(ErrorKind::machine, "cannot open a module of the program: " + why, file,
                "install Shoestring again; the module belongs beside the program or in ../lib/shoestring");
  };
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return incomplete(::dlerror());
  void* symbol = ::dlsym(handle, entry.c_str());
  if (symbol == nullptr) return incomplete("it lacks its entry point");
  return symbol;
}

}  // namespace shoestring
