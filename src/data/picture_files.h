// Where the pictures lie that the cells of a table name: a folder, an archive, a file of many pictures.
//
//   auto files = (*reader)->pictures();                    // of data::TableReader, for the whole table
//   std::vector<std::byte> room;                           // one a thread
//   auto bytes = (*files)->read(cell, room);               // encoded; then data::decode_into
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

class PictureFiles {
 public:
  virtual ~PictureFiles() = default;

  // The encoded bytes of the picture that a cell names, in `room` or in the cell: a cell that begins as
  // pictures do (a column of bytes; take TextColumn::raw) is the picture itself. Safe from any thread.
  // ErrorKind::data with the name as its place: no such picture, a folder, empty, damaged;
  // ErrorKind::machine: no permission. A cell that is no path ends up in `where` shortened.
  Result<std::span<const std::byte>> read(std::string_view cell, std::vector<std::byte>& room) const;

 private:
  virtual Status find(std::string_view name, std::vector<std::byte>& room) const = 0;
};

// Names are paths from `folder`, or absolute.
std::shared_ptr<const PictureFiles> pictures_in_folder(std::string folder);
// Names are paths from the folder that one of these files lies in: the first that has a picture of the name.
std::shared_ptr<const PictureFiles> pictures_beside(std::span<const std::string> files);

// A cell as errors name it: a path whole, bytes or a very long cell not.
std::string picture_name(std::string_view cell);

// The largest file that is taken for a picture.
inline constexpr int64_t kMostEncodedBytes = 256 << 20;

}  // namespace shoestring::data
