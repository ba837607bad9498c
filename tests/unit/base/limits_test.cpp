#include "base/limits.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/memory.h"
#include "base/parallel.h"

namespace shoestring {
namespace {
namespace fs = std::filesystem;

// A made-up /proc and /sys.
class LimitsTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  Limits read() const { return read_limits(root_); }

 private:
  std::string root_ =
      testing::TempDir() + "limits." + testing::UnitTest::GetInstance()->current_test_info()->name();
};

constexpr const char* kUnifiedMount =
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_F(LimitsTest, NothingSaysNothing) {
  const Limits limits = read();
  EXPECT_EQ(limits.memory_bytes, kNoLimit);
  EXPECT_EQ(limits.memory_left, kNoLimit);
  EXPECT_TRUE(std::isinf(limits.quota));
  EXPECT_EQ(limits.cores(), limits.affinity);
}

TEST_F(LimitsTest, Version2TakesTheSmallestUpTheTree) {
  file("/proc/self/mountinfo", kUnifiedMount);
  file("/proc/self/cgroup", "0::/user.slice/job/step\n");
  const std::string at = "/sys/fs/cgroup/user.slice";
  file(at + "/memory.max", "2147483648\n");
  file(at + "/memory.stat", "file 5\nanon 1900000000\n");
  file(at + "/cpu.max", "400000 100000\n");
  file(at + "/job/memory.max", "1073741824\n");
  file(at + "/job/memory.stat", "anon 73741824\nfile 900000000\n");
  file(at + "/job/cpu.max", "150000 100000\n");
  file(at + "/job/step/memory.max", "max\n");
  file(at + "/job/step/cpu.max", "max 100000\n");
  const Limits limits = read();
  EXPECT_EQ(limits.memory_bytes, 1073741824);
  EXPECT_EQ(limits.memory_left, 2147483648 - 1900000000) << "the group above is nearer to its limit";
  EXPECT_EQ(limits.quota, 1.5);
}

// A container that sees its own group as the top: the paths in /proc/self/cgroup may be the host's.
TEST_F(LimitsTest, Version2OfAContainer) {
  file("/proc/self/mountinfo", kUnifiedMount);
  file("/proc/self/cgroup", "0::/../../elsewhere\n");
  file("/sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(read().memory_bytes, 536870912);
}

TEST_F(LimitsTest, Version1WithTheGroupMountedAsTheTop) {
  file("/proc/self/mountinfo",
       "40 39 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
       "41 39 0:34 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  file("/proc/self/cgroup", "5:cpu,cpuacct:/docker/abc/inner\n4:memory:/docker/abc/inner\n2:cpuset:/\n");
  const std::string memory = "/sys/fs/cgroup/memory", cpu = "/sys/fs/cgroup/cpu,cpuacct";
  file(memory + "/memory.limit_in_bytes", "9223372036854771712\n");
  file(memory + "/inner/memory.limit_in_bytes", "268435456\n");
  file(memory + "/inner/memory.stat", "cache 99\nrss 1\ntotal_rss 68435456\n");
  file(cpu + "/cpu.cfs_quota_us", "250000\n");
  file(cpu + "/cpu.cfs_period_us", "100000\n");
  file(cpu + "/inner/cpu.cfs_quota_us", "-1\n");
  file(cpu + "/inner/cpu.cfs_period_us", "100000\n");
  const Limits limits = read();
  EXPECT_EQ(limits.memory_bytes, 268435456);
  EXPECT_EQ(limits.memory_left, 200000000);
  EXPECT_EQ(limits.quota, 2.5);
}

// Version 2 for some controllers, version 1 for the others.
TEST_F(LimitsTest, BothVersionsAtOnce) {
  file("/proc/self/mountinfo",
       "30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
       "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  file("/proc/self/cgroup", "4:memory:/a\n0::/b\n");
  file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000000\n");
  file("/sys/fs/cgroup/unified/b/cpu.max", "50000 100000\n");
  const Limits limits = read();
  EXPECT_EQ(limits.memory_bytes, 1000000);
  EXPECT_EQ(limits.quota, 0.5);
  EXPECT_EQ(limits.cores(), 1) << "half a core still runs one thread";
}

TEST_F(LimitsTest, AGroupThatIsNotThereLimitsNothing) {
  file("/proc/self/mountinfo", kUnifiedMount);
  file("/proc/self/cgroup", "0::/gone/with/the/wind\n");
  file("/sys/fs/cgroup/gone/memory.max", "77\n");
  EXPECT_EQ(read().memory_bytes, 77);
}

TEST(LimitsCores, AreTheSmallerOfAffinityAndQuota) {
  EXPECT_EQ((Limits{.quota = 1.5, .affinity = 8}.cores()), 2);
  EXPECT_EQ((Limits{.quota = 16, .affinity = 8}.cores()), 8);
  EXPECT_EQ((Limits{.quota = 0.01, .affinity = 8}.cores()), 1);
}

TEST(LimitsOfThisProcess, AffinityIsSeen) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(read_limits().affinity, CPU_COUNT(&before));
}

int64_t mapped_bytes() {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word)
    if (word == "VmSize:") break;
  int64_t kib = 0;
  in >> kib;
  return kib * 1024;
}

// A limit of the address space is refused for with words, not met by a failing allocation.
TEST(LimitsOfThisProcess, AddressSpaceBoundsWhatIsAvailable) {
  constexpr int64_t kRoom = int64_t{256} << 20;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(mapped_bytes() + kRoom);
  if (low.rlim_cur > before.rlim_max || setrlimit(RLIMIT_AS, &low) != 0)
    GTEST_SKIP() << "the limit cannot be set here";
  const int64_t limit = read_limits().address_space_bytes, available = available_bytes();
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(limit, static_cast<int64_t>(low.rlim_cur));
  EXPECT_LE(available, kRoom);
}

}  // namespace
}  // namespace shoestring
