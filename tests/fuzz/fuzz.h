// A fuzz target is a file that defines LLVMFuzzerTestOneInput: whatever the bytes, a reader gives what they
// say or an error with words; it never crashes, hangs or reads beyond them. The `fuzz` preset (clang-16)
// links each target with libFuzzer:
//
//   tools/setup --fuzz && tools/build fuzz fuzz_table
//   build/fuzz/tests/fuzz_table -max_len=4096 tests/fuzz/seeds/table
//
// bench/fuzz does that for every reader.
//
// Every other build links driver.cpp in libFuzzer's place, which changes the seeds a fixed number of times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace shoestring::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// What every refusal owes its reader. An internal error is a bug, whatever was read.
inline void check_refusal(const Error& error) {
  check(error.kind != ErrorKind::internal, error.message().c_str());
  check(!error.what.empty(), "an error says what is wrong");
  check(!error.where.empty(), error.message().c_str());
}

}  // namespace shoestring::fuzz
