#include "data/format_words.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/text.h"

namespace shoestring::data {
namespace {

struct Word {
  std::string_view word;
  TableKind kind;
  char delimiter = 0;
};

constexpr std::array kWords{
    Word{"csv", TableKind::csv},         Word{"tsv", TableKind::csv, '\t'},
    Word{"json", TableKind::json},       Word{"jsonl", TableKind::jsonl},
    Word{"parquet", TableKind::parquet}, Word{"feather", TableKind::feather},
    Word{"sqlite", TableKind::sqlite},
};

// Formats that Ludwig reads and this program does not.
struct Refused {
  std::string_view word, fix;
};
constexpr std::array kRefused{
    Refused{"excel", "save the sheet as CSV"},
    Refused{"hdf5", "write it as Parquet: pandas.read_hdf(FILE).to_parquet(NEW)"},
    Refused{"pickle", "write it as Parquet: pandas.read_pickle(FILE).to_parquet(NEW)"},
    Refused{"fwf", "write it as CSV: pandas.read_fwf(FILE).to_csv(NEW, index=False)"},
    Refused{"html", "write it as CSV: pandas.read_html(FILE)[0].to_csv(NEW, index=False)"},
    Refused{"orc", "write it as Parquet: pandas.read_orc(FILE).to_parquet(NEW)"},
    Refused{"sas", "write it as Parquet: pandas.read_sas(FILE).to_parquet(NEW)"},
    Refused{"spss", "write it as Parquet: pandas.read_spss(FILE).to_parquet(NEW)"},
    Refused{"stata", "write it as Parquet: pandas.read_stata(FILE).to_parquet(NEW)"},
    Refused{"dict", "write it as JSON"},
    Refused{"df", "write it as Parquet: FRAME.to_parquet(NEW)"},
};

}  // namespace

std::string_view word_of(TableKind kind) {
  for (const Word& word : kWords)
    if (word.kind == kind) return word.word;
  return {};
}

Status set_data_format(std::string_view word, ReadOptions& options) {
  if (word.empty() || word == "auto") return {};
  for (const Word& known : kWords) {
    if (known.word != word) continue;
    options.kind = known.kind;
    if (known.delimiter != 0) options.delimiter = known.delimiter;
    return {};
  }
  for (const Refused& refused : kRefused)
    if (refused.word == word)
      return fail(ErrorKind::usage, fmt::format("the data format '{}' is not read", word), "--data_format",
                  std::string(refused.fix));
  std::vector<std::string> words{"auto"};
  for (const Word& known : kWords) words.emplace_back(known.word);
  const std::string near = nearest(word, words);
  return fail(ErrorKind::usage, fmt::format("unknown data format '{}'", word), "--data_format",
              near.empty() ? fmt::format("one of {}", fmt::join(words, ", "))
                           : fmt::format("did you mean '{}'?", near));
}

}  // namespace shoestring::data
