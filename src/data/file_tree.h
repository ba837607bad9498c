// The files below one root, as sources of pictures look at them: a folder, or an archive whose members are
// read at any place. Nothing of an archive is ever written under the name that it gives.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/bytes.h"

namespace shoestring::data {

// Names one behind the other, as a million strings of their own would take twice as much.
class Names {
 public:
  int64_t count() const { return static_cast<int64_t>(begins_.size()) - 1; }
  std::string_view operator[](int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return std::string_view(text_).substr(begins_[at], begins_[at + 1] - begins_[at]);
  }
  void add(std::string_view name) {
    text_ += name;
    begins_.push_back(text_.size());
  }

 private:
  std::string text_;
  std::vector<size_t> begins_{0};
};

class FileTree {
 public:
  virtual ~FileTree() = default;

  const std::string& path() const { return path_; }  // of the folder or the archive
  // Relative to the root, parted by "/", sorted by their bytes, each once. Hidden files (".git/…",
  // "__MACOSX/…") are not among them, nor are links out of an archive and names with "..".
  const Names& names() const { return names_; }
  int64_t find(std::string_view name) const;  // -1: no such file
  // What a user should know: members that are left out.
  const std::vector<std::string>& notes() const { return notes_; }

  // A whole file into `room`, or its beginning. Safe from any thread.
  Status read(int64_t file, std::vector<std::byte>& room) const { return read(file, INT64_MAX, room); }
  virtual Status read(int64_t file, int64_t most_bytes, std::vector<std::byte>& room) const = 0;
  // A file as a path that can be opened as long as the result lives.
  class Opened {
   public:
    virtual ~Opened() = default;
    const std::string& path() const { return path_; }

   protected:
    std::string path_;
  };
  virtual Result<std::unique_ptr<Opened>> open(int64_t file) const = 0;

  std::string where(int64_t file) const;  // "FOLDER/cats/1.jpg", "pets.zip: cats/1.jpg"
  bool is_folder() const { return is_folder_; }

 protected:
  std::string path_;
  Names names_;
  std::vector<std::string> notes_;
  bool is_folder_ = false;
};

// ErrorKind::data: none such, or no file in it; ErrorKind::machine: no permission.
Result<std::shared_ptr<const FileTree>> open_folder(const std::string& path);
// These files of a folder, whether they are hidden or not.
std::shared_ptr<const FileTree> files_of_folder(const std::string& folder, std::vector<std::string> names);
// Plain or compressed: what is compressed is unpacked once, into a file without a name in TMPDIR (or /tmp).
Result<std::shared_ptr<const FileTree>> open_tar(const std::string& path);
// Members stored or deflated.
Result<std::shared_ptr<const FileTree>> open_zip(const std::string& path);

// Whether a file that begins so is a tar archive: the sum of its first header is right.
bool is_tar(std::string_view head);

// Whether a name, or a folder on its way, begins with a dot, or is what systems leave in archives.
bool is_hidden(std::string_view name);

}  // namespace shoestring::data
