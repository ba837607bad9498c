// Preprocessing of pictures: they come decoded and of one size; what is fitted is the scale of their levels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "task/holes.h"
#include "task/preprocess.h"
#include "task/whitening.h"

namespace shoestring::task {
namespace {

constexpr double kWhite = 255;
// Published with ImageNet's models: means and deviations of levels from 0 to 1, of red, green and blue.
constexpr double kImageNetMean[] = {0.485, 0.456, 0.406}, kImageNetDeviation[] = {0.229, 0.224, 0.225};

data::ResizeMethod method_of(Resize resize) {
  return resize == Resize::crop_or_pad ? data::ResizeMethod::crop_or_pad : data::ResizeMethod::interpolate;
}

bool is_there(const PictureColumn& column, uint32_t row) {
  return column.states.empty() || column.states[row] == PictureState::there;
}

// The pictures that whitening looks at.
std::vector<std::span<const uint8_t>> white_pictures(const FitContext& context, const PictureColumn& column) {
  constexpr size_t kPictures = 5'000;
  std::vector<std::span<const uint8_t>> pictures;
  for (const uint32_t row : context.training_rows) {
    if (pictures.size() == kPictures) break;
    if (is_there(column, row)) pictures.push_back(std::as_const(*column.pixels).row(row));
  }
  return pictures;
}

// The picture that most training rows have, the first of equals; nothing of no pictures.
std::vector<uint8_t> most_frequent(const FitContext& context, const PictureColumn& column) {
  struct Seen {
    size_t hash;
    uint32_t row;
    auto operator<=>(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  for (const uint32_t row : context.training_rows) {
    if (!is_there(column, row)) continue;
    const std::span<const uint8_t> pixels = std::as_const(*column.pixels).row(row);
    const std::string_view bytes(reinterpret_cast<const char*>(pixels.data()), pixels.size());
    seen.push_back({std::hash<std::string_view>()(bytes), row});
  }
  std::ranges::sort(seen);
  size_t most = 0;
  uint32_t first = 0;
  for (size_t begin = 0, end = 0; begin < seen.size(); begin = end) {
    while (end < seen.size() && seen[end].hash == seen[begin].hash) ++end;
    if (end - begin < most || (end - begin == most && seen[begin].row > first)) continue;
    most = end - begin;
    first = seen[begin].row;
  }
  if (most == 0) return {};
  const std::span<const uint8_t> pixels = std::as_const(*column.pixels).row(first);
  return {pixels.begin(), pixels.end()};
}

// Mean and deviation of each channel's levels over these rows.
void fit_scale(const FitContext& context, const PictureColumn& column, PictureFit& fit) {
  const auto channels = static_cast<size_t>(fit.channels);
  const int64_t pixels = fit.height * fit.width;
  std::vector<double> sums(channels), squares(channels);
  int64_t rows = 0;
  for (const uint32_t row : context.training_rows) {
    if (!is_there(column, row)) continue;
    ++rows;
    const uint8_t* level = column.pixels->row(row).data();
    std::vector<int64_t> sum(channels), square(channels);
    for (int64_t p = 0; p < pixels; ++p)
      for (size_t c = 0; c < channels; ++c, ++level) {
        sum[c] += *level;
        square[c] += int64_t{*level} * *level;
      }
    for (size_t c = 0; c < channels; ++c) {
      sums[c] += static_cast<double>(sum[c]);
      squares[c] += static_cast<double>(square[c]);
    }
  }
  const double count = static_cast<double>(std::max<int64_t>(rows * pixels, 1));
  for (size_t c = 0; c < channels; ++c) {
    fit.shift[c] = sums[c] / count;
    const double variance = squares[c] / count - fit.shift[c] * fit.shift[c];
    fit.scale[c] = variance > 1e-6 ? std::sqrt(variance) : kWhite;  // all alike: there is nothing to scale
  }
}

// For each row the row that its picture comes from, by the rules of list_sources().
std::vector<int64_t> picture_sources(const PictureColumn& column, MissingValues strategy,
                                     const Neighbours& near) {
  const auto rows = static_cast<int64_t>(column.states.size());
  constexpr int64_t kHole = -1;
  std::vector<int64_t> from(column.states.size());
  for (int64_t row = 0; row < rows; ++row)
    from[static_cast<size_t>(row)] = is_there(column, static_cast<uint32_t>(row)) ? row : kHole;
  LastValues last;
  for (size_t g = 0; near.state && g < last.size(); ++g)
    if (near.state->pictures[g]) last[g] = static_cast<double>(kFromAbove - static_cast<int64_t>(g));
  fill_holes(
      rows, [&](int64_t row) -> int64_t& { return from[static_cast<size_t>(row)]; },
      [](int64_t v) { return v == kHole; }, strategy, kFromFill, kFromUsual, nullptr, near.groups, &last);
  for (size_t g = 0; near.state && g < last.size(); ++g) {
    if (!last[g] || *last[g] < 0) continue;
    const auto picture = std::as_const(*column.pixels).row(static_cast<int64_t>(*last[g]));
    near.state->pictures[g].emplace(picture.begin(), picture.end());
  }
  return from;
}

}  // namespace

data::PictureForm PictureFit::form() const {
  return {.height = height, .width = width, .channels = channels, .method = method_of(resize)};
}
data::PictureForm form_of(const ImagePreprocessing& p) {
  return {.height = p.height.value_or(1),
          .width = p.width.value_or(1),
          .channels = p.num_channels.value_or(1),
          .method = method_of(p.resize_method)};
}

MissingRows mark_missing(PictureColumn column, std::vector<uint8_t>& drop) {
  MissingRows out;
  for (size_t row = 0; row < column.states.size(); ++row) {
    const bool keeps = column.keeps_missing && column.states[row] == PictureState::missing;
    if (column.states[row] == PictureState::there || keeps || drop[row]) continue;
    drop[row] = 1;
    if (out.count++ == 0) out.first_row = static_cast<int64_t>(row);
  }
  return out;
}

Result<PictureFit> fit_pictures(const ImageInput& input, const FitContext& context, PictureColumn column) {
  const ImagePreprocessing& p = input.preprocessing;
  PictureFit fit{.height = p.height.value_or(1),
                 .width = p.width.value_or(1),
                 .channels = p.num_channels.value_or(1),
                 .resize = p.resize_method,
                 .strategy = p.missing_value_strategy,
                 .fill = std::llround(p.fill_value)};
  const auto channels = static_cast<size_t>(fit.channels);
  fit.shift.assign(channels, 0);
  fit.scale.assign(channels, kWhite);
  switch (p.standardize_image) {
    case Standardize::none:
      break;
    case Standardize::imagenet1k:
      if (channels != std::size(kImageNetMean))
        return fail(
            ErrorKind::usage,
            fmt::format("{}: imagenet1k has 3 channels, these pictures have {}", context.feature, channels),
            {}, "give num_channels 3, or standardize_image training");
      for (size_t c = 0; c < channels; ++c) {
        fit.shift[c] = kWhite * kImageNetMean[c];
        fit.scale[c] = kWhite * kImageNetDeviation[c];
      }
      break;
    case Standardize::inception:
      fit.shift.assign(channels, kWhite / 2);
      fit.scale.assign(channels, kWhite / 2);
      break;
    case Standardize::training:
      fit_scale(context, column, fit);
      break;
  }
  if (fit.strategy == MissingValues::fill_with_mode) fit.mode = most_frequent(context, column);
  if (whitens(input)) fit.whitening = whitening_filters(white_pictures(context, column), fit);
  return fit;
}

void encode(const PictureFit& fit, PictureColumn column, std::vector<uint8_t>* drop, data::PixelRows& out,
            const Neighbours& near) {
  data::PixelRows& pixels = *column.pixels;
  const auto carried = near.state ? near.state->pictures : decltype(FillState::pictures)();
  const auto from = picture_sources(column, fit.strategy, near);
  for (size_t row = 0; row < column.states.size(); ++row) {
    if (column.states[row] == PictureState::there) continue;
    if (drop && (fit.strategy == MissingValues::drop_row || column.states[row] == PictureState::broken))
      (*drop)[row] = 1;
    const std::span<uint8_t> to = pixels.row(static_cast<int64_t>(row));
    const int64_t source = from[row];
    if (source >= 0)
      std::ranges::copy(std::as_const(pixels).row(source), to.begin());
    else if (source <= kFromAbove)
      std::ranges::copy(*carried[static_cast<size_t>(kFromAbove - source)], to.begin());
    else if (source == kFromFill && !fit.mode.empty())
      std::ranges::copy(fit.mode, to.begin());
    else
      std::ranges::fill(to, static_cast<uint8_t>(fit.fill));
  }
  out = std::move(pixels);
}

}  // namespace shoestring::task
