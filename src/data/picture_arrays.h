// Files that hold many pictures of one size as bytes, one behind the other, and their labels in another: IDX,
// as MNIST comes in, and NPY, as NumPy writes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/bytes.h"
#include "data/file_tree.h"
#include "data/table.h"

namespace shoestring::data {

// How an array lies in its file.
struct ArrayForm {
  std::vector<int64_t> dims;
  int64_t data_at = 0;  // bytes of the header
  int item_bytes = 1;   // of a value
  bool is_signed = false, big_endian = false;

  int64_t rows() const { return dims.front(); }
};

// The header of a file, from its first bytes; `where` names it in errors.
Result<ArrayForm> read_idx_header(std::string_view head, const std::string& where);
Result<ArrayForm> read_npy_header(std::string_view head, const std::string& where);
bool is_idx(std::string_view head);  // bytes in one dimension or three
bool is_npy(std::string_view head);

// Pictures and labels of one split.
struct PictureArray {
  int64_t images = -1, labels = -1;  // files in the tree; no labels: -1
  std::string name;  // "train-images-idx3-ubyte": picture 17 is called "train-images-idx3-ubyte#17"
  int split = 0;
};

// The arrays among the files, told by their names; a file that is named so and is none is an error when it is
// opened.
std::vector<PictureArray> picture_arrays(const FileTree& tree);

// `path` is what the user named.
Result<std::unique_ptr<TableReader>> open_picture_arrays(const std::string& path,
                                                         std::shared_ptr<const FileTree> tree,
                                                         std::vector<PictureArray> arrays);

// A file of pictures that was named by itself, with the labels that lie beside it, if any.
Result<std::unique_ptr<TableReader>> open_picture_array(const std::string& path);

}  // namespace shoestring::data
