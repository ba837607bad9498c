#include "data/sniff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "data/csv_text.h"
#include "data/header.h"

namespace shoestring::data {
namespace {

constexpr size_t kHeaderRecords = 200;  // looked at to tell a header from data
// The share of records of the usual width that makes a delimiter likely: where the first record has that
// width too (or one less: see widened), and where it has another.
constexpr double kLikely = 0.5, kNearlyAll = 0.8;

// How regular the sample is under one delimiter and quote.
struct Shape {
  char delimiter, quote;
  int width = 1;  // cells of most records
  int first_width = 1;
  double regular = 0;   // share of records of that width
  double enclosed = 0;  // cells in quotes a record
  int records = 0;

  bool splits() const {
    const bool agree = first_width == width || first_width + 1 == width;
    return width >= 2 && first_width >= 2 && regular >= (agree ? kLikely : kNearlyAll);
  }
};

struct WidthCounter {
  std::map<int, int> widths;
  int first_width = 0, records = 0, enclosed = 0;

  void character(char) {}
  void cell_end(bool quoted) { enclosed += quoted; }
  void record_end(const CsvRecord& record) {
    if (records++ == 0) first_width = record.cells;
    ++widths[record.cells];
  }
};

Shape shape_of(std::string_view sample, bool whole, char delimiter, char quote) {
  CsvScanner scanner(delimiter, quote);
  WidthCounter counter;
  scanner.feed(sample, counter);
  if (whole) scanner.finish(counter);
  Shape shape{delimiter, quote};
  shape.records = counter.records;
  if (counter.records == 0) return shape;
  const auto most = std::max_element(counter.widths.begin(), counter.widths.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  shape.width = most->first;
  shape.first_width = counter.first_width;
  shape.regular = static_cast<double>(most->second) / counter.records;
  shape.enclosed = static_cast<double>(counter.enclosed) / counter.records;
  return shape;
}

Shape best_quote(std::string_view sample, bool whole, char delimiter) {
  const Shape twice = shape_of(sample, whole, delimiter, '"');
  if (twice.enclosed == 0 && sample.find('\'') != std::string_view::npos) {
    const Shape once = shape_of(sample, whole, delimiter, '\'');
    if (once.enclosed >= 0.5 && once.regular >= twice.regular && once.records == twice.records) return once;
  }
  if (twice.enclosed > 0) {
    const Shape none = shape_of(sample, whole, delimiter, 0);
    // A stray quote swallows rows: fewer records, of odd widths.
    if (none.splits() && none.regular > twice.regular + 0.02) return none;
    if (none.splits() && none.regular == 1 && none.width == twice.width && none.records > 2 * twice.records)
      return none;
  }
  return twice;
}

Shape best_shape(std::string_view sample, bool whole, const std::string& path, const ReadOptions& options) {
  if (options.delimiter) return best_quote(sample, whole, *options.delimiter);
  const bool tsv = path.ends_with(".tsv") || path.ends_with(".tsv.gz") || path.ends_with(".tsv.zst") ||
                   path.ends_with(".tab");
  std::optional<Shape> best;
  for (const char delimiter : {'\t', ';', '|', ','}) {
    if (sample.find(delimiter) == std::string_view::npos) continue;
    const Shape shape = best_quote(sample, whole, delimiter);
    if (!shape.splits()) continue;
    if (shape.regular == 1 || (tsv && delimiter == '\t')) return shape;
    if (!best || shape.regular > best->regular) best = shape;
  }
  return best ? *best : best_quote(sample, whole, tsv ? '\t' : ',');
}

std::string name_of(char delimiter) {
  return delimiter == '\t' ? std::string("tabs") : fmt::format("'{}'", delimiter);
}

// The first records, with their cells.
struct Collector {
  std::vector<Cells> records;
  std::vector<CsvRecord> ends;
  Cells cells;
  std::string cell;

  void character(char c) { cell += c; }
  void cell_end(bool) {
    cells.emplace_back(trim(cell));
    cell.clear();
  }
  void record_end(const CsvRecord& record) {
    if (records.size() < kHeaderRecords) {
      records.push_back(std::move(cells));
      ends.push_back(record);
    }
    cells.clear();
  }
};

// Rows one cell wider than the header: a delimiter at each line's end, or row names as R writes them.
Cells widened(Cells header, const Collector& seen, std::vector<std::string>& notes) {
  const bool empty_last = std::all_of(seen.records.begin() + 1, seen.records.end(), [&](const Cells& record) {
    return record.size() != header.size() + 1 || record.back().empty();
  });
  header.insert(empty_last ? header.end() : header.begin(), "");
  notes.push_back(fmt::format("rows have one cell more than the header: it is taken for {}",
                              empty_last ? "an empty last column" : "a first column without a name"));
  return header;
}

}  // namespace

Result<CsvLayout> sniff_csv(std::string_view sample, bool whole, const std::string& path,
                            const ReadOptions& options) {
  const Shape shape = best_shape(sample, whole, path, options);
  if (options.kind && options.delimiter && shape.width == 1) {
    ReadOptions free = options;
    free.delimiter.reset();
    if (const Shape other = best_shape(sample, whole, path, free); other.splits() && other.width > 1)
      return fail(ErrorKind::data,
                  fmt::format("this table is not parted by {}, but by {}", name_of(*options.delimiter),
                              name_of(other.delimiter)),
                  path, "leave --data_format out: what a file is is found by looking");
  }
  Collector seen;
  CsvScanner scanner(shape.delimiter, shape.quote);
  scanner.feed(sample, seen);
  if (whole || seen.records.empty()) scanner.finish(seen);
  if (seen.records.empty()) {
    return fail(ErrorKind::data, "the file holds no rows", path,
                "give a file with a header and at least one row");
  }

  CsvLayout layout;
  layout.format.delimiter = shape.delimiter;
  layout.format.quote = shape.quote;
  layout.format.header =
      options.header ? *options.header : first_is_header(seen.records, options.expected_names);
  if (!layout.format.header) {
    layout.names = numbered_names(shape.width);
    layout.notes.push_back(
        shape.width == 1
            ? std::string("no header row: the column is called column_1")
            : fmt::format("no header row: the columns are called column_1 to column_{}", shape.width));
    return layout;
  }
  Cells header = seen.records[0];
  if (static_cast<size_t>(shape.width) == header.size() + 1)
    header = widened(std::move(header), seen, layout.notes);
  layout.names = header_names(header, layout.notes);
  layout.first_row_at = seen.ends[0].end;
  const auto at = static_cast<size_t>(layout.first_row_at);
  if (at < sample.size() && sample[at] == '\n' && at > 0 && sample[at - 1] == '\r') ++layout.first_row_at;
  if (whole && seen.records.size() == 1) {
    return fail(ErrorKind::data, "the file holds a header and no rows",
                fmt::format("{}:{}", path, seen.ends[0].line),
                "give a file with at least one row below the header");
  }
  return layout;
}

}  // namespace shoestring::data
