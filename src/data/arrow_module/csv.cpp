// CSV through Arrow's block parser: synchronous, on the calling thread. Arrow's readers of whole files
// bring thread pools and read-ahead, which a bounded, single-threaded stream has no use for.
#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/csv/converter.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <vector>

#include "data/arrow_module.h"
#include "data/arrow_module/pool.h"

namespace shoestring::data {
namespace {

namespace csv = arrow::csv;

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

  csv::ConvertOptions convert = csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;  // the whole block was checked, at once
  ARROW_ASSIGN_OR_RAISE(auto converter, csv::Converter::Make(arrow::utf8(), convert, counting_pool()));
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int32_t c = 0; c < grammar.columns; ++c) {
    ARROW_ASSIGN_OR_RAISE(auto column, converter->Convert(parser, c));
    columns.push_back(std::move(column));
    fields.push_back(arrow::field("", arrow::utf8()));
  }
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), parser.num_rows(), std::move(columns));
  return arrow::ExportRecordBatch(*batch, reinterpret_cast<::ArrowArray*>(&out.rows));
}

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

constexpr ArrowModule kModule{
    .version = kArrowModuleVersion,
    .parse_csv = parse_csv,
    .pool_bytes = []() noexcept { return counting_pool()->bytes_allocated(); },
    .pool_peak_bytes = []() noexcept { return counting_pool()->max_memory(); },
};

}  // namespace
}  // namespace shoestring::data

extern "C" const shoestring::data::ArrowModule* shoestring_arrow_module() {
  return &shoestring::data::kModule;
}
