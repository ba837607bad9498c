// Is the first record of a CSV file a header?
#pragma once

#include <span>
#include <string>
#include <vector>

namespace shoestring::data {

using Cells = std::vector<std::string>;  // of one record, trimmed

// The first rule that applies decides.
//   1 the first record holds a name that is asked for             header
//     names are asked for, all are column_N                       data
//   2 a column of numbers or dates (all later cells that are not missing, at least one) begins with
//     a word                                                      header
//   3 a first cell is empty, a number, a date or missing ("?")    data, but an empty first cell alone
//     (an index column without a name)                            goes on
//   4 no later record                                             header
//   5 a first cell is longer than 64 bytes                        data
//   6 one column of words                                         header if it is one of a few usual names
//   7 a first cell occurs twice in the first record, or again below it in its column   data
//   8 else: all words, all different, none seen again             header
bool first_is_header(std::span<const Cells> records, std::span<const std::string> expected_names);

// The columns' names: trimmed; column_N for an empty one; NAME_2 … for one that occurs again. Each
// change is noted. `columns` may exceed the header: see sniff.cpp.
std::vector<std::string> header_names(const Cells& header, std::vector<std::string>& notes);
std::vector<std::string> numbered_names(int columns);

}  // namespace shoestring::data
