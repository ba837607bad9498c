#include "data/pictures_module/parts.h"

extern "C" const shoestring::data::PicturesModule* shoestring_pictures_module() {
  static constexpr shoestring::data::PicturesModule kModule{
      .version = shoestring::data::kPicturesModuleVersion,
      .jpeg = shoestring::data::decode_jpeg,
      .png = shoestring::data::decode_png,
      .webp = shoestring::data::decode_webp,
  };
  return &kModule;
}
