#include "report/sample.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/overloaded.h"

namespace shoestring::report {
namespace {

using task::SplitName;

constexpr int64_t kCells = 1 << 17, kMostRows = 4'096, kFewestRows = 256;
constexpr int64_t kCopiedBytes = 1 << 18;  // of each split

uint64_t mixed(uint64_t hash, uint64_t value) {  // as splitmix64 does
  uint64_t z = (hash ^ value) + 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

class RowHash {
 public:
  RowHash(const train::Dataset& data, const train::EncodedInputs& inputs) : inputs_(&inputs) {
    for (size_t i = 0; i < data.fits.inputs.size(); ++i) {
      const auto* c = std::get_if<task::CategoryFit>(&data.fits.inputs[i]);
      folded_.push_back(c && c->targets.folds > 0 ? c->size() : 0);
    }
  }
  uint64_t operator()(uint32_t row) const {
    uint64_t hash = 0;
    const auto floats = [&](const float* values, int count) {
      for (int i = 0; i < count; ++i) {
        uint32_t bits;
        std::memcpy(&bits, values + i, sizeof bits);
        hash = mixed(hash, bits);
      }
    };
    floats(inputs_->numbers.row(row), inputs_->numbers.width());
    for (size_t i = 0; i < inputs_->columns.size(); ++i)
      std::visit(Overloaded{[](const std::monostate&) {},
                            [&](const data::CodeColumn& c) {
                              for (int64_t k = 0; k < c.width(); ++k) {
                                const int64_t code = c.at(row, k);
                                hash = mixed(
                                    hash, static_cast<uint64_t>(folded_[i] > 0 ? code % folded_[i] : code));
                              }
                            },
                            [&](const data::FloatRows& f) { floats(f.row(row), f.width()); },
                            [&](const data::DateRows& d) {
                              float fields[data::DateRows::kWidth];
                              d.gather(std::span(&row, 1), fields);
                              floats(fields, data::DateRows::kWidth);
                            },
                            [&](const data::PixelRows& p) {
                              const auto pixels = p.row(row);
                              for (size_t at = 0; at + 8 <= pixels.size(); at += 8) {
                                uint64_t eight;
                                std::memcpy(&eight, pixels.data() + at, sizeof eight);
                                hash = mixed(hash, eight);
                              }
                              for (size_t at = pixels.size() / 8 * 8; at < pixels.size(); ++at)
                                hash = mixed(hash, pixels[at]);
                            }},
                 inputs_->columns[i]);
    return hash;
  }

 private:
  const train::EncodedInputs* inputs_;
  std::vector<int64_t> folded_;  // of each input: the words of a target encoder's table, 0 where it has none
};

// The class of the first output; -1 where it is none.
int32_t class_of(const train::Dataset& data, const train::EncodedTargets& targets, uint32_t row) {
  if (std::holds_alternative<task::BinaryFit>(data.fits.outputs[0])) return targets.numbers[0][row] > 0.5F;
  if (std::holds_alternative<task::CategoryFit>(data.fits.outputs[0])) return targets.codes[0][row];
  return -1;
}

}  // namespace

DataSample::DataSample(const train::Dataset& data) : data_(&data) {
  const auto columns = static_cast<int64_t>(data.spec.recipe.inputs.size());
  int64_t most = std::clamp(kCells / std::max<int64_t>(1, columns), kFewestRows, kMostRows);
  const SplitName splits[] = {SplitName::training, SplitName::validation, SplitName::test};
  if (!data.file) {
    for (const SplitName split : splits) {
      const auto& all = data.rows_of(split);
      const auto count = static_cast<int64_t>(all.size()), take = std::min(most, count);
      for (int64_t i = 0; i < take; ++i)
        rows_[static_cast<size_t>(split)].push_back(all[static_cast<size_t>(i * count / take)]);
    }
    return;
  }
  const train::PackedFormat format(data.spec.recipe, data.fits);
  most = std::clamp<int64_t>(kCopiedBytes / std::max<int64_t>(1, format.row_bytes()), 1, most);
  std::array<int64_t, 3> takes{};
  int64_t all = 0;
  for (const SplitName split : splits)
    all += takes[static_cast<size_t>(split)] = std::min({most, data.count(split), data.most_rows()});
  copied_ = format.rows(all);
  for (const data::FloatRows& kept : data.file->window().inputs.features) {
    data::FloatRows& some = copied_->inputs.features.emplace_back(kept.width(), all);
    if (kept.width() > 0) some.append(all);
  }
  std::vector<std::byte> packed;
  uint32_t next = 0;
  for (const SplitName split : splits) {
    const int64_t take = takes[static_cast<size_t>(split)];
    if (take == 0) continue;
    const int64_t shown = std::min(data.count(split), data.most_rows());
    train::Batches batches(data, split, shown);
    const auto at = batches.at(0).rows;
    std::vector<uint32_t> some;
    for (int64_t i = 0; i < take; ++i)
      some.push_back(at[static_cast<size_t>(i * static_cast<int64_t>(at.size()) / take)]);
    packed.resize(some.size() * static_cast<size_t>(format.row_bytes()));
    format.pack(data.file->window(), some, packed.data());
    format.unpack(packed.data(), next, take, *copied_);
    const auto& kept = data.file->window().inputs.features;
    for (size_t i = 0; i < kept.size(); ++i)
      if (kept[i].width() > 0) kept[i].gather(some, copied_->inputs.features[i].column(0, next));
    for (int64_t i = 0; i < take; ++i) rows_[static_cast<size_t>(split)].push_back(next++);
  }
}

Duplicates find_duplicates(const train::Dataset& data, const DataSample& sample, SplitName held_out) {
  constexpr size_t kKept = 1 << 13, kMostScanned = 200'000;
  struct Kept {
    uint64_t hash;
    int32_t of_class;
    bool training;
  };
  std::vector<Kept> kept;
  uint64_t mask = 0;
  const RowHash hash_of(data, sample.inputs());
  const auto scan = [&](SplitName split) {
    // All of them, where they are in memory.
    const auto& rows = data.file ? sample.rows(split) : data.rows_of(split);
    for (size_t i = 0; i < std::min(rows.size(), kMostScanned); ++i) {
      const uint64_t hash = hash_of(rows[i]);
      if ((hash & mask) != 0) continue;
      kept.push_back({hash, class_of(data, sample.targets(), rows[i]), split == SplitName::training});
      while (kept.size() > kKept) {
        mask = mask * 2 + 1;
        std::erase_if(kept, [&](const Kept& k) { return (k.hash & mask) != 0; });
      }
    }
  };
  if (data.spec.recipe.inputs.empty()) return {};
  scan(SplitName::training);
  if (held_out != SplitName::training) scan(held_out);
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) {
    return std::tuple(a.hash, !a.training, a.of_class) < std::tuple(b.hash, !b.training, b.of_class);
  });
  Duplicates out{.rows = static_cast<int64_t>(kept.size())};
  for (size_t begin = 0, end; begin < kept.size(); begin = end) {
    int64_t training = 0, others = 0, run = 0, most = 0;
    for (end = begin; end < kept.size() && kept[end].hash == kept[begin].hash; ++end) {
      if (!kept[end].training) {
        ++others;
        continue;
      }
      run = training > 0 && kept[end - 1].of_class == kept[end].of_class ? run + 1 : 1;
      most = std::max(most, run);
      ++training;
    }
    out.training_rows += training;
    out.held_out += others;
    if (training > 0) {
      out.repeated += training - 1;
      out.seen += others;
      if (kept[begin].of_class >= 0) out.contradicted += training - most;
    }
  }
  return out;
}

}  // namespace shoestring::report
