#include "data/write.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <thread>

#include "base/atomic_file.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

class Write : public TableFiles {
 protected:
  static void fill(RowWriter& w) {
    const float list[] = {0.25f, 0.1f};
    w.text("a \"b\", c\nd");
    w.number(0.1f);
    w.number(0.1);
    w.integer(-7);
    w.null();
    w.numbers(list, 2);
    w.end_row();
    w.text(" ü\x01\\");
    w.number(std::numeric_limits<float>::quiet_NaN());
    w.number(1e300);
    w.integer(0);
    w.text("");
    w.numbers(list, 0);
    w.end_row();
  }
  std::vector<std::string> names{"t,x", "f", "d", "i", "n", "p"};
};

TEST_F(Write, Csv) {
  const std::string path = folder_ / "out.csv";
  auto w = RowWriter::open(path, WriteKind::csv, names);
  ASSERT_TRUE(w);
  fill(*w);
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(w->finish());
  EXPECT_EQ(*read_file(path),
            "\"t,x\",f,d,i,n,p\n\"a \"\"b\"\", c\nd\",0.1,0.1,-7,,\"[0.25, 0.1]\"\n"
            "\" ü\x01\\\",,1e+300,0,,[]\n");
  const auto t = read_table(path);
  EXPECT_EQ(t.names, names);
  EXPECT_EQ(t.rows[0][0], "a \"b\", c\nd");
  EXPECT_EQ(t.rows[0][5], "[0.25, 0.1]");
}

TEST_F(Write, Jsonl) {
  const std::string path = folder_ / "out.jsonl";
  auto w = RowWriter::open(path, WriteKind::jsonl, names);
  ASSERT_TRUE(w);
  fill(*w);
  ASSERT_TRUE(w->finish());
  EXPECT_EQ(*read_file(path),
            "{\"t,x\": \"a \\\"b\\\", c\\nd\", \"f\": 0.1, \"d\": 0.1, \"i\": -7, \"n\": null, "
            "\"p\": [0.25, 0.1]}\n"
            "{\"t,x\": \" ü\\u0001\\\\\", \"f\": null, \"d\": 1e+300, \"i\": 0, \"n\": \"\", "
            "\"p\": []}\n");
  EXPECT_EQ(read_table(path).rows.size(), 2u);
}

TEST_F(Write, EmptyCellsOfOneColumnStayRows) {
  const std::string path = folder_ / "one.csv";
  auto w = RowWriter::open(path, WriteKind::csv, {"text"});
  ASSERT_TRUE(w);
  for (int i = 0; i < 3; ++i) {
    if (i == 1)
      w->null();
    else
      w->text("");
    w->end_row();
  }
  ASSERT_TRUE(w->finish());
  EXPECT_EQ(read_table(path).rows.size(), 3u);
}

TEST_F(Write, WithoutFinishThereIsNoFile) {
  { auto w = RowWriter::open(folder_ / "x.csv", WriteKind::csv, {"a"}); }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Write, FullDiskAndNoFolder) {
  auto w = RowWriter::open("/dev/full", WriteKind::csv, {"a"});
  ASSERT_TRUE(w);
  for (int i = 0; i < 100'000; ++i) {
    w->integer(i);
    w->end_row();
  }
  const Status s = w->finish();
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::machine);
  EXPECT_NE(s.error().what.find("No space left"), std::string::npos);
  EXPECT_FALSE(w->status());

  const auto none = RowWriter::open(folder_ / "no" / "such" / "x.csv", WriteKind::csv, {"a"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::machine);
}

TEST_F(Write, ClosedPipe) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread reader([&] {
    const int fd = ::open(path.c_str(), O_RDONLY);
    char byte;
    EXPECT_EQ(::read(fd, &byte, 1), 1);
    ::close(fd);
  });
  auto w = RowWriter::open(path, WriteKind::csv, {"a"});
  ASSERT_TRUE(w);
  EXPECT_TRUE(w->flush());
  reader.join();
  w->integer(1);
  w->end_row();
  const Status s = w->flush();  // a signal here would end the test
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().fix, "the program that reads the output has ended");
}

}  // namespace
}  // namespace shoestring::data
