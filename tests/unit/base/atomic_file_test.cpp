// Files are whole or absent, whatever fails.
#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

namespace shoestring {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "shoestring.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string contents(const std::string& name) const { return read_file(path(name)).value_or("<none>"); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }

  fs::path folder_;
};

TEST_F(AtomicFileTest, WritesWhatItIsGiven) {
  const std::string text("a\0b\n", 4);
  ASSERT_TRUE(write_file(path("x"), text));
  EXPECT_EQ(contents("x"), text);
  ASSERT_TRUE(write_file(path("x"), "", false));
  EXPECT_EQ(contents("x"), "");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, AReadThatFailsIsNoEnd) {
  const auto text = read_file("/proc/self/mem");  // opens, and has nothing at address 0
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::data);
  EXPECT_EQ(text.error().message(), "/proc/self/mem: cannot read: Input/output error; check the path");
}

TEST_F(AtomicFileTest, AppearsOnlyWhenCommitted) {
  ASSERT_TRUE(write_file(path("x"), "old"));
  {
    Result<AtomicFile> file = AtomicFile::create(path("x"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(std::string_view("new and longer")));
    EXPECT_EQ(contents("x"), "old");
  }  // dropped: as if it had never been
  EXPECT_EQ(contents("x"), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, MovedFromLeavesTheFileAlone) {
  Result<AtomicFile> file = AtomicFile::create(path("x"));
  ASSERT_TRUE(file);
  AtomicFile moved = std::move(*file);
  ASSERT_TRUE(moved.write(std::string_view("1")));
  ASSERT_TRUE(moved.commit());
  EXPECT_EQ(contents("x"), "1");
}

// Several that write one file at a time do not touch each other's, and the last to commit stays.
TEST_F(AtomicFileTest, TwoWritersOfOneFile) {
  Result<AtomicFile> first = AtomicFile::create(path("x")), second = AtomicFile::create(path("x"));
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->write(std::string_view("first, and much longer")));
  ASSERT_TRUE(second->write(std::string_view("second")));
  ASSERT_TRUE(first->commit());
  EXPECT_EQ(contents("x"), "first, and much longer");
  Result<AtomicFile> third = AtomicFile::create(path("x"));
  ASSERT_TRUE(third && third->write(std::string_view("third")));
  ASSERT_TRUE(second->commit());
  EXPECT_EQ(contents("x"), "second");
  ASSERT_TRUE(third->commit());
  EXPECT_EQ(contents("x"), "third");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, TakesOverWhatAKilledWriterLeft) {
  for (const char* text : {"one, and longer", "two"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      Result<AtomicFile> file = AtomicFile::create(path("x"));
      ::_exit(file && file->write(std::string_view(text)) ? 0 : 1);  // no destructor
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(contents("x.tmp"), text);
    EXPECT_EQ(files(), 1u);
  }
  ASSERT_TRUE(write_file(path("x"), "3"));
  EXPECT_EQ(contents("x"), "3");
  EXPECT_EQ(files(), 1u);
}

// A disk that is full: the temporary file is a link to /dev/full.
TEST_F(AtomicFileTest, FullDiskKeepsTheOldFile) {
  ASSERT_TRUE(write_file(path("x"), "old"));
  fs::create_symlink("/dev/full", path("x.tmp"));
  const Status s = write_file(path("x"), "new");
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::machine);
  EXPECT_EQ(s.error().message(),
            path("x") +
                ": cannot write: No space left on device; free some space or choose another "
                "folder with --output_directory");
  EXPECT_EQ(contents("x"), "old");
  EXPECT_EQ(files(), 1u);
}

// A write that stops half-way.
TEST_F(AtomicFileTest, CutShortKeepsTheOldFile) {
  ASSERT_TRUE(write_file(path("x"), "old"));
  struct rlimit before {};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 8192;
  setrlimit(RLIMIT_FSIZE, &small);
  const Status s = write_file(path("x"), std::string(100000, 'y'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().exit_code(), 6);
  EXPECT_EQ(contents("x"), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, NoSuchFolder) {
  const Status s = write_file(path("no/x"), "1");
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message(),
            path("no/x") + ": cannot create: No such file or directory; check the path and the disk");
}

TEST_F(AtomicFileTest, FolderInTheWay) {
  fs::create_directory(path("x"));
  const Status s = write_file(path("x"), "1");
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::machine);
  EXPECT_EQ(files(), 1u);  // no temporary file is left
}

TEST_F(AtomicFileTest, ReadingWhatIsNotThere) {
  const Result<std::string> r = read_file(path("none"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, ErrorKind::data);
  EXPECT_EQ(r.error().message(), path("none") + ": cannot read: No such file or directory; check the path");
  EXPECT_EQ(read_file(folder_.string()).error().message(),
            folder_.string() + ": cannot read: Is a directory; check the path");
}

TEST_F(AtomicFileTest, ReadsFilesThatSayTheyAreEmpty) {
  const Result<std::string> r = read_file("/proc/self/status");  // st_size is 0
  ASSERT_TRUE(r);
  EXPECT_NE(r->find("VmRSS"), std::string::npos);
}

TEST_F(AtomicFileTest, MakesFolders) {
  EXPECT_TRUE(make_folders(path("a/b/c")));
  EXPECT_TRUE(make_folders(path("a/b/c")));  // they may stand already
  EXPECT_TRUE(fs::is_directory(path("a/b/c")));
  ASSERT_TRUE(write_file(path("file"), "1"));
  const Status s = make_folders(path("file/sub"));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().exit_code(), 6);
  EXPECT_FALSE(make_folders(path("file")));
}

TEST_F(AtomicFileTest, NoPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  chmod(folder_.c_str(), 0500);
  const Status s = write_file(path("x"), "1");
  chmod(folder_.c_str(), 0700);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().fix, "choose a folder that you may write to");
}

}  // namespace
}  // namespace shoestring
