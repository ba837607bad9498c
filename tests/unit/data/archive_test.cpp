// Pictures in tar and zip archives, which Python wrote (pictures/make_archives.py).
#include <fmt/format.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "data/picture.h"
#include "data/picture_files.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

const std::string kArchives = "tests/unit/data/pictures/";

class Archives : public TableFiles {
 protected:
  static Result<int> value_of(const PictureFiles& files, const std::string& cell) {
    std::vector<std::byte> room;
    const auto bytes = files.read(cell, room);
    if (!bytes) return fail(bytes.error());
    const auto picture = decode_picture(*bytes, 1);
    if (!picture) return fail(picture.error());
    return picture->pixels[0];
  }
  // "label value", row by row.
  static std::vector<std::string> values_in(const std::string& path) {
    const auto t = read_table(path);
    if (!t.error.what.empty()) return {t.error.message()};
    const auto files = t.reader->pictures();
    std::vector<std::string> values;
    for (const auto& row : t.rows) {
      const auto value = value_of(**files, row[0]);
      values.push_back(fmt::format("{} {}", row.size() > 1 ? row[1] : "-", value ? *value : -1));
    }
    return values;
  }
  static std::string bytes_of(const std::string& name) { return *read_file(kArchives + name); }
};

const std::vector<std::string> kAll{"cats 1", "cats 2", "dogs 3", "dogs 4", "dogs 5"};

TEST_F(Archives, EveryMemberOfEveryKind) {
  for (const char* name : {"gnu.tar", "pax.tar", "pets.tar.gz", "pets.zip", "gbk.zip"})
    EXPECT_EQ(values_in(kArchives + name), kAll) << name;
  const auto t = read_table(kArchives + "pets.zip");
  EXPECT_EQ(t.names, (std::vector<std::string>{"image_path", "label"}));
  EXPECT_EQ(t.rows[1][0], "pets/cats/猫.pgm");
  EXPECT_EQ(t.reader->place(1), kArchives + "pets.zip: pets/cats/猫.pgm");
  EXPECT_EQ(t.notes, (std::vector<std::string>{
                         "1 member of the archive has a name that leads out of the archive and is "
                         "left out: ../outside.pgm",
                         "one file is no picture and left out: pets/README"}));
  const auto gbk = read_table(kArchives + "gbk.zip");
  EXPECT_EQ(gbk.rows[1][0], "pets/cats/一只小猫的照片xxxxxxx.pgm");
  const auto gnu = read_table(kArchives + "gnu.tar");
  EXPECT_EQ(gnu.notes[1],
            "1 member of the archive has only a link in it and is left out: pets/cats/link.pgm");
}

TEST_F(Archives, ATableBesideItsPictures) {
  const auto t = read_table(kArchives + "table.zip");
  ASSERT_EQ(t.error.what, "");
  EXPECT_EQ(t.rows[1], (std::vector<std::string>{"photos/2.pgm", "dog"}));
  EXPECT_EQ(t.reader->path(), kArchives + "table.zip: data/table.csv");
  EXPECT_EQ(t.reader->place(1), kArchives + "table.zip: data/table.csv:3");
  EXPECT_EQ(t.reader->files()[0].path, kArchives + "table.zip");
  const auto files = t.reader->pictures();
  ASSERT_TRUE(files);
  EXPECT_EQ(*value_of(**files, t.rows[1][0]), 2);
  EXPECT_EQ(*value_of(**files, t.rows[2][0]), 1);
  EXPECT_EQ(*value_of(**files, "data/photos/1.pgm"), 1);
  const auto missing = value_of(**files, t.rows[3][0]);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().where, kArchives + "table.zip: none.pgm");
  EXPECT_EQ(missing.error().what, "there is no such picture");
  EXPECT_FALSE(value_of(**files, "/etc/passwd"));
  EXPECT_FALSE(value_of(**files, "../../../../../etc/passwd"));
}

TEST_F(Archives, CutOrDamaged) {
  const std::string tar = bytes_of("pax.tar"), zip = bytes_of("pets.zip"), gz = bytes_of("pets.tar.gz");
  EXPECT_EQ(read_table(write(tar.substr(0, 3000), "t.tar")).error.what,
            "the tar archive ends early: a part of it is missing");
  std::string bad = tar;
  bad[600] ^= 1;
  bad[1030] ^= 1;
  bad[2060] ^= 1;
  EXPECT_NE(read_table(write(bad, "b.tar")).error.what.find("the tar archive is damaged at byte"),
            std::string::npos);
  EXPECT_EQ(read_table(write(gz.substr(0, 300), "t.tar.gz")).error.what,
            "the gzip file ends too early: a part of it is missing");
  EXPECT_EQ(read_table(write(zip.substr(0, zip.size() - 30), "t.zip")).error.what,
            "the directory of the zip archive is damaged, or its end is missing");
  std::string sum = zip;  // within the pixels of the second member, which is stored
  const size_t at = sum.find("says nothing", sum.find("PK\3\4", 10));
  sum[at] ^= 1;
  const auto t = read_table(write(sum, "s.zip"));
  ASSERT_EQ(t.error.what, "");
  const auto files = t.reader->pictures();
  const auto value = value_of(**files, "pets/cats/猫.pgm");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().what, "this member of the archive is damaged");
  EXPECT_EQ(value.error().where, (folder_ / "s.zip").string() + ": pets/cats/猫.pgm");
}

TEST_F(Archives, OfNothingAndOfExcel) {
  EXPECT_EQ(read_table(write(std::string("PK\5\6") + std::string(18, '\0'), "e.zip")).error.what,
            "the archive is empty");
  EXPECT_EQ(read_table("tests/unit/data/pictures/book.xlsx").error.what,
            "this is an Excel file, not a table as text");
}

}  // namespace
}  // namespace shoestring::data
