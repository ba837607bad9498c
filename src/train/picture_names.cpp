#include "train/picture_names.h"

namespace shoestring::train {

bool PictureNames::Rows::begin(int64_t row, size_t answers, data::RowText& out) const {
  const auto at = static_cast<size_t>(row);
  if (!names.empty()) out.text(names[at]);
  if (broken.empty() || !broken[at]) return true;
  for (size_t i = 0; i < answers; ++i) out.null();
  out.end_row();
  return false;
}

PictureNames::Rows PictureNames::rows(const data::RecordBatch& batch, const RawColumns& raw) const {
  Rows out;
  add(batch, raw, out);
  return out;
}

void PictureNames::add(const data::RecordBatch& batch, const RawColumns& raw, Rows& rows) const {
  if (column_ >= 0) {
    const data::TextColumn names = batch.column(column_);
    for (int64_t row = 0; row < names.rows(); ++row) rows.names.emplace_back(names.raw(row));
  }
  for (const RawColumn& column : raw.inputs) {
    const auto* pictures = std::get_if<Pictures>(&column);
    if (!pictures) continue;
    rows.broken.resize(pictures->states.size());
    for (size_t row = 0; row < pictures->states.size(); ++row)
      if (pictures->states[row] == task::PictureState::broken) rows.broken[row] = 1;
  }
}

}  // namespace shoestring::train
