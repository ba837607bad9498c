// Parquet and Feather, through the module that links Arrow: batch by batch, only the columns that are wanted.
#include <fmt/format.h>

#include <vector>

#include "data/arrow_module.h"
#include "data/readers.h"

namespace shoestring::data {
namespace {

class ColumnarReader final : public TableReader {
 public:
  ColumnarReader(const std::string& path, TableKind kind, const ArrowModule* arrow,
                 const ColumnarTable& table)
      : arrow_(arrow), table_(table), wanted_(static_cast<size_t>(table.columns), 1) {
    path_ = path;
    format_ = TableFormat{.kind = kind, .delimiter = 0, .quote = 0, .header = false};
    for (int32_t c = 0; c < table.columns; ++c) names_.emplace_back(table.names[c]);
  }
  ColumnarReader(const ColumnarReader&) = delete;
  ColumnarReader& operator=(const ColumnarReader&) = delete;
  ~ColumnarReader() override { close(); }

  void only(std::span<const int> columns) override {
    wanted_.assign(wanted_.size(), 0);
    for (const int column : columns) wanted_[static_cast<size_t>(column)] = 1;
  }

  Result<std::optional<RecordBatch>> next() override {
    if (table_.handle == nullptr) return std::nullopt;
    ArrowArray rows{};
    if (!arrow_->next_columnar(table_, wanted_.data(), rows))
      return fail(ErrorKind::data, fmt::format("the file is damaged: {}", table_.message), place(rows_),
                  "copy or write it again");
    RecordBatch batch(rows, rows_);
    if (batch.rows() == 0) {
      close();
      return std::nullopt;
    }
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override { return row + 1; }
  std::string place(int64_t row) override { return fmt::format("{}, row {}", path_, row + 1); }

 private:
  void close() {
    if (table_.handle != nullptr) arrow_->close_columnar(table_);
    table_.handle = nullptr;
  }

  const ArrowModule* arrow_;
  ColumnarTable table_;
  std::vector<uint8_t> wanted_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_columnar(const std::string& path, TableKind kind) {
  const auto arrow = arrow_module();
  if (!arrow) return fail(arrow.error());
  ColumnarTable table{};
  const bool parquet = kind == TableKind::parquet;
  if (!(*arrow)->open_columnar(path.c_str(), parquet, table))
    return fail(ErrorKind::data,
                fmt::format("the {} file is damaged: {}", parquet ? "Parquet" : "Feather", table.message),
                path, "copy or write it again");
  auto reader = std::make_unique<ColumnarReader>(path, kind, *arrow, table);
  if (table.columns == 0)
    return fail(ErrorKind::data, "the file has no columns", path, "give a file with at least one column");
  if (table.rows == 0)
    return fail(ErrorKind::data, "the file holds no rows", path, "give a file with at least one row");
  return reader;
}

}  // namespace shoestring::data
