// A YAML or JSON document as a tree in which every node knows its place, so that an error can name
// file, line and column. Strict: a key written twice, a second document or text that does not parse
// is ErrorKind::usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::task {

// Where something was written; both count from 1. Line 0: it was not read from text.
struct Mark {
  int line = 0, column = 0;
};

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  std::string text;     // of a scalar
  bool quoted = false;  // a quoted scalar is a string, whatever it looks like
  Mark mark;
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order written
  std::string comment;         // said beside the value when it is written out; never read

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }

  const Entry* find(std::string_view key) const;  // of a map, or nullptr
  Entry* find(std::string_view key);
  Node& set(std::string_view key, Node value);  // replaces or appends; returns the value's place

  // What a scalar says by the rules of YAML 1.2's core schema; nullopt if it says something else.
  std::optional<bool> as_boolean() const;     // true false yes no on off, in any case
  std::optional<int64_t> as_integer() const;  // 3, -3, 1_000; also 3.0 and 1e3
  std::optional<double> as_number() const;    // any number, .inf and .nan

  static Node null();
  static Node boolean(bool value);
  static Node integer(int64_t value);
  static Node number(double value);            // the shortest text that reads back as `value`
  static Node string(std::string_view value);  // quoted where plain text would mean something else
  static Node list();
  static Node list(std::vector<Node> items);
  static Node map();
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

struct Document {
  std::string name;  // as errors say it: the file's path, or "--config_str"
  Node root;

  std::string place(Mark mark) const;  // "recipe.yaml:12:3", or the name alone
};

// A file that is missing or unreadable is ErrorKind::usage too.
Result<Document> read_document(const std::string& path);
Result<Document> parse_document(std::string_view text, std::string name);

// Sets the value at a dotted path ("trainer.optimizer.type", "input_features.0.name"), adding the
// maps that are missing on the way. `value` is YAML.
Status set_path(Document& document, std::string_view path, std::string_view value);

// `over` laid on `under`, map by map; where both have a value that is not a map, `over` stands.
Node merged(const Node& under, const Node& over);

// Block YAML that parses back to the same tree; comments are kept.
std::string to_yaml(const Node& node);
std::string to_json(const Node& node);

}  // namespace shoestring::task
