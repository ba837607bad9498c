// JPEG, through libjpeg-turbo. Its errors come by longjmp, so no frame between here and it owns anything.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

#include "data/pictures_module/parts.h"

namespace shoestring::data {
namespace {

// A progressive JPEG may say the same pixels again and again: real ones have about ten scans.
constexpr int kMostScans = 500;

struct Errors {
  jpeg_error_mgr manager;  // first: libjpeg's pointer to it is ours
  std::jmp_buf back;
  const char* why = nullptr;
  char words[JMSG_LENGTH_MAX] = {};
};

Errors& errors_of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

void on_error(j_common_ptr info) {
  Errors& errors = errors_of(info);
  if (errors.why == nullptr) {
    info->err->format_message(info, errors.words);
    errors.why = errors.words;
  }
  std::longjmp(errors.back, 1);
}

// Negative levels are warnings: what is missing is filled with grey, which is no picture.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF)
    errors_of(info).why = "the JPEG ends early";
  else if (code == JWRN_HIT_MARKER)
    errors_of(info).why = "a part of the JPEG's data is missing";
  else
    return;  // bytes too many, unusual headers: the picture is there
  on_error(info);
}

void on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  errors_of(info).why = "the JPEG has more than 500 scans";
  on_error(info);
}

J_COLOR_SPACE space_of(int channels) {
  return channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
}

void decode(jpeg_decompress_struct& info, DecodeRequest& request, Errors& errors) {
  jpeg_mem_src(&info, request.bytes, static_cast<unsigned long>(request.size));
  jpeg_read_header(&info, TRUE);
  info.out_color_space = space_of(request.channels);
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(request.denominator);
  jpeg_start_decompress(&info);
  if (info.output_height != request.height || info.output_width != request.width ||
      info.output_components != request.channels) {
    errors.why = "the JPEG has two headers, of different sizes";
    on_error(reinterpret_cast<j_common_ptr>(&info));
  }
  const int64_t stride = request.width * request.channels;
  while (info.output_scanline < info.output_height) {
    JSAMPROW rows[8];
    int count = 0;
    for (int64_t at = info.output_scanline; count < 8 && at < request.height; ++at)
      rows[count++] = request.out + at * stride;
    jpeg_read_scanlines(&info, rows, static_cast<JDIMENSION>(count));
  }
  jpeg_finish_decompress(&info);
}

}  // namespace

bool decode_jpeg(DecodeRequest& request) noexcept {
  Errors errors;
  jpeg_decompress_struct info;
  jpeg_progress_mgr progress{};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  progress.progress_monitor = on_progress;
  info.mem = nullptr;  // destroy() looks, should create() fail
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&info);
    return refuse(request, errors.why);
  }
  jpeg_create_decompress(&info);
  info.progress = &progress;
  decode(info, request, errors);
  jpeg_destroy_decompress(&info);
  return true;
}

}  // namespace shoestring::data
