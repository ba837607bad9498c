#include "data/class_folders.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
#include "data/batch.h"
#include "data/picture_table.h"

namespace shoestring::data {
namespace {

// "cats" of "cats/1.jpg", with what is behind the slash; nothing where there is no folder.
std::string_view first_folder(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

// How many bytes of every name are folders that all are in and that parts nothing: "orl_faces/" of
// "orl_faces/s1/1.pgm". The last folder on the way stays, as it may be the only class.
size_t common_folders(const FileTree& tree, const std::vector<int64_t>& pictures) {
  for (size_t skip = 0;;) {
    const std::string_view folder = first_folder(tree.names()[pictures.front()].substr(skip));
    const auto goes_on = [&](int64_t file) {
      const std::string_view name = tree.names()[file].substr(skip);
      return !folder.empty() && first_folder(name) == folder &&
             !first_folder(name.substr(folder.size() + 1)).empty();
    };
    if (!std::all_of(pictures.begin(), pictures.end(), goes_on)) return skip;
    skip += folder.size() + 1;
  }
}

// Names as a note lists them: the first few.
class LeftOut {
 public:
  void add(std::string_view name) {
    if (first_.size() < 3) first_.emplace_back(name);
    ++count_;
  }
  void tell(std::string_view one, std::string_view many, std::vector<std::string>& notes) const {
    if (count_ == 0) return;
    std::string names = fmt::format("{}", fmt::join(first_, ", "));
    if (count_ > static_cast<int64_t>(first_.size())) names += ", ...";
    notes.push_back(
        fmt::format("{}: {}", count_ == 1 ? std::string(one) : fmt::format("{} {}", count_, many), names));
  }

 private:
  std::vector<std::string> first_;
  int64_t count_ = 0;
};

// Whether the first folders are splits: there is one to train on, with folders in it, or all of them are.
bool are_splits(const FileTree& tree, const std::vector<int64_t>& pictures, size_t skip) {
  bool all = true, train = false, any = false;
  for (const int64_t file : pictures) {
    const std::string_view name = tree.names()[file].substr(skip), folder = first_folder(name);
    if (folder.empty()) continue;
    any = true;
    const int split = split_of_word(folder);
    all = all && split >= 0;
    train = train || (split == 0 && !first_folder(name.substr(folder.size() + 1)).empty());
  }
  return any && (all || train);
}

}  // namespace

ClassFolders class_folders(const FileTree& tree, const std::vector<int64_t>& pictures) {
  ClassFolders out;
  if (pictures.empty()) return out;
  const size_t skip = common_folders(tree, pictures);
  const bool splits = are_splits(tree, pictures, skip);
  LeftOut elsewhere, classless;
  std::map<std::string, int32_t, std::less<>> numbers;
  std::vector<std::pair<int64_t, std::string_view>> places;  // the folder that is the class
  for (const int64_t file : pictures) {
    std::string_view name = tree.names()[file].substr(skip), folder = first_folder(name);
    int split = 0;
    if (splits) {
      split = split_of_word(folder);
      if (split < 0) {
        elsewhere.add(tree.names()[file]);
        continue;
      }
      name.remove_prefix(folder.size() + 1);
      folder = first_folder(name);
    }
    if (!folder.empty()) numbers.emplace(folder, 0);
    out.files.push_back({file, -1, static_cast<int8_t>(split)});
    places.emplace_back(file, folder);
  }
  for (auto& [name, number] : numbers) {
    number = static_cast<int32_t>(out.classes.size());
    out.classes.push_back(name);
    if (is_missing(trim(name)))
      out.notes.push_back(
          fmt::format("the folder '{}' reads as a missing value and its pictures as without a class: "
                      "give it another name",
                      name));
  }
  for (size_t i = 0; i < out.files.size(); ++i) {
    const auto found = numbers.find(places[i].second);
    if (found != numbers.end()) out.files[i].label = found->second;
  }
  if (!out.classes.empty())
    std::erase_if(out.files, [&](const ClassifiedFile& f) {
      if (f.label < 0) classless.add(tree.names()[f.file]);
      return f.label < 0;
    });
  std::stable_sort(out.files.begin(), out.files.end(), [](const ClassifiedFile& a, const ClassifiedFile& b) {
    return std::tie(a.split, a.label) < std::tie(b.split, b.label);
  });
  out.splits = !out.files.empty() && out.files.front().split != out.files.back().split;
  elsewhere.tell("one picture lies in no split's folder and is left out",
                 "pictures lie in no split's folder and are left out", out.notes);
  classless.tell("one picture lies in no class's folder and is left out",
                 "pictures lie in no class's folder and are left out", out.notes);
  return out;
}

}  // namespace shoestring::data
