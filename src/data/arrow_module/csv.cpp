// CSV through Arrow's block parser: synchronous, on the calling thread. Arrow's readers of whole files
// bring thread pools and read-ahead, which a bounded, single-threaded stream has no use for; its
// converters reserve a block for every column, where all columns together fit in one.
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/memory_pool.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "data/arrow_module/parts.h"
#include "data/arrow_module/pool.h"

namespace shoestring::data {
namespace {

namespace csv = arrow::csv;

constexpr int64_t kAlignment = 64;

// Bytes from the counting pool.
class Bytes {
 public:
  explicit Bytes(int64_t size) : size_(size) {
    if (!counting_pool()->Allocate(size, kAlignment, &data_).ok()) throw std::bad_alloc();
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { counting_pool()->Free(data_, size_, kAlignment); }
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  int64_t size_;
};

struct Column {
  const void* buffers[3];  // validity (none), offsets, text
  ArrowArray array;
};

// All columns of a batch: their offsets one after the other, [columns, rows + 1], and their text likewise.
struct Batch {
  Batch(int32_t column_count, int64_t rows, int64_t text_bytes)
      : offsets(column_count * (rows + 1) * static_cast<int64_t>(sizeof(int32_t))),
        text(text_bytes),
        columns(static_cast<size_t>(column_count)) {}

  Bytes offsets, text;
  std::vector<Column> columns;
  std::vector<ArrowArray*> children;
  const void* no_validity = nullptr;
};

void release_column(ArrowArray* array) { array->release = nullptr; }

void release_batch(ArrowArray* array) {
  delete static_cast<Batch*>(array->private_data);
  array->release = nullptr;
}

// Column by column, from the parser's row-major cells.
ArrowArray transpose(const csv::BlockParser& parser, int32_t column_count) {
  const int64_t rows = parser.num_rows();
  auto batch = std::make_unique<Batch>(column_count, rows, parser.num_bytes());
  auto* offset = reinterpret_cast<int32_t*>(batch->offsets.data());
  uint8_t* text = batch->text.data();
  for (int32_t c = 0; c < column_count; ++c) {
    Column& column = batch->columns[static_cast<size_t>(c)];
    column.buffers[0] = nullptr;
    column.buffers[1] = offset;
    column.buffers[2] = text;
    uint8_t* const begin = text;
    *offset++ = 0;
    (void)parser.VisitColumn(c, [&](const uint8_t* cell, uint32_t size, bool, bool) {
      std::memcpy(text, cell, size);
      text += size;
      *offset++ = static_cast<int32_t>(text - begin);
      return arrow::Status::OK();
    });
    column.array = ArrowArray{};
    column.array.length = rows;
    column.array.n_buffers = 3;
    column.array.buffers = column.buffers;
    column.array.release = release_column;
    batch->children.push_back(&column.array);
  }
  ArrowArray array{};
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = &batch->no_validity;
  array.n_children = column_count;
  array.children = batch->children.data();
  array.release = release_batch;
  array.private_data = batch.release();
  return array;
}

arrow::Status parse(const CsvGrammar& grammar, std::string_view text, bool final, CsvBlock& out) {
  csv::ParseOptions options = csv::ParseOptions::Defaults();
  options.delimiter = grammar.delimiter;
  options.quoting = grammar.quote != 0;
  if (options.quoting) options.quote_char = grammar.quote;
  options.newlines_in_values = true;
  options.invalid_row_handler = [&](const csv::InvalidRow& row) {
    if (out.ragged++ == 0) {
      out.ragged_at = row.text.data() - text.data();
      out.ragged_cells = row.actual_columns;
    }
    return csv::InvalidRowResult::Skip;
  };
  csv::BlockParser parser(counting_pool(), options, grammar.columns, /*first_row=*/0,
                          std::numeric_limits<int32_t>::max());
  uint32_t consumed = 0;
  ARROW_RETURN_NOT_OK(final ? parser.ParseFinal(text, &consumed) : parser.Parse(text, &consumed));
  out.consumed = consumed;
  out.rows = transpose(parser, grammar.columns);
  return arrow::Status::OK();
}

}  // namespace

bool parse_csv(const CsvGrammar& grammar, const char* text, int64_t bytes, bool final,
               CsvBlock& out) noexcept {
  out = CsvBlock{};
  try {
    const arrow::Status status = parse(grammar, {text, static_cast<size_t>(bytes)}, final, out);
    if (status.ok()) return true;
    std::snprintf(out.message, sizeof out.message, "%s", status.message().c_str());
  } catch (const std::exception& e) {
    std::snprintf(out.message, sizeof out.message, "%s", e.what());
  }
  return false;
}

}  // namespace shoestring::data
