#include "ops/row.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "base/atomic_file.h"
#include "ir/text.h"
#include "ops/ops.h"

namespace shoestring::optest {
namespace {

struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Reads a row from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() {
    skip();
    return rest_.empty();
  }
  // Takes `token` if it comes next; a token of letters only as a whole word.
  bool take(std::string_view token) {
    skip();
    if (!rest_.starts_with(token)) return false;
    if (in_word(token.back()) && rest_.size() > token.size() && in_word(rest_[token.size()])) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) throw Wrong(fmt::format("'{}' is missing before '{}'", token, rest_));
  }
  std::string word() {
    skip();
    size_t n = 0;
    while (n < rest_.size() && in_word(rest_[n])) ++n;
    if (n == 0) throw Wrong(fmt::format("a name is missing before '{}'", rest_));
    return cut(n);
  }
  std::string quoted() {
    expect("\"");
    const size_t end = rest_.find('"');
    if (end == std::string_view::npos) throw Wrong("a quote is not closed");
    std::string text = cut(end);
    rest_.remove_prefix(1);
    return text;
  }
  Type type() {
    skip();
    const size_t end = rest_.find(']');
    if (const auto t = type_named(rest_.substr(0, end == std::string_view::npos ? end : end + 1))) {
      rest_.remove_prefix(end + 1);
      return *t;
    }
    throw Wrong(fmt::format("no type: '{}'", rest_));
  }
  std::string number_text() {
    skip();
    size_t n = 0;
    while (n < rest_.size() && (in_word(rest_[n]) || rest_[n] == '.' || rest_[n] == '-' || rest_[n] == '+'))
      ++n;
    return cut(n);
  }
  double number() { return to_number(number_text()); }
  static double to_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      throw Wrong(fmt::format("no number: '{}'", text));
    return value;
  }
  // {1, 2, nan}
  std::vector<double> numbers() {
    std::vector<double> list;
    expect("{");
    while (!take("}")) {
      list.push_back(number());
      take(",");
    }
    return list;
  }
  char peek() {
    skip();
    return rest_.empty() ? '\0' : rest_.front();
  }
  std::string_view rest() const { return rest_; }

 private:
  void skip() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
  }
  std::string cut(size_t n) {
    std::string text(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return text;
  }
  std::string_view rest_;
};

AttrValue attribute_value(Cursor& in, const AttrDef* declared) {
  if (in.peek() == '"') return in.quoted();
  if (in.take("true")) return true;
  if (in.take("false")) return false;
  if (in.take("[")) {
    std::vector<int64_t> list;
    while (!in.take("]")) {
      list.push_back(static_cast<int64_t>(in.number()));
      in.take(",");
    }
    return list;
  }
  const std::string text = in.number_text();
  const double value = Cursor::to_number(text);
  const bool whole = text.find_first_of(".einf") == std::string::npos;
  if (declared && std::holds_alternative<double>(declared->fallback)) return value;
  if (!whole) return value;
  return static_cast<int64_t>(value);
}

void parse_attributes(Cursor& in, Row& row) {
  while (!in.take("}")) {
    const std::string name = in.word();
    in.expect("=");
    if (name == "body") {
      row.body = in.word();
    } else {
      const AttrDef* declared = nullptr;
      for (const AttrDef& def : row.op->attrs)
        if (def.name == name) declared = &def;
      row.attrs.set(name, attribute_value(in, declared));
    }
    in.take(",");
  }
}

Operand parse_operand(Cursor& in) {
  Operand o;
  o.name = in.word();
  in.expect(":");
  o.type = in.type();
  if (!info(o.type.dtype).floating) o.low = 0, o.high = 3;
  for (;;) {
    if (in.take("in")) {
      in.expect("[");
      o.low = in.number();
      in.expect(",");
      o.high = in.number();
      in.expect("]");
    } else if (in.take("from")) {
      o.source = Operand::Source::choice;
      o.values = in.numbers();
    } else if (in.take("=")) {
      o.source = Operand::Source::list;
      o.values = in.numbers();
    } else if (in.take("special")) {
      o.source = Operand::Source::special;
    } else if (in.take("distinct")) {
      o.distinct = true;
    } else if (in.take("apart")) {
      o.apart = true;
    } else if (in.take("const")) {
      o.constant = true;
    } else if (in.take("not")) {
      o.avoid.push_back(in.number());
    } else {
      return o;
    }
  }
}

void parse_results(Cursor& in, Row& row) {
  if (in.take("error")) {
    row.error = in.quoted();
    return;
  }
  do {
    Expected e{.type = in.type()};
    if (in.take("=")) e.values = in.numbers();
    e.aux = in.take("aux");
    row.out.push_back(std::move(e));
  } while (in.take(";"));
}

void parse_options(Cursor& in, Row& row) {
  while (!in.done()) {
    if (in.take("nograd")) {
      row.nograd = true;
      continue;
    }
    if (in.take("relative")) {
      row.relative = true;
      continue;
    }
    const std::string name = in.word();
    in.expect("=");
    if (name == "tol") {
      row.tolerance = in.number();
    } else if (name == "gtol") {
      row.gradient_tolerance = in.number();
    } else if (name == "torch") {
      row.torch = in.word();
    } else {
      throw Wrong(fmt::format("no option '{}'", name));
    }
  }
}

Row parse_row(const OpDef& op, std::string_view text) {
  Row row{.op = &op};
  Cursor in(text);
  while (!in.take("->")) {
    if (in.done()) throw Wrong("'->' is missing");
    if (in.take("{"))
      parse_attributes(in, row);
    else
      row.in.push_back(parse_operand(in));
  }
  parse_results(in, row);
  parse_options(in, row);
  for (const Operand& o : row.in) row.relative |= o.source == Operand::Source::special;
  return row;
}

std::string replace_word(std::string_view text, std::string_view word, std::string_view by) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const bool here = text.substr(i).starts_with(word) && (i == 0 || !in_word(text[i - 1])) &&
                      (i + word.size() == text.size() || !in_word(text[i + word.size()]));
    if (here) {
      out += by;
      i += word.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

// The row once for each combination of its `for` clauses.
std::vector<std::string> expand_for(std::string text) {
  const size_t at = text.rfind(" for ");
  if (at == std::string::npos ||
      std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), '"') % 2)
    return {text};  // none, or a word of an error text
  const std::string_view clause = std::string_view(text).substr(at + 5);
  const size_t equals = clause.find('=');
  if (equals == std::string_view::npos) throw Wrong("'for' without '='");
  const std::string word = Cursor(clause.substr(0, equals)).word();
  std::vector<std::string> rows;
  Cursor values(clause.substr(equals + 1));
  for (std::string_view rest = values.done() ? "" : values.rest(); !rest.empty();) {
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    if (end) {
      for (auto& row :
           expand_for(replace_word(std::string_view(text).substr(0, at), word, rest.substr(0, end))))
        rows.push_back(std::move(row));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (rows.empty()) throw Wrong("'for' without values");
  return rows;
}

std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

}  // namespace

std::string Row::number() const {
  return variant ? fmt::format("{}.{}", line, variant) : fmt::format("{}", line);
}
std::string Row::where() const { return fmt::format("{}:{}", op->name, number()); }
Types Row::in_types() const {
  Types types;
  for (const Operand& o : in) types.push_back(o.type);
  return types;
}

std::shared_ptr<const Graph> RowFile::body(const std::string& name) const {
  for (const auto& [known, graph] : bodies)
    if (known == name) return graph;
  return nullptr;
}

Result<RowFile> parse_row_text(const OpDef& op, std::string_view text, const std::string& path) {
  RowFile file;
  int line = 0;
  std::string body;  // of the body that is being read
  auto wrong = [&](std::string what) {
    return fail(ErrorKind::data, std::move(what), fmt::format("{}:{}", path, line),
                "see tests/ops/README.md");
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view full = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (full.starts_with("body ")) body = "graph";
    if (!body.empty()) {
      body += full.substr(full.starts_with("body ") ? 4 : 0);
      body += '\n';
      if (!full.starts_with("}")) continue;
      Result<Graph> graph = parse_graph(body, ops::all(), path);
      if (!graph) return wrong(graph.error().message());
      const std::string name = graph->name();
      file.bodies.emplace_back(name, std::make_shared<const Graph>(std::move(*graph)));
      body.clear();
      continue;
    }
    const std::string_view content = without_comment(full);
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      const std::vector<std::string> texts = expand_for(std::string(content));
      for (size_t i = 0; i < texts.size(); ++i) {
        Row row = parse_row(op, texts[i]);
        row.line = line;
        row.variant = texts.size() > 1 ? static_cast<int>(i) + 1 : 0;
        if (!row.body.empty() && !file.body(row.body))
          throw Wrong(fmt::format("no body '{}' above", row.body));
        file.rows.push_back(std::move(row));
      }
    } catch (const Wrong& e) {
      return wrong(e.what());
    }
  }
  return file;
}

Result<RowFile> parse_rows(const OpDef& op, const std::string& path) {
  return read_file(path).and_then([&](const std::string& text) { return parse_row_text(op, text, path); });
}

}  // namespace shoestring::optest
