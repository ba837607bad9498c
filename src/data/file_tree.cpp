#include "data/file_tree.h"

namespace shoestring::data {

int64_t FileTree::find(std::string_view name) const {
  int64_t low = 0, high = names_.count();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (names_[middle] < name)
      low = middle + 1;
    else
      high = middle;
  }
  return low < names_.count() && names_[low] == name ? low : -1;
}

std::string FileTree::where(int64_t file) const {
  return path_ + (is_folder_ ? "/" : ": ") + std::string(names_[file]);
}

bool is_hidden(std::string_view name) {
  for (size_t at = 0; at < name.size();) {
    const std::string_view part = name.substr(at, name.find('/', at) - at);
    if (part.starts_with('.') || part == "__MACOSX" || part == "Thumbs.db" || part == "desktop.ini")
      return true;
    at += part.size() + 1;
  }
  return false;
}

}  // namespace shoestring::data
