#include "train/run_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shoestring::train {
namespace {
namespace fs = std::filesystem;

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest() {
    char name[] = "/tmp/shoestring_run_XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~RunFolderTest() override { fs::remove_all(root_); }
  std::string root_;
};

TEST_F(RunFolderTest, EachRunHasAFolderOfItsOwn) {
  const auto a = RunFolder::create(root_ + "/deep/results", "experiment", "run");
  const auto b = RunFolder::create(root_ + "/deep/results", "experiment", "run");
  const auto c = RunFolder::create(root_ + "/deep/results", "experiment", "run");
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->path(), root_ + "/deep/results/experiment_run");
  EXPECT_EQ(b->path(), root_ + "/deep/results/experiment_run_0");
  EXPECT_EQ(c->path(), root_ + "/deep/results/experiment_run_1");
}

TEST_F(RunFolderTest, AnotherProcessIsToldWhoHoldsIt) {
  auto mine = RunFolder::create(root_, "experiment", "run");
  ASSERT_TRUE(mine);
  // flock belongs to the open file, so a second open in this process conflicts like another process.
  const auto second = RunFolder::open(mine->path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::machine);
  EXPECT_EQ(second.error().message(),
            fmt::format("{}: this run is still running; wait until process {} ends, or stop it", mine->path(),
                        ::getpid()));
  const std::string path = mine->path();
  { const RunFolder gone = std::move(*mine); }
  EXPECT_TRUE(RunFolder::open(path + "/"));
}

TEST_F(RunFolderTest, TheLockGoesWithAKilledProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto folder = RunFolder::create(root_, "experiment", "run");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(RunFolder::open(root_ + "/experiment_run"));
}

TEST_F(RunFolderTest, IsFinishedOnceThatIsSaid) {
  const auto run = RunFolder::create(root_, "experiment", "run");
  ASSERT_TRUE(run);
  std::ofstream(run->training_statistics()) << "{}";
  EXPECT_FALSE(run->finished());
  ASSERT_TRUE(run->finish());
  EXPECT_TRUE(run->finished());
}

TEST_F(RunFolderTest, AFileWhereAFolderIsNeeded) {
  std::ofstream(root_ + "/results") << "no folder";
  const auto folder = RunFolder::create(root_ + "/results", "experiment", "run");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::machine);
}

TEST_F(RunFolderTest, FindsTheModelFromFileModelFolderAndRunFolder) {
  const auto run = RunFolder::create(root_, "experiment", "run");
  ASSERT_TRUE(run);
  EXPECT_EQ(find_model(run->path()).error().kind, ErrorKind::data);
  fs::create_directory(run->model_folder());
  std::ofstream(run->model()) << "model";
  for (const auto& given : {run->path(), run->model_folder(), run->model()})
    EXPECT_EQ(find_model(given), run->model());
  EXPECT_EQ(find_model(root_ + "/nothing").error().message(),
            root_ + "/nothing: no such model; give a model file, a model folder or a run folder");
}

}  // namespace
}  // namespace shoestring::train
