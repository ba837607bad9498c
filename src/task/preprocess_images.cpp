// Preprocessing of pictures: they come decoded and of one size; what is fitted is the scale of their levels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
    case Standardize::training:
      fit_scale(context, column, fit);
      break;
  }
  if (whitens(input)) fit.whitening = whitening_filters(white_pictures(context, column), fit);
  return fit;
}

void encode(const PictureFit& fit, PictureColumn column, std::vector<uint8_t>* drop, data::PixelRows& out) {
  for (size_t row = 0; row < column.states.size(); ++row) {
    if (column.states[row] == PictureState::there) continue;
    if (drop && (fit.strategy == MissingValues::drop_row || column.states[row] == PictureState::broken))
      (*drop)[row] = 1;
    std::ranges::fill(column.pixels->row(static_cast<int64_t>(row)), static_cast<uint8_t>(fit.fill));
  }
  out = std::move(*column.pixels);
}

}  // namespace shoestring::task
