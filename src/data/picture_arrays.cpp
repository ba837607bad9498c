#include "data/picture_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/text.h"
#include "data/picture_files.h"
#include "data/picture_table.h"
#include "data/random_file.h"

namespace shoestring::data {
namespace {

constexpr int64_t kHeadBytes = 4096;
constexpr int64_t kPieceBytes = 1 << 20;

// "a/train-images-idx3-ubyte" of "a/train-images-idx3-ubyte.gz".
std::string_view without_gz(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const size_t at = text.rfind(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

int64_t find_packed_or_not(const FileTree& tree, const std::string& name) {
  const int64_t file = tree.find(name);
  return file >= 0 ? file : tree.find(name + ".gz");
}

// The split that a word in the file's name says: "emnist-letters-train-images-idx3-ubyte", "x_test.npy".
int split_in(std::string_view name) {
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find_first_of("-_.", at), name.size());
    if (const int split = split_of_word(name.substr(at, end - at)); split >= 0) return split;
    at = end + 1;
  }
  return 0;
}

size_t base_of(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

// The name of the labels that belong to a file of pictures, "" for a file that is not named as one.
std::string labels_of(std::string_view name) {
  const std::string low = lowered(name);
  const size_t base = base_of(low);
  const std::string_view own = std::string_view(low).substr(base);
  if (own.ends_with("idx3-ubyte") && own.find("images") != std::string_view::npos)
    return replaced(replaced(std::string(name), "images", "labels"), "idx3", "idx1");
  if (!own.ends_with(".npy")) return {};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPairs{
      {{"x", "y"}, {"X", "y"}, {"images", "labels"}, {"pictures", "labels"}}};
  for (const auto& [images, labels] : kPairs) {
    const std::string_view rest = name.substr(base);
    if (!rest.starts_with(images)) continue;
    const char behind = rest.size() > images.size() ? rest[images.size()] : '\0';
    if (behind == '.' || behind == '_' || behind == '-')
      return fmt::format("{}{}{}", name.substr(0, base), labels, rest.substr(images.size()));
  }
  return {};
}

// A file whose header was read.
struct OpenArray {
  std::unique_ptr<FileTree::Opened> path;
  std::unique_ptr<ByteSource> bytes;
  std::string head;
  ArrayForm form;
};

Result<OpenArray> open_array(const FileTree& tree, int64_t file) {
  auto path = tree.open(file);
  if (!path) return fail(path.error());
  auto bytes = ByteSource::open((*path)->path());
  if (!bytes) return fail(bytes.error());
  OpenArray array{std::move(*path), std::move(*bytes), std::string(kHeadBytes, '\0'), {}};
  const auto n = array.bytes->read(array.head.data(), kHeadBytes);
  if (!n) return fail(n.error());
  array.head.resize(static_cast<size_t>(*n));
  const std::string where = tree.where(file);
  auto form = is_npy(array.head) ? read_npy_header(array.head, where) : read_idx_header(array.head, where);
  if (!form) return fail(form.error());
  array.form = std::move(*form);
  return array;
}

int64_t value_at(const unsigned char* bytes, const ArrayForm& form) {
  uint64_t value = 0;
  for (int b = 0; b < form.item_bytes; ++b)
    value |= uint64_t{bytes[form.big_endian ? form.item_bytes - 1 - b : b]} << (8 * b);
  if (form.is_signed && form.item_bytes < 8 && (value >> (8 * form.item_bytes - 1)) != 0)
    value |= ~uint64_t{0} << (8 * form.item_bytes);
  return static_cast<int64_t>(value);
}

Result<std::vector<int64_t>> read_labels(const FileTree& tree, int64_t file) {
  auto array = open_array(tree, file);
  if (!array) return fail(array.error());
  const ArrayForm& form = array->form;
  const std::string where = tree.where(file);
  if (form.dims.size() > 2 || (form.dims.size() == 2 && form.dims[1] != 1))
    return fail(ErrorKind::data, "labels are one number for each picture, and this array has more dimensions",
                where, "write them as an array of one dimension: array.argmax(1), if they are one-hot");
  std::vector<int64_t> labels;
  std::string piece = array->head.substr(std::min(array->head.size(), static_cast<size_t>(form.data_at)));
  const auto item = static_cast<size_t>(form.item_bytes);
  while (static_cast<int64_t>(labels.size()) < form.rows()) {
    size_t at = 0;
    for (; at + item <= piece.size() && static_cast<int64_t>(labels.size()) < form.rows(); at += item)
      labels.push_back(value_at(reinterpret_cast<const unsigned char*>(piece.data()) + at, form));
    piece.erase(0, at);
    if (static_cast<int64_t>(labels.size()) == form.rows()) break;
    const size_t have = piece.size();
    piece.resize(have + kPieceBytes);
    const auto n = array->bytes->read(piece.data() + have, kPieceBytes);
    if (!n) return fail(n.error());
    piece.resize(have + static_cast<size_t>(*n));
    if (*n == 0)
      return fail(ErrorKind::data,
                  fmt::format("the file ends early: it says that it has {} labels", form.rows()), where,
                  "copy or download it again");
  }
  return labels;
}

struct Sizes {
  int64_t count = 0, height = 0, width = 0, channels = 1;
  int64_t bytes() const { return height * width * channels; }
};

Result<Sizes> sizes_of(const ArrayForm& form, const std::string& where) {
  const auto& d = form.dims;
  if (form.item_bytes != 1 || form.is_signed)
    return fail(ErrorKind::data, "the pictures are no bytes", where,
                "write them as uint8 (0 to 255): array.astype('uint8')");
  if (d.size() != 3 && d.size() != 4)
    return fail(ErrorKind::data,
                fmt::format("pictures are [n, height, width] or [n, height, width, channels], and this "
                            "array has {}",
                            count_of(static_cast<int64_t>(d.size()), "dimension")),
                where, "reshape it");
  const Sizes sizes{d[0], d[1], d[2], d.size() == 4 ? d[3] : 1};
  if (sizes.channels < 1 || sizes.channels > 4)
    return fail(ErrorKind::data, fmt::format("the pictures have {} channels", sizes.channels), where,
                d.size() == 4 && d[1] >= 1 && d[1] <= 4 ? "put channels last: array.transpose(0, 2, 3, 1)"
                                                        : "1 (grey) to 4 (RGB and alpha) are read");
  if (sizes.count == 0 || sizes.bytes() == 0)
    return fail(ErrorKind::data, "the array is empty", where, "give at least one picture");
  if (sizes.bytes() > kMostEncodedBytes)
    return fail(ErrorKind::data, fmt::format("a picture takes {}", human_bytes(sizes.bytes())), where,
                "make them smaller");
  return sizes;
}

// Pictures as PNM: the pixels with a header before them.
class ArrayPictures final : public PictureFiles {
 public:
  struct Part {
    std::string name;
    std::unique_ptr<FileTree::Opened> path;
    RandomFile file;
    int64_t data_at;
    Sizes sizes;
  };
  explicit ArrayPictures(std::vector<Part> parts) : parts_(std::move(parts)) {}

 private:
  Status find(std::string_view name, std::vector<std::byte>& room) const override {
    const size_t mark = name.rfind('#');
    const auto part = std::find_if(parts_.begin(), parts_.end(),
                                   [&](const Part& p) { return p.name == name.substr(0, mark); });
    int64_t number = -1;
    if (mark != std::string_view::npos)
      (void)std::from_chars(name.data() + mark + 1, name.data() + name.size(), number);
    if (part == parts_.end() || number < 0 || number >= part->sizes.count)
      return fail(ErrorKind::data, "there is no such picture", std::string(name),
                  "a picture of an array is named FILE#NUMBER, from 0");
    const Sizes& s = part->sizes;
    const std::string header =
        s.channels % 2 == 1 ? fmt::format("P{} {} {} 255\n", s.channels == 1 ? 5 : 6, s.width, s.height)
                            : fmt::format("P7\nWIDTH {}\nHEIGHT {}\nDEPTH {}\nMAXVAL 255\nENDHDR\n", s.width,
                                          s.height, s.channels);
    room.resize(header.size() + static_cast<size_t>(s.bytes()));
    std::transform(header.begin(), header.end(), room.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return part->file.read(part->data_at + number * s.bytes(), std::span(room).subspan(header.size()));
  }

  std::vector<Part> parts_;
};

Result<std::shared_ptr<const PictureFiles>> open_pictures(const FileTree& tree,
                                                          const std::vector<PictureArray>& arrays,
                                                          const std::vector<Sizes>& sizes) {
  std::vector<ArrayPictures::Part> parts;
  for (size_t a = 0; a < arrays.size(); ++a) {
    auto array = open_array(tree, arrays[a].images);
    if (!array) return fail(array.error());
    auto file = RandomFile::open(array->path->path());
    if (!file) return fail(file.error());
    const int64_t wanted = array->form.data_at + sizes[a].count * sizes[a].bytes();
    if (file->bytes() < wanted)
      return fail(ErrorKind::data,
                  fmt::format("the file ends early: it has {} of the {} pictures that it says",
                              std::max<int64_t>(0, file->bytes() - array->form.data_at) / sizes[a].bytes(),
                              sizes[a].count),
                  tree.where(arrays[a].images), "copy or download it again");
    parts.push_back(
        {arrays[a].name, std::move(array->path), std::move(*file), array->form.data_at, sizes[a]});
  }
  return std::make_shared<ArrayPictures>(std::move(parts));
}

// One split after the other.
struct Table {
  std::vector<PictureArray> arrays;
  std::vector<Sizes> sizes;
  std::vector<std::vector<int64_t>> labels;
  std::vector<int64_t> first_rows;  // of each array, and the end
};

Status read_array(const FileTree& tree, const PictureArray& array, Table& table) {
  const auto images = open_array(tree, array.images);
  if (!images) return fail(images.error());
  const auto sizes = sizes_of(images->form, tree.where(array.images));
  if (!sizes) return fail(sizes.error());
  std::vector<int64_t> labels;
  if (array.labels >= 0) {
    auto read = read_labels(tree, array.labels);
    if (!read) return fail(read.error());
    labels = std::move(*read);
    if (static_cast<int64_t>(labels.size()) != sizes->count)
      return fail(
          ErrorKind::data,
          fmt::format("there are {} here and {} in {}", count_of(sizes->count, "picture"),
                      count_of(static_cast<int64_t>(labels.size()), "label"), tree.names()[array.labels]),
          tree.where(array.images), "both belong to other files: copy or download them again");
  }
  table.first_rows.push_back(table.first_rows.back() + sizes->count);
  table.sizes.push_back(*sizes);
  table.labels.push_back(std::move(labels));
  return {};
}

}  // namespace

std::vector<PictureArray> picture_arrays(const FileTree& tree) {
  std::vector<PictureArray> arrays;
  for (int64_t f = 0; f < tree.names().count(); ++f) {
    const std::string_view name = without_gz(tree.names()[f]);
    const std::string labels = labels_of(name);
    if (labels.empty() || (f > 0 && without_gz(tree.names()[f - 1]) == name)) continue;
    arrays.push_back({.images = f,
                      .labels = find_packed_or_not(tree, labels),
                      .name = std::string(name),
                      .split = split_in(name.substr(base_of(name)))});
  }
  std::stable_sort(arrays.begin(), arrays.end(),
                   [](const PictureArray& a, const PictureArray& b) { return a.split < b.split; });
  return arrays;
}

Result<std::unique_ptr<TableReader>> open_picture_arrays(const std::string& path,
                                                         std::shared_ptr<const FileTree> tree,
                                                         std::vector<PictureArray> arrays) {
  std::vector<std::string> notes;
  const auto has_labels = [](const PictureArray& array) { return array.labels >= 0; };
  const bool labels = std::any_of(arrays.begin(), arrays.end(), has_labels);
  for (const PictureArray& array : arrays)
    if (labels && !has_labels(array))
      notes.push_back(fmt::format("{} has no file of labels beside it and is left out", array.name));
  if (labels) std::erase_if(arrays, [&](const PictureArray& array) { return !has_labels(array); });
  auto table = std::make_shared<Table>();
  table->first_rows.push_back(0);
  for (const PictureArray& array : arrays)
    if (auto ok = read_array(*tree, array, *table); !ok) return fail(ok.error());
  table->arrays = std::move(arrays);
  return table_of_pictures(
      path,
      {.count = table->first_rows.back(),
       .labels = labels,
       .splits = table->arrays.front().split != table->arrays.back().split,
       .row =
           [table](int64_t row, PictureRow& out) {
             const auto after = std::upper_bound(table->first_rows.begin(), table->first_rows.end(), row);
             const auto a = static_cast<size_t>(after - table->first_rows.begin()) - 1;
             const int64_t number = row - table->first_rows[a];
             out.image = fmt::format("{}#{}", table->arrays[a].name, number);
             out.split = table->arrays[a].split;
             if (!table->labels[a].empty())
               out.label = std::to_string(table->labels[a][static_cast<size_t>(number)]);
           },
       .files = [tree, table] { return open_pictures(*tree, table->arrays, table->sizes); }},
      std::move(notes));
}

Result<std::unique_ptr<TableReader>> open_picture_array(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  const std::string name = file.filename().string();
  std::vector<std::string> names{name};
  const std::string labels = labels_of(without_gz(name));
  for (const std::string& twin : {labels, labels + ".gz"}) {
    std::error_code ec;
    if (!labels.empty() && std::filesystem::is_regular_file(folder + "/" + twin, ec)) names.push_back(twin);
  }
  const auto tree = files_of_folder(folder, names);
  auto arrays = picture_arrays(*tree);
  if (arrays.empty()) arrays.push_back({.images = tree->find(name), .name = std::string(without_gz(name))});
  return open_picture_arrays(path, tree, std::move(arrays));
}

}  // namespace shoestring::data
