#include "train/picture_names.h"

namespace shoestring::train {

bool PictureNames::Rows::begin(int64_t row, size_t answers, data::RowText& out) const {
  if (names.empty()) return true;
  const auto at = static_cast<size_t>(row);
  out.text(names[at]);
  if (broken.empty() || !broken[at]) return true;
  for (size_t i = 0; i < answers; ++i) out.null();
  out.end_row();
  return false;
}

PictureNames::Rows PictureNames::rows(const data::RecordBatch& batch, const RawColumns& raw) const {
  Rows out;
  if (column_ < 0) return out;
  const data::TextColumn names = batch.column(column_);
  for (int64_t row = 0; row < names.rows(); ++row) out.names.emplace_back(names.raw(row));
  const auto* pictures =
      input_ < 0 ? nullptr : std::get_if<Pictures>(&raw.inputs[static_cast<size_t>(input_)]);
  if (!pictures) return out;
  for (const task::PictureState state : pictures->states)
    out.broken.push_back(state == task::PictureState::broken);
  return out;
}

}  // namespace shoestring::train
