#include "train/read_tables.h"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/sources.h"
#include "data/split.h"
#include "train/read_ahead.h"
#include "train/row_faults.h"

namespace shoestring::train {
namespace {

constexpr int64_t kMaxRows = (int64_t{1} << 32) - 2;

struct Source {
  const std::string* path;
  uint8_t split;
};

std::vector<Source> sources_of(const DataFiles& files) {
  if (!files.dataset.empty()) return {{&files.dataset, data::kUnused}};
  std::vector<Source> sources{{&files.training_set, data::kTrain}};
  if (!files.validation_set.empty()) sources.push_back({&files.validation_set, data::kValidation});
  if (!files.test_set.empty()) sources.push_back({&files.test_set, data::kTest});
  return sources;
}

// What cells name and cannot be read.
Status check_broken(const data::BadCells& bad, const std::string& column, data::TableReader& reader,
                    double tolerance, const LogSink& log) {
  const auto more = bad.count - std::ssize(bad.reasons);
  const std::string list =
      fmt::format("{}{}", fmt::join(bad.reasons, "; "), more > 0 ? fmt::format("; and {} more", more) : "");
  const std::string what =
      fmt::format("{} of {} cannot be read", count_of(bad.count, "picture"), reader.rows());
  const std::string where = fmt::format("{}, column '{}'", reader.path(), column);
  if (static_cast<double>(bad.count) > tolerance * static_cast<double>(reader.rows()))
    return fail(ErrorKind::data, fmt::format("{}: {}", what, list), where,
                "repair the files or take them out; up to 5 % may be broken");
  if (log) log(LogLevel::note, fmt::format("{}: {} and left out: {}", where, what, list));
  return {};
}

// Cells that are no number, vector or date: a note, or above the tolerance an error.
template <class Feature>
Status check_cells(const std::vector<Feature>& features, std::vector<data::BadCells>& bad,
                   data::TableReader& reader, double tolerance, const LogSink& log) {
  for (size_t i = 0; i < bad.size(); ++i) {
    if (bad[i].count == 0) continue;
    const std::string_view wanted = task::cell_of(features[i].type());
    if (!bad[i].reasons.empty()) {
      if (auto ok = check_broken(bad[i], features[i].column, reader, tolerance, log); !ok) return ok;
      bad[i] = {};
      continue;
    }
    if (auto ok = data::check_bad_cells(bad[i], reader.rows(), tolerance, features[i].column, wanted, reader);
        !ok)
      return ok;
    if (log)
      log(LogLevel::note,
          fmt::format("{}, column '{}': '{}' is not {}; {} taken as missing", reader.place(bad[i].first_row),
                      features[i].column, bad[i].first_value, wanted, count_of(bad[i].count, "cell")));
    bad[i] = {};
  }
  return {};
}

// A reader that gives up when it is asked to.
class StoppableReader final : public data::TableReader {
 public:
  StoppableReader(std::unique_ptr<data::TableReader> reader, const std::atomic<bool>* stop)
      : reader_(std::move(reader)), stop_(stop) {
    path_ = reader_->path();
    format_ = reader_->format();
    names_ = reader_->names();
    notes_ = reader_->notes();
  }
  Result<std::optional<data::RecordBatch>> next() override {
    if (stop_->load(std::memory_order_relaxed))
      return fail(ErrorKind::interrupted, "stopped while the table was read", path_,
                  "run the same command again");
    auto batch = reader_->next();
    ragged_ = reader_->ragged();
    notes_ = reader_->notes();
    rows_ = reader_->rows();
    return batch;
  }
  int64_t line_of(int64_t row) override { return reader_->line_of(row); }
  std::string place(int64_t row) override { return reader_->place(row); }
  void only(std::span<const int> columns) override { reader_->only(columns); }
  std::vector<data::TableFile> files() const override { return reader_->files(); }
  Result<std::shared_ptr<const data::PictureFiles>> pictures() const override { return reader_->pictures(); }

 private:
  std::unique_ptr<data::TableReader> reader_;
  const std::atomic<bool>* stop_;
};

// A table that cannot be held has no random split of exact shares: one that goes by rows takes its place.
void split_by_row(task::Recipe& recipe, const data::TableReader& table) {
  auto& split = recipe.preprocessing.split;
  if (!split && table.index_of("split") < 0) split = task::RandomSplit{};
  if (auto* random = split ? std::get_if<task::RandomSplit>(&*split) : nullptr) random->per_row = true;
}

struct OpenTable {
  data::TableReader* reader = nullptr;
  ColumnMap map;
};

// Opens a file and finds what is to be read of it.
Result<OpenTable> open_source(const Source& source, data::ReadOptions options, task::Recipe& recipe,
                              bool by_row, bool with_split, const PrepareOptions& how, FilesRead& out,
                              RowSplit& split) {
  options.expected_names = column_names(recipe, true);
  auto opened = open_table(*source.path, options, how.stop);
  if (!opened) return fail(opened.error());
  data::TableReader& reader = *out.readers.emplace_back(std::move(*opened));
  auto map = locate(recipe, reader, true);
  if (!map) return fail(map.error());
  const uint8_t of_file = with_split ? source.split : uint8_t{data::kTest};
  if (by_row && of_file == data::kUnused) split_by_row(recipe, reader);
  if (auto ok = split.open(recipe, reader, of_file); !ok) return fail(ok.error());
  std::vector<int> wanted = map->inputs;
  wanted.insert(wanted.end(), map->outputs.begin(), map->outputs.end());
  if (split.column() >= 0) wanted.push_back(split.column());
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  reader.only(wanted);
  return OpenTable{&reader, std::move(*map)};
}

Status check_rows(int64_t rows, const data::TableReader& reader) {
  if (rows <= kMaxRows) return {};
  return fail(ErrorKind::data, "the table has more than 2^32 rows", reader.path(), "train on a part of it");
}

// A file is read to its end: what there is to say of it.
Status close_source(data::TableReader& reader, double tolerance, const task::Recipe& recipe,
                    const LogSink& log, std::vector<data::BadCells>& inputs,
                    std::vector<data::BadCells>& outputs, FilesRead& out) {
  if (log)  // only now: a note may come with any batch
    for (const auto& note : reader.notes())
      log(LogLevel::note, reader.files().size() > 1 ? note : fmt::format("{}: {}", reader.path(), note));
  if (log && reader.ragged().count > 0)
    log(LogLevel::note, fmt::format("{}: {}", reader.path(), reader.ragged().message()));
  if (auto ok = check_cells(recipe.inputs, inputs, reader, tolerance, log); !ok) return ok;
  if (auto ok = check_cells(recipe.outputs, outputs, reader, tolerance, log); !ok) return ok;
  for (const data::TableFile& file : reader.files()) {
    std::error_code ec;
    const auto bytes = std::filesystem::file_size(file.path, ec);
    out.files.push_back({file.path, ec ? 0 : static_cast<int64_t>(bytes), file.rows});
  }
  return {};
}

constexpr int64_t kBatchesAhead = 4;
constexpr int64_t kTimesText =
    3;  // what a batch of text takes, with the places of its cells and their values

// Blocks of text so small that a limit is seen before it is passed.
void limit_blocks(int64_t memory_limit, data::ReadOptions& options) {
  constexpr int64_t kLeast = 64 << 10, kShare = 8;
  if (memory_limit == 0) return;
  const int64_t left = memory_limit - resident_bytes();
  options.block_bytes = std::clamp(left / (kShare * kTimesText * kBatchesAhead), kLeast, options.block_bytes);
}

// Whether all rows take so little that no limit is worth a file. What is packed is as long as it likes.
bool is_small(const data::TableReader& reader) {
  constexpr int64_t kTimes = 8, kSmall = 8 << 20;
  const data::TableFormat& format = reader.format();
  if (format.compression != data::Compression::none || format.kind == data::TableKind::parquet ||
      format.kind == data::TableKind::feather || format.kind == data::TableKind::sqlite)
    return false;
  int64_t bytes = 0;
  for (const data::TableFile& file : reader.files()) {
    std::error_code ec;
    const auto size = std::filesystem::file_size(file.path, ec);
    if (ec) return false;
    bytes += static_cast<int64_t>(size);
  }
  return kTimes * bytes <= kSmall;
}

// What is still to come of the rows so far: encoded they take 4 bytes a cell at most, and a column that grows
// is there twice. And before this is asked again, the next batches come.
Status check_memory(const RawColumns& columns, const PrepareOptions& how, int64_t block_bytes,
                    const std::string& path) {
  constexpr int64_t kOfCell = 4;
  const int64_t encoded = kOfCell * columns.rows() * columns.parts();
  const int64_t growing = thread_count() * columns.bytes() / std::max(columns.parts(), 1);
  const int64_t coming = kTimesText * kBatchesAhead * block_bytes;
  if (resident_bytes() + encoded + growing + coming <= how.memory_limit) return {};
  return fail(ErrorKind::budget,
              fmt::format("{} does not fit in memory: its first {} alone take {}, and the limit is {}", path,
                          count_of(columns.rows(), "row"), human_bytes(columns.bytes() + encoded),
                          human_bytes(how.memory_limit)),
              "budget.memory", "give more memory");
}

Status read_file(const Source& source, const data::ReadOptions& options, task::Recipe& recipe,
                 bool with_split, const PrepareOptions& how, Tables& out) {
  const int64_t first = out.rows();
  auto opened = open_source(source, options, recipe, false, with_split, how, out.read, out.split);
  if (!opened) return fail(opened.error());
  data::TableReader& reader = *opened->reader;
  out.read.first_rows.push_back(first);
  const bool limited = how.memory_limit > 0 && !is_small(reader);
  Ahead ahead = append_and_read(out.columns, {}, opened->map, reader, kBatchesAhead);
  while (!ahead.batches.empty()) {
    if (auto ok = check_rows(first + reader.rows(), reader); !ok) return ok;
    if (limited)
      if (auto ok = check_memory(out.columns, how, options.block_bytes, reader.path()); !ok) return ok;
    Ahead next = append_and_read(out.columns, ahead, opened->map, reader, kBatchesAhead);
    for (const data::RecordBatch& batch : ahead.batches)
      if (auto ok = out.split.append(batch, reader); !ok) return ok;
    ahead = std::move(next);
  }
  if (!ahead.status) return ahead.status;
  if (auto ok = close_source(reader, options.tolerance, recipe, how.log, out.columns.bad_inputs,
                             out.columns.bad_outputs, out.read);
      !ok)
    return ok;
  return out.split.close(reader, options.tolerance, how.log);
}

// A file that two of the splits have in common.
void tell_shared(const std::vector<SourceFile>& files, size_t before, const Source& source,
                 const LogSink& log) {
  for (size_t i = before; i < files.size(); ++i)
    for (size_t j = 0; j < before; ++j)
      if (data::same_file(files[i].path, files[j].path))
        return log(LogLevel::warning,
                   fmt::format("{} was read before: figures of the {} rows say nothing of new rows",
                               files[i].path, source.split == data::kTest ? "test" : "validation"));
}

}  // namespace

Result<std::unique_ptr<data::TableReader>> open_table(const std::string& path,
                                                      const data::ReadOptions& options,
                                                      const std::atomic<bool>* stop) {
  auto reader = data::open_table(path, options);
  if (!reader || !stop) return reader;
  return std::make_unique<StoppableReader>(std::move(*reader), stop);
}

Status add_checksums(std::vector<SourceFile>& files) {
  std::vector<Bytef> piece(256 << 10);
  for (SourceFile& source : files) {
    std::error_code ec;
    if (!std::filesystem::is_regular_file(source.path, ec)) continue;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(source.path.c_str(), "re"),
                                                               &std::fclose);
    uLong crc = 0;
    while (file) {
      const size_t n = std::fread(piece.data(), 1, piece.size(), file.get());
      crc = crc32_z(crc, piece.data(), n);
      if (n < piece.size()) break;
    }
    if (!file || std::ferror(file.get())) return fail(system_error("read", source.path, errno));
    source.crc32 = fmt::format("{:08x}", crc);
  }
  return {};
}

std::string FilesRead::place(int64_t row) const {
  const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
  const auto file = static_cast<size_t>(after - first_rows.begin()) - 1;
  return readers[file]->place(row - first_rows[file]);
}

Result<Tables> read_tables(const DataFiles& files, const task::Recipe& recipe, bool with_split,
                           const PrepareOptions& how) {
  data::ReadOptions options;
  if (auto ok = data::set_data_format(files.format, options); !ok) return fail(ok.error());
  limit_blocks(how.memory_limit, options);
  task::Recipe same = recipe;
  Tables tables{.read = {}, .columns = RawColumns(recipe, true), .split = {}};
  for (const Source& source : sources_of(files)) {
    const size_t before = tables.read.files.size();
    if (auto ok = read_file(source, options, same, with_split, how, tables); !ok) return fail(ok.error());
    if (how.log) tell_shared(tables.read.files, before, source, how.log);
  }
  return tables;
}

Result<FilesRead> read_blocks(const DataFiles& files, task::Recipe& recipe, const BlockSizes& sizes,
                              const PrepareOptions& how, const std::function<Status(RowBlock&)>& take) {
  data::ReadOptions options;
  if (auto ok = data::set_data_format(files.format, options); !ok) return fail(ok.error());
  options.block_bytes = sizes.text_bytes;
  const auto most = static_cast<size_t>(sizes.batches);
  FilesRead out;
  int64_t rows = 0;
  for (const Source& source : sources_of(files)) {
    const size_t before = out.files.size();
    RowSplit split;
    auto opened = open_source(source, options, recipe, true, true, how, out, split);
    if (!opened) return fail(opened.error());
    data::TableReader& reader = *opened->reader;
    out.first_rows.push_back(rows);
    std::vector<data::BadCells> bad_inputs(recipe.inputs.size()), bad_outputs(recipe.outputs.size());
    RawColumns none(recipe, true);
    Ahead ahead = append_and_read(none, {}, opened->map, reader, most);
    while (!ahead.batches.empty()) {
      RawColumns columns(recipe, true);
      Ahead next = append_and_read(columns, ahead, opened->map, reader, most);
      for (const data::RecordBatch& batch : ahead.batches)
        if (auto ok = split.by_row() ? split.append(batch, reader) : Status(); !ok) return fail(ok.error());
      ahead = std::move(next);
      add_bad_cells(columns.bad_inputs, bad_inputs);
      add_bad_cells(columns.bad_outputs, bad_outputs);
      columns.bad_inputs.assign(bad_inputs.size(), {});
      columns.bad_outputs.assign(bad_outputs.size(), {});
      const int64_t count = columns.rows();
      if (auto ok = check_rows(rows + count, reader); !ok) return fail(ok.error());
      RowBlock block{columns, rows,
                     split.by_row() ? split.take(rows, count, how.seed)
                                    : std::vector<uint8_t>(static_cast<size_t>(count), data::kUnused)};
      if (auto ok = take(block); !ok) return fail(ok.error());
      rows += count;
    }
    if (!ahead.status) return fail(ahead.status.error());
    if (auto ok = close_source(reader, options.tolerance, recipe, how.log, bad_inputs, bad_outputs, out); !ok)
      return fail(ok.error());
    if (how.log) tell_shared(out.files, before, source, how.log);
  }
  return out;
}

}  // namespace shoestring::train
