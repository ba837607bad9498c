// Pictures of every format, decoded whole and into a small form.
#include "data/picture.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shoestring;
  if (size == 0) return 0;
  const data::EncodedPicture bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto check_fault = [](const Error& error) {
    fuzz::check(error.kind == ErrorKind::data && !error.what.empty() && !error.fix.empty(),
                error.message().c_str());
  };
  const auto info = data::look_at(bytes);
  if (!info) {
    check_fault(info.error());
    return 0;
  }
  fuzz::check(info->height > 0 && info->width > 0 && info->height * info->width <= data::kMostPixels,
              "sizes");
  // Large ones are for their header alone: a fuzzer has no time for more.
  if (info->height * info->width > 1 << 20) return 0;
  const data::PictureForm form{
      .height = 1 + data[0] % 5,
      .width = 1 + data[0] % 7,
      .channels = 1 + data[0] % 4,
      .method = data[0] % 2 == 0 ? data::ResizeMethod::interpolate : data::ResizeMethod::crop_or_pad};
  static data::PictureRoom room;
  std::vector<uint8_t> out(static_cast<size_t>(form.bytes()));
  const auto done = data::decode_into(bytes, form, out, room);
  if (!done) check_fault(done.error());
  const auto whole = data::decode_picture(bytes);
  if (!whole) check_fault(whole.error());
  if (whole) {
    fuzz::check(whole->height == info->height && whole->width == info->width,
                "the size is that of the header");
    fuzz::check(static_cast<int64_t>(whole->pixels.size()) == whole->height * whole->width * whole->channels,
                "pixels");
  }
  return 0;
}
