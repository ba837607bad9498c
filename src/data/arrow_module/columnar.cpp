// Parquet and Arrow IPC (Feather) files, a few thousand rows at a time. Nothing in them is trusted: each
// batch is validated in full before a value of it is looked at.
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

#include "data/arrow_module/cells.h"
#include "data/arrow_module/parts.h"
#include "data/arrow_module/pool.h"

namespace shoestring::data {
namespace {

using arrow::Result;
using arrow::Status;

constexpr int64_t kBatchRows = 4096;
constexpr int64_t kBatchBytes = 8 << 20;   // of rows that are long, as pictures are, fewer come at a time
constexpr int64_t kPageBuffer = 64 << 10;  // read ahead of a Parquet column

int64_t rows_at_a_time(int64_t bytes, int64_t rows) {
  return rows <= 0 ? kBatchRows : std::clamp<int64_t>(kBatchBytes / (bytes / rows + 1), 1, kBatchRows);
}

class Table {
 public:
  virtual ~Table() = default;
  // Which fields to read from then on; called once.
  virtual Status want(const std::vector<int>& wanted) = 0;
  // Null at the end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;

  // The next few rows of a batch of any size.
  Result<std::shared_ptr<arrow::RecordBatch>> next_rows() {
    while (at_ == (batch_ ? batch_->num_rows() : 0)) {
      at_ = 0;
      ARROW_ASSIGN_OR_RAISE(batch_, next());
      if (!batch_) return batch_;
      ARROW_RETURN_NOT_OK(batch_->ValidateFull());
      bytes_ = arrow::util::TotalBufferSize(*batch_);
    }
    const int64_t count = std::min(rows_at_a_time(bytes_, batch_->num_rows()), batch_->num_rows() - at_);
    auto slice = batch_->Slice(at_, count);
    at_ += count;
    return slice;
  }

  std::shared_ptr<arrow::Schema> schema;
  int64_t rows = -1;
  std::vector<const char*> names;
  std::vector<int> fields;  // wanted, ascending
  bool begun = false;

 private:
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t at_ = 0, bytes_ = 0;
};

class ParquetTable final : public Table {
 public:
  static Result<std::unique_ptr<Table>> open(const std::string& path) {
    auto table = std::make_unique<ParquetTable>();
    parquet::ReaderProperties properties(counting_pool());
    properties.enable_buffered_stream();
    properties.set_buffer_size(kPageBuffer);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.OpenFile(path, /*memory_map=*/false, properties));
    arrow_properties.set_batch_size(batch_rows(*builder.raw_reader()->metadata()));
    builder.memory_pool(counting_pool())->properties(arrow_properties);
    ARROW_ASSIGN_OR_RAISE(table->reader_, builder.Build());
    ARROW_RETURN_NOT_OK(table->reader_->GetSchema(&table->schema));
    table->rows = table->reader_->parquet_reader()->metadata()->num_rows();
    return table;
  }

  Status want(const std::vector<int>& wanted) override {
    std::vector<int> groups(static_cast<size_t>(reader_->num_row_groups())), leaves;
    for (size_t g = 0; g < groups.size(); ++g) groups[g] = static_cast<int>(g);
    for (const int field : wanted)
      add_leaves(reader_->manifest().schema_fields[static_cast<size_t>(field)], leaves);
    ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader(groups, leaves));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    return batch;
  }

 private:
  static int64_t batch_rows(const parquet::FileMetaData& file) {
    int64_t rows = kBatchRows;
    for (int g = 0; g < file.num_row_groups(); ++g) {
      const auto group = file.RowGroup(g);
      rows =
          std::min(rows, rows_at_a_time(std::max<int64_t>(group->total_byte_size(), 0), group->num_rows()));
    }
    return rows;
  }

  static void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.is_leaf()) leaves.push_back(field.column_index);
    for (const auto& child : field.children) add_leaves(child, leaves);
  }

  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // gone before the reader
};

arrow::ipc::IpcReadOptions ipc_options() {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = counting_pool();
  options.use_threads = false;
  return options;
}

// The file format of IPC: batches with a footer.
class FeatherTable final : public Table {
 public:
  static Result<std::unique_ptr<Table>> open(std::shared_ptr<arrow::io::RandomAccessFile> file) {
    auto table = std::make_unique<FeatherTable>();
    ARROW_ASSIGN_OR_RAISE(table->reader_, arrow::ipc::RecordBatchFileReader::Open(file, ipc_options()));
    table->file_ = std::move(file);
    table->schema = table->reader_->schema();
    if (table->reader_->num_record_batches() == 0) table->rows = 0;
    return table;
  }

  Status want(const std::vector<int>& wanted) override {
    if (static_cast<int>(wanted.size()) == schema->num_fields()) return Status::OK();
    auto options = ipc_options();
    options.included_fields = wanted;
    return arrow::ipc::RecordBatchFileReader::Open(file_, options).Value(&reader_);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (at_ == reader_->num_record_batches()) return std::shared_ptr<arrow::RecordBatch>();
    return reader_->ReadRecordBatch(at_++);
  }

 private:
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  int at_ = 0;
};

// The stream format: batches until the end.
class StreamTable final : public Table {
 public:
  static Result<std::unique_ptr<Table>> open(std::shared_ptr<arrow::io::RandomAccessFile> file) {
    auto table = std::make_unique<StreamTable>();
    ARROW_ASSIGN_OR_RAISE(table->reader_, arrow::ipc::RecordBatchStreamReader::Open(file, ipc_options()));
    table->file_ = std::move(file);
    table->schema = table->reader_->schema();
    return table;
  }

  Status want(const std::vector<int>& wanted) override {
    if (static_cast<int>(wanted.size()) == schema->num_fields()) return Status::OK();
    auto options = ipc_options();
    options.included_fields = wanted;
    ARROW_RETURN_NOT_OK(file_->Seek(0));
    return arrow::ipc::RecordBatchStreamReader::Open(file_, options).Value(&reader_);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
    return batch;
  }

 private:
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
};

Result<std::unique_ptr<Table>> open_ipc(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::RandomAccessFile> file,
                        arrow::io::ReadableFile::Open(path, counting_pool()));
  char magic[6] = {};
  ARROW_RETURN_NOT_OK(file->ReadAt(0, sizeof magic, magic));
  if (std::string_view(magic, sizeof magic) == "ARROW1") return FeatherTable::open(std::move(file));
  ARROW_RETURN_NOT_OK(file->Seek(0));
  return StreamTable::open(std::move(file));
}

Result<ArrowArray> read_rows(Table& table, const uint8_t* wanted) {
  const auto width = static_cast<size_t>(table.schema->num_fields());
  if (!table.begun) {
    table.begun = true;
    for (size_t f = 0; f < width; ++f)
      if (wanted[f]) table.fields.push_back(static_cast<int>(f));
    if (table.fields.empty()) table.fields.push_back(0);  // rows are counted by a column
    ARROW_RETURN_NOT_OK(table.want(table.fields));
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, table.next_rows());
  const int64_t rows = batch ? batch->num_rows() : 0;
  if (batch && static_cast<size_t>(batch->num_columns()) != table.fields.size())
    return Status::Invalid("a batch has ", batch->num_columns(), " columns, not ", table.fields.size());
  std::vector<TextCells> columns(width);
  size_t at = 0;
  for (size_t f = 0; f < width; ++f) {
    if (batch && at < table.fields.size() && table.fields[at] == static_cast<int>(f))
      ARROW_RETURN_NOT_OK(append_cells(*batch->column(static_cast<int>(at++)), columns[f]));
    else
      append_absent(rows, columns[f]);
  }
  return batch_of(std::move(columns), rows);
}

// The first line of what Arrow says: it may go on with the place in its own sources.
void tell(const Status& status, char* message) {
  std::string text = status.message();
  text.resize(std::min(text.find('\n'), text.size()));
  std::snprintf(message, kMessageBytes, "%s", text.c_str());
}

// Runs what may fail in Arrow's ways or by an exception.
template <class Work>
bool guarded(char* message, Work&& work) noexcept {
  try {
    const Status status = work();
    if (status.ok()) return true;
    tell(status, message);
  } catch (const std::exception& e) {
    std::snprintf(message, kMessageBytes, "%s", e.what());
  }
  return false;
}

}  // namespace

bool open_columnar(const char* path, bool parquet, ColumnarTable& out) noexcept {
  out = ColumnarTable{};
  return guarded(out.message, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(auto table, parquet ? ParquetTable::open(path) : open_ipc(path));
    for (const auto& field : table->schema->fields()) table->names.push_back(field->name().c_str());
    out.columns = static_cast<int32_t>(table->names.size());
    out.rows = table->rows;
    out.names = table->names.data();
    out.handle = table.release();
    return Status::OK();
  });
}

bool next_columnar(ColumnarTable& table, const uint8_t* wanted, ArrowArray& rows) noexcept {
  return guarded(table.message,
                 [&] { return read_rows(*static_cast<Table*>(table.handle), wanted).Value(&rows); });
}

void close_columnar(ColumnarTable& table) noexcept { delete static_cast<Table*>(table.handle); }

}  // namespace shoestring::data
