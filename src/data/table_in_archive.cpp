#include "data/table_in_archive.h"

namespace shoestring::data {
namespace {

class TableInArchive final : public TableReader {
 public:
  TableInArchive(std::shared_ptr<const FileTree> tree, int64_t member,
                 std::unique_ptr<FileTree::Opened> unpacked, std::unique_ptr<TableReader> reader,
                 std::shared_ptr<const PictureFiles> pictures)
      : tree_(std::move(tree)),
        unpacked_(std::move(unpacked)),
        reader_(std::move(reader)),
        pictures_(std::move(pictures)) {
    path_ = tree_->where(member);
    format_ = reader_->format();
    names_ = reader_->names();
    follow();
  }

  Result<std::optional<RecordBatch>> next() override {
    auto batch = reader_->next();
    follow();
    if (!batch) return fail(renamed(std::move(batch.error())));
    return batch;
  }

  int64_t line_of(int64_t row) override { return reader_->line_of(row); }
  std::string place(int64_t row) override { return renamed(reader_->place(row)); }
  void only(std::span<const int> columns) override { reader_->only(columns); }
  std::vector<TableFile> files() const override { return {{tree_->path(), rows_}}; }
  Result<std::shared_ptr<const PictureFiles>> pictures() const override { return pictures_; }

  static std::string renamed(std::string text, const std::string& from, const std::string& to) {
    if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
    return text;
  }
  static Error renamed(Error error, const std::string& from, const std::string& to) {
    error.where = renamed(std::move(error.where), from, to);
    return error;
  }

 private:
  std::string renamed(std::string text) const { return renamed(std::move(text), unpacked_->path(), path_); }
  Error renamed(Error error) const { return renamed(std::move(error), unpacked_->path(), path_); }
  void follow() {
    ragged_ = reader_->ragged();
    rows_ = reader_->rows();
    notes_ = tree_->notes();
    for (const std::string& note : reader_->notes()) notes_.push_back(renamed(note));
  }

  std::shared_ptr<const FileTree> tree_;
  std::unique_ptr<FileTree::Opened> unpacked_;
  std::unique_ptr<TableReader> reader_;  // gone before what it reads
  std::shared_ptr<const PictureFiles> pictures_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_table_in_archive(std::shared_ptr<const FileTree> tree,
                                                           int64_t member,
                                                           std::shared_ptr<const PictureFiles> pictures,
                                                           const ReadOptions& options) {
  auto unpacked = tree->open(member);
  if (!unpacked) return fail(unpacked.error());
  auto reader = open_table((*unpacked)->path(), options);
  if (!reader)
    return fail(TableInArchive::renamed(std::move(reader.error()), (*unpacked)->path(), tree->where(member)));
  return std::make_unique<TableInArchive>(std::move(tree), member, std::move(*unpacked), std::move(*reader),
                                          std::move(pictures));
}

}  // namespace shoestring::data
