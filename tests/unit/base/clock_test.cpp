#include "base/clock.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

TEST(Clock, TheProcessWasStartedBeforeNowAndOnce) {
  const double started = process_started();
  EXPECT_LE(started, SteadyClock().seconds());
  EXPECT_EQ(process_started(), started);
}

}  // namespace
}  // namespace shoestring
