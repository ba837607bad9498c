// Several files as one table, and SQLite's tables.
#include "data/sources.h"

#include <fmt/format.h>

#include <filesystem>

#include "table_files.h"

namespace shoestring::data {
namespace {

class Several : public TableFiles {
 protected:
  std::string in(const std::string& name) const { return folder_ / name; }
  // Without the folder.
  std::string short_of(std::string text) const {
    for (size_t at; (at = text.find(folder_.string() + "/")) != std::string::npos;)
      text.erase(at, folder_.string().size() + 1);
    return text;
  }
};

TEST_F(Several, WhatASourceNames) {
  write("", "a.csv");
  write("", "b.csv");
  write("", "odd,[name].csv");
  std::filesystem::create_directory(folder_ / "c.csv");
  const auto names = [&](const std::string& source) { return files_of(source).value(); };
  EXPECT_EQ(names(in("a.csv")), (std::vector{in("a.csv")}));
  EXPECT_EQ(names(in("b.csv") + "," + in("a.csv")), (std::vector{in("b.csv"), in("a.csv")}));
  EXPECT_EQ(names(in("?.csv")), (std::vector{in("a.csv"), in("b.csv")}));  // no folder
  EXPECT_EQ(names(in("odd,[name].csv")), (std::vector{in("odd,[name].csv")}));
  EXPECT_EQ(names(in("b*.csv") + "," + in("a.csv")), (std::vector{in("b.csv"), in("a.csv")}));
  EXPECT_EQ(names("sqlite:x.db?query=select a, b from t"),
            (std::vector<std::string>{"sqlite:x.db?query=select a, b from t"}));
  EXPECT_EQ(files_of(in("none-*.csv")).error().what, "no file matches this pattern");
  EXPECT_EQ(files_of("a.csv,,b.csv").error().kind, ErrorKind::usage);
  EXPECT_EQ(absolute_source("/x/a.csv,/y/*.csv"), "/x/a.csv,/y/*.csv");
  EXPECT_EQ(absolute_source("sqlite:/x/a.db?table=t"), "sqlite:/x/a.db?table=t");
  EXPECT_EQ(absolute_source("-"), "-");
}

TEST_F(Several, AFileIsReadOnce) {
  write("x\n1\n", "a.csv");
  write("x\n2\n", "b.csv");
  std::filesystem::create_symlink(folder_ / "a.csv", folder_ / "link.csv");
  const auto what = [&](const std::string& source) { return short_of(files_of(source).error().what); };
  EXPECT_EQ(what(in("a.csv") + "," + in("b.csv") + "," + in("a.csv")),
            "this file is named twice, and its rows would count twice");
  EXPECT_EQ(what(in("a.csv") + "," + in("link.csv")),
            "this is the file a.csv again, and its rows would count twice");
  EXPECT_EQ(what("-,-"), "this file is named twice, and its rows would count twice");
  // A pattern gives what was not there before.
  EXPECT_EQ(files_of(in("b.csv") + "," + in("*.csv")).value(), (std::vector{in("b.csv"), in("a.csv")}));
}

TEST_F(Several, ColumnsAreMatchedByName) {
  write("id,word,x\n1,a,0.5\n2,b,1.5\n", "part-1.csv");
  write("{\"x\": 2.5, \"id\": 3, \"more\": 1, \"word\": \"c\"}\n", "part-2.jsonl");
  write(gzipped("word;x;id\nd;3.5;4\n\ne;4.5;5\n"), "part-3.csv.gz");
  const auto t = read_table(in("part-*"));
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.names, (std::vector<std::string>{"id", "word", "x"}));
  EXPECT_EQ(
      t.rows,
      (Rows{{"1", "a", "0.5"}, {"2", "b", "1.5"}, {"3", "c", "2.5"}, {"4", "d", "3.5"}, {"5", "e", "4.5"}}));
  EXPECT_EQ(short_of(t.reader->path()), "part-1.csv and 2 more");
  EXPECT_EQ(short_of(t.reader->place(1)), "part-1.csv:3");
  EXPECT_EQ(short_of(t.reader->place(2)), "part-2.jsonl:1");
  EXPECT_EQ(short_of(t.reader->place(4)), "part-3.csv.gz:4");
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_EQ(short_of(t.notes[0]),
            "part-2.jsonl: the column 'more' is left out: part-1.csv has none of this name");
  const auto files = t.reader->files();
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[2].path, in("part-3.csv.gz"));
  EXPECT_EQ(files[0].rows + 10 * files[1].rows + 100 * files[2].rows, 2 + 10 + 200);
}

TEST_F(Several, AFileThatLacksAColumn) {
  write("id,x\n1,0.5\n", "a.csv");
  write("id,y\n1,0.5\n", "b.csv");
  const auto t = read_table(in("a.csv") + "," + in("b.csv"));
  EXPECT_EQ(short_of(t.fault()), "b.csv: there is no column 'x', which a.csv has");
  EXPECT_EQ(t.rows.size(), 1u);
}

TEST_F(Several, ErrorsNameTheRightFile) {
  write("a,b\n1,2\n", "a.csv");
  write("a,b\n3,4\n5,\"open\n", "b.csv");
  EXPECT_EQ(short_of(read_table(in("?.csv")).fault()), "b.csv:3: the quote that opens here is never closed");
  std::string ragged = "a,b\n";
  for (int i = 0; i < 100; ++i) ragged += i == 50 ? "1\n" : "1,2\n";
  write(ragged, "b.csv");
  const auto t = read_table(in("?.csv"));
  EXPECT_EQ(t.rows.size(), 100u);
  EXPECT_EQ(short_of(t.notes.at(0)), "b.csv: 1 row left out: line 52 has 1 cell where 2 were expected");
}

class Sqlite : public Several {
 protected:
  void SetUp() override {
    Several::SetUp();
    // As sqlite3 writes it; stored beside, made by make_tables.py.
    std::filesystem::copy_file("tests/unit/data/tables/two.db", folder_ / "two.db");
    std::filesystem::copy_file("tests/unit/data/tables/one.db", folder_ / "one.db");
  }
};

TEST_F(Sqlite, TablesViewsAndQueries) {
  const Rows people{{"1", "Ann", "1.5"}, {"2", "Zoë, \"q\"", "∅"}, {"-9223372036854775808", "blob", "0.1"}};
  auto t = read_table("sqlite:" + in("two.db") + "?table=people");
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.names, (std::vector<std::string>{"id", "name", "score"}));
  EXPECT_EQ(t.rows, people);
  EXPECT_EQ(t.reader->path(), in("two.db"));
  EXPECT_EQ(short_of(t.reader->place(1)), "two.db, row 2");
  t = read_table("sqlite:" + in("two.db") + "?table=odd%20%22name%22");
  EXPECT_EQ(t.rows, (Rows{{"7"}}));
  t = read_table("sqlite:" + in("two.db") + "?table=scored");  // a view
  EXPECT_EQ(t.rows.size(), 2u);
  t = read_table("sqlite:" + in("two.db") +
                 "?query=select name, score*2 as twice from people where id > 0 order by id desc");
  EXPECT_EQ(t.names, (std::vector<std::string>{"name", "twice"}));
  EXPECT_EQ(t.rows, (Rows{{"Zoë, \"q\"", "∅"}, {"Ann", "3"}}));
  EXPECT_EQ(read_table(in("one.db")).rows, (Rows{{"1"}, {"2"}}));  // its only table
}

TEST_F(Sqlite, Faults) {
  const auto fault = [&](const std::string& source) { return short_of(read_table(source).error.message()); };
  EXPECT_EQ(fault("sqlite:" + in("two.db") + "?table=peple"),
            "two.db: there is no table 'peple'; it has odd \"name\", people, scored; did you mean 'people'?");
  EXPECT_EQ(fault(in("two.db")),
            "two.db: which table of the database is meant? it has odd \"name\", people, scored; write "
            "sqlite:FILE?table=NAME or sqlite:FILE?query=SELECT ...");
  EXPECT_EQ(fault("sqlite:" + in("two.db") + "?query=select nme from people"),
            "two.db: the query is not one that reads: no such column: nme; give one SELECT statement");
  EXPECT_EQ(fault("sqlite:" + in("none.db") + "?table=t"),
            "none.db: no such file; check the path; it is taken from the current folder");
  EXPECT_TRUE(fault("sqlite:" + in("two.db") + "?query=delete from people")
                  .starts_with("two.db: the query would change the database"));
  EXPECT_EQ(read_table("sqlite:" + in("two.db") + "?table=people").rows.size(), 3u);
  EXPECT_TRUE(fault("sqlite:" + write("no database at all", "x.db") + "?table=t")
                  .starts_with("x.db: the database cannot be read: "));
}

}  // namespace
}  // namespace shoestring::data
