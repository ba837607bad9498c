#include "train/picture_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

// What the first pictures of a column are.
class FirstPictures {
 public:
  explicit FirstPictures(const task::ImagePreprocessing& p)
      : most_(p.infer_image_dimensions || p.infer_image_num_channels ? p.infer_image_sample_size : 1) {}

  bool enough() const { return seen_ >= most_; }
  void see(const data::TextColumn& column, const data::PictureFiles& files) {
    for (int64_t row = 0; row < column.rows() && !enough(); ++row) {
      if (column.absent(row) || data::is_missing(column[row])) continue;
      const auto bytes = files.read(column.raw(row), room_);
      const auto info = bytes ? data::look_at(*bytes) : Result<data::PictureInfo>(fail(bytes.error()));
      if (!info) {
        if (fault_.empty()) fault_ = data::picture_name(column.raw(row)) + ": " + info.error().what;
        if (++broken_ >= most_) return;
        continue;
      }
      if (seen_++ == 0) first_ = *info;
      heights_.push_back(info->height);
      widths_.push_back(info->width);
      ++with_channels_[static_cast<size_t>(std::clamp(info->channels, 1, 4))];
    }
  }

  int64_t seen() const { return seen_; }
  bool gave_up() const { return broken_ >= most_; }
  const std::string& fault() const { return fault_; }

  void settle(task::ImagePreprocessing& p) const {
    const auto usual = [&](const std::vector<int64_t>& sizes, int64_t first, int64_t most) {
      return std::clamp<int64_t>(p.infer_image_dimensions ? median(sizes) : first, 1, most);
    };
    const bool free = !p.height && !p.width;
    // One that is given makes the other keep the pictures' proportion.
    const double ratio = static_cast<double>(median(heights_)) / static_cast<double>(median(widths_));
    if (p.width && !p.height)
      p.height = std::max<int64_t>(1, std::llround(static_cast<double>(*p.width) * ratio));
    if (p.height && !p.width)
      p.width = std::max<int64_t>(1, std::llround(static_cast<double>(*p.height) / ratio));
    if (!p.height) p.height = usual(heights_, first_.height, p.infer_image_max_height);
    if (!p.width) p.width = usual(widths_, first_.width, p.infer_image_max_width);
    if (free && p.requires_equal_dimensions) p.height = p.width = std::min(*p.height, *p.width);
    if (p.num_channels) return;
    const auto most = std::ranges::max_element(with_channels_);
    const int64_t channels = p.infer_image_num_channels ? most - with_channels_.begin() : first_.channels;
    // Transparency says little: what stands beside it counts.
    p.num_channels = channels <= 2 && p.standardize_image != task::Standardize::imagenet1k ? 1 : 3;
  }

 private:
  int64_t most_, seen_ = 0, broken_ = 0;
  static int64_t median(std::vector<int64_t> sizes) {
    const auto middle = sizes.begin() + std::ssize(sizes) / 2;
    std::nth_element(sizes.begin(), middle, sizes.end());
    return *middle;
  }
  std::vector<int64_t> heights_, widths_;
  std::array<int64_t, 5> with_channels_{};
  data::PictureInfo first_;
  std::string fault_;
  std::vector<std::byte> room_;
};

}  // namespace

Status find_picture_sizes(const DataFiles& files, task::Recipe& recipe, const PrepareOptions& options) {
  struct Wanted {
    const task::InputFeature* input;
    task::ImagePreprocessing* preprocessing;
    FirstPictures found;
    int column = -1;
  };
  std::vector<Wanted> wanted;
  for (task::InputFeature& input : recipe.inputs)
    if (auto* image = std::get_if<task::ImageInput>(&input.spec); image && !image->preprocessing.has_size())
      wanted.push_back({&input, &image->preprocessing, FirstPictures(image->preprocessing)});
  if (wanted.empty()) return {};

  data::ReadOptions how;
  if (auto ok = data::set_data_format(files.format, how); !ok) return ok;
  how.expected_names = column_names(recipe, true);
  const std::string& path = files.dataset.empty() ? files.training_set : files.dataset;
  auto reader = open_table(path, how, options.stop);
  if (!reader) return fail(reader.error());
  auto map = locate(recipe, **reader, false);
  if (!map) return fail(map.error());
  std::vector<int> columns;
  for (Wanted& one : wanted) {
    one.column = map->inputs[static_cast<size_t>(one.input - recipe.inputs.data())];
    columns.push_back(one.column);
  }
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  (*reader)->only(columns);
  const auto done = [](const Wanted& one) { return one.found.enough() || one.found.gave_up(); };
  while (!std::ranges::all_of(wanted, done)) {
    auto batch = (*reader)->next();
    if (!batch) return fail(batch.error());
    if (!*batch) break;
    for (Wanted& one : wanted) one.found.see((*batch)->column(one.column), *map->pictures);
  }
  for (Wanted& one : wanted) {
    const std::string where = fmt::format("{}, column '{}'", (*reader)->path(), one.input->column);
    if (one.found.seen() == 0)
      return fail(ErrorKind::data,
                  one.found.fault().empty() ? std::string("there is no picture")
                                            : "no picture can be read: " + one.found.fault(),
                  where, "give pictures, or the column another type");
    one.found.settle(*one.preprocessing);
  }
  return {};
}

}  // namespace shoestring::train
