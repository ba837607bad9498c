#include "data/picture_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "data/picture.h"
#include "data/read_file_at.h"

namespace shoestring::data {
namespace {

constexpr size_t kLongestName = 200;  // of a cell in an error

// Bytes of a picture, not a path: they begin as one does, with a byte that no path has.
bool is_encoded(std::string_view cell) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  const std::string_view head = cell.substr(0, 64);
  return std::any_of(head.begin(), head.end(), is_control) &&
         is_picture(std::as_bytes(std::span(head.data(), head.size())));
}

class InFolder final : public PictureFiles {
 public:
  explicit InFolder(std::string folder) : folder_(std::move(folder)) {}

 private:
  Status find(std::string_view name, std::vector<std::byte>& room) const override {
    const bool absolute = name.starts_with('/') || folder_.empty();
    return read_file_at(absolute ? std::string(name) : fmt::format("{}/{}", folder_, name), INT64_MAX, room);
  }

  std::string folder_;
};

class InAny final : public PictureFiles {
 public:
  explicit InAny(std::vector<std::shared_ptr<const PictureFiles>> files) : files_(std::move(files)) {}

 private:
  Status find(std::string_view name, std::vector<std::byte>& room) const override {
    Status first;
    for (const auto& files : files_) {
      const auto found = files->read(name, room);
      if (found) return {};
      if (first) first = fail(found.error());
    }
    return first;
  }

  std::vector<std::shared_ptr<const PictureFiles>> files_;
};

}  // namespace

Result<std::span<const std::byte>> PictureFiles::read(std::string_view cell,
                                                      std::vector<std::byte>& room) const {
  if (is_encoded(cell)) return std::as_bytes(std::span(cell.data(), cell.size()));
  if (cell.empty())
    return fail(ErrorKind::data, "the picture's name is empty", "an empty cell",
                "write its path into the cell");
  if (cell.size() > 4096 || cell.find('\0') != std::string_view::npos)
    return fail(ErrorKind::data, "the cell is neither a path nor a picture", picture_name(cell),
                "write the picture's path, or its bytes as JPEG, PNG, WebP, PNM or BMP");
  if (auto found = find(cell, room); !found) {
    if (found.error().where.empty()) found.error().where = picture_name(cell);
    return fail(std::move(found.error()));
  }
  return std::span<const std::byte>(room);
}

std::string picture_name(std::string_view cell) {
  if (is_encoded(cell)) return fmt::format("a picture of {} bytes in the table", cell.size());
  std::string name(cell.substr(0, kLongestName));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return cell.size() > kLongestName ? name + "..." : name;
}

std::shared_ptr<const PictureFiles> pictures_in_folder(std::string folder) {
  return std::make_shared<InFolder>(std::move(folder));
}

std::shared_ptr<const PictureFiles> pictures_beside(std::span<const std::string> files) {
  std::vector<std::shared_ptr<const PictureFiles>> folders;
  std::vector<std::string> seen;
  for (const std::string& file : files) {
    const std::string folder = std::filesystem::path(file).parent_path().string();
    if (std::find(seen.begin(), seen.end(), folder) != seen.end()) continue;
    seen.push_back(folder);
    folders.push_back(pictures_in_folder(folder));
  }
  if (folders.size() == 1) return folders.front();
  return std::make_shared<InAny>(std::move(folders));
}

}  // namespace shoestring::data
