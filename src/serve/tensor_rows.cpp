#include "serve/tensor_rows.h"

#include <fmt/ranges.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "data/row_text.h"
#include "serve/json_size.h"

namespace shoestring::serve {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;
using simdjson::ondemand::array;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

enum class DataType { boolean, signed_integer, unsigned_integer, floating, bytes };
struct DataTypeRow {
  std::string_view name;
  DataType type;
  int64_t bytes;  // of an element in its binary form; 0: each says
};
constexpr auto kDataTypes = std::to_array<DataTypeRow>({{"BOOL", DataType::boolean, 1},
                                                        {"INT8", DataType::signed_integer, 1},
                                                        {"INT16", DataType::signed_integer, 2},
                                                        {"INT32", DataType::signed_integer, 4},
                                                        {"INT64", DataType::signed_integer, 8},
                                                        {"UINT8", DataType::unsigned_integer, 1},
                                                        {"UINT16", DataType::unsigned_integer, 2},
                                                        {"UINT32", DataType::unsigned_integer, 4},
                                                        {"UINT64", DataType::unsigned_integer, 8},
                                                        {"FP32", DataType::floating, 4},
                                                        {"FP64", DataType::floating, 8},
                                                        {"BYTES", DataType::bytes, 0}});

constexpr size_t kMostId = 1024;  // bytes
constexpr std::string_view kCutOff = "bytes that end elsewhere";

template <class T>
T read_as(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// One tensor's elements on their way into the cells of its column, row by row.
class Column {
 public:
  Column(CellWriter& cells, int input, int64_t rows, int64_t width, std::string picture_header)
      : cells_(cells), input_(input), rows_(rows), width_(width), header_(std::move(picture_header)) {}

  void number(double value, std::string_view text) {
    if (is_pixels()) return level(value);
    if (width_ > 1) return part(text);
    if (!begin()) return;
    if (std::isnan(value))
      cells_.missing(input_);
    else if (std::isinf(value))
      cells_.refuse(input_, text);
    else
      cells_.number(input_, value, text);
  }
  bool is_pixels() const { return !header_.empty(); }
  // Pixels as they are, of all rows.
  void levels(std::string_view bytes) {
    const auto size = static_cast<size_t>(width_);
    for (; bytes.size() >= size && !done(); bytes.remove_prefix(size)) {
      list_.assign(header_).append(bytes.substr(0, size));
      if (begin()) cells_.text(input_, list_);
    }
    if (!bytes.empty()) broken(kCutOff);
  }
  void text(std::string_view text) {
    if (width_ > 1) {
      std::string quoted;
      data::append_json(quoted, text);
      return part(quoted);
    }
    if (begin()) cells_.text(input_, text);
  }
  void missing() {
    if (width_ > 1) return part("null");
    if (begin()) cells_.missing(input_);
  }
  bool done() const { return row_ == rows_ || cells_.enough(); }
  // What came is no element of the tensor's datatype, or is cut off.
  void broken(std::string_view what) {
    if (broken_.empty()) broken_ = what.substr(0, 80);
  }
  bool complete() const { return row_ == rows_ && !too_many_ && broken_.empty() && parts_ == 0; }
  // Where it is not complete: the first that is broken, if any is, else how many came.
  std::string came() const {
    return !broken_.empty() ? broken_ : too_many_ ? "more" : std::to_string(row_ * width_ + parts_);
  }
  bool is_broken() const { return !broken_.empty(); }

 private:
  bool begin() {
    if (row_ == rows_) too_many_ = true;
    if (done()) return false;
    cells_.at(row_++);
    return true;
  }
  // Of a list of several.
  void part(std::string_view text) {
    list_ += parts_ == 0 ? "[" : ", ";
    list_ += text;
    if (++parts_ < width_) return;
    list_ += "]";
    parts_ = 0;
    if (begin()) cells_.text(input_, list_);
    list_.clear();
  }

  // Of a picture, which becomes a file of PNM.
  void level(double value) {
    if (parts_ == 0) list_ = header_;
    if (is_broken()) value = 0;
    list_ += static_cast<char>(static_cast<uint8_t>(value));
    if (++parts_ < width_) return;
    parts_ = 0;
    if (begin()) cells_.text(input_, list_);
  }

  CellWriter& cells_;
  int input_;
  int64_t rows_, width_, row_ = 0, parts_ = 0;
  bool too_many_ = false;
  std::string header_;  // of a picture's file; "": the elements are no pixels
  std::string list_, broken_;
};

struct Tensor {
  std::string_view name;
  const DataTypeRow* type = nullptr;
  int64_t rows = 0, width = 1;     // width: elements of a row
  std::array<int64_t, 3> sizes{};  // of a row, `rank` of them
  size_t rank = 0;
  std::optional<int64_t> binary_bytes;
  std::span<const int64_t> row_shape() const { return {sizes.data(), rank}; }
};

// Rows of pixels [height, width, channels]: the header of a PAM file that holds one of them; "" where a
// tensor is none of those.
std::string picture_header(const Tensor& tensor) {
  const auto& s = tensor.sizes;
  if (tensor.type->type != DataType::unsigned_integer || tensor.type->bytes != 1 || tensor.rank != 3 ||
      s[2] > 4)
    return {};
  return fmt::format("P7\nWIDTH {}\nHEIGHT {}\nDEPTH {}\nMAXVAL 255\nENDHDR\n", s[1], s[0], s[2]);
}

class Reading {
 public:
  Reading(std::string_view binary, CellWriter& cells, Request& request)
      : binary_(binary), cells_(cells), request_(request) {}

  std::optional<Refusal> refusal;

  error_code whole(object& all) {
    std::string_view id;
    auto found = all.find_field_unordered("id");
    const auto none = found.get_string().get(id);
    if (none && none != simdjson::NO_SUCH_FIELD) return none;
    if (id.size() > kMostId) return refuse(fmt::format("the id is longer than {} bytes", kMostId));
    request_.id = id;
    if (const auto e = flag_in(all, "binary_data_output", request_.binary)) return e;
    if (const auto e = asked(all)) return e;
    if (refusal || cells_.enough()) return SUCCESS;
    array inputs;
    if (const auto e = all.find_field_unordered("inputs").get_array().get(inputs)) return e;
    bool first = true;
    std::vector<uint8_t> came(cells_.table().columns().size());
    for (auto item : inputs) {
      object tensor;
      if (const auto e = item.get_object().get(tensor)) return e;
      if (const auto e = one(tensor, first, came)) return e;
      if (refusal || cells_.enough()) return SUCCESS;
      first = false;
    }
    if (!binary_.empty())
      return refuse(fmt::format("{} bytes are left behind the last tensor", binary_.size()));
    cells_.end_columns();
    return SUCCESS;
  }

 private:
  error_code refuse(std::string what) {
    refusal = {.what = std::move(what)};
    return SUCCESS;
  }

  // A flag in the object's "parameters", where there is one.
  static error_code flag_in(object& of, std::string_view name, bool& flag) {
    object parameters;
    const auto e = of.find_field_unordered("parameters").get_object().get(parameters);
    if (e) return e == simdjson::NO_SUCH_FIELD ? SUCCESS : e;
    bool told = false;
    const auto f = parameters.find_field_unordered(name).get_bool().get(told);
    if (!f) flag = told;
    return f == simdjson::NO_SUCH_FIELD ? SUCCESS : f;
  }

  // The outputs that are wanted.
  error_code asked(object& all) {
    array outputs;
    const auto e = all.find_field_unordered("outputs").get_array().get(outputs);
    if (e) return e == simdjson::NO_SUCH_FIELD ? SUCCESS : e;
    for (auto item : outputs) {
      object output;
      std::string_view name;
      if (const auto f = item.get_object().get(output)) return f;
      if (const auto f = output.find_field_unordered("name").get_string().get(name)) return f;
      if (!cells_.table().answers(name)) {
        cells_.fault(0, name, "an output of the model", "an unknown one");
        if (cells_.enough()) return SUCCESS;
        continue;
      }
      if (std::ranges::find(request_.asked, name, &Request::AskedTensor::name) != request_.asked.end())
        continue;  // it is answered once
      request_.asked.push_back({std::string(name), request_.binary});
      if (const auto f = flag_in(output, "binary_data", request_.asked.back().binary)) return f;
    }
    return SUCCESS;
  }

  // Name, datatype and shape of a tensor.
  error_code head(object& json, Tensor& tensor) {
    std::string_view type;
    if (const auto e = json.find_field_unordered("name").get_string().get(tensor.name)) return e;
    if (const auto e = json.find_field_unordered("datatype").get_string().get(type)) return e;
    const auto found = std::ranges::find(kDataTypes, type, &DataTypeRow::name);
    if (found == kDataTypes.end()) {
      cells_.fault(0, tensor.name,
                   "a datatype among BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 and BYTES", type);
      return SUCCESS;
    }
    array shape;
    if (const auto e = json.find_field_unordered("shape").get_array().get(shape)) return e;
    constexpr int64_t kMostElements = int64_t{1} << 40;
    bool any = false, fits = true;
    for (auto item : shape) {
      int64_t size = 0;
      if (const auto e = item.get_int64().get(size)) return e;
      const bool first = !std::exchange(any, true);
      fits &= size >= (first ? 0 : 1) && size <= kMostElements / tensor.width &&
              tensor.rank < tensor.sizes.size();
      if (!fits) continue;
      if (first) {
        tensor.rows = size;
      } else {
        tensor.width *= size;
        tensor.sizes[tensor.rank++] = size;
      }
    }
    if (!any || !fits || tensor.rank == 2)
      cells_.fault(0, tensor.name,
                   "a shape of [rows], [rows, values] or [rows, height, width, channels], sizes from 1 on",
                   "another");
    else
      tensor.type = found;
    object parameters;
    const auto e = json.find_field_unordered("parameters").get_object().get(parameters);
    if (e) return e == simdjson::NO_SUCH_FIELD ? SUCCESS : e;
    int64_t bytes = 0;
    const auto f = parameters.find_field_unordered("binary_data_size").get_int64().get(bytes);
    if (!f) tensor.binary_bytes = bytes;
    return f == simdjson::NO_SUCH_FIELD ? SUCCESS : f;
  }

  error_code one(object& json, bool first, std::vector<uint8_t>& came) {
    Tensor tensor;
    if (const auto e = head(json, tensor)) return e;
    std::string_view bytes;
    if (tensor.binary_bytes) {
      if (*tensor.binary_bytes < 0 || static_cast<size_t>(*tensor.binary_bytes) > binary_.size()) {
        return refuse(fmt::format("the tensor '{}' is to have {} bytes behind the JSON, and {} are left",
                                  tensor.name.substr(0, 80), *tensor.binary_bytes, binary_.size()));
      }
      bytes = binary_.substr(0, static_cast<size_t>(*tensor.binary_bytes));
      binary_.remove_prefix(bytes.size());
    }
    const int input = cells_.table().find(tensor.name);
    if (input == CellTable::kUnknown) cells_.unknown(tensor.name);
    if (input < 0 || !tensor.type) return SUCCESS;
    if (std::exchange(came[static_cast<size_t>(input)], uint8_t{1})) {
      cells_.fault(0, tensor.name, "one tensor", "a second one");
      return SUCCESS;
    }
    if (rows_ < 0 || first) {
      if (!cells_.add_rows(tensor.rows)) {
        refusal = cells_.too_many_rows(tensor.rows);
        return SUCCESS;
      }
      rows_ = tensor.rows;
    }
    const auto& wanted = cells_.table().input(input);
    const bool is_words = wanted.type == task::FeatureType::set || wanted.type == task::FeatureType::bag;
    const bool is_picture = wanted.type == task::FeatureType::image;
    std::string header = is_picture ? picture_header(tensor) : "";
    const bool fits =
        tensor.rank > 1 ? !header.empty() : tensor.width == 1 || tensor.width == wanted.size || is_words;
    if (tensor.rows != rows_ || !fits) {
      cells_.fault(
          0, tensor.name,
          is_picture
              ? fmt::format("a shape of [{}] of BYTES, or [{}, height, width, channels] of UINT8 with 1 "
                            "to 4 channels",
                            rows_, rows_)
          : wanted.size > 1 ? fmt::format("a shape of [{}, {}]", rows_, wanted.size)
                            : fmt::format("a shape of [{}] or [{}, 1]", rows_, rows_),
          fmt::format("[{}{}{}]{}{}", tensor.rows, tensor.rank == 0 ? "" : ", ",
                      fmt::join(tensor.row_shape(), ", "), is_picture ? " of " : "",
                      is_picture ? tensor.type->name : ""));
      return SUCCESS;
    }
    Column column(cells_, input, rows_, tensor.width, std::move(header));
    if (tensor.binary_bytes) {
      read_binary(bytes, *tensor.type, column);
    } else {
      array data;
      if (const auto e = json.find_field_unordered("data").get_array().get(data)) return e;
      if (const auto e = read_data(data, *tensor.type, column)) return e;
    }
    if (!column.complete() && !cells_.enough())
      cells_.fault(0, tensor.name,
                   !tensor.binary_bytes && column.is_broken()
                       ? std::string(tensor.type->name)
                       : fmt::format("{} elements of {}", rows_ * tensor.width, tensor.type->name),
                   tensor.binary_bytes ? fmt::format("{} bytes", *tensor.binary_bytes) : column.came());
    return SUCCESS;
  }

  // Flat or nested.
  static error_code read_data(array& data, const DataTypeRow& type, Column& column) {
    for (auto item : data) {
      value v;
      if (const auto e = std::move(item).get(v)) return e;
      if (const auto e = read_element(v, type, column)) return e;
    }
    return SUCCESS;
  }

  // Whether a number is one of the datatype's.
  static bool is_of(const DataTypeRow& type, double number) {
    const double bits = static_cast<double>(8 * type.bytes);
    switch (type.type) {
      case DataType::boolean:
        return number == 0 || number == 1;
      case DataType::signed_integer:
        return number == std::trunc(number) && number >= -std::exp2(bits - 1) && number < std::exp2(bits - 1);
      case DataType::unsigned_integer:
        return number == std::trunc(number) && number >= 0 && number < std::exp2(bits);
      case DataType::floating:
        return true;
      case DataType::bytes:
        break;
    }
    return false;
  }

  static error_code read_element(value v, const DataTypeRow& wanted, Column& column) {
    json_type type;
    if (const auto e = v.type().get(type)) return e;
    switch (type) {
      case json_type::array: {
        array inner;
        if (const auto e = v.get_array().get(inner)) return e;
        return read_data(inner, wanted, column);
      }
      case json_type::number: {
        const std::string_view token = v.raw_json_token();
        double number = 0;
        if (const auto e = v.get_double().get(number)) return e;
        const std::string_view written = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
        if (!is_of(wanted, number)) column.broken(written);
        column.number(number, written);
        return SUCCESS;
      }
      case json_type::string: {
        std::string_view text;
        if (const auto e = v.get_string().get(text)) return e;
        if (wanted.type != DataType::bytes) column.broken(text.empty() ? "an empty text" : text);
        column.text(text);
        return SUCCESS;
      }
      case json_type::boolean: {
        bool truth = false;
        if (v.get_bool().get(truth)) return simdjson::T_ATOM_ERROR;
        if (wanted.type != DataType::boolean) column.broken(truth ? "true" : "false");
        column.number(truth, truth ? "true" : "false");
        return SUCCESS;
      }
      case json_type::null:
        if (bool null = false; v.is_null().get(null) || !null) return simdjson::N_ATOM_ERROR;
        column.missing();
        return SUCCESS;
      case json_type::object:
        break;
    }
    return simdjson::INCORRECT_TYPE;
  }

  static void read_binary(std::string_view bytes, const DataTypeRow& type, Column& column) {
    if (column.is_pixels()) return column.levels(bytes);
    if (type.bytes == 0) return read_texts(bytes, column);
    const auto size = static_cast<size_t>(type.bytes);
    for (; bytes.size() >= size && !column.done(); bytes.remove_prefix(size)) {
      const char* at = bytes.data();
      switch (type.type) {
        case DataType::boolean:
          column.number(*at != 0, *at != 0 ? "true" : "false");
          break;
        case DataType::signed_integer:
          put(size == 1   ? read_as<int8_t>(at)
              : size == 2 ? read_as<int16_t>(at)
              : size == 4 ? read_as<int32_t>(at)
                          : read_as<int64_t>(at),
              column);
          break;
        case DataType::unsigned_integer:
          put(size == 1   ? read_as<uint8_t>(at)
              : size == 2 ? read_as<uint16_t>(at)
              : size == 4 ? read_as<uint32_t>(at)
                          : read_as<uint64_t>(at),
              column);
          break;
        case DataType::floating:
          if (size == 4)
            put(read_as<float>(at), column);
          else
            put(read_as<double>(at), column);
          break;
        case DataType::bytes:
          break;
      }
    }
    if (!bytes.empty()) column.broken(kCutOff);  // too many, or a piece of one
  }

  template <class T>
  static void put(T value, Column& column) {
    char text[40];
    const auto end = fmt::format_to(text, "{}", value);
    column.number(static_cast<double>(value), {text, static_cast<size_t>(end - text)});
  }

  // Each with its length before it, as u32.
  static void read_texts(std::string_view bytes, Column& column) {
    while (bytes.size() >= 4 && !column.done()) {
      const uint32_t size = read_as<uint32_t>(bytes.data());
      bytes.remove_prefix(4);
      if (size > bytes.size() || !simdjson::validate_utf8(bytes.data(), size)) return column.broken(kCutOff);
      column.text(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
    if (!bytes.empty()) column.broken(kCutOff);
  }

  std::string_view binary_;
  CellWriter& cells_;
  Request& request_;
  int64_t rows_ = -1;
};

}  // namespace

struct TensorRows::Impl {
  simdjson::ondemand::parser parser;
  std::string padded;
};

TensorRows::TensorRows() : impl_(std::make_unique<Impl>()) {}
TensorRows::~TensorRows() = default;

OrRefusal<void> TensorRows::read(std::string_view body, size_t header_length, CellWriter& cells,
                                 Request& request) {
  if (header_length > body.size())
    return tl::unexpected(Refusal{.what = "the body is shorter than Inference-Header-Content-Length says"});
  const std::string_view header = header_length == 0 ? body : body.substr(0, header_length);
  if (body.size() > kReaderBytes) {
    const int64_t reading = static_cast<int64_t>(header.size()) + json_size(header).reading_bytes();
    if (auto ok = cells.make_room(body, reading, 0); !ok) return ok;
  }
  std::string& padded = impl_->padded;
  padded.reserve(header.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(header);
  simdjson::ondemand::document json;
  Reading reading(body.substr(header.size()), cells, request);
  error_code error = impl_->parser.iterate(padded.data(), padded.size(), padded.capacity() + 1).get(json);
  object all;
  if (!error) error = json.get_object().get(all);
  if (!error) error = reading.whole(all);
  if (reading.refusal) return tl::unexpected(std::move(*reading.refusal));
  if (error)
    return tl::unexpected(unreadable(
        header, "{\"inputs\": [{\"name\": …, \"shape\": […], \"datatype\": …, \"data\": […]}, …]}"));
  return cells.finish();
}

void TensorRows::give_back() {
  if (impl_->padded.capacity() <= kReaderBytes && impl_->parser.capacity() <= kReaderBytes) return;
  impl_ = std::make_unique<Impl>();  // a text that is assigned an empty one keeps its buffer
}

}  // namespace shoestring::serve
