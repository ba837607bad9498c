// Texts in other encodings. The bytes come from iconv(1)'s tables by way of Python: "…".encode(NAME).
#include <fmt/format.h>

#include "table_files.h"

namespace shoestring::data {
namespace {

class Encodings : public TableFiles {
 protected:
  // UTF-16 of text below U+10000, given as UTF-8 of at most three bytes a character.
  static std::string utf16(std::string_view text, bool little, bool mark) {
    std::string out;
    const auto put = [&](unsigned unit) {
      const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
      out += little ? low : high;
      out += little ? high : low;
    };
    if (mark) put(0xFEFF);
    for (size_t i = 0; i < text.size();) {
      const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[i + at]); };
      if (byte(0) < 0x80) {
        put(byte(0));
        i += 1;
      } else if (byte(0) < 0xE0) {
        put((byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu));
        i += 2;
      } else {
        put((byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu));
        i += 3;
      }
    }
    return out;
  }
};

TEST_F(Encodings, Utf16) {
  const std::string text = "name,n\nZürich,1\n北京,2\n";
  for (const bool little : {true, false}) {
    for (const bool mark : {true, false}) {
      const auto t = read_table(write(utf16(text, little, mark)));
      EXPECT_EQ(t.error.what, "") << little << mark;
      EXPECT_EQ(t.names, (std::vector<std::string>{"name", "n"}));
      EXPECT_EQ(t.rows, (Rows{{"Zürich", "1"}, {"北京", "2"}}));
      EXPECT_EQ(t.format.encoding, little ? Encoding::utf16le : Encoding::utf16be);
      EXPECT_EQ(t.notes.back(),
                fmt::format("the text is taken for UTF-16{}; if it is not, convert it to UTF-8 first",
                            little ? "LE" : "BE"));
      EXPECT_EQ(t.reader->line_of(1), 3);
    }
  }
  const auto t = read_table(write(utf16("{\"a\": \"ü\"}\n{\"a\": \"x\"}\n", true, true)));
  EXPECT_EQ(t.rows, (Rows{{"ü"}, {"x"}}));
  EXPECT_EQ(read_table(write(gzipped(utf16(text, true, true)))).rows.size(), 2u);
}

TEST_F(Encodings, Utf16CutInHalf) {
  const std::string bytes = utf16("name,n\nx,1\ny,2\n", true, true);
  const auto t = read_table(write(bytes.substr(0, bytes.size() - 3)));
  EXPECT_EQ(t.error.kind, ErrorKind::data);
  EXPECT_EQ(t.error.what, "the UTF-16LE text ends within a character: a part of it is missing");
  EXPECT_TRUE(t.error.where.ends_with(":3")) << t.error.where;
}

TEST_F(Encodings, Latin1) {
  auto t = read_table(write("name,n\nJos\xE9,1\nM\xFCller,2\n\x80uro,3\n"));
  EXPECT_EQ(t.rows, (Rows{{"José", "1"}, {"Müller", "2"}, {"€uro", "3"}}));
  EXPECT_EQ(t.notes,
            (std::vector<std::string>{
                "the text is taken for Windows-1252 (Latin-1); if it is not, convert it to UTF-8 first"}));
  // The first accent stands behind several blocks, and a block ends right before it.
  for (const size_t size : {size_t{3} << 20, (size_t{3} << 20) + 7}) {
    std::string text = "a,b\n";
    while (text.size() < size) text += "some words,12345\n";
    t = read_table(write(text + "caf\xE9,1\n"));
    EXPECT_EQ(t.error.what, "");
    EXPECT_EQ(t.rows.back(), (std::vector<std::string>{"café", "1"}));
    EXPECT_EQ(t.reader->line_of(static_cast<int64_t>(t.rows.size()) - 1),
              static_cast<int64_t>(t.rows.size()) + 1);
  }
}

TEST_F(Encodings, Gb18030) {
  // "城市,评价\n北京,很好\n上海,不好\n𠀀,好\n" in GB18030, the last city in four bytes.
  const std::string bytes =
      "\xB3\xC7\xCA\xD0,\xC6\xC0\xBC\xDB\n\xB1\xB1\xBE\xA9,\xBA\xDC\xBA\xC3\n\xC9\xCF\xBA\xA3,"
      "\xB2\xBB\xBA\xC3\n"
      "\x95\x32\x82\x36,\xBA\xC3\n";
  const auto t = read_table(write(bytes));
  EXPECT_EQ(t.format.encoding, Encoding::gb18030);
  EXPECT_EQ(t.names, (std::vector<std::string>{"城市", "评价"}));
  EXPECT_EQ(t.rows, (Rows{{"北京", "很好"}, {"上海", "不好"}, {"𠀀", "好"}}));
}

TEST_F(Encodings, WhatIsNone) {
  EXPECT_EQ(find_encoding("plain"), Encoding::utf8);
  EXPECT_EQ(find_encoding("Zürich 北京"), Encoding::utf8);
  EXPECT_EQ(find_encoding("Z\xC3"), Encoding::utf8);  // cut
  // One damaged byte among good UTF-8 is no other encoding.
  EXPECT_EQ(find_encoding("Zürich, Köln, Genève \xFF here"), Encoding::utf8);
  // Cyrillic in windows-1251 (Привет мир, как дела): too many accents for a Latin script.
  EXPECT_EQ(find_encoding("\xCF\xF0\xE8\xE2\xE5\xF2 \xEC\xE8\xF0, \xEA\xE0\xEA \xE4\xE5\xEB\xE0\n"),
            std::nullopt);
  EXPECT_EQ(find_encoding(std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xFF\xFE", 18)), std::nullopt);
}

}  // namespace
}  // namespace shoestring::data
