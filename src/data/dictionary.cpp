// The dictionary of data/parse.h: texts end to end in one string, found through an open-addressed table
// of (hash, code) words with linear probing, at most half full.
#include "data/hash.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

constexpr size_t kFirstSlots = 64;
constexpr uint64_t kHashHalf = 0xFFFFFFFF00000000;

}  // namespace

Dictionary::Dictionary(int64_t max_values, int64_t max_bytes)
    : max_values_(max_values), max_bytes_(max_bytes), slots_(kFirstSlots) {}

// The slot that holds the value, or the free one where it belongs.
inline size_t Dictionary::slot(std::string_view value, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = (hash >> 32) & mask;
  while (slots_[at] != 0) {
    const auto code = static_cast<int32_t>((slots_[at] & ~kHashHalf) - 1);
    if ((slots_[at] & kHashHalf) == (hash & kHashHalf) && equal_texts(this->value(code), value)) break;
    at = (at + 1) & mask;
  }
  return at;
}

int32_t Dictionary::find(std::string_view value) const {
  const uint64_t found = slots_[slot(value, hash_text(value))];
  return found == 0 ? kMissingCode : static_cast<int32_t>((found & ~kHashHalf) - 1);
}

int32_t Dictionary::add(std::string_view value) {
  const uint64_t hash = hash_text(value);
  size_t at = slot(value, hash);
  if (slots_[at] != 0) {
    const auto code = static_cast<int32_t>((slots_[at] & ~kHashHalf) - 1);
    ++counts_[code];
    return code;
  }
  constexpr int64_t kBytesPerValue = 2 * sizeof(uint64_t) + 2 * sizeof(int64_t);
  if (size() >= max_values_ ||
      static_cast<int64_t>(text_.size() + value.size()) + (size() + 1) * kBytesPerValue > max_bytes_) {
    full_ = true;
    return kMissingCode;
  }
  const int32_t code = size();
  text_ += value;
  ends_.push_back(static_cast<int64_t>(text_.size()));
  counts_.push_back(1);
  slots_[at] = (hash & kHashHalf) | static_cast<uint32_t>(code + 1);
  if (counts_.size() * 2 > slots_.size()) grow();
  return code;
}

void Dictionary::grow() {
  std::vector<uint64_t> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const uint64_t entry : old) {
    if (entry == 0) continue;
    size_t at = (entry >> 32) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = entry;
  }
}

int64_t Dictionary::bytes() const {
  return static_cast<int64_t>(text_.capacity() + (ends_.capacity() + counts_.capacity()) * sizeof(int64_t) +
                              slots_.capacity() * sizeof(uint64_t));
}

}  // namespace shoestring::data
