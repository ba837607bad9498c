// What --dataset and its like name: one file, several, or a table of a database.
//   a.csv                     one file, whatever characters its name holds, if there is such a file
//   a.csv,b.csv               several, in this order
//   data/part-*.csv           those that match, in the order of their names: * ? [a-z], as in a shell
//   a.csv,more/*.csv          both; what a pattern matches and was there before is not there again
//   sqlite:FILE?table=NAME    a table or view; sqlite:FILE?query=SELECT ... what a query gives (%3F is "?")
//   -                         stdin
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

// The files, at least one, each once. ErrorKind::data: nothing matches a pattern; ErrorKind::usage: an empty
// name, or one file under two names, whose rows would count twice.
Result<std::vector<std::string>> files_of(const std::string& source);

// The same with absolute paths, to be opened from any folder. Patterns stay patterns.
std::string absolute_source(const std::string& source);

// Whether both name one file, by links or otherwise.
bool same_file(const std::string& a, const std::string& b);

inline constexpr std::string_view kSqlitePrefix = "sqlite:";

}  // namespace shoestring::data
