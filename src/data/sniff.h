// What a CSV file is, found by looking at its first 64 KiB.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/table.h"

namespace shoestring::data {

inline constexpr int64_t kSampleBytes = 64 << 10;

struct CsvLayout {
  TableFormat format;
  std::vector<std::string> names, notes;
  int64_t first_row_at = 0;  // offset in the sample of the first row of data
};

// Delimiter: of tab ; | , the one that gives every record of the sample the same number of cells (two
// or more, the first record included); if none does, the one that comes nearest. In that order, so that
// "1,5;2,5" is two cells; a file named .tsv prefers the tab. One column if there is none.
// Quote: " unless most rows hold cells enclosed in ' and none in "; none if the sample is more
// regular without.
// Header: the table of rules in header.h.
// `sample` is text behind a byte order mark; `whole` says that it is all there is.
Result<CsvLayout> sniff_csv(std::string_view sample, bool whole, const std::string& path,
                            const ReadOptions& options);

}  // namespace shoestring::data
