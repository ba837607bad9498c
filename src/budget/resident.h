// What a process and the libraries that it opens hold of memory, and how fast files are: measured as they are
// opened, so rightly only once, early in a process.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "ir/op.h"

namespace shoestring::budget {

// Resident bytes; 0 where it was open already or is not to be had.
struct Resident {
  double process = 0, openmp = 0, thread = 0, onednn = 0, arrow = 0, primitive = 0;
  double scratch = 0;  // the most that one of the products asked for; no memory was taken for it
};
Resident measure_resident(const Target& target);

struct FileSpeed {
  double write = 0, read = 0;  // bytes/s
  double sync = 0;             // seconds
};
// By a file of 8 MiB in that folder, which is made if need be. ErrorKind::machine.
Result<FileSpeed> measure_files(const std::string& folder, const Clock& clock);

}  // namespace shoestring::budget
