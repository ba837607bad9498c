#include "serve/json_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "serve/json_size.h"

namespace shoestring::serve {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;
using simdjson::ondemand::array;
using simdjson::ondemand::document;
using simdjson::ondemand::field;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr size_t kMostNames = 1 << 16;  // of columns, known or not

// What simdjson takes for a token reaches to the next one.
std::string_view written(std::string_view token) {
  const size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Reading one body. Every step gives simdjson's error code; faults of cells go to the CellWriter.
class Reading {
 public:
  Reading(CellWriter& cells, const char* end) : cells_(cells), end_(end) {}

  error_code whole(document& json, Orientation& orientation) {
    json_type type;
    if (const auto e = json.type().get(type)) return e;
    if (type == json_type::array) {
      orientation = Orientation::records;
      array rows;
      if (const auto e = json.get_array().get(rows)) return e;
      if (const auto e = records(rows)) return e;
    } else if (type == json_type::object) {
      if (const auto e = orientation_of(json, orientation)) return e;
      json.rewind();
      object all;
      if (const auto e = json.get_object().get(all)) return e;
      const auto e = orientation == Orientation::split     ? split(json, all)
                     : orientation == Orientation::columns ? columns(all)
                                                           : one_row(all);
      if (e) return e;
    } else {
      return simdjson::INCORRECT_TYPE;
    }
    if (stopped_ || cells_.enough()) return SUCCESS;  // the rest was not looked at
    return json.current_location().error() == simdjson::OUT_OF_BOUNDS ? SUCCESS : simdjson::TAPE_ERROR;
  }

  std::optional<Refusal> refusal;  // where reading was ended for another reason than JSON's

 private:
  // Told by the first key: a row's is a column, and its value no list where the column takes none.
  error_code orientation_of(document& json, Orientation& orientation) {
    orientation = Orientation::row;
    object all;
    if (const auto e = json.get_object().get(all)) return e;
    for (auto pair : all) {
      field first;
      if (const auto e = std::move(pair).get(first)) return e;
      std::string_view key;
      if (const auto e = first.unescaped_key().get(key)) return e;
      json_type type;
      if (const auto e = first.value().type().get(type)) return e;
      const int input = cells_.table().find(key);
      const bool is_part = key == "columns" || key == "data" || key == "index";
      if (input == CellTable::kUnknown && is_part && type == json_type::array)
        orientation = Orientation::split;
      else if (input >= 0 && type == json_type::array && !takes_lists(input))
        orientation = Orientation::columns;
      break;
    }
    return SUCCESS;
  }

  bool takes_lists(int input) const {
    const auto type = cells_.table().input(input).type;
    return type == task::FeatureType::vector || type == task::FeatureType::set ||
           type == task::FeatureType::bag;
  }

  bool new_row() {
    if (cells_.add_row()) return true;
    refusal = cells_.too_many_rows(cells_.rows() + 1);
    stopped_ = true;
    return false;
  }

  error_code one_row(object& row) {
    if (!new_row()) return SUCCESS;
    const auto& keys = cells_.table().keys();
    size_t expected = 0;  // keys mostly come in the model's order
    for (auto pair : row) {
      field f;
      if (const auto e = std::move(pair).get(f)) return e;
      int input = CellTable::kUnknown;
      const char* key = f.key().raw();
      if (expected < keys.size() && is_key(key, keys[expected].text)) {
        input = keys[expected++].input;
      } else {
        std::string_view name;
        if (const auto e = f.unescaped_key().get(name)) return e;
        input = cells_.table().find(name);
        if (input >= 0) expected = std::min(keys.size(), cells_.column(input).described + 1);
        if (input == CellTable::kUnknown) cells_.unknown(name);
      }
      if (cells_.enough()) return SUCCESS;
      if (input < 0) continue;
      if (const auto e = cell(f.value(), input)) return e;
    }
    cells_.end_row();
    return SUCCESS;
  }

  // `key` is the name as JSON writes it, with the quote behind it.
  bool is_key(const char* at, std::string_view key) const {
    return static_cast<size_t>(end_ - at) >= key.size() && std::memcmp(at, key.data(), key.size()) == 0;
  }

  error_code records(array& rows) {
    for (auto item : rows) {
      object row;
      if (const auto e = item.get_object().get(row)) return e;
      if (const auto e = one_row(row)) return e;
      if (stopped_ || cells_.enough()) return SUCCESS;
    }
    return SUCCESS;
  }

  // The names of "columns", as inputs.
  error_code header(object& all, std::vector<int>& inputs) {
    array names;
    if (const auto e = all.find_field_unordered("columns").get_array().get(names)) return e;
    std::vector<uint8_t> came(cells_.table().columns().size());
    for (auto item : names) {
      std::string_view name;
      if (const auto e = item.get_string().get(name)) return e;
      if (inputs.size() == kMostNames) {
        refusal = Refusal{.what = fmt::format("'columns' has more than {} names", kMostNames)};
        stopped_ = true;
        return SUCCESS;
      }
      inputs.push_back(cells_.table().find(name));
      const bool twice =
          inputs.back() >= 0 && std::exchange(came[static_cast<size_t>(inputs.back())], uint8_t{1}) != 0;
      if (twice) cells_.fault(0, name, "a column once", "it twice");
      if (inputs.back() == CellTable::kUnknown) cells_.unknown(name);
      if (cells_.enough()) return SUCCESS;
    }
    return SUCCESS;
  }

  error_code split(document& json, object& all) {
    for (auto pair : all) {
      std::string_view key;
      if (const auto e = pair.unescaped_key().get(key)) return e;
      if (key != "columns" && key != "data" && key != "index") cells_.unknown(key);
    }
    json.rewind();
    if (const auto e = json.get_object().get(all)) return e;
    std::vector<int> inputs;
    if (const auto e = header(all, inputs)) return missing_part(e, "columns");
    if (stopped_ || cells_.enough()) return SUCCESS;
    array rows;
    if (const auto e = all.find_field_unordered("data").get_array().get(rows)) return missing_part(e, "data");
    for (auto item : rows) {
      array row;
      if (const auto e = item.get_array().get(row)) return e;
      if (!new_row()) return SUCCESS;
      size_t at = 0;
      for (auto each : row) {
        value v;
        if (const auto e = std::move(each).get(v)) return e;
        if (at < inputs.size() && inputs[at] >= 0)
          if (const auto e = cell(v, inputs[at])) return e;
        ++at;
      }
      if (at != inputs.size())
        cells_.fault(cells_.row(), "data", fmt::format("{} values, one for each of columns", inputs.size()),
                     fmt::format("{}", at));
      cells_.end_row();
      if (cells_.enough()) return SUCCESS;
    }
    stopped_ = true;  // what stands behind was looked at before
    return SUCCESS;
  }

  error_code missing_part(error_code e, std::string_view part) {
    if (e == simdjson::NO_SUCH_FIELD || e == simdjson::INCORRECT_TYPE)
      refusal = Refusal{.what = fmt::format(
                            "'{}' is no list; send {{\"columns\": [names], \"data\": [[values], …]}}", part)};
    return e;
  }

  // Lists of one length; the first says how many rows there are.
  error_code columns(object& all) {
    int64_t rows = -1;
    for (auto pair : all) {
      field f;
      if (const auto e = std::move(pair).get(f)) return e;
      std::string_view name;
      if (const auto e = f.unescaped_key().get(name)) return e;
      const int input = cells_.table().find(name);
      if (input == CellTable::kUnknown) cells_.unknown(name);
      if (cells_.enough()) return SUCCESS;
      if (input < 0) continue;
      if (const auto e = column(f.value(), input, name, rows)) return e;
      if (stopped_ || cells_.enough()) return SUCCESS;
    }
    cells_.end_columns();
    return SUCCESS;
  }

  error_code column(value list, int input, std::string_view name, int64_t& rows) {
    json_type type;
    if (const auto e = list.type().get(type)) return e;
    if (type != json_type::array) {
      cells_.fault(0, name, "a list, as the others are", "something else");
      return SUCCESS;
    }
    array items;
    if (const auto e = list.get_array().get(items)) return e;
    const bool is_first = rows < 0;
    int64_t row = 0;
    for (auto item : items) {
      value v;
      if (const auto e = std::move(item).get(v)) return e;
      if (is_first) {
        if (!new_row()) return SUCCESS;
      } else if (row < rows) {
        cells_.at(row);
      }
      if (is_first || row < rows)
        if (const auto e = cell(v, input)) return e;
      if (cells_.enough()) return SUCCESS;
      ++row;
    }
    if (is_first) rows = row;
    if (row != rows)
      cells_.fault(std::min(row, rows), name, fmt::format("{} values, as the first column has", rows),
                   fmt::format("{}", row));
    return SUCCESS;
  }

  error_code cell(value v, int input) {
    json_type type;
    if (const auto e = v.type().get(type)) return e;
    switch (type) {
      case json_type::number: {
        const std::string_view token = v.raw_json_token();
        double number = 0;
        if (const auto e = v.get_double().get(number)) return e;
        cells_.number(input, number,
                      cells_.column(input).way == CellTable::Way::number ? token : written(token));
        return SUCCESS;
      }
      case json_type::string: {
        std::string_view text;
        if (const auto e = v.get_string().get(text)) return e;
        cells_.text(input, text);
        return SUCCESS;
      }
      case json_type::boolean: {
        bool truth = false;
        if (v.get_bool().get(truth)) return simdjson::T_ATOM_ERROR;
        cells_.text(input, truth ? "true" : "false");
        return SUCCESS;
      }
      case json_type::null:
        if (bool null = false; v.is_null().get(null) || !null) return simdjson::N_ATOM_ERROR;
        cells_.missing(input);
        return SUCCESS;
      case json_type::array: {
        array list;
        if (const auto e = v.get_array().get(list)) return e;
        std::string_view text;
        if (const auto e = list.raw_json().get(text)) return e;
        text = written(text);
        if (takes_lists(input))
          cells_.text(input, text);
        else
          cells_.refuse(input, text);
        return SUCCESS;
      }
      case json_type::object: {
        object inner;
        if (const auto e = v.get_object().get(inner)) return e;
        std::string_view text;
        if (const auto e = inner.raw_json().get(text)) return e;
        cells_.refuse(input, written(text));
        return SUCCESS;
      }
    }
    return SUCCESS;
  }

  CellWriter& cells_;
  const char* end_;
  bool stopped_ = false;
};

}  // namespace

struct JsonRows::Impl {
  simdjson::ondemand::parser parser;
  std::string padded;
};

JsonRows::JsonRows() : impl_(std::make_unique<Impl>()) {}
JsonRows::~JsonRows() = default;

OrRefusal<void> JsonRows::read(std::string_view body, CellWriter& cells, Orientation& orientation) {
  if (cells.options().readable_behind < simdjson::SIMDJSON_PADDING) {
    impl_->padded.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    body = impl_->padded.assign(body);
  }
  if (body.size() > kKeptBytes) {
    const JsonSize size = json_size(body);
    if (auto ok = cells.make_room(body, size.reading_bytes(), size.commas + 1); !ok) return ok;
  }
  document json;
  Reading reading(cells, body.data() + body.size());
  error_code error = impl_->parser.iterate(body, body.size() + simdjson::SIMDJSON_PADDING).get(json);
  if (!error) error = reading.whole(json, orientation);
  if (reading.refusal) return tl::unexpected(std::move(*reading.refusal));
  if (error) return tl::unexpected(unreadable(body, "{\"column\": value, …} or a list of such objects"));
  return cells.finish();
}

void JsonRows::give_back() {
  if (impl_->padded.capacity() <= kReaderBytes && impl_->parser.capacity() <= kReaderBytes) return;
  impl_ = std::make_unique<Impl>();  // a text that is assigned an empty one keeps its buffer
}

}  // namespace shoestring::serve
