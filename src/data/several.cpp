// Several files as one table: their columns are matched by name, in the order of the first file.
#include <fmt/format.h>

#include <algorithm>

#include "data/picture_files.h"
#include "data/readers.h"

namespace shoestring::data {
namespace {

// Two sources may have a picture each of one name.
Status check_no_pictures(const TableReader& reader) {
  if (reader.format().kind != TableKind::pictures) return {};
  return fail(ErrorKind::data, "pictures are not read as one table with others", reader.path(),
              "put them into one folder, or name each split's: --training_set, --validation_set, --test_set");
}

class SeveralReader final : public TableReader {
 public:
  SeveralReader(std::vector<std::string> paths, std::unique_ptr<TableReader> first,
                const ReadOptions& options)
      : paths_(std::move(paths)), options_(options) {
    path_ = fmt::format("{} and {} more", first->path(), paths_.size() - 1);
    names_ = first->names();
    format_ = first->format();
    options_.expected_names.insert(options_.expected_names.end(), names_.begin(), names_.end());
    readers_.push_back(std::move(first));
    first_rows_.push_back(0);
    order_.resize(names_.size());
    for (size_t c = 0; c < order_.size(); ++c) order_[c] = static_cast<int>(c);
  }

  void only(std::span<const int> columns) override {
    wanted_.emplace(columns.begin(), columns.end());
    readers_.back()->only(columns);
  }

  Result<std::optional<RecordBatch>> next() override {
    while (true) {
      auto batch = readers_.back()->next();
      if (!batch) return fail(std::move(batch.error()));
      if (*batch) {
        (*batch)->arrange(order_, rows_);
        rows_ += (*batch)->rows();
        return batch;
      }
      tell_notes();
      if (readers_.size() == paths_.size()) return std::nullopt;
      if (Status s = open_next(); !s) return fail(std::move(s.error()));
    }
  }

  int64_t line_of(int64_t row) override { return at(row).line_of(row - first_rows_[which(row)]); }
  std::string place(int64_t row) override { return at(row).place(row - first_rows_[which(row)]); }

  std::vector<TableFile> files() const override {
    std::vector<TableFile> files;
    for (const auto& reader : readers_) files.push_back(reader->files().front());
    return files;
  }

  Result<std::shared_ptr<const PictureFiles>> pictures() const override { return pictures_beside(paths_); }

 private:
  size_t which(int64_t row) const {
    const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
    return static_cast<size_t>(after - first_rows_.begin()) - 1;
  }
  TableReader& at(int64_t row) { return *readers_[which(row)]; }

  // What a file's reader has to say, with the file's name.
  void tell_notes() {
    const TableReader& reader = *readers_.back();
    for (const std::string& note : reader.notes())
      notes_.push_back(fmt::format("{}: {}", reader.path(), note));
    if (reader.ragged().count > 0)
      notes_.push_back(fmt::format("{}: {}", reader.path(), reader.ragged().message()));
  }

  Status open_next() {
    auto opened = open_table(paths_[readers_.size()], options_);
    if (!opened) return fail(std::move(opened.error()));
    const TableReader& reader = **opened;
    if (auto ok = check_no_pictures(reader); !ok) return ok;
    for (size_t c = 0; c < names_.size(); ++c) {
      order_[c] = reader.index_of(names_[c]);
      if (order_[c] < 0)
        return fail(ErrorKind::data,
                    fmt::format("there is no column '{}', which {} has", names_[c], readers_[0]->path()),
                    reader.path(), "files that are read as one table need the same columns");
    }
    for (const std::string& name : reader.names())
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        notes_.push_back(fmt::format("{}: the column '{}' is left out: {} has none of this name",
                                     reader.path(), name, readers_[0]->path()));
        break;
      }
    if (wanted_) {
      std::vector<int> there;
      for (const int c : *wanted_) there.push_back(order_[static_cast<size_t>(c)]);
      (*opened)->only(there);
    }
    readers_.push_back(std::move(*opened));
    first_rows_.push_back(rows_);
    return {};
  }

  std::vector<std::string> paths_;
  ReadOptions options_;
  std::vector<std::unique_ptr<TableReader>> readers_;  // kept to tell places; at their end they hold no text
  std::vector<int64_t> first_rows_;
  std::vector<int> order_;  // of the current file: where each column stands
  std::optional<std::vector<int>> wanted_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_several(std::vector<std::string> paths,
                                                  const ReadOptions& options) {
  auto first = open_table(paths.front(), options);
  if (!first) return fail(std::move(first.error()));
  if (auto ok = check_no_pictures(**first); !ok) return fail(ok.error());
  return std::make_unique<SeveralReader>(std::move(paths), std::move(*first), options);
}

}  // namespace shoestring::data
