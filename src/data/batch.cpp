#include "data/batch.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace shoestring::data {
namespace {

constexpr auto kMissing =
    std::to_array<std::string_view>({"?", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN",
                                     "-nan", "-NaN", "null", "NULL", "Null", "None"});
constexpr size_t kLongestMissing = 4;
static_assert(std::all_of(kMissing.begin(), kMissing.end(), [](std::string_view s) {
  return s.size() <= kLongestMissing && std::string_view("?Nn#<-").find(s[0]) != std::string_view::npos;
}));

// The buffers of one column that BatchBuilder made, and their Arrow struct.
struct OwnedColumn {
  std::vector<uint8_t> validity;
  std::vector<int32_t> offsets;
  std::string text;
  std::array<const void*, 3> buffers;
  ArrowArray array{};
};

struct OwnedBatch {
  std::vector<OwnedColumn> columns;
  std::vector<ArrowArray*> children;
  const void* no_validity = nullptr;
};

void release_child(ArrowArray* array) { array->release = nullptr; }

void release_batch(ArrowArray* array) {
  delete static_cast<OwnedBatch*>(array->private_data);
  array->release = nullptr;
}

}  // namespace

bool is_missing(std::string_view trimmed) {
  if (trimmed.size() > kLongestMissing) return false;
  if (trimmed.empty()) return true;
  switch (trimmed[0]) {  // nearly all cells are told by it
    case '?':
    case 'N':
    case 'n':
    case '#':
    case '<':
    case '-':
      break;
    default:
      return false;
  }
  return std::find(kMissing.begin(), kMissing.end(), trimmed) != kMissing.end();
}

RecordBatch::RecordBatch(RecordBatch&& other) noexcept
    : array_(std::exchange(other.array_, {})),
      text_(std::move(other.text_)),
      order_(std::move(other.order_)),
      first_row_(other.first_row_),
      columns_(std::exchange(other.columns_, 0)) {}

RecordBatch::RecordBatch(TextRows text, int64_t first_row)
    : text_(std::make_unique<TextRows>(std::move(text))), first_row_(first_row), columns_(text_->columns) {
  for (int c = 0; c < columns_; ++c) order_.push_back(c);
}

TextColumn RecordBatch::text_column(int index) const {
  const int column = order_[static_cast<size_t>(index)];
  return {text_->text.data(),
          text_->ends.data() + column,
          text_->rows,
          text_->columns,
          1,
          column + 1 == text_->columns ? text_->tail : 0};
}

RecordBatch& RecordBatch::operator=(RecordBatch&& other) noexcept {
  std::swap(array_, other.array_);
  std::swap(text_, other.text_);
  std::swap(order_, other.order_);
  std::swap(first_row_, other.first_row_);
  std::swap(columns_, other.columns_);
  return *this;
}

// The columns keep their places in memory: who made the batch releases it all the same.
void RecordBatch::arrange(std::span<const int> order, int64_t first_row) {
  columns_ = static_cast<int>(order.size());
  first_row_ = first_row;
  if (text_) {
    order_.assign(order.begin(), order.end());
    return;
  }
  std::vector<ArrowArray*> all(array_.children, array_.children + array_.n_children);
  std::vector<ArrowArray*> sorted;
  for (const int column : order) sorted.push_back(std::exchange(all[static_cast<size_t>(column)], nullptr));
  for (ArrowArray* column : all)
    if (column != nullptr) sorted.push_back(column);
  std::copy(sorted.begin(), sorted.end(), array_.children);
}

RecordBatch::~RecordBatch() {
  if (array_.release != nullptr) array_.release(&array_);
}

BatchBuilder::BatchBuilder(int columns) : columns_(static_cast<size_t>(columns)) {}

int64_t BatchBuilder::rows() const {
  return columns_.empty() ? 0 : cells_ / static_cast<int64_t>(columns_.size());
}

void BatchBuilder::cell(std::string_view text) {
  Column& column = columns_[static_cast<size_t>(cells_) % columns_.size()];
  const int64_t row = rows();
  if (row % 8 == 0) column.validity.push_back(0);
  column.validity.back() |= static_cast<uint8_t>(1u << (row % 8));
  column.text += text;
  column.offsets.push_back(static_cast<int32_t>(column.text.size()));
  bytes_ += static_cast<int64_t>(text.size() + sizeof(int32_t));
  ++cells_;
}

void BatchBuilder::null() {
  Column& column = columns_[static_cast<size_t>(cells_) % columns_.size()];
  if (rows() % 8 == 0) column.validity.push_back(0);
  column.offsets.push_back(static_cast<int32_t>(column.text.size()));
  bytes_ += static_cast<int64_t>(sizeof(int32_t));
  ++cells_;
}

RecordBatch BatchBuilder::finish(int64_t first_row) {
  assert(columns_.empty() || cells_ % static_cast<int64_t>(columns_.size()) == 0);
  auto* batch = new OwnedBatch;
  const int64_t row_count = rows();
  batch->columns.resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    OwnedColumn& to = batch->columns[c];
    to.validity = std::move(columns_[c].validity);
    to.offsets = std::move(columns_[c].offsets);
    to.text = std::move(columns_[c].text);
    to.buffers = {to.validity.data(), to.offsets.data(), to.text.data()};
    to.array.length = row_count;
    to.array.null_count = -1;
    to.array.n_buffers = 3;
    to.array.buffers = to.buffers.data();
    to.array.release = release_child;
    batch->children.push_back(&to.array);
    columns_[c] = Column{};
  }
  ArrowArray array{};
  array.length = row_count;
  array.n_buffers = 1;
  array.buffers = &batch->no_validity;
  array.n_children = static_cast<int64_t>(batch->children.size());
  array.children = batch->children.data();
  array.release = release_batch;
  array.private_data = batch;
  cells_ = bytes_ = 0;
  return RecordBatch(array, first_row);
}

RecordBatch make_batch(const std::vector<std::vector<std::string>>& rows, int64_t first_row) {
  BatchBuilder builder(rows.empty() ? 0 : static_cast<int>(rows[0].size()));
  for (const auto& row : rows) {
    for (const std::string& cell : row) builder.cell(cell);
  }
  return builder.finish(first_row);
}

}  // namespace shoestring::data
