#include "data/arrow_module/cells.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>
#include <arrow/visit_array_inline.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

namespace shoestring::data {
namespace {

using arrow::Status;
using arrow::TimeUnit;

constexpr int kDeepest = 64;

template <class Number>
void put_number(Number value, std::string& out) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

int64_t per_second(TimeUnit::type unit) {
  constexpr int64_t kUnits[] = {1, 1'000, 1'000'000, 1'000'000'000};
  return kUnits[unit];
}

void put_date(int64_t days, std::string& out) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// `ticks` since midnight; a fraction only if there is one.
void put_time(int64_t ticks, int64_t ticks_a_second, std::string& out) {
  const int64_t seconds = ticks / ticks_a_second, fraction = ticks % ticks_a_second;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (fraction == 0) return;
  std::string digits = std::to_string(ticks_a_second + fraction);
  digits.erase(digits.find_last_not_of('0') + 1);
  digits[0] = '.';
  out += digits;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Years that chrono's calendar holds.
constexpr int64_t kMostDays = 11'000'000;

// One cell of any type. False: no value.
class CellWriter {
 public:
  explicit CellWriter(std::string& out) : out_(out) {}

  arrow::Result<bool> write(const arrow::Array& array, int64_t row, int depth) {
    if (array.IsNull(row)) return false;
    row_ = row;
    depth_ = depth;
    has_value_ = true;
    ARROW_RETURN_NOT_OK(arrow::VisitArrayInline(array, this));
    return has_value_;
  }

  Status Visit(const arrow::NullArray&) { return none(); }
  Status Visit(const arrow::BooleanArray& a) { return put(a.Value(row_) ? "true" : "false"); }
  Status Visit(const arrow::HalfFloatArray& a) {
    return real(arrow::util::Float16::FromBits(a.Value(row_)).ToFloat());
  }
  template <class T>
  arrow::enable_if_integer<T, Status> Visit(const arrow::NumericArray<T>& a) {
    put_number(a.Value(row_), out_);
    return Status::OK();
  }
  Status Visit(const arrow::FloatArray& a) { return real(a.Value(row_)); }
  Status Visit(const arrow::DoubleArray& a) { return real(a.Value(row_)); }
  Status Visit(const arrow::Date32Array& a) { return date(a.Value(row_)); }
  Status Visit(const arrow::Date64Array& a) { return date(floor_div(a.Value(row_), 86'400'000)); }
  Status Visit(const arrow::TimestampArray& a) {
    const int64_t unit = per_second(static_cast<const arrow::TimestampType&>(*a.type()).unit());
    const int64_t value = a.Value(row_), a_day = 86'400 * unit, days = floor_div(value, a_day);
    ARROW_RETURN_NOT_OK(date(days));
    out_ += ' ';
    put_time(value - days * a_day, unit, out_);
    return Status::OK();
  }
  Status Visit(const arrow::Time32Array& a) {
    return time(a.Value(row_), static_cast<const arrow::Time32Type&>(*a.type()).unit());
  }
  Status Visit(const arrow::Time64Array& a) {
    return time(a.Value(row_), static_cast<const arrow::Time64Type&>(*a.type()).unit());
  }
  Status Visit(const arrow::DurationArray& a) {  // in seconds
    const auto unit = per_second(static_cast<const arrow::DurationType&>(*a.type()).unit());
    put_number(static_cast<double>(a.Value(row_)) / static_cast<double>(unit), out_);
    return Status::OK();
  }
  Status Visit(const arrow::Decimal32Array& a) { return put(a.FormatValue(row_)); }
  Status Visit(const arrow::Decimal64Array& a) { return put(a.FormatValue(row_)); }
  Status Visit(const arrow::Decimal128Array& a) { return put(a.FormatValue(row_)); }
  Status Visit(const arrow::Decimal256Array& a) { return put(a.FormatValue(row_)); }
  Status Visit(const arrow::BinaryArray& a) { return put(a.GetView(row_)); }
  Status Visit(const arrow::LargeBinaryArray& a) { return put(a.GetView(row_)); }
  Status Visit(const arrow::BinaryViewArray& a) { return put(a.GetView(row_)); }
  Status Visit(const arrow::FixedSizeBinaryArray& a) { return put(a.GetView(row_)); }
  Status Visit(const arrow::DictionaryArray& a) { return again(*a.dictionary(), a.GetValueIndex(row_)); }
  Status Visit(const arrow::ExtensionArray& a) { return again(*a.storage(), row_); }
  Status Visit(const arrow::ListArray& a) {
    return list(*a.values(), a.value_offset(row_), a.value_length(row_));
  }
  Status Visit(const arrow::LargeListArray& a) {
    return list(*a.values(), a.value_offset(row_), a.value_length(row_));
  }
  Status Visit(const arrow::FixedSizeListArray& a) {
    return list(*a.values(), a.value_offset(row_), a.value_length(row_));
  }
  Status Visit(const arrow::StructArray& a) {
    const int64_t row = row_;
    if (depth_ == 0 && is_picture(a.struct_type())) {
      const auto bytes = a.GetFieldByName("bytes");
      return again(bytes->IsNull(row) ? *a.GetFieldByName("path") : *bytes, row);
    }
    out_ += '{';
    for (int f = 0; f < a.num_fields(); ++f) {
      if (f > 0) out_ += ',';
      put_json_string(a.struct_type()->field(f)->name());
      out_ += ':';
      ARROW_RETURN_NOT_OK(json(*a.field(f), row));
    }
    out_ += '}';
    has_value_ = true;
    return Status::OK();
  }
  Status Visit(const arrow::Array& a) {
    return Status::NotImplemented("columns of type ", a.type()->ToString(), " are not read");
  }

 private:
  static bool is_picture(const arrow::StructType* type) {
    const auto bytes = type->GetFieldByName("bytes"), path = type->GetFieldByName("path");
    return type->num_fields() == 2 && bytes && path && arrow::is_binary_like(bytes->type()->id()) &&
           arrow::is_string(path->type()->id());
  }
  Status none() {
    has_value_ = false;
    return Status::OK();
  }
  Status put(std::string_view text) {
    out_ += text;
    return Status::OK();
  }
  template <class Real>
  Status real(Real value) {
    if (std::isnan(value)) return none();
    put_number(value, out_);
    return Status::OK();
  }
  Status date(int64_t days) {
    if (days > kMostDays || days < -kMostDays) return Status::Invalid("a date lies beyond the year 32767");
    put_date(days, out_);
    return Status::OK();
  }
  Status time(int64_t value, TimeUnit::type unit) {
    if (value < 0 || value / per_second(unit) >= 86'400)
      return Status::Invalid("a time of day lies beyond it");
    put_time(value, per_second(unit), out_);
    return Status::OK();
  }
  Status again(const arrow::Array& array, int64_t row) {
    if (depth_ >= kDeepest) return Status::Invalid("values stand in one another too deeply");
    ARROW_ASSIGN_OR_RAISE(has_value_, CellWriter(out_).write(array, row, depth_ + 1));
    return Status::OK();
  }

  Status list(const arrow::Array& values, int64_t first, int64_t count) {
    if (depth_ == 0 && (arrow::is_numeric(values.type_id()) || values.type_id() == arrow::Type::BOOL)) {
      for (int64_t i = first; i < first + count; ++i) {
        if (i > first) out_ += ' ';
        ARROW_ASSIGN_OR_RAISE(const bool there, CellWriter(out_).write(values, i, depth_ + 1));
        if (!there) out_ += "nan";
      }
      has_value_ = count > 0;
      return Status::OK();
    }
    out_ += '[';
    for (int64_t i = first; i < first + count; ++i) {
      if (i > first) out_ += ',';
      ARROW_RETURN_NOT_OK(json(values, i));
    }
    out_ += ']';
    has_value_ = true;
    return Status::OK();
  }

  // A value within another. What is no number, truth value, list or struct is a string.
  Status json(const arrow::Array& array, int64_t row) {
    if (depth_ >= kDeepest) return Status::Invalid("values stand in one another too deeply");
    const size_t begin = out_.size();
    ARROW_ASSIGN_OR_RAISE(const bool there, CellWriter(out_).write(array, row, depth_ + 1));
    if (!there) {
      out_.resize(begin);
      out_ += "null";
      return Status::OK();
    }
    const arrow::Type::type id = array.type_id();
    if (arrow::is_nested(id) || arrow::is_numeric(id) || arrow::is_decimal(id) || id == arrow::Type::BOOL)
      return Status::OK();
    const std::string text = out_.substr(begin);
    out_.resize(begin);
    put_json_string(text);
    return Status::OK();
  }

  void put_json_string(std::string_view text) {
    out_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string& out_;
  int64_t row_ = 0;
  int depth_ = 0;
  bool has_value_ = true;
};

void end_cell(bool there, TextCells& out) {
  const size_t row = out.offsets.size() - 1;
  if (row % 8 == 0) out.validity.push_back(0);
  if (there) out.validity.back() |= static_cast<uint8_t>(1u << (row % 8));
  out.offsets.push_back(static_cast<int32_t>(out.text.size()));
}

struct Column {
  TextCells cells;
  const void* buffers[3];
  ArrowArray array{};
};

struct Batch {
  std::vector<Column> columns;
  std::vector<ArrowArray*> children;
  const void* no_validity = nullptr;
};

void release_column(ArrowArray* array) { array->release = nullptr; }

void release_batch(ArrowArray* array) {
  delete static_cast<Batch*>(array->private_data);
  array->release = nullptr;
}

}  // namespace

arrow::Status append_cells(const arrow::Array& array, TextCells& out) {
  CellWriter writer(out.text);
  for (int64_t row = 0; row < array.length(); ++row) {
    const size_t begin = out.text.size();
    ARROW_ASSIGN_OR_RAISE(const bool there, writer.write(array, row, 0));
    if (!there) out.text.resize(begin);
    if (out.text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      return Status::CapacityError("cells are too long");
    end_cell(there, out);
  }
  return Status::OK();
}

void append_absent(int64_t rows, TextCells& out) {
  for (int64_t row = 0; row < rows; ++row) end_cell(false, out);
}

ArrowArray batch_of(std::vector<TextCells> columns, int64_t rows) {
  auto batch = std::make_unique<Batch>();
  batch->columns.resize(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    Column& column = batch->columns[c];
    column.cells = std::move(columns[c]);
    column.buffers[0] = column.cells.validity.data();
    column.buffers[1] = column.cells.offsets.data();
    column.buffers[2] = column.cells.text.data();
    column.array.length = rows;
    column.array.null_count = -1;
    column.array.n_buffers = 3;
    column.array.buffers = column.buffers;
    column.array.release = release_column;
    batch->children.push_back(&column.array);
  }
  ArrowArray array{};
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = &batch->no_validity;
  array.n_children = static_cast<int64_t>(batch->children.size());
  array.children = batch->children.data();
  array.release = release_batch;
  array.private_data = batch.release();
  return array;
}

}  // namespace shoestring::data
