#include "train/sample.h"

#include <algorithm>

#include "base/overloaded.h"
#include "base/philox.h"
#include "data/split.h"

namespace shoestring::train {
namespace {

constexpr uint32_t kDrawStream = 0xFFFFFF05;
constexpr int64_t kMostFirsts = 1 << 16;  // words of a column whose first rows are kept
constexpr int64_t kWordBytes = 4 << 20;   // and their text
constexpr int64_t kFewWords = 64;         // of a column with two values, and misspellings

int64_t words_kept(const auto& feature) {
  return std::visit(
      [](const auto& spec) {
        return Overloaded{[](const task::BinaryPreprocessing&) { return kFewWords; },
                          [](const task::CategoryPreprocessing& p) { return p.most_common; },
                          [](const task::WordsPreprocessing& p) { return p.most_common; },
                          [](const auto&) { return int64_t{0}; }}(spec.preprocessing);
      },
      feature.spec);
}

void append_lists(const auto& from, std::span<const uint32_t> rows, auto& to, auto&& value_of) {
  for (const uint32_t row : rows) {
    for (const auto value : from[row]) to.values.push_back(value_of(value));
    to.end_row(from.is_missing(row));
  }
}

// The code in `to` of each code in `from` that is asked for.
class Recoded {
 public:
  Recoded(const data::Dictionary& from, data::Dictionary& to)
      : from_(&from), to_(&to), codes_(static_cast<size_t>(from.size()), kNotYet) {}
  int32_t operator()(int32_t code) {
    if (code == data::kMissingCode) return code;
    int32_t& known = codes_[static_cast<size_t>(code)];
    if (known == kNotYet) known = to_->add(from_->value(code));
    return known;
  }

 private:
  static constexpr int32_t kNotYet = -2;
  const data::Dictionary* from_;
  data::Dictionary* to_;
  std::vector<int32_t> codes_;
};

void append_rows(const RawColumn& from, std::span<const uint32_t> rows, RawColumn& to) {
  std::visit(Overloaded{[](const std::monostate&) {},
                        [&](const Numbers& cells) {
                          auto& values = std::get<Numbers>(to).values;
                          for (const uint32_t row : rows) values.push_back(cells.values[row]);
                        },
                        [&](const Words& cells) {
                          auto& words = std::get<Words>(to);
                          Recoded recoded(cells.dictionary, words.dictionary);
                          for (const uint32_t row : rows) words.codes.push_back(recoded(cells.codes[row]));
                        },
                        [&](const Vectors& cells) {
                          append_lists(cells.lists, rows, std::get<Vectors>(to).lists,
                                       [](float value) { return value; });
                        },
                        [&](const WordLists& cells) {
                          auto& lists = std::get<WordLists>(to);
                          append_lists(cells.lists, rows, lists.lists,
                                       Recoded(cells.dictionary, lists.dictionary));
                        },
                        [&](const Dates& cells) {
                          auto& stamps = std::get<Dates>(to).stamps;
                          for (const uint32_t row : rows) stamps.push_back(cells.stamps[row]);
                        },
                        [&](const Pictures& cells) {
                          auto& pictures = std::get<Pictures>(to);
                          for (const uint32_t row : rows) {
                            pictures.states.push_back(cells.states[row]);
                            pictures.pixels.append(1);
                            std::ranges::copy(cells.pixels.row(row),
                                              pictures.pixels.row(pictures.pixels.rows() - 1).begin());
                          }
                        }},
             from);
}

}  // namespace

void append_rows(const RawColumns& from, std::span<const uint32_t> rows, RawColumns& to) {
  for (size_t i = 0; i < from.inputs.size(); ++i) append_rows(from.inputs[i], rows, to.inputs[i]);
  for (size_t o = 0; o < from.outputs.size(); ++o) append_rows(from.outputs[o], rows, to.outputs[o]);
  to.appended(static_cast<int64_t>(rows.size()));
}

Sample::Sample(const task::Recipe& recipe, int64_t bytes, uint64_t seed)
    : recipe_(&recipe), bytes_(bytes), seed_(seed), columns_(recipe, true) {
  const auto know = [&](const auto& features) {
    for (const auto& feature : features) {
      const int64_t most = std::min(words_kept(feature), kMostFirsts);
      known_.push_back({.most = most, .words = data::Dictionary(most + 1, std::min(kWordBytes, bytes / 16))});
    }
  };
  know(recipe.inputs);
  know(recipe.outputs);
}

int64_t Sample::bytes() const {
  int64_t bytes = columns_.bytes() + static_cast<int64_t>(drawn_.capacity() * sizeof(Drawn));
  for (const Known& known : known_) bytes += known.words.bytes();
  return bytes;
}

void Sample::mark_first(const RawColumn& column, std::span<const uint8_t> splits, uint8_t flag, Known& known,
                        std::vector<uint8_t>& first) {
  if (known.most == 0) return;
  const auto* words = std::get_if<Words>(&column);
  const auto* lists = std::get_if<WordLists>(&column);
  const data::Dictionary& dictionary = words ? words->dictionary : lists->dictionary;
  std::vector<uint8_t> is_new(static_cast<size_t>(dictionary.size()));
  for (int32_t code = 0; code < dictionary.size(); ++code)
    is_new[static_cast<size_t>(code)] = known.words.find(dictionary.value(code)) == data::kMissingCode;
  const auto see = [&](size_t row, int32_t code) {
    if (code == data::kMissingCode ? known.missing : !is_new[static_cast<size_t>(code)]) return;
    first[row] |= flag;
    if (code == data::kMissingCode) {
      known.missing = true;
      return;
    }
    is_new[static_cast<size_t>(code)] = 0;
    known.words.add(dictionary.value(code));
  };
  for (size_t row = 0; row < splits.size(); ++row) {
    if (splits[row] != data::kTrain) continue;
    if (words) see(row, words->codes[row]);
    if (!lists) continue;
    if (lists->lists.is_missing(static_cast<int64_t>(row))) see(row, data::kMissingCode);
    for (const int32_t code : lists->lists[static_cast<int64_t>(row)]) see(row, code);
  }
  // More than a vocabulary holds: the frequent ones, which it will be made of, are drawn anyway.
  if (known.words.full() || known.words.size() > known.most)
    known = {.most = 0, .words = data::Dictionary(1), .missing = known.missing};
}

void Sample::add(const RawColumns& block, int64_t first_row, std::span<const uint8_t> splits) {
  std::vector<uint8_t> first(splits.size());
  const size_t inputs = block.inputs.size();
  for (size_t c = 0; c < known_.size(); ++c)
    mark_first(c < inputs ? block.inputs[c] : block.outputs[c - inputs], splits,
               c < inputs ? kOfInput : kOfOutput, known_[c], first);
  std::vector<uint32_t> rows;
  for (size_t row = 0; row < splits.size(); ++row) {
    if (splits[row] != data::kTrain) continue;
    ++training_rows_;
    const auto number = static_cast<uint64_t>(first_row) + row;
    const PhiloxBlock draw =
        philox4x32({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), 0, kDrawStream},
                   {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    if (draw[0] >= threshold_ && !first[row]) continue;
    rows.push_back(static_cast<uint32_t>(row));
    drawn_.push_back({draw[0], first[row]});
    first_rows_ += first[row] != 0;
  }
  append_rows(block, rows, columns_);
  while (bytes() > bytes_ && threshold_ > 1) make_room();
}

// Half of what was drawn goes. First rows stay, unless they are a large part of what there is: then the
// inputs have too many words for a sample of this size, and from now on their words have to be drawn.
void Sample::make_room() {
  threshold_ /= 2;
  if (4 * first_rows_ > rows()) {
    for (size_t c = 0; c < recipe_->inputs.size(); ++c)
      known_[c] = {.most = 0, .words = data::Dictionary(1), .missing = true};
    first_rows_ = 0;
    for (Drawn& drawn : drawn_) first_rows_ += (drawn.first &= kOfOutput) != 0;
  }
  std::vector<uint32_t> kept;
  std::vector<Drawn> still;
  for (size_t row = 0; row < drawn_.size(); ++row) {
    if (drawn_[row].draw >= threshold_ && !drawn_[row].first) continue;
    kept.push_back(static_cast<uint32_t>(row));
    still.push_back(drawn_[row]);
  }
  drawn_ = std::move(still);
  // Column by column, so that never more than one is there twice.
  RawColumns fewer(*recipe_, true);
  const auto move_over = [&](std::vector<RawColumn>& from, std::vector<RawColumn>& to) {
    for (size_t c = 0; c < from.size(); ++c) {
      append_rows(from[c], kept, to[c]);
      from[c] = {};
    }
  };
  move_over(columns_.inputs, fewer.inputs);
  move_over(columns_.outputs, fewer.outputs);
  fewer.appended(static_cast<int64_t>(kept.size()));
  columns_ = std::move(fewer);
}

}  // namespace shoestring::train
