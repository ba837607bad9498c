#include "base/module.h"
#include "data/arrow_module.h"

namespace shoestring::data {
namespace {

// Batches that the module made call back into it when they are released.
Result<const ArrowModule*> open_module() {
  const auto entry = module_entry("shoestring_arrow.so", "shoestring_arrow_module");
  if (!entry) return fail(entry.error());
  const ArrowModule* module = reinterpret_cast<decltype(&shoestring_arrow_module)>(*entry)();
  if (module->version != kArrowModuleVersion)
    return fail(ErrorKind::machine, "the module that reads tables is of another version",
                "shoestring_arrow.so", "install Shoestring again");
  return module;
}

}  // namespace

Result<const ArrowModule*> arrow_module() {
  static const Result<const ArrowModule*> module = open_module();
  return module;
}

}  // namespace shoestring::data
