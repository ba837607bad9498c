#include "data/write.h"

namespace shoestring::data {
namespace {

constexpr size_t kBufferBytes = 64 << 10;

}  // namespace

Result<RowWriter> RowWriter::open(const std::string& path, WriteKind kind, std::vector<std::string> names) {
  auto output = Output::open(path);
  if (!output) return fail(std::move(output.error()));
  RowWriter writer(std::move(*output), RowText(kind, names));
  writer.rows_.names();
  return writer;
}

void RowWriter::written() {
  if (rows_.size() >= kBufferBytes) (void)flush();
}

void RowWriter::add(const RowText& rows) {
  (void)flush();
  output_.write(rows.view());
}

RowText RowWriter::no_rows() const {
  RowText rows = rows_;
  rows.clear();
  return rows;
}

Status RowWriter::flush() {
  output_.write(rows_.view());
  rows_.clear();
  return output_.status();
}

Status RowWriter::finish(bool durable) {
  (void)flush();
  return output_.finish(durable);
}

}  // namespace shoestring::data
