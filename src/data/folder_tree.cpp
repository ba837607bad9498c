#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/atomic_file.h"
#include "base/text.h"
#include "data/file_tree.h"
#include "data/picture_files.h"
#include "data/read_file_at.h"
#include "data/text.h"

namespace shoestring::data {
namespace {

constexpr int kDeepest = 32;

// What a walk passes over, told by the first of them.
struct LeftOut {
  int64_t count = 0;
  std::string first;

  void add(const std::string& name) {
    if (count++ == 0)
      first = first_bad_byte(name) == std::string_view::npos ? name : "(a name that is no UTF-8)";
  }
  void tell(std::string_view what, std::string_view why, std::vector<std::string>& notes) const {
    if (count > 0)
      notes.push_back(fmt::format("{} {} left out: {}{}", count_of(count, what), why, first,
                                  count > 1 ? " and others" : ""));
  }
};

class Walk {
 public:
  // Everything below `folder`, whose names begin with `prefix`. Links are followed, but never into a folder
  // that they stand in.
  Status enter(const std::string& folder, const std::string& prefix) {
    DIR* open = ::opendir(folder.c_str());
    if (open == nullptr) return fail(read_error(folder, errno));
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(open, ::closedir);
    struct stat self {};
    if (::fstat(::dirfd(open), &self) != 0) return fail(system_error("read", folder, errno));
    const auto same = [&](const Identity& other) {
      return other.device == self.st_dev && other.number == self.st_ino;
    };
    if (std::any_of(above_.begin(), above_.end(), same)) return {};
    if (above_.size() >= kDeepest) {
      too_deep.add(prefix);
      return {};
    }
    above_.push_back({self.st_dev, self.st_ino});
    for (errno = 0; const dirent* entry = ::readdir(open); errno = 0) {
      if (is_hidden(entry->d_name)) continue;
      if (auto ok = take(*entry, folder, prefix); !ok) return ok;
    }
    if (errno != 0) return fail(system_error("read", folder, errno));
    above_.pop_back();
    return {};
  }

  std::vector<std::string> names;
  int64_t foreign = 0;         // names that are no UTF-8
  LeftOut too_deep, dangling;  // folders; links

 private:
  struct Identity {
    dev_t device;
    ino_t number;
  };

  Status take(const dirent& entry, const std::string& folder, const std::string& prefix) {
    const std::string path = folder + "/" + entry.d_name;
    unsigned char type = entry.d_type;
    if (type == DT_LNK || type == DT_UNKNOWN) {
      struct stat info {};
      if (::stat(path.c_str(), &info) != 0) {
        dangling.add(prefix + entry.d_name);
        return {};
      }
      type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR) return enter(path, prefix + entry.d_name + "/");
    if (type != DT_REG) return {};
    std::string name = prefix + entry.d_name;
    if (first_bad_byte(name) != std::string_view::npos)
      ++foreign;  // no cell of a table holds such a name
    else
      names.push_back(std::move(name));
    return {};
  }

  std::vector<Identity> above_;  // the folders that this one is in
};

class OpenedPath final : public FileTree::Opened {
 public:
  explicit OpenedPath(std::string path) { path_ = std::move(path); }
};

class Folder final : public FileTree {
 public:
  Folder(const std::string& path, std::vector<std::string> names, std::vector<std::string> notes) {
    path_ = path;
    notes_ = std::move(notes);
    is_folder_ = true;
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) names_.add(name);
  }

  Status read(int64_t file, int64_t most_bytes, std::vector<std::byte>& room) const override {
    return read_file_at(path_of(file), most_bytes, room);
  }
  Result<std::unique_ptr<Opened>> open(int64_t file) const override {
    return std::make_unique<OpenedPath>(path_of(file));
  }

 private:
  std::string path_of(int64_t file) const { return fmt::format("{}/{}", path_, names_[file]); }
};

}  // namespace

Result<std::shared_ptr<const FileTree>> open_folder(const std::string& path) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  Walk walk;
  if (auto ok = walk.enter(folder, {}); !ok) return fail(ok.error());
  std::vector<std::string> notes;
  if (walk.foreign > 0)
    notes.push_back(fmt::format("{} with a name that is no UTF-8 left out: convmv gives such names anew",
                                count_of(walk.foreign, "file")));
  walk.dangling.tell("link", "to nothing", notes);
  walk.too_deep.tell("folder", fmt::format("more than {} deep", kDeepest), notes);
  return std::make_shared<Folder>(folder, std::move(walk.names), std::move(notes));
}

std::shared_ptr<const FileTree> files_of_folder(const std::string& folder, std::vector<std::string> names) {
  return std::make_shared<Folder>(folder, std::move(names), std::vector<std::string>());
}

}  // namespace shoestring::data
