// Folders, archives and arrays of pictures as tables, and their pictures by name.
#include <filesystem>

#include "base/atomic_file.h"
#include "data/picture.h"
#include "data/picture_files.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

class PictureSource : public TableFiles {
 protected:
  // A picture whose one value tells which it is.
  static std::string pgm(int value) { return "P5 1 1 255\n" + std::string(1, static_cast<char>(value)); }
  void put(const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write(bytes, name);
  }
  // The value of the picture that a cell names; -1: none.
  static int value_of(const TableReader& reader, const std::string& cell) {
    const auto files = reader.pictures();
    if (!files) return -1;
    std::vector<std::byte> room;
    const auto bytes = (*files)->read(cell, room);
    if (!bytes) return -1;
    const auto picture = decode_picture(*bytes, 1);
    return picture ? picture->pixels[0] : -1;
  }
};

TEST_F(PictureSource, AFolderForEachClass) {
  put("dogs/b.pgm", pgm(3));
  put("cats/2.pgm", pgm(2));
  put("cats/1 with space.pgm", pgm(1));
  put("cats/nested/猫.pgm", pgm(4));
  put("cats/notes.txt", "not a picture");
  put("cats/no_ending", pgm(5));
  put(".git/hidden.pgm", pgm(9));
  put("stray.pgm", pgm(9));
  const auto t = read_table(folder_);
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.names, (std::vector<std::string>{"image_path", "label"}));
  EXPECT_EQ(t.rows, (Rows{{"cats/1 with space.pgm", "cats"},
                          {"cats/2.pgm", "cats"},
                          {"cats/nested/猫.pgm", "cats"},
                          {"cats/no_ending", "cats"},
                          {"dogs/b.pgm", "dogs"}}));
  EXPECT_EQ(t.notes,
            (std::vector<std::string>{"one file is no picture and left out: cats/notes.txt",
                                      "one picture lies in no class's folder and is left out: stray.pgm"}));
  EXPECT_EQ(t.reader->place(4), folder_.string() + ": dogs/b.pgm");
  EXPECT_EQ(value_of(*t.reader, "cats/nested/猫.pgm"), 4);
  EXPECT_EQ(value_of(*t.reader, "cats/1 with space.pgm"), 1);
  EXPECT_EQ(value_of(*t.reader, (folder_ / "cats/no_ending").string()), 5);
}

TEST_F(PictureSource, SplitsAndAWrapperAround) {
  for (const char* split : {"test", "train", "val"}) {
    put(std::string("set/") + split + "/b/1.pgm", pgm(1));
    put(std::string("set/") + split + "/a/1.pgm", pgm(2));
  }
  put("set/train/loose.pgm", pgm(3));
  put("set/extra/1.pgm", pgm(4));
  const auto t = read_table(folder_);
  EXPECT_EQ(t.names, (std::vector<std::string>{"image_path", "label", "split"}));
  EXPECT_EQ(t.rows, (Rows{{"set/train/a/1.pgm", "a", "0"},
                          {"set/train/b/1.pgm", "b", "0"},
                          {"set/val/a/1.pgm", "a", "1"},
                          {"set/val/b/1.pgm", "b", "1"},
                          {"set/test/a/1.pgm", "a", "2"},
                          {"set/test/b/1.pgm", "b", "2"}}));
  EXPECT_EQ(t.notes.size(), 2u);
  EXPECT_EQ(t.notes[0], "one picture lies in no split's folder and is left out: set/extra/1.pgm");
}

TEST_F(PictureSource, PicturesWithoutClasses) {
  put("b.pgm", pgm(1));
  put("a.pgm", pgm(2));
  const auto t = read_table(folder_.string() + "/");
  EXPECT_EQ(t.names, (std::vector<std::string>{"image_path"}));
  EXPECT_EQ(t.rows, (Rows{{"a.pgm"}, {"b.pgm"}}));
}

TEST_F(PictureSource, LinksThatGoRoundDoNoHarm) {
  put("a/1.pgm", pgm(1));
  put("b/1.pgm", pgm(2));
  std::filesystem::create_directory_symlink("..", folder_ / "a/up");
  std::filesystem::create_symlink("nowhere", folder_ / "a/dead.pgm");
  std::filesystem::create_symlink("../b/1.pgm", folder_ / "a/other.pgm");
  EXPECT_EQ(read_table(folder_).rows, (Rows{{"a/1.pgm", "a"}, {"a/other.pgm", "a"}, {"b/1.pgm", "b"}}));
}

TEST_F(PictureSource, AColumnOfPaths) {
  put("pictures/1.pgm", pgm(1));
  const auto table =
      write("file,y\npictures/1.pgm,a\n" + (folder_ / "pictures/1.pgm").string() + ",b\nnone.pgm,c\n");
  const auto t = read_table(table);
  EXPECT_EQ(value_of(*t.reader, t.rows[0][0]), 1);
  EXPECT_EQ(value_of(*t.reader, t.rows[1][0]), 1);
  std::vector<std::byte> room;
  const auto missing = (*t.reader->pictures())->read(t.rows[2][0], room);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::data);
  EXPECT_EQ(missing.error().where, (folder_ / "none.pgm").string());
  EXPECT_EQ((*t.reader->pictures())->read("", room).error().what, "the picture's name is empty");
  EXPECT_EQ((*t.reader->pictures())->read("pictures", room).error().what, "this is a folder, not a file");
  // A cell may hold the picture itself.
  const std::string cell = pgm(77);
  const auto bytes = (*t.reader->pictures())->read(cell, room);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(decode_picture(*bytes)->pixels[0], 77);
  EXPECT_EQ(picture_name(cell), "a picture of 12 bytes in the table");
}

std::string idx(const std::vector<int>& dims, const std::string& values) {
  std::string out("\0\0\x08", 3);
  out += static_cast<char>(dims.size());
  for (const int dim : dims)
    out += std::string("\0\0", 2) + static_cast<char>(dim >> 8) + static_cast<char>(dim);
  return out + values;
}

TEST_F(PictureSource, Idx) {
  put("train-images-idx3-ubyte.gz", gzipped(idx({3, 2, 2}, "aaaabbbbcccc")));
  put("train-labels-idx1-ubyte", idx({3}, std::string("\7\0\2", 3)));
  put("t10k-images-idx3-ubyte", idx({1, 2, 2}, "dddd"));
  put("t10k-labels-idx1-ubyte.gz", gzipped(idx({1}, "\1")));
  put("README.md", "about it");
  const auto t = read_table(folder_);
  ASSERT_EQ(t.error.what, "");
  EXPECT_EQ(t.names, (std::vector<std::string>{"image_path", "label", "split"}));
  EXPECT_EQ(t.rows, (Rows{{"train-images-idx3-ubyte#0", "7", "0"},
                          {"train-images-idx3-ubyte#1", "0", "0"},
                          {"train-images-idx3-ubyte#2", "2", "0"},
                          {"t10k-images-idx3-ubyte#0", "1", "2"}}));
  EXPECT_EQ(value_of(*t.reader, "train-images-idx3-ubyte#2"), 'c');
  EXPECT_EQ(value_of(*t.reader, "t10k-images-idx3-ubyte#0"), 'd');
  for (const char* none : {"t10k-images-idx3-ubyte#1", "t10k-images-idx3-ubyte#-1", "t10k", "x#0", "#"})
    EXPECT_EQ(value_of(*t.reader, none), -1) << none;
  // One file by itself, with the labels beside it.
  EXPECT_EQ(read_table(folder_ / "t10k-images-idx3-ubyte").rows, (Rows{{"t10k-images-idx3-ubyte#0", "1"}}));
}

TEST_F(PictureSource, BrokenIdx) {
  put("a/train-images-idx3-ubyte", idx({3, 2, 2}, "aaaabbbb"));
  auto t = read_table(folder_ / "a");
  EXPECT_EQ(t.rows.size(), 3u);
  const auto files = t.reader->pictures();
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().what, "the file ends early: it has 2 of the 3 pictures that it says");
  put("b/train-images-idx3-ubyte", idx({2, 2, 2}, "aaaabbbb"));
  put("b/train-labels-idx1-ubyte", idx({3}, "abc"));
  EXPECT_EQ(read_table(folder_ / "b").error.what,
            "there are 2 pictures here and 3 labels in train-labels-idx1-ubyte");
  put("b/train-labels-idx1-ubyte", idx({2}, "a"));
  EXPECT_EQ(read_table(folder_ / "b").error.what, "the file ends early: it says that it has 2 labels");
  put("b/train-labels-idx1-ubyte", "hello");
  EXPECT_EQ(read_table(folder_ / "b").error.what, "this is no IDX file of bytes");
}

TEST_F(PictureSource, ATableInAFolder) {
  put("photos/1.pgm", pgm(1));
  put("photos/2.pgm", pgm(2));
  put("list.csv", "file,kind\nphotos/2.pgm,x\nphotos/1.pgm,y\n");
  const auto t = read_table(folder_);
  EXPECT_EQ(t.names, (std::vector<std::string>{"file", "kind"}));
  EXPECT_EQ(t.rows, (Rows{{"photos/2.pgm", "x"}, {"photos/1.pgm", "y"}}));
  EXPECT_EQ(value_of(*t.reader, t.rows[0][0]), 2);
  // Two tables are none: nothing says which to read.
  put("more.csv", "a,b\n1,2\n");
  const auto none = read_table(folder_);
  EXPECT_EQ(none.rows, (Rows{{"photos/1.pgm", "photos"}, {"photos/2.pgm", "photos"}}));
  EXPECT_EQ(none.notes,
            (std::vector<std::string>{"2 tables left out, as it is not told which to read: list.csv"}));
}

TEST_F(PictureSource, NamesThatAreNoText) {
  put("a/1.pgm", pgm(1));
  put("b/\xC3\x28.pgm", pgm(2));
  const auto t = read_table(folder_);
  EXPECT_EQ(t.rows, (Rows{{"a/1.pgm", "a"}}));
  EXPECT_EQ(t.notes, (std::vector<std::string>{
                         "1 file with a name that is no UTF-8 left out: convmv gives such names anew"}));
}

TEST_F(PictureSource, WhatTheWalkPassesOverIsTold) {
  put("a/1.pgm", pgm(1));
  put("b/1.pgm", pgm(2));
  std::string deep = "b";
  for (int i = 0; i < 40; ++i) deep += "/d";
  put(deep + "/2.pgm", pgm(3));
  std::filesystem::create_symlink("gone.pgm", folder_ / "a/2.pgm");
  const auto one = read_table(folder_);
  EXPECT_EQ(one.rows, (Rows{{"a/1.pgm", "a"}, {"b/1.pgm", "b"}}));
  std::string at_32;
  for (int i = 0; i < 31; ++i) at_32 += "d/";
  EXPECT_EQ(one.notes, (std::vector<std::string>{"1 link to nothing left out: a/2.pgm",
                                                 "1 folder more than 32 deep left out: b/" + at_32}));
  std::filesystem::create_symlink("gone", folder_ / "a/3");
  std::filesystem::create_symlink(folder_, folder_ / "a/again");  // a circle has nothing that is not seen
  const auto two = read_table(folder_);
  EXPECT_EQ(two.rows, one.rows);
  EXPECT_TRUE(two.notes[0] == "2 links to nothing left out: a/2.pgm and others" ||
              two.notes[0] == "2 links to nothing left out: a/3 and others")
      << two.notes[0];
}

// pictures/make_parquet.py
TEST_F(PictureSource, CellsOfBytesInParquet) {
  auto reader = open_table("tests/unit/data/pictures/photos.parquet");
  ASSERT_TRUE(reader);
  const auto files = (*reader)->pictures();
  const auto batch = (*reader)->next();
  ASSERT_TRUE(files && batch && *batch);
  std::vector<std::byte> room;
  const auto width = [&](int column, int64_t row) -> int64_t {
    const auto bytes = (*files)->read((*batch)->column(column).raw(row), room);
    if (!bytes) return -1;
    const auto info = look_at(*bytes);
    return info ? info->width : -2;
  };
  EXPECT_EQ(width(0, 0), 14);  // rgb.png, of bytes
  EXPECT_EQ(width(0, 1), 30);  // plain.jpg, by its path
  EXPECT_TRUE((*batch)->column(0).is_null(2));
  EXPECT_EQ(width(1, 0), 14);
  EXPECT_EQ(width(1, 1), 30);
  EXPECT_EQ(width(1, 2), 14);
}

TEST_F(PictureSource, Npy) {
  const auto npy = [](const std::string& header, const std::string& values) {
    std::string out("\x93NUMPY\1\0", 8);
    const std::string padded = header + std::string(117 - header.size(), ' ') + "\n";
    return out + static_cast<char>(padded.size()) + '\0' + padded + values;
  };
  put("a/x_train.npy",
      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2, 3), }", "abcabcdefdef"));
  put("a/y_train.npy",
      npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", std::string("\xFF\xFE\0\7", 4)));
  put("a/x_test.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2, 3), }", "ggghhh"));
  put("a/y_test.npy",
      npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }", std::string("\5\0\0\0\0\0\0\0", 8)));
  const auto t = read_table(folder_ / "a");
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.rows,
            (Rows{{"x_train.npy#0", "-2", "0"}, {"x_train.npy#1", "7", "0"}, {"x_test.npy#0", "5", "2"}}));
  EXPECT_EQ(value_of(*t.reader, "x_test.npy#0"), 'g');
  const auto fault = [&](const std::string& header) {
    put("b/x.npy", npy(header, "abcdefgh"));
    return read_table(folder_ / "b/x.npy").error.what;
  };
  EXPECT_EQ(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 1), }"),
            "the array holds values of type '<f4'");
  EXPECT_EQ(fault("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1, 1), }"),
            "the pictures are no bytes");
  EXPECT_EQ(
      fault("{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }"),
      "pictures are [n, height, width] or [n, height, width, channels], and this array has 1 dimension");
  EXPECT_EQ(fault("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }"),
            "the array is stored column by column");
  EXPECT_EQ(fault("{'descr': '|u1', 'shape': (99999999999, 99999999999, 9), }"),
            "the header of the NPY file is damaged");
  EXPECT_EQ(fault("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 2, 2), }"), "the array is empty");
  EXPECT_EQ(fault("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }"), "");
}

TEST_F(PictureSource, SeveralSourcesAreRefused) {
  put("a/x/1.pgm", pgm(1));
  put("b/x/1.pgm", pgm(2));
  const auto t = read_table((folder_ / "a").string() + "," + (folder_ / "b").string());
  EXPECT_EQ(t.error.what, "pictures are not read as one table with others");
}

}  // namespace
}  // namespace shoestring::data
