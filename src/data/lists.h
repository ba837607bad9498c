// Columns whose cells are lists: words of a set, numbers of a vector. The lists stand end to end.
//
// A cell of words is a text that a tokenizer takes apart (data/tokenize.h), or a list as JSON or Python
// writes it:
// ["new york", "paris"], ['a', 'b']. A cell of numbers is numbers parted by spaces, commas or semicolons, in
// brackets or not: 0.1 0.2 0.3, [0.1, 0.2, 0.3]. Lists of Parquet and of JSON come in these forms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/parse.h"
#include "data/tokenize.h"

namespace shoestring::data {

template <class T>
struct Lists {
  std::vector<T> values;
  std::vector<int64_t> ends;     // of each row's list
  std::vector<uint8_t> missing;  // of each row: 1 where there is no list (which an empty one is)

  int64_t rows() const { return static_cast<int64_t>(ends.size()); }
  std::span<const T> operator[](int64_t row) const {
    const auto r = static_cast<size_t>(row);
    const int64_t begin = r == 0 ? 0 : ends[r - 1];
    return {values.data() + begin, static_cast<size_t>(ends[r] - begin)};
  }
  bool is_missing(int64_t row) const { return missing[static_cast<size_t>(row)] != 0; }
  // Ends the list of the values that were pushed since the last one.
  void end_row(bool is_missing = false) {
    ends.push_back(static_cast<int64_t>(values.size()));
    missing.push_back(is_missing);
  }
  int64_t bytes() const {
    return static_cast<int64_t>(values.capacity() * sizeof(T) + ends.capacity() * sizeof(int64_t) +
                                missing.capacity());
  }
};

// The words of a list written as JSON or as Python does; nothing where the cell is no such list. A null is
// left out.
std::optional<std::vector<std::string>> read_list(std::string_view cell);

// Appends a cell's numbers. False, and nothing is appended, where the cell is no list of finite numbers.
bool read_vector(std::string_view trimmed, std::vector<float>& out);

// The words of a cell: of a list, or the tokenizer's. The unknown word, <UNK>, is one whatever the tokenizer.
std::vector<std::string> words_of(std::string_view cell, Tokenizer tokenizer);

// Appends a list of codes per row of the column. Words that a full dictionary does not take are left out.
void append_words(const TextColumn& column, Tokenizer tokenizer, Dictionary& dictionary, Lists<int32_t>& out);

// Appends a list of numbers per row: a missing one where the cell is missing or bad.
void append_vectors(const TextColumn& column, int64_t first_row, Lists<float>& out, BadCells& bad);

}  // namespace shoestring::data
