// What tar and zip archives share: members that lie somewhere in a file, found by their cleaned names.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/file_tree.h"
#include "data/random_file.h"

namespace shoestring::data {

struct ArchiveMember {
  int64_t at = 0;      // of its bytes; in a zip of its header, behind which they lie
  int64_t packed = 0;  // bytes in the archive
  int64_t bytes = 0;   // and unpacked
  uint32_t crc = 0;    // zip
  bool deflated = false, has_header = false;
};

// Gathers members; of two of one name the later counts, as unpacking would have it.
class ArchiveBuilder {
 public:
  void add(std::string name, const ArchiveMember& member);
  // A member that is not read, and why: "is encrypted".
  void leave_out(const std::string& name, const std::string& why);
  std::shared_ptr<const FileTree> finish(const std::string& path, RandomFile file);

 private:
  struct LeftOut {
    std::string why, first;
    int64_t count = 0;
  };

  std::vector<std::pair<std::string, ArchiveMember>> members_;
  std::vector<LeftOut> left_out_;
};

}  // namespace shoestring::data
