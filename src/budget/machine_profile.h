// A machine's profile as a file, and where it is kept between processes.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "compile/machine.h"

namespace shoestring::budget {

// {"shoestring_machine": 1, "measured": "2026-11-26", "machine": {"cpu": …, "cores": 2, …},
//  "f32_products": {"tiny": …, …}, …, "scaling": [{"threads": 2, "arithmetic": 1.9, "memory": 1.4}]}
std::string to_json(const MachineProfile& profile);

// Strict: a key that is unknown, missing or out of range is named. ErrorKind::data.
Result<MachineProfile> profile_from_json(const std::string& text, const std::string& path);
Result<MachineProfile> read_profile(const std::string& path);
Status write_profile(const std::string& path, const MachineProfile& profile);

// Files are read below `root`, for tests.
MachineIdentity this_machine(const Target& target, const std::string& root = {});
// In words: "AMD EPYC 9755, 2 cores, avx512, 7.8 GiB".
std::string to_string(const MachineIdentity& machine);
// Memory may differ by a twentieth: kernels keep more or less of it for themselves.
bool same_machine(const MachineIdentity& a, const MachineIdentity& b);

// Where things are kept that can be made again: $SHOESTRING_CACHE, else $XDG_CACHE_HOME/shoestring, else
// ~/.cache/shoestring; empty: nowhere.
std::string cache_folder();
// A name for each machine, so that several may share a home.
std::string cached_profile(const std::string& folder, const MachineIdentity& machine);

struct KnownMachine {
  std::shared_ptr<const MachineProfile> profile;
  std::string path;  // of the file that it is from; empty: built in
  std::string note;  // why a file that is there was not taken; empty: nothing to say
};
// What was measured of this machine, else what is built in for its instructions.
KnownMachine load_or_built_in(const Target& target, const std::string& folder = cache_folder());

}  // namespace shoestring::budget
