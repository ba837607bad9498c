// Answers on their way out: JSON in Ludwig's columns, and KServe's tensors.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "serve/inside.h"

namespace shoestring::serve {
namespace {

// A request's answers where the ports of a plan would have them.
void fill_ports(const Request& request, const task::NetworkSpec& spec, train::Ports& ports) {
  ports.predictions.clear();
  const float* block = request.answers.data();
  for (const int64_t size : spec.output_sizes) {
    ports.predictions.push_back(block);
    block += request.rows * size;
  }
}

// Rows as text, one behind the other with commas between.
void write_rows(const Request& request, LiveModel::Inside& inside, data::RowText& text, std::string& out) {
  fill_ports(request, inside.spec, inside.text_ports);
  for (int64_t row = 0; row < request.rows; ++row) {
    text.clear();
    inside.answers.write(inside.text_ports, row, text);
    if (row > 0) out += ", ";
    out += text.view().substr(0, text.size() - 1);  // without the line's end
  }
}

void append_integer(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, fmt::format_to(digits, "{}", value));
}

// ---- tensors -----------------------------------------------------------------------------------

void append_bytes(std::string& out, const void* bytes, size_t size) {
  out.append(static_cast<const char*>(bytes), size);
}

// JSON has no infinity and no NaN.
template <class T>
void append_number(std::string& out, T value) {
  if (std::isfinite(value))
    out += fmt::format("{}", value);
  else
    out += "null";
}

// Cells as the elements of the tensors that are wanted.
class Tensors final : public train::AnswerCells {
 public:
  struct Tensor {
    const AnswerColumn* column = nullptr;
    bool wanted = false, binary = false;
    std::string data = {};
  };
  explicit Tensors(std::vector<Tensor>& tensors) : tensors_(tensors) {}

  void text(std::string_view value) override {
    Tensor& t = next();
    if (!t.wanted) return;
    if (!t.binary) return separate(t), data::append_json(t.data, value);
    const auto size = static_cast<uint32_t>(value.size());
    append_bytes(t.data, &size, sizeof size);
    t.data += value;
  }
  void number(float value) override { put(next(), value); }
  void number(double value) override { put(next(), value); }
  void numbers(const float* values, int count) override {
    Tensor& t = next();
    for (int i = 0; i < count; ++i) put(t, values[i]);
  }
  void texts(std::span<const std::string_view> values) override {
    std::string list = "[";
    for (const std::string_view value : values) {
      if (list.size() > 1) list += ", ";
      data::append_json(list, value);
    }
    text(list + "]");
  }
  void end_row() override { at_ = 0; }

 private:
  Tensor& next() { return tensors_[at_++]; }
  static void separate(Tensor& t) {
    if (!t.data.empty()) t.data += ", ";
  }
  template <class T>
  static void put(Tensor& t, T value) {
    if (!t.wanted) return;
    if (!t.binary) return separate(t), append_number(t.data, value);
    if (t.column->datatype == "FP64") {
      const auto wide = static_cast<double>(value);
      append_bytes(t.data, &wide, sizeof wide);
    } else {
      const auto narrow = static_cast<float>(value);
      append_bytes(t.data, &narrow, sizeof narrow);
    }
  }

  std::vector<Tensor>& tensors_;
  size_t at_ = 0;
};

std::vector<Tensors::Tensor> wanted_tensors(const Request& request, const Description& description) {
  std::vector<Tensors::Tensor> tensors;
  for (const OutputColumns& output : description.outputs)
    for (const AnswerColumn& column : output.columns) {
      const auto asked = std::ranges::find(request.asked, column.name, &Request::AskedTensor::name);
      const bool is_asked = asked != request.asked.end();
      tensors.push_back({.column = &column,
                         .wanted = request.asked.empty() ? !column.of_class : is_asked,
                         .binary = is_asked ? asked->binary : request.binary});
    }
  return tensors;
}

}  // namespace

void write_json(const Request& request, std::string& out) {
  LiveModel::Inside& inside = request.model->inside();
  const std::scoped_lock lock(inside.text_mutex);
  switch (request.orientation) {
    case Orientation::row:
    case Orientation::tensors:
      return write_rows(request, inside, inside.objects, out);
    case Orientation::records:
      out += '[';
      write_rows(request, inside, inside.objects, out);
      out += ']';
      return;
    case Orientation::split:
    case Orientation::columns:
      out += R"({"index": [)";
      for (int64_t row = 0; row < request.rows; ++row) {
        if (row > 0) out += ", ";
        append_integer(out, row);
      }
      out += R"(], "columns": [)";
      for (size_t c = 0; c < inside.answers.columns().size(); ++c) {
        if (c > 0) out += ", ";
        data::append_json(out, inside.answers.columns()[c]);
      }
      out += R"(], "data": [)";
      write_rows(request, inside, inside.arrays, out);
      out += "]}";
  }
}

size_t write_kserve(const Request& request, std::string_view version, std::string& out) {
  LiveModel::Inside& inside = request.model->inside();
  std::vector<Tensors::Tensor> tensors = wanted_tensors(request, inside.description);
  Tensors cells(tensors);
  train::Ports ports;
  fill_ports(request, inside.spec, ports);
  for (int64_t row = 0; row < request.rows; ++row) inside.answers.write(ports, row, cells);

  const size_t before = out.size();
  out += R"({"model_name": )";
  data::append_json(out, inside.description.name);
  out += R"(, "model_version": )";
  data::append_json(out, version);
  if (!request.id.empty()) {
    out += R"(, "id": )";
    data::append_json(out, request.id);
  }
  out += R"(, "outputs": [)";
  bool first = true, any_binary = false;
  for (const Tensors::Tensor& t : tensors) {
    if (!t.wanted) continue;
    out += first ? R"({"name": )" : R"(, {"name": )";
    first = false;
    data::append_json(out, t.column->name);
    out += fmt::format(R"(, "datatype": "{}", "shape": [{})", t.column->datatype, request.rows);
    if (t.column->kind == AnswerColumn::Kind::numbers) out += fmt::format(", {}", t.column->size);
    if (t.binary)
      out += fmt::format(R"(], "parameters": {{"binary_data_size": {}}}}})", t.data.size());
    else
      out.append(R"(], "data": [)").append(t.data).append("]}");
    any_binary |= t.binary;
  }
  out += "]}";
  const size_t header = out.size() - before;
  for (const Tensors::Tensor& t : tensors)
    if (t.wanted && t.binary) out += t.data;
  return any_binary ? header : 0;
}

}  // namespace shoestring::serve
