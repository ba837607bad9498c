#include "train/read_tables.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/text.h"
#include "data/sources.h"
#include "data/split.h"
#include "train/read_ahead.h"

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

// Cells that are no number, vector or date: a note, or above the tolerance an error.
template <class Feature>
Status check_cells(const std::vector<Feature>& features, std::vector<data::BadCells>& bad,
                   data::TableReader& reader, double tolerance, const LogSink& log) {
  for (size_t i = 0; i < bad.size(); ++i) {
    if (bad[i].count == 0) continue;
    const std::string_view wanted = task::cell_of(features[i].type());
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

 private:
  std::unique_ptr<data::TableReader> reader_;
  const std::atomic<bool>* stop_;
};

Status read_file(const Source& source, data::ReadOptions options, const task::Recipe& recipe, bool with_split,
                 const PrepareOptions& how, Tables& out) {
  const LogSink& log = how.log;
  options.expected_names = column_names(recipe, true);
  auto opened = open_table(*source.path, options, how.stop);
  if (!opened) return fail(opened.error());
  data::TableReader& reader = *out.readers.emplace_back(std::move(*opened));
  const auto map = locate(recipe, reader, true);
  if (!map) return fail(map.error());
  const uint8_t of_file = with_split ? source.split : uint8_t{data::kTest};
  if (auto ok = out.split.open(recipe, reader, of_file); !ok) return ok;
  std::vector<int> wanted = map->inputs;
  wanted.insert(wanted.end(), map->outputs.begin(), map->outputs.end());
  if (out.split.column() >= 0) wanted.push_back(out.split.column());
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  reader.only(wanted);

  const int64_t first = out.rows();
  out.first_rows.push_back(first);
  Ahead ahead = append_and_read(out.columns, {}, *map, reader);
  while (!ahead.batches.empty()) {
    if (first + reader.rows() > kMaxRows)
      return fail(ErrorKind::data, "the table has more than 2^32 rows", reader.path(),
                  "train on a part of it");
    Ahead next = append_and_read(out.columns, ahead, *map, reader);
    for (const data::RecordBatch& batch : ahead.batches)
      if (auto ok = out.split.append(batch, reader); !ok) return ok;
    ahead = std::move(next);
  }
  if (!ahead.status) return ahead.status;
  if (log)  // only now: a note may come with any batch
    for (const auto& note : reader.notes())
      log(LogLevel::note, reader.files().size() > 1 ? note : fmt::format("{}: {}", reader.path(), note));
  if (log && reader.ragged().count > 0)
    log(LogLevel::note, fmt::format("{}: {}", reader.path(), reader.ragged().message()));
  if (auto ok = check_cells(recipe.inputs, out.columns.bad_inputs, reader, options.tolerance, log); !ok)
    return ok;
  if (auto ok = check_cells(recipe.outputs, out.columns.bad_outputs, reader, options.tolerance, log); !ok)
    return ok;
  if (auto ok = out.split.close(reader, options.tolerance, log); !ok) return ok;
  for (const data::TableFile& file : reader.files()) {
    std::error_code ec;
    const auto bytes = std::filesystem::file_size(file.path, ec);
    out.files.push_back({file.path, ec ? 0 : static_cast<int64_t>(bytes), file.rows});
  }
  return {};
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

std::string Tables::place(int64_t row) const {
  const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
  const auto file = static_cast<size_t>(after - first_rows.begin()) - 1;
  return readers[file]->place(row - first_rows[file]);
}

Result<Tables> read_tables(const DataFiles& files, const task::Recipe& recipe, bool with_split,
                           const PrepareOptions& how) {
  data::ReadOptions options;
  if (auto ok = data::set_data_format(files.format, options); !ok) return fail(ok.error());
  Tables tables{.columns = RawColumns(recipe, true)};
  for (const Source& source : sources_of(files)) {
    const size_t before = tables.files.size();
    if (auto ok = read_file(source, options, recipe, with_split, how, tables); !ok) return fail(ok.error());
    if (how.log) tell_shared(tables.files, before, source, how.log);
  }
  return tables;
}

}  // namespace shoestring::train
