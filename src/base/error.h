// Errors as values. Every fallible function of the library returns Result<T>; nothing below src/cli
// prints, exits or throws past its own boundary.
//
//   Result<Table> t = open(path);
//   if (!t) return fail(std::move(t.error()));        // or: SHOESTRING_TRY-free style with and_then
//
// An error names what was wrong, where it was, and ends with what to do.
#pragma once

#include <fmt/core.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace shoestring {

// The kinds are the documented exit codes of the command line.
enum class ErrorKind : int {
  internal = 1,      // a fault of ours
  usage = 2,         // unknown verb, flag or key; value out of range; YAML that does not parse
  data = 3,          // a data or model file that is missing, empty, damaged, too new; a bad column
  budget = 4,        // does not fit the budget; nothing was started
  stopped = 5,       // stopped by the budget; the model is saved
  machine = 6,       // disk full, no permission, port in use, run in use
  interrupted = 130  // Ctrl-C; the model is saved
};

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string what;   // "unknown key 'lerning_rate'"
  std::string where;  // "recipe.yaml:12:3", "data.csv:17, column 'age'", "" if there is no place
  std::string fix;    // "did you mean 'learning_rate'?", "" only for internal errors

  // "where: what; fix", the one line a user reads.
  std::string message() const;
  int exit_code() const { return static_cast<int>(kind); }
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

using Failure = tl::unexpected<Error>;

inline Failure fail(Error e) { return Failure(std::move(e)); }
inline Failure fail(ErrorKind kind, std::string what, std::string where = {}, std::string fix = {}) {
  return Failure(Error{kind, std::move(what), std::move(where), std::move(fix)});
}

}  // namespace shoestring
