// Pictures of two classes that a small network tells apart: stripes down and stripes across.
#pragma once

#include <filesystem>
#include <string>

#include "unit/train/tables.h"

namespace shoestring::train {

struct PictureForm {
  int side = 12, channels = 1;  // 1: PGM, 3: PPM
};

// A file of stripes, of a width and at a place that the number says.
inline std::string stripes(bool down, int number, PictureForm form = {}) {
  const std::string side = std::to_string(form.side);
  std::string text = (form.channels == 1 ? "P5\n" : "P6\n") + side + " " + side + "\n255\n";
  for (int y = 0; y < form.side; ++y)
    for (int x = 0; x < form.side; ++x)
      for (int c = 0; c < form.channels; ++c)
        text += static_cast<char>(((down ? x : y) + number) / (1 + number % 3) % 2 ? 40 + number % 80 + 30 * c
                                                                                   : 200 - 20 * c);
  return text;
}

// `count` of each class in the folders down and across of `below`.
inline void write_pictures(const Folder& folder, const std::string& below, int count, PictureForm form = {}) {
  for (const bool down : {true, false}) {
    const std::string name = below + (down ? "/down" : "/across");
    std::filesystem::create_directories(folder.file(name));
    for (int i = 0; i < count; ++i)
      folder.write(name + "/picture " + std::to_string(100 + i) + (form.channels == 1 ? ".pgm" : ".ppm"),
                   stripes(down, i, form));
  }
}

}  // namespace shoestring::train
