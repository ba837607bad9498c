// Rows of operator tests: what a line of NAME.optest says (README.md has the format).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace shoestring::optest {

struct Operand {
  enum class Source { range, choice, list, special };
  std::string name;
  Type type;
  Source source = Source::range;
  double low = -2, high = 2;
  std::vector<double> values;  // of choice and list
  std::vector<double> avoid;   // `not V`
  bool distinct = false, apart = false, constant = false;
};

struct Expected {
  Type type;
  std::optional<std::vector<double>> values;
  bool aux = false;
};

struct Row {
  const OpDef* op = nullptr;
  int line = 0, variant = 0;  // variant: 1, 2, … of a line with `for`, else 0
  std::vector<Operand> in;
  Attrs attrs;
  std::string body;  // name of its graph, "" for none
  std::vector<Expected> out;
  std::string error;  // expected from the shape rule; "" if it must accept
  std::optional<double> tolerance;
  bool relative = false;
  double gradient_tolerance = 2e-6;
  bool nograd = false;
  std::string torch;

  std::string where() const;   // "softmax:12.2"
  std::string number() const;  // "12.2", what --row takes
  Types in_types() const;
};

struct RowFile {
  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::shared_ptr<const Graph>>> bodies;
  std::shared_ptr<const Graph> body(const std::string& name) const;
};

// Errors name the file and the line.
Result<RowFile> parse_rows(const OpDef& op, const std::string& path);

// One text of rows, for tests of the parser itself.
Result<RowFile> parse_row_text(const OpDef& op, std::string_view text, const std::string& path);

}  // namespace shoestring::optest
