#include "base/module.h"
#include "data/pictures_module.h"

namespace shoestring::data {
namespace {

Result<const PicturesModule*> open_module() {
  const auto entry = module_entry("shoestring_pictures.so", "shoestring_pictures_module");
  if (!entry) return fail(entry.error());
  const PicturesModule* module = reinterpret_cast<decltype(&shoestring_pictures_module)>(*entry)();
  if (module->version != kPicturesModuleVersion)
    return fail(ErrorKind::machine, "the module that decodes pictures is of another version",
                "shoestring_pictures.so", "install Shoestring again");
  return module;
}

}  // namespace

Result<const PicturesModule*> pictures_module() {
  static const Result<const PicturesModule*> module = open_module();
  return module;
}

}  // namespace shoestring::data
