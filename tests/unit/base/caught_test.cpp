#include "base/caught.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

namespace shoestring {
namespace {

template <class Throws>
Error told(Throws&& throws) {
  try {
    throws();
  } catch (...) {
    return caught();
  }
  return {};
}

TEST(Caught, SaysWhoseFaultItIsAndWhatToDo) {
  const Error memory = told([] { throw std::bad_alloc(); });
  EXPECT_EQ(memory.kind, ErrorKind::machine);
  EXPECT_EQ(memory.what, "out of memory");
  EXPECT_NE(memory.fix, "");

  const Error path = told([] {
    throw std::filesystem::filesystem_error("status", "a/b",
                                            std::make_error_code(std::errc::too_many_symbolic_link_levels));
  });
  EXPECT_EQ(path.kind, ErrorKind::machine);
  EXPECT_EQ(path.where, "a/b");

  const Error ours = told([] { throw std::out_of_range("index 7"); });
  EXPECT_EQ(ours.kind, ErrorKind::internal);
  EXPECT_NE(ours.what.find("index 7"), std::string::npos);
  EXPECT_EQ(told([] { throw 7; }).kind, ErrorKind::internal);
}

}  // namespace
}  // namespace shoestring
