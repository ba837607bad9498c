#include "budget/machine_profile.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/atomic_file.h"
#include "budget/machine_rates.h"
#include "compile/compile.h"

namespace shoestring::budget {
namespace {
namespace fs = std::filesystem;

MachineProfile some_profile() {
  MachineProfile p = built_in_profile({Isa::avx2, 4});
  p.machine = {"A CPU", 4, "avx2", int64_t{8} << 30, "Linux 6.1"};
  p.measured = "2026-11-26";
  double value = 1;
  for (const Rate& rate : rates()) rate.of(p) = value++;
  p.scaling = {{1, 1, 1}, {4, 3.5, 1.25}};
  return p;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refused(const std::string& text) {
  const auto profile = profile_from_json(text, "m.json");
  EXPECT_FALSE(profile);
  if (profile) return {};
  EXPECT_EQ(profile.error().kind, ErrorKind::data);
  return profile.error().message();
}

TEST(MachineProfile, SurvivesItsFile) {
  const MachineProfile p = some_profile();
  const auto again = profile_from_json(to_json(p), "m.json");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_json(*again), to_json(p));
  for (const Rate& rate : rates()) EXPECT_EQ(rate.in(*again), rate.in(p)) << rate.key();
  EXPECT_EQ(again->machine.cpu, "A CPU");
  EXPECT_EQ(again->machine.memory_bytes, int64_t{8} << 30);
  ASSERT_EQ(again->scaling.size(), 2u);
  EXPECT_EQ(again->scaling[1].threads, 4);
  EXPECT_EQ(again->scaling[1].memory, 1.25);
}

// A field that the table lacks would be lost on the way through a file.
TEST(MachineProfile, EveryNumberIsARate) {
  const size_t listed = rates().size() * sizeof(double);
  const size_t others = sizeof(MachineIdentity) + sizeof(std::string) + sizeof(std::vector<ThreadScaling>);
  EXPECT_EQ(sizeof(MachineProfile), listed + others);
}

TEST(MachineProfile, IsStrict) {
  const std::string good = to_json(some_profile());
  EXPECT_EQ(refused(replaced(good, "\"step_seconds\"", "\"step_secnds\"")),
            "m.json: cannot read the machine profile: unknown key 'step_secnds' in the profile; did you mean "
            "'step_seconds'?");
  EXPECT_EQ(
      refused(replaced(good, "\"tiny\"", "\"tinny\"")),
      "m.json: cannot read the machine profile: unknown key 'tinny' in 'f32_products'; did you mean 'tiny'?");
  EXPECT_EQ(
      refused(replaced(good, "\"isa\": \"avx2\",", "")),
      "m.json: cannot read the machine profile: it lacks 'isa'; measure the machine again with 'shoestring "
      "calibrate'");
  EXPECT_EQ(
      refused(replaced(good, "\"tiny\": 1.0", "\"tiny\": 0")),
      "m.json: cannot read the machine profile: 'f32_products.tiny' is 0, no number above 0; measure the "
      "machine again with 'shoestring calibrate'");
  EXPECT_EQ(
      refused(replaced(good, "\"tiny\": 1.0", "\"tiny\": \"fast\"")),
      "m.json: cannot read the machine profile: 'f32_products.tiny' is \"fast\", no number above 0; measure "
      "the machine again with 'shoestring calibrate'");
  EXPECT_EQ(
      refused(replaced(good, "\"shoestring_machine\": 1", "\"shoestring_machine\": 9")),
      "m.json: cannot read the machine profile: it is of version 9, and this program reads 1; measure the "
      "machine again with 'shoestring calibrate'");
  EXPECT_EQ(
      refused(replaced(good, "\"threads\": 4", "\"threads\": 1")),
      "m.json: cannot read the machine profile: 'scaling' is not in order of threads; measure the machine "
      "again with 'shoestring calibrate'");
  EXPECT_EQ(
      refused("{}"),
      "m.json: cannot read the machine profile: it is no machine profile; 'shoestring calibrate --output "
      "FILE' writes one");
  EXPECT_EQ(
      refused("["),
      "m.json: cannot read the machine profile: it is no JSON; measure the machine again with 'shoestring "
      "calibrate'");
}

class MachineCache : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const std::string folder_ = testing::TempDir() + "machine_cache";
  const Target target_ = native_target();
};

TEST_F(MachineCache, WithoutAProfileTheBuiltInOneSpeaks) {
  const KnownMachine known = load_or_built_in(target_, folder_);
  EXPECT_EQ(known.path, "");
  EXPECT_EQ(known.note, "");
  EXPECT_EQ(known.profile->measured, "");
  EXPECT_EQ(known.profile->machine.isa, shoestring::to_string(target_.isa));
  EXPECT_GT(known.profile->machine.memory_bytes, 0);
  for (const Rate& rate : rates()) {
    if (rate.may_be_none) continue;
    EXPECT_GT(rate.in(*known.profile), 0) << rate.key();
  }
}

TEST_F(MachineCache, WhatWasMeasuredHereIsTaken) {
  MachineProfile p = some_profile();
  p.machine = this_machine(target_);
  p.machine.memory_bytes += p.machine.memory_bytes / 50;  // another kernel keeps less for itself
  const std::string path = cached_profile(folder_, p.machine);
  ASSERT_TRUE(make_folders(folder_));
  ASSERT_TRUE(write_profile(path, p));
  const KnownMachine known = load_or_built_in(target_, folder_);
  EXPECT_EQ(known.path, path);
  EXPECT_EQ(known.profile->measured, "2026-11-26");
}

TEST_F(MachineCache, AChangedMachineMakesItStale) {
  MachineProfile p = some_profile();
  p.machine = this_machine(target_);
  const std::string path = cached_profile(folder_, p.machine);
  p.machine.memory_bytes *= 2;
  ASSERT_TRUE(make_folders(folder_));
  ASSERT_TRUE(write_profile(path, p));
  const KnownMachine known = load_or_built_in(target_, folder_);
  EXPECT_EQ(known.path, "");
  EXPECT_EQ(known.profile->measured, "");
  EXPECT_NE(known.note.find("is of a machine that has changed since"), std::string::npos) << known.note;
  MachineIdentity other = p.machine;
  ++other.cores;
  EXPECT_NE(cached_profile(folder_, other), path) << "each machine has a file of its own";
}

TEST_F(MachineCache, ADamagedOneIsANote) {
  ASSERT_TRUE(make_folders(folder_));
  std::ofstream(cached_profile(folder_, this_machine(target_))) << "{\"shoestring_machine\": 1";
  const KnownMachine known = load_or_built_in(target_, folder_);
  EXPECT_EQ(known.profile->measured, "");
  EXPECT_NE(known.note.find("it is no JSON"), std::string::npos) << known.note;
}

TEST(MachineIdentity, IsReadFromTheSystemsFiles) {
  const std::string root = testing::TempDir() + "machine_identity";
  fs::create_directories(root + "/proc");
  std::ofstream(root + "/proc/cpuinfo") << "processor\t: 0\nmodel name\t: Some CPU @ 2.80GHz\n";
  std::ofstream(root + "/proc/meminfo") << "MemTotal:        2048 kB\nMemFree: 1 kB\n";
  const MachineIdentity m = this_machine({Isa::avx2, 2}, root);
  EXPECT_EQ(m.cpu, "Some CPU @ 2.80GHz");
  EXPECT_EQ(m.memory_bytes, 2 << 20);
  EXPECT_EQ(m.isa, "avx2");
  EXPECT_NE(m.kernel, "");
  fs::remove_all(root);
}

}  // namespace
}  // namespace shoestring::budget
