#include "data/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "data/picture_formats.h"
#include "data/pictures_module.h"

namespace shoestring::data {
namespace {

struct Magic {
  size_t at;
  std::string_view bytes;
  std::string_view what;  // of a kind that is not read
};
constexpr std::array kNotRead{
    Magic{0, "GIF8", "a GIF"},       Magic{0, {"II*\0", 4}, "a TIFF"},     Magic{0, {"MM\0*", 4}, "a TIFF"},
    Magic{4, "ftypavif", "an AVIF"}, Magic{4, "ftypheic", "a HEIC"},       Magic{4, "ftypmif1", "a HEIF"},
    Magic{4, "jP  ", "a JPEG 2000"}, Magic{0, "8BPS", "a Photoshop file"}, Magic{0, "\xFF\x0A", "a JPEG XL"},
    Magic{4, "JXL ", "a JPEG XL"},
};
constexpr std::array kNoPicture{
    Magic{0, "<!DOCTYPE", "an HTML page"},
    Magic{0, "<html", "an HTML page"},
    Magic{0, "%PDF", "a PDF"},
    Magic{0, "<svg", "an SVG, which has no pixels"},
    Magic{0, "version https://git-lfs", "a pointer of Git LFS: fetch the file itself with git lfs pull"},
};

std::optional<PictureFormat> format_of(EncodedPicture head) {
  if (says(head, 0, "\xFF\xD8\xFF")) return PictureFormat::jpeg;
  if (says(head, 0, "\x89PNG\r\n\x1A\n")) return PictureFormat::png;
  if (says(head, 0, "RIFF") && says(head, 8, "WEBP")) return PictureFormat::webp;
  const uint32_t kind = byte_at(head, 1), behind = byte_at(head, 2);
  if (says(head, 0, "P") && kind >= '1' && kind <= '7' &&
      (behind == ' ' || behind == '\n' || behind == '\r' || behind == '\t' || behind == '#'))
    return PictureFormat::pnm;
  // Text may begin with BM: a BMP has the size of its second header at 14, and zeros that a text lacks.
  if (says(head, 0, "BM") && head.size() >= 18 && little32(head, 6) == 0 && little32(head, 14) <= 1024)
    return PictureFormat::bmp;
  return {};
}

Result<PictureInfo> look_at_format(EncodedPicture bytes) {
  if (bytes.empty()) return broken_picture("the file is empty");
  const auto format = format_of(bytes);
  if (!format) {
    for (const Magic& magic : kNotRead)
      if (says(bytes, magic.at, magic.bytes))
        return broken_picture(
            fmt::format("this is {}, which is not read: save it as PNG or JPEG", magic.what));
    for (const Magic& magic : kNoPicture)
      if (says(bytes, magic.at, magic.bytes)) return broken_picture(fmt::format("this is {}", magic.what));
    return broken_picture("this is no picture: no JPEG, PNG, WebP, PNM or BMP");
  }
  switch (*format) {
    case PictureFormat::jpeg:
      return look_at_jpeg(bytes);
    case PictureFormat::png:
      return look_at_png(bytes);
    case PictureFormat::webp:
      return look_at_webp(bytes);
    case PictureFormat::pnm:
      return look_at_pnm(bytes);
    case PictureFormat::bmp:
      break;
  }
  return look_at_bmp(bytes);
}

// The fewest bytes that so many pixels can be written in, so that no file of a few bytes takes much memory:
// deflate makes at most 1032 of one, text has a digit a value, and the shortest scan of a JPEG a bit for each
// block of 8 x 8.
int64_t fewest_bytes(EncodedPicture bytes, const PictureInfo& info) {
  const int64_t values = info.height * info.width * info.channels;
  switch (info.format) {
    case PictureFormat::png:
      return info.height * info.width * info.bits / 8 / 1032;
    case PictureFormat::pnm:
      return info.bits == 1 && !says(bytes, 0, "P1") ? values / 8 : values * std::max(info.bits / 8, 1);
    case PictureFormat::jpeg:
      return info.height * info.width / (64 * 8);
    default:
      return info.least_bytes;
  }
}

// A raw picture: as it stands in the file, not turned yet.
struct Raw {
  const uint8_t* pixels;
  int64_t height, width, channels;
};

uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

// `count` pixels with other channels; in place too, unless they become more.
void convert(const uint8_t* from, int64_t channels, uint8_t* to, int64_t to_channels, int64_t count) {
  if (channels == to_channels) {
    if (from != to) std::copy_n(from, count * channels, to);
    return;
  }
  for (int64_t i = 0; i < count; ++i, from += channels, to += to_channels) {
    const uint8_t alpha = channels % 2 == 0 ? from[channels - 1] : 255;
    if (to_channels <= 2) {
      to[0] = channels >= 3 ? luma(from) : from[0];
      if (to_channels == 2) to[1] = alpha;
    } else {
      const uint8_t r = from[0], g = from[channels >= 3 ? 1 : 0], b = from[channels >= 3 ? 2 : 0];
      to[0] = r;
      to[1] = g;
      to[2] = b;
      if (to_channels == 4) to[3] = alpha;
    }
  }
}

// Four inks as Adobe writes them, 255 for none, to RGB in place.
void inks_to_rgb(uint8_t* pixels, int64_t count) {
  const uint8_t* from = pixels;
  for (int64_t i = 0; i < count; ++i, from += 4, pixels += 3) {
    const uint32_t white = from[3];
    for (int c = 0; c < 3; ++c) {
      const uint32_t product = (255u - from[c]) * white + 128;
      pixels[c] = static_cast<uint8_t>(white - ((product >> 8) + product) / 256);
    }
  }
}

bool lies(int orientation) { return orientation >= 5; }

// The picture as it is to be seen, with to_channels channels, into to[height, width or the other way round].
void turn(const Raw& raw, int orientation, uint8_t* to, int64_t to_channels) {
  if (orientation == 1) return convert(raw.pixels, raw.channels, to, to_channels, raw.height * raw.width);
  const int64_t last_y = raw.height - 1, last_x = raw.width - 1;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const int64_t rows = lies(orientation) ? raw.width : raw.height;
  const int64_t columns = lies(orientation) ? raw.height : raw.width;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column, to += to_channels) {
      int64_t y = lies(orientation) ? column : row, x = lies(orientation) ? row : column;
      if (from_bottom) y = last_y - y;
      if (from_right) x = last_x - x;
      convert(raw.pixels + (y * raw.width + x) * raw.channels, raw.channels, to, to_channels, 1);
    }
}

// Where the middle of `size` begins in `to_size`; negative where there is less than that. A half is rounded
// to the even number where it is cut, as torchvision's center_crop does it, and down where edges are
// repeated.
int64_t middle(int64_t size, int64_t to_size) {
  if (size < to_size) return -((to_size - size) / 2);
  const int64_t spare = size - to_size, half = spare / 2;
  return spare % 2 == 1 && half % 2 == 1 ? half + 1 : half;
}

void crop_or_pad(const Raw& raw, const PictureForm& form, uint8_t* to) {
  const int64_t top = middle(raw.height, form.height), left = middle(raw.width, form.width);
  for (int64_t y = 0; y < form.height; ++y) {
    const int64_t from_y = std::clamp<int64_t>(y + top, 0, raw.height - 1);
    for (int64_t x = 0; x < form.width; ++x, to += form.channels) {
      const int64_t from_x = std::clamp<int64_t>(x + left, 0, raw.width - 1);
      convert(raw.pixels + (from_y * raw.width + from_x) * raw.channels, raw.channels, to, form.channels, 1);
    }
  }
}

// `raw` may lie in room.decoded; what it is made into does not.
void fit(const Raw& raw, int orientation, const PictureForm& form, std::span<uint8_t> out,
         PictureRoom& room) {
  if (form.method == ResizeMethod::crop_or_pad) {
    if (orientation == 1) return crop_or_pad(raw, form, out.data());
    room.small.resize(static_cast<size_t>(raw.height * raw.width * raw.channels));
    turn(raw, orientation, room.small.data(), raw.channels);
    const bool turned = lies(orientation);
    return crop_or_pad(
        {room.small.data(), turned ? raw.width : raw.height, turned ? raw.height : raw.width, raw.channels},
        form, out.data());
  }
  const int64_t height = lies(orientation) ? form.width : form.height;
  const int64_t width = lies(orientation) ? form.height : form.width;
  const bool straight = orientation == 1 && raw.channels == form.channels;
  if (!straight) room.small.resize(static_cast<size_t>(height * width * raw.channels));
  uint8_t* small = straight ? out.data() : room.small.data();
  interpolate(raw.pixels, raw.height, raw.width, raw.channels, small, height, width, room);
  if (!straight) turn({small, height, width, raw.channels}, orientation, out.data(), form.channels);
}

// The size of the pixels as they stand in the file.
int64_t raw_height(const PictureInfo& info) { return lies(info.orientation) ? info.width : info.height; }
int64_t raw_width(const PictureInfo& info) { return lies(info.orientation) ? info.height : info.width; }

// What part of its size a JPEG is decoded at.
int64_t denominator_for(const PictureInfo& info, const PictureForm* form) {
  if (form == nullptr || info.format != PictureFormat::jpeg || form->method != ResizeMethod::interpolate)
    return 1;
  const auto enough = [](int64_t size, int64_t to_size, int64_t by) {
    return static_cast<double>((size + by - 1) / by) >= kDecodeMargin * static_cast<double>(to_size);
  };
  for (const int64_t by : {8, 4, 2})
    if (enough(info.height, form->height, by) && enough(info.width, form->width, by)) return by;
  return 1;
}

// The channels that a decoder gives, of which `wanted` are to be made.
int64_t decoded_channels(const PictureInfo& info, int64_t wanted) {
  if (info.inks) return 4;
  switch (info.format) {
    case PictureFormat::jpeg:
      return wanted <= 2 ? 1 : info.channels;
    case PictureFormat::png:
      if (wanted % 2 == 0) return 4;
      return info.channels == 1 && info.bits <= 8 ? 1 : 3;
    case PictureFormat::webp:
      return wanted % 2 == 0 && info.channels == 4 ? 4 : 3;
    default:
      return info.channels;
  }
}

Status run_decoder(EncodedPicture bytes, const PictureInfo& info, DecodeRequest request,
                   std::span<uint8_t> out) {
  if (info.format == PictureFormat::pnm) return decode_pnm(bytes, out);
  if (info.format == PictureFormat::bmp) return decode_bmp(bytes, out);
  const auto module = pictures_module();
  if (!module) return fail(module.error());
  const Decode decode = info.format == PictureFormat::jpeg  ? (*module)->jpeg
                        : info.format == PictureFormat::png ? (*module)->png
                                                            : (*module)->webp;
  if (!decode(request)) return broken_picture(request.message);
  return {};
}

// Into room.decoded, with no more channels than `wanted` where that is less work.
Result<Raw> decode_raw(EncodedPicture bytes, const PictureInfo& info, int64_t wanted, int64_t denominator,
                       PictureRoom& room) {
  if (static_cast<int64_t>(bytes.size()) < fewest_bytes(bytes, info))
    return broken_picture("the file is too short for so many pixels: it ends early");
  Raw raw{nullptr, (raw_height(info) + denominator - 1) / denominator,
          (raw_width(info) + denominator - 1) / denominator, decoded_channels(info, wanted)};
  const int64_t pixels = raw.height * raw.width;
  room.decoded.resize(static_cast<size_t>(pixels * raw.channels));
  const auto done = run_decoder(bytes, info,
                                {.bytes = reinterpret_cast<const uint8_t*>(bytes.data()),
                                 .size = static_cast<int64_t>(bytes.size()),
                                 .height = raw.height,
                                 .width = raw.width,
                                 .channels = static_cast<int>(raw.channels),
                                 .denominator = static_cast<int>(denominator),
                                 .out = room.decoded.data()},
                                room.decoded);
  if (!done) return fail(done.error());
  if (info.inks) {
    inks_to_rgb(room.decoded.data(), pixels);
    raw.channels = 3;
  }
  if (raw.channels > wanted) {
    convert(room.decoded.data(), raw.channels, room.decoded.data(), wanted, pixels);
    raw.channels = wanted;
  }
  raw.pixels = room.decoded.data();
  return raw;
}

Status check_form(const PictureForm& form, size_t bytes) {
  if (form.height > 0 && form.width > 0 && form.channels >= 1 && form.channels <= 4 &&
      form.bytes() == static_cast<int64_t>(bytes))
    return {};
  return fail(ErrorKind::internal, "a picture is to be made into a form that its room has not");
}

}  // namespace

Failure broken_picture(std::string what) {
  return fail(ErrorKind::data, std::move(what), {}, "repair the picture or leave it out");
}

Result<PictureInfo> look_at(EncodedPicture bytes) {
  auto info = look_at_format(bytes);
  if (!info) return info;
  if (info->height <= 0 || info->width <= 0) return broken_picture("the picture has no pixels");
  if (info->height > kLongestSide || info->width > kLongestSide || info->height * info->width > kMostPixels)
    return broken_picture(fmt::format("the picture is {} x {}: at most {} pixels are decoded", info->width,
                                      info->height, kMostPixels));
  if (lies(info->orientation)) std::swap(info->height, info->width);
  return info;
}

bool is_picture(EncodedPicture head) {
  return format_of(head).has_value() ||
         std::any_of(kNotRead.begin(), kNotRead.end(),
                     [&](const Magic& magic) { return says(head, magic.at, magic.bytes); });
}

Result<Picture> decode_picture(EncodedPicture bytes, int64_t channels) {
  const auto info = look_at(bytes);
  if (!info) return fail(info.error());
  if (channels == 0) channels = info->channels;
  PictureRoom room;
  const auto raw = decode_raw(bytes, *info, channels, 1, room);
  if (!raw) return fail(raw.error());
  Picture picture{.height = info->height, .width = info->width, .channels = channels};
  if (info->orientation == 1 && raw->channels == channels) {
    picture.pixels = std::move(room.decoded);
    picture.pixels.resize(static_cast<size_t>(info->height * info->width * channels));
  } else {
    picture.pixels.resize(static_cast<size_t>(info->height * info->width * channels));
    turn(*raw, info->orientation, picture.pixels.data(), channels);
  }
  return picture;
}

Status decode_into(EncodedPicture bytes, const PictureForm& form, std::span<uint8_t> out, PictureRoom& room) {
  if (auto ok = check_form(form, out.size()); !ok) return ok;
  const auto info = look_at(bytes);
  if (!info) return fail(info.error());
  const auto raw = decode_raw(bytes, *info, form.channels, denominator_for(*info, &form), room);
  if (!raw) return fail(raw.error());
  fit(*raw, info->orientation, form, out, room);
  return {};
}

Status fit_into(const PixelView& pixels, const PictureForm& form, std::span<uint8_t> out, PictureRoom& room) {
  if (auto ok = check_form(form, out.size()); !ok) return ok;
  Raw raw{pixels.values.data(), pixels.height, pixels.width, pixels.channels};
  if (raw.channels > form.channels) {
    room.decoded.resize(static_cast<size_t>(raw.height * raw.width * form.channels));
    convert(raw.pixels, raw.channels, room.decoded.data(), form.channels, raw.height * raw.width);
    raw.pixels = room.decoded.data();
    raw.channels = form.channels;
  }
  fit(raw, 1, form, out, room);
  return {};
}

}  // namespace shoestring::data
