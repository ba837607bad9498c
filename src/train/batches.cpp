#include "train/batches.h"

#include <algorithm>

#include "data/split.h"

namespace shoestring::train {

Batches::Batches(const Dataset& data, task::SplitName split, int64_t batch_rows, std::optional<uint64_t> seed)
    : data_(&data), split_(split), rows_(data.count(split)), batch_rows_(batch_rows), seed_(seed) {
  if (data.file)
    of_file_.emplace(*data.file, static_cast<data::Split>(split), batch_rows, seed);
  else if (seed_)
    order_.resize(static_cast<size_t>(rows_));
}

RowsAt Batches::at(int64_t batch, uint32_t epoch) {
  if (of_file_) {
    const EncodedRows& window = data_->file->window();
    const auto places = of_file_->at(batch, epoch);
    return {&window.inputs, &window.targets, places};
  }
  const int64_t first = batch * batch_rows_, count = std::min(batch_rows_, rows_ - first);
  const std::vector<uint32_t>& rows = data_->rows_of(split_);
  if (seed_ && order_epoch_ != epoch) {
    order_epoch_ = epoch;
    data::epoch_order(rows, *seed_, epoch, order_);
  }
  const std::span order(seed_ ? order_ : rows);
  return {&data_->inputs, &data_->targets,
          order.subspan(static_cast<size_t>(first), static_cast<size_t>(count))};
}

}  // namespace shoestring::train
