#include "serve/request.h"

#include <nlohmann/json.hpp>

#include "serve/form_fields.h"
#include "serve/inside.h"
#include "serve/json_rows.h"
#include "serve/tensor_rows.h"

namespace shoestring::serve {
namespace {

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

  void begin(const Model& model, Request& request, const ReadOptions& options) {
    request.clear();
    request.model = model;
    request.orientation = Orientation::row;
    cells.begin(model->inside().cells, request, options);
  }
};

RequestReader::RequestReader() : impl_(std::make_unique<Impl>()) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

OrRefusal<void> RequestReader::read_json(const Model& model, std::string_view body, Request& request,
                                         const ReadOptions& options) {
  impl_->begin(model, request, options);
  auto read = impl_->json.read(body, impl_->cells, request.orientation);
  impl_->json.give_back();
  return read;
}

OrRefusal<void> RequestReader::read_form(const Model& model, std::string_view body,
                                         std::string_view content_type, Request& request,
                                         const ReadOptions& options) {
  const auto fields = read_fields(body, content_type);
  if (!fields)
    return tl::unexpected(Refusal{.why = Refusal::Why::malformed,
                                  .what =
                                      "the body is no form; send it as application/x-www-form-urlencoded or "
                                      "multipart/form-data"});
  impl_->begin(model, request, options);
  CellWriter& cells = impl_->cells;
  const CellTable& table = cells.table();
  if (fields->size() == 1 && (*fields)[0].name == "dataset" && table.find("dataset") == CellTable::kUnknown)
    return read_json(model, (*fields)[0].value, request,
                     {.strict = options.strict, .max_rows = options.max_rows});
  cells.add_row();
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

OrRefusal<void> RequestReader::read_kserve(const Model& model, std::string_view body, size_t header_length,
                                           Request& request, const ReadOptions& options) {
  impl_->begin(model, request, options);
  request.orientation = Orientation::tensors;
  auto read = impl_->tensors.read(body, header_length, impl_->cells, request);
  impl_->tensors.give_back();
  return read;
}

}  // namespace shoestring::serve
