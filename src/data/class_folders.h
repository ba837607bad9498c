// Which class and which split the pictures of a tree are of, by the folders that they lie in.
#pragma once

#include <string>
#include <vector>

#include "data/file_tree.h"

namespace shoestring::data {

struct ClassifiedFile {
  int64_t file;   // in the tree
  int32_t label;  // in `classes`; -1: none
  int8_t split;
};

struct ClassFolders {
  std::vector<ClassifiedFile> files;  // by split, class and name
  std::vector<std::string> classes;   // sorted by their bytes; none: pictures without classes
  bool splits = false;                // there are two or more
  std::vector<std::string> notes;     // what is left out, and why
};

// `pictures`: the files that are looked at, ascending.
ClassFolders class_folders(const FileTree& tree, const std::vector<int64_t>& pictures);

}  // namespace shoestring::data
