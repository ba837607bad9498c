#include "train/best_model.h"

#include <cstring>

#include "base/arith.h"

namespace shoestring::train {

namespace {

bool is_of_model(const StateSlot& slot) {
  return slot.info.role == StateRole::parameter || slot.info.role == StateRole::statistic;
}

}  // namespace

int64_t BestModel::bytes_for(const Engine& engine) {
  int64_t bytes = 0;
  for (const StateSlot& slot : engine.layout().slots())
    if (is_of_model(slot)) bytes += round_up(slot.info.type.bytes(), kAlignment);
  return bytes;
}

Result<BestModel> BestModel::create(const Engine& engine) {
  BestModel best;
  int64_t bytes = 0;
  for (const StateSlot& slot : engine.layout().slots()) {
    if (!is_of_model(slot)) continue;
    best.slots_.push_back(slot);
    best.offsets_.push_back(bytes);
    bytes += round_up(slot.info.type.bytes(), kAlignment);
  }
  auto copy = Block::reserve(bytes);
  if (!copy) return fail(copy.error());
  best.copy_ = std::move(*copy);
  return best;
}

void BestModel::capture(const Engine& engine, int64_t step) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    const auto bytes = engine.bytes(slots_[i]);
    std::memcpy(copy_.data() + offsets_[i], bytes.data(), bytes.size());
  }
  step_ = step;
  captured_ = unsaved_ = true;
}

void BestModel::restore(Engine& engine) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    const auto from = bytes(i);
    std::memcpy(engine.states().data() + slots_[i].offset, from.data(), from.size());
  }
}

std::span<const std::byte> BestModel::bytes(size_t slot) const {
  return {copy_.data() + offsets_[slot], static_cast<size_t>(slots_[slot].info.type.bytes())};
}

Status BestModel::load(std::string_view state, const Type& type, std::span<const std::byte> bytes) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].info.name != state || slots_[i].info.type != type) continue;
    lay(slots_[i].info, bytes, copy_.data() + offsets_[i]);
    captured_ = unsaved_ = true;
    return {};
  }
  return fail(ErrorKind::data, fmt::format("the model has no state '{}' of type {}", state, to_string(type)),
              {}, "use the recipe that it was trained with");
}

}  // namespace shoestring::train
