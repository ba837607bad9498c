#include "train/batches.h"

#include <algorithm>

#include "base/philox.h"
#include "data/split.h"

namespace shoestring::train {

void number_rows(const RowsAt& at, uint64_t seed, uint32_t epoch, int64_t plan_rows, int32_t* out) {
  constexpr uint32_t kNumberStream = 0xFFFFFF0A;
  size_t i = 0;
  for (; i < at.rows.size(); ++i) {
    const uint32_t drawn = philox4x32({at.number(i), kNumberStream, 0, 0},
                                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[0];
    out[i] = static_cast<int32_t>((drawn + epoch) & 0x7FFFFFFF);
  }
  std::fill(out + i, out + plan_rows, out[i - 1]);
}

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
    return {&window.inputs, &window.targets, places, data_->file.get()};
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
