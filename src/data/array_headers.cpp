// The headers of IDX and NPY files.
#include <fmt/format.h>

#include <charconv>

#include "data/picture.h"
#include "data/picture_arrays.h"

namespace shoestring::data {
namespace {

constexpr int64_t kMostValues = int64_t{1} << 46;

Failure damaged(std::string_view kind, const std::string& where) {
  return fail(ErrorKind::data, fmt::format("the header of the {} file is damaged", kind), where,
              "copy or download it again");
}

// Whether the sizes multiply to what a file may hold.
bool is_plausible(const std::vector<int64_t>& dims) {
  int64_t values = 1;
  for (const int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && values > kMostValues / dim)) return false;
    values *= std::max<int64_t>(dim, 1);
  }
  return !dims.empty();
}

// What stands behind 'key': in the text of a Python dict, up to what ends it.
std::string_view value_of(std::string_view dict, std::string_view key, char end) {
  const size_t at = dict.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = dict.substr(at + key.size());
  const size_t begin = rest.find_first_not_of(": ");
  const size_t stop = rest.find(end, begin == std::string_view::npos ? 0 : begin + 1);
  return begin == std::string_view::npos || stop == std::string_view::npos ? std::string_view()
                                                                           : rest.substr(begin, stop - begin);
}

std::vector<int64_t> numbers_in(std::string_view text) {
  std::vector<int64_t> numbers;
  for (size_t at = text.find_first_of("0123456789"); at != std::string_view::npos;
       at = text.find_first_of("0123456789", at)) {
    int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    numbers.push_back(error == std::errc() ? number : -1);
    at = static_cast<size_t>(end - text.data());
  }
  return numbers;
}

}  // namespace

bool is_idx(std::string_view head) {
  return head.size() >= 4 && head.substr(0, 3) == std::string_view("\0\0\x08", 3) && head[3] >= 1 &&
         head[3] <= 4;
}

bool is_npy(std::string_view head) { return head.starts_with("\x93NUMPY"); }

Result<ArrayForm> read_idx_header(std::string_view head, const std::string& where) {
  if (!is_idx(head))
    return fail(ErrorKind::data, "this is no IDX file of bytes", where, "copy or download it again");
  const auto dims = static_cast<size_t>(head[3]);
  ArrayForm form{.data_at = static_cast<int64_t>(4 + 4 * dims)};
  if (head.size() < 4 + 4 * dims)
    return fail(ErrorKind::data, "the IDX file ends early", where, "copy or download it again");
  for (size_t d = 0; d < dims; ++d) {
    uint32_t dim = 0;
    for (size_t b = 0; b < 4; ++b) dim = dim << 8 | static_cast<uint8_t>(head[4 + 4 * d + b]);
    form.dims.push_back(dim);
  }
  if (!is_plausible(form.dims)) return damaged("IDX", where);
  return form;
}

Result<ArrayForm> read_npy_header(std::string_view head, const std::string& where) {
  if (!is_npy(head) || head.size() < 12)
    return fail(ErrorKind::data, "this is no NPY file", where, "write it with numpy.save(FILE, array)");
  const bool first = head[6] == 1;  // of the format's versions: its length has two bytes
  size_t length = 0;
  for (size_t b = first ? 2 : 4; b > 0; --b) length = length << 8 | static_cast<uint8_t>(head[7 + b]);
  const size_t begin = first ? 10 : 12;
  if (length > head.size() - begin) return damaged("NPY", where);
  const std::string_view dict = head.substr(begin, length);
  ArrayForm form{.dims = numbers_in(value_of(dict, "'shape'", ')')),
                 .data_at = static_cast<int64_t>(begin + length)};
  const std::string_view type = value_of(dict, "'descr'", ',');  // '<i8'
  if (!is_plausible(form.dims) || type.size() < 4) return damaged("NPY", where);
  if (value_of(dict, "'fortran_order'", ',').starts_with("True") && form.dims.size() > 1)
    return fail(ErrorKind::data, "the array is stored column by column", where,
                "write it with numpy.save(FILE, numpy.ascontiguousarray(array))");
  const char kind = type[2];
  const auto sizes = numbers_in(type.substr(3));
  if ((kind != 'i' && kind != 'u' && kind != 'b') || sizes.size() != 1 || sizes[0] < 1 || sizes[0] > 8)
    return fail(ErrorKind::data, fmt::format("the array holds values of type {}", type), where,
                "pictures are read as uint8 (0 to 255), labels as whole numbers: array.astype('uint8')");
  form.item_bytes = static_cast<int>(sizes[0]);
  form.is_signed = kind == 'i';
  form.big_endian = type[1] == '>';
  return form;
}

}  // namespace shoestring::data
