// A file, or a part of one, into room that is used again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

// At most `most_bytes` from the beginning. ErrorKind::data: no such file, a folder, larger than
// kMostEncodedBytes (data/picture_files.h); ErrorKind::machine: no permission.
Status read_file_at(const std::string& path, int64_t most_bytes, std::vector<std::byte>& room);

// The bytes [at, at + room.size()) of an open file; ErrorKind::data, at `where`, if they are not all there.
Status read_range(int fd, int64_t at, std::span<std::byte> room, const std::string& where);

}  // namespace shoestring::data
