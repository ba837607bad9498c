// Where text goes: standard output, a pipe or device as it comes, or a file that is whole or absent.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring::data {

// The first fault (disk full, a closed pipe) is kept, writing goes on into nothing, and finish() (or
// status()) reports it: so pieces need no check each.
class Output {
 public:
  // "-" is standard output. A regular file appears under its name at finish() only. Where the name ends in
  // ".gz" the text is compressed, for speed rather than size.
  static Result<Output> open(const std::string& path);
  Output(Output&&) noexcept;
  Output& operator=(Output&&) noexcept;
  ~Output();  // without finish() a regular file is dropped

  void write(std::string_view text);
  const Status& status() const;
  // Syncs and names the file. `durable` false skips the sync: for what can be made again.
  Status finish(bool durable = true);

 private:
  struct State;
  explicit Output(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoestring::data
