#include "data/picture_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "data/class_folders.h"
#include "data/picture.h"
#include "data/picture_arrays.h"
#include "data/picture_table.h"
#include "data/table_in_archive.h"

namespace shoestring::data {
namespace {

constexpr int64_t kHeadBytes = 64;

std::string ending_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : lowered(name.substr(dot));
}

bool ends_as_picture(std::string_view name) {
  constexpr std::array<std::string_view, 10> kEndings{".jpg", ".jpeg", ".png", ".webp", ".pgm",
                                                      ".ppm", ".pnm",  ".pbm", ".pam",  ".bmp"};
  return std::find(kEndings.begin(), kEndings.end(), ending_of(name)) != kEndings.end();
}

bool ends_as_table(std::string_view name) {
  // Not JSON and databases, which as often are something else that lies beside pictures.
  constexpr std::array<std::string_view, 7> kEndings{".csv",     ".tsv",     ".jsonl", ".ndjson",
                                                     ".parquet", ".feather", ".arrow"};
  if (const std::string ending = ending_of(name); ending == ".gz" || ending == ".zst")
    name.remove_suffix(ending.size());
  return std::find(kEndings.begin(), kEndings.end(), ending_of(name)) != kEndings.end();
}

// The pictures of a tree. A file that is named as one is taken for one: if it is none, that is an error of
// that picture, with its reason. Of the others the content tells.
struct Found {
  std::vector<int64_t> pictures, tables;
  std::vector<std::string> others;
};

Result<Found> look_through(const FileTree& tree) {
  Found found;
  std::vector<std::byte> head;
  for (int64_t f = 0; f < tree.names().count(); ++f) {
    const std::string_view name = tree.names()[f];
    if (ends_as_table(name)) {
      found.tables.push_back(f);
      continue;
    }
    if (!ends_as_picture(name)) {
      const auto read = tree.read(f, kHeadBytes, head);
      if (!read && read.error().kind != ErrorKind::data) return fail(read.error());
      if (!read || !is_picture(head)) {
        found.others.emplace_back(name);
        continue;
      }
    }
    found.pictures.push_back(f);
  }
  return found;
}

class TreePictures final : public PictureFiles {
 public:
  // Names are taken from `folder` ("", or "data/") or from the root.
  TreePictures(std::shared_ptr<const FileTree> tree, std::string folder)
      : tree_(std::move(tree)), folder_(std::move(folder)) {}

 private:
  Status find(std::string_view name, std::vector<std::byte>& room) const override {
    int64_t file = folder_.empty() ? -1 : tree_->find(normal(folder_ + std::string(name)));
    if (file < 0) file = tree_->find(name);
    if (file < 0) file = tree_->find(normal(std::string(name)));
    if (file < 0)
      return fail(ErrorKind::data, "there is no such picture", fmt::format("{}: {}", tree_->path(), name),
                  "check the name; it is taken from the root of the archive");
    return tree_->read(file, room);
  }

  static std::string normal(const std::string& name) {
    return std::filesystem::path(name).lexically_normal().generic_string();
  }

  std::shared_ptr<const FileTree> tree_;
  std::string folder_;
};

std::shared_ptr<const PictureFiles> pictures_of(const std::shared_ptr<const FileTree>& tree,
                                                std::string folder = {}) {
  if (tree->is_folder()) return pictures_in_folder(tree->path());
  return std::make_shared<TreePictures>(tree, std::move(folder));
}

std::unique_ptr<TableReader> open_classes(const std::shared_ptr<const FileTree>& tree, ClassFolders found,
                                          std::vector<std::string> notes) {
  notes.insert(notes.end(), found.notes.begin(), found.notes.end());
  const auto shared = std::make_shared<const ClassFolders>(std::move(found));
  return table_of_pictures(
      tree->path(),
      {.count = static_cast<int64_t>(shared->files.size()),
       .labels = !shared->classes.empty(),
       .splits = shared->splits,
       .row =
           [tree, shared](int64_t row, PictureRow& out) {
             const ClassifiedFile& file = shared->files[static_cast<size_t>(row)];
             out.image = tree->names()[file.file];
             if (file.label >= 0) out.label = shared->classes[static_cast<size_t>(file.label)];
             out.split = file.split;
           },
       .files = [tree]() -> Result<std::shared_ptr<const PictureFiles>> { return pictures_of(tree); }},
      std::move(notes));
}

std::string way_out(const FileTree& tree, const Found& found) {
  if (found.tables.empty()) return "give a folder with a folder of pictures for each class, or a table";
  if (tree.is_folder()) return fmt::format("name the table in it: {}", tree.where(found.tables[0]));
  return "leave one table in it, or unpack it and name one";
}

// Cells of a table in an archive are names from the table's own folder, or from the root.
Result<std::unique_ptr<TableReader>> open_table_of(const std::shared_ptr<const FileTree>& tree, int64_t table,
                                                   const ReadOptions& options) {
  if (tree->is_folder()) return open_table(tree->where(table), options);
  const std::string name(tree->names()[table]);
  return open_table_in_archive(tree, table, pictures_of(tree, name.substr(0, name.rfind('/') + 1)), options);
}

}  // namespace

Result<std::unique_ptr<TableReader>> open_picture_source(std::shared_ptr<const FileTree> tree,
                                                         const ReadOptions& options) {
  if (options.kind)
    return fail(ErrorKind::data,
                fmt::format("this is {}, not a single table", tree->is_folder() ? "a folder" : "an archive"),
                tree->path(), "leave --data_format out, or name the file in it");
  if (auto arrays = picture_arrays(*tree); !arrays.empty())
    return open_picture_arrays(tree->path(), tree, std::move(arrays));
  if (tree->find("[Content_Types].xml") >= 0)
    return fail(ErrorKind::data, "this is an Excel file, not a table as text", tree->path(),
                "save the sheet as CSV");
  auto found = look_through(*tree);
  if (!found) return fail(found.error());
  if (found->tables.size() == 1 && (!found->pictures.empty() || !tree->is_folder()))
    return open_table_of(tree, found->tables[0], options);
  std::vector<std::string> notes = tree->notes();
  if (tree->names().count() == 0)
    return fail(ErrorKind::data, fmt::format("the {} is empty", tree->is_folder() ? "folder" : "archive"),
                tree->path(), "give a table, or a folder with a folder of pictures for each class");
  if (found->pictures.empty())
    return fail(ErrorKind::data,
                fmt::format("there is no picture in {}", tree->is_folder() ? "this folder" : "this archive"),
                tree->path(), way_out(*tree, *found));
  if (!found->tables.empty())
    notes.push_back(fmt::format("{} left out, as it is not told which to read: {}",
                                count_of(static_cast<int64_t>(found->tables.size()), "table"),
                                tree->names()[found->tables[0]]));
  if (!found->others.empty())
    notes.push_back(fmt::format("{} no picture and left out: {}",
                                found->others.size() == 1 ? std::string("one file is")
                                                          : fmt::format("{} files are", found->others.size()),
                                listed(found->others)));
  return open_classes(tree, class_folders(*tree, found->pictures), std::move(notes));
}

}  // namespace shoestring::data
