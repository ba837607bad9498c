// A table that is a member of an archive, read from a file without a name that it was unpacked into.
#pragma once

#include <memory>

#include "data/file_tree.h"
#include "data/picture_files.h"
#include "data/readers.h"

namespace shoestring::data {

// Its `path`, and what errors name, is that of the member; its file is the archive.
Result<std::unique_ptr<TableReader>> open_table_in_archive(std::shared_ptr<const FileTree> tree,
                                                           int64_t member,
                                                           std::shared_ptr<const PictureFiles> pictures,
                                                           const ReadOptions& options);

}  // namespace shoestring::data
