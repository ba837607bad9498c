#include "serve/request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "serve/form_fields.h"
#include "serve/inside.h"
#include "serve/json_rows.h"
#include "serve/tensor_rows.h"

namespace shoestring::serve {
namespace {

// Where a text stops to be JSON, in words; nothing where it is JSON.
struct JsonFault : nlohmann::json_sax<nlohmann::json> {
  std::string what = {};

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string_view text = error.what();  // "[json.exception.…] parse error at line 1, column 2: …"
    what = text.substr(std::min(text.size(), text.find("] ") + 2));
    return false;
  }
};

template <class Vector>
void give_back(Vector& values) {
  values.clear();
  if (values.capacity() * sizeof(values[0]) > kKeptBytes) values.shrink_to_fit();
}

}  // namespace

std::string to_json(const Refusal& refusal) {
  nlohmann::json json = {{"error", refusal.what}};
  for (const Fault& fault : refusal.faults)
    json["detail"].push_back({{"loc", {"body", fault.row, fault.column}},
                              {"msg", "expected " + fault.expected},
                              {"type", "value_error"},
                              {"input", fault.got}});
  // What came need not be UTF-8.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Refusal unreadable(std::string_view body, std::string_view wanted) {
  constexpr size_t kMostLookedAt = 256 << 10, kMostSaid = 200;
  JsonFault fault;
  if (body.size() <= kMostLookedAt && !nlohmann::json::sax_parse(body, &fault))
    return {.what = "the body is no JSON: " + fault.what.substr(0, kMostSaid)};
  return {.what = fmt::format("the body is {}not of the form that is read here; send {}",
                              body.size() <= kMostLookedAt ? "" : "no JSON, or ", wanted)};
}

int64_t Request::bytes() const {
  if (!model) return 0;
  return rows * model->memory().answered_row(orientation);
}

void Request::clear() {
  model.reset();
  rows = 0;
  give_back(cells);
  give_back(answers);
  id.clear();
  asked.clear();
  binary = false;
}

struct RequestReader::Impl {
  CellWriter cells;
  JsonRows json;
  TensorRows tensors;

  void begin(const Model& model, Request& request, const ReadOptions& options, Orientation orientation) {
    request.clear();
    request.model = model;
    request.orientation = orientation;
    const LiveModel::Memory memory = model->memory();
    cells.begin(model->inside().cells, request, options,
                {.reading = memory.reading_row, .answered = memory.answered_row(orientation)});
  }
};

RequestReader::RequestReader() : impl_(std::make_unique<Impl>()) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

OrRefusal<void> RequestReader::read_json(const Model& model, std::string_view body, Request& request,
                                         const ReadOptions& options) {
  impl_->begin(model, request, options, Orientation::row);
  auto read = impl_->json.read(body, impl_->cells, request.orientation);
  impl_->json.give_back();
  return read;
}

OrRefusal<void> RequestReader::read_form(const Model& model, std::string_view body,
                                         std::string_view content_type, Request& request,
                                         const ReadOptions& options) {
  impl_->begin(model, request, options, Orientation::row);
  CellWriter& cells = impl_->cells;
  const auto bytes = static_cast<int64_t>(body.size());  // the fields, once more
  if (auto ok = cells.make_room(body, bytes, 0); !ok) return ok;
  const auto fields = read_fields(body, content_type);
  if (!fields) return tl::unexpected(Refusal{.what = fields.error()});
  const CellTable& table = cells.table();
  if (fields->size() == 1 && (*fields)[0].name == "dataset" && table.find("dataset") == CellTable::kUnknown)
    return read_json(model, (*fields)[0].value, request,
                     {.strict = options.strict,
                      .readable_behind = kBehindValue,
                      .max_rows = options.max_rows,
                      .most_bytes = options.most_bytes - bytes,
                      .bytes_now = options.bytes_now - bytes});
  if (!cells.add_row()) return tl::unexpected(cells.too_many_rows(1));
  for (const FormField& field : *fields) {
    const int input = table.find(field.name);
    if (input >= 0)
      cells.text(input, field.value);
    else if (input == CellTable::kUnknown)
      cells.unknown(field.name);
  }
  cells.end_row();
  return cells.finish();
}

OrRefusal<void> RequestReader::read_picture(const Model& model, std::string_view body, Request& request,
                                            const ReadOptions& options) {
  impl_->begin(model, request, options, Orientation::row);
  CellWriter& cells = impl_->cells;
  if (auto ok = cells.make_room(body, static_cast<int64_t>(body.size()), 0); !ok) return ok;
  if (!cells.add_row()) return tl::unexpected(cells.too_many_rows(1));
  std::string file;
  file.reserve(body.size() + kBehindValue);
  file = body;
  cells.text(cells.table().find(model->description().inputs[0].name), file);
  cells.end_row();
  return cells.finish();
}

OrRefusal<void> RequestReader::read_kserve(const Model& model, std::string_view body, size_t header_length,
                                           Request& request, const ReadOptions& options) {
  impl_->begin(model, request, options, Orientation::tensors);
  auto read = impl_->tensors.read(body, header_length, impl_->cells, request);
  impl_->tensors.give_back();
  return read;
}

}  // namespace shoestring::serve
