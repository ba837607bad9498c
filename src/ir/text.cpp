#include "ir/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

namespace shoestring {
namespace {

// ---- printing ----

std::string value_text(const Graph& graph, ValueId id) {
  const bool several = graph.node(id).types.size() > 1;
  return several ? fmt::format("%{}.{}", id.node.index, id.output) : fmt::format("%{}", id.node.index);
}

// Column names end up in names here, so any character may occur.
std::string quote(std::string_view name) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\' || c == '\n') text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text + '"';
}
bool bare_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_./-").find(c) != std::string_view::npos;
}
std::string name_text(std::string_view name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), bare_char);
  return bare ? std::string(name) : quote(name);
}

std::string types_text(const Types& types) {
  std::string text;
  for (size_t i = 0; i < types.size(); ++i) text += (i ? "; " : "") + to_string(types[i]);
  return text;
}

// Floating values in the shortest form that reads back; a constant of equal values prints one.
std::string literal_text(const Node& node) {
  const Type& type = node.types[0];
  std::vector<double> values(static_cast<size_t>(type.elements()));
  decode(type.dtype, node.literal->data(), values.data(), type.elements());
  bool equal = !values.empty();
  for (double v : values) equal = equal && v == values[0] && std::signbit(v) == std::signbit(values[0]);
  if (equal) values.resize(1);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    text += i ? ", " : "";
    text += type.dtype == DType::f32 ? fmt::format("{}", static_cast<float>(values[i]))
                                     : fmt::format("{}", values[i]);
  }
  return text;
}

std::string attrs_text(const Node& node) {
  std::string text;
  for (const auto& def : node.op->attrs) {
    const AttrValue& value = *node.attrs.find(def.name);
    if (value != def.fallback)
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", def.name, to_string(value));
  }
  return text.empty() ? "" : " {" + text + "}";
}

void print(const Graph& graph, const std::string& indent, std::string& out) {
  out += "graph " + name_text(graph.name()) + " {\n";
  const std::string in = indent + "  ";
  for (const auto& s : graph.states())
    out += fmt::format("{}state {}: {} {}{}\n", in, name_text(s.name), to_string(s.role), to_string(s.type),
                       s.layout.row_major() ? "" : " " + to_string(AttrValue(s.layout.attribute())));
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& n = graph.nodes()[i];
    if (n.op == &write_op) {
      out += fmt::format("{}write {}, {}\n", in, name_text(n.name), value_text(graph, n.inputs[0]));
      continue;
    }
    out += fmt::format("{}%{} = ", in, i);
    if (n.op == &input_op) {
      out += "input " + quote(n.name);
    } else if (n.op == &read_op) {
      out += "read " + name_text(n.name);
    } else if (n.op == &constant_op) {
      out += "constant {" + literal_text(n) + "}";
    } else {
      out += std::string(n.op->name) + "(";
      for (size_t k = 0; k < n.inputs.size(); ++k) out += (k ? ", " : "") + value_text(graph, n.inputs[k]);
      out += ")" + attrs_text(n);
    }
    if (n.body) {
      out += " ";
      print(*n.body, in, out);
      out.pop_back();  // the body's line end: the type follows its brace
    }
    out += ": " + types_text(n.types) + "\n";
  }
  for (const auto& o : graph.outputs())
    out += fmt::format("{}output {} = {}\n", in, quote(o.name), value_text(graph, o.value));
  out += indent + "}\n";
}

// ---- parsing ----

// A text may come from a damaged or hostile file.
constexpr int64_t kLargestConstant = int64_t{1} << 30;
constexpr int kDeepest = 16;

// Thrown inside the parser only; turned into an Error where it begins.
struct Stop {
  Error error;
};

class Parser {
 public:
  Parser(std::string_view text, std::span<const OpDef* const> ops, std::string_view where)
      : text_(text), ops_(ops), where_(where) {}

  bool at_end() {
    skip_space();
    return pos_ == text_.size();
  }

  Graph graph() {
    expect("graph");
    Graph g{state_name()};
    expect("{");
    std::map<uint32_t, ValueId> values;  // the text's numbers need not be the graph's
    while (!accept("}")) statement(g, values);
    if (auto s = g.status(); !s) stop(s.error().what);
    return g;
  }

 private:
  [[noreturn]] void stop(std::string what, std::string fix = "see the text form in ir/text.h") {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < pos_ && i < text_.size(); ++i) {
      column = text_[i] == '\n' ? 1 : column + 1;
      line += text_[i] == '\n';
    }
    throw Stop{
        {ErrorKind::usage, std::move(what), fmt::format("{}:{}:{}", where_, line, column), std::move(fix)}};
  }

  void skip_space() {
    while (pos_ < text_.size()) {
      if (text_[pos_] == '#') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else if (std::isspace(static_cast<unsigned char>(text_[pos_]))) {
        ++pos_;
      } else {
        return;
      }
    }
  }
  bool accept(std::string_view token) {
    skip_space();
    if (!text_.substr(pos_).starts_with(token)) return false;
    if (word_char(token.back()) && pos_ + token.size() < text_.size() &&
        word_char(text_[pos_ + token.size()]))
      return false;
    pos_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) stop(fmt::format("expected '{}'", token));
  }
  static bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  // A name: of a graph, a state, an operator, an attribute.
  std::string_view word() {
    skip_space();
    const size_t begin = pos_;
    while (pos_ < text_.size() && bare_char(text_[pos_])) ++pos_;
    if (pos_ == begin) stop("expected a name");
    return text_.substr(begin, pos_ - begin);
  }
  std::string state_name() {
    skip_space();
    return pos_ < text_.size() && text_[pos_] == '"' ? quoted() : std::string(word());
  }
  std::string quoted() {
    expect("\"");
    std::string s;
    while (pos_ < text_.size() && text_[pos_] != '"') {
      const bool escaped = text_[pos_] == '\\';
      if (escaped && ++pos_ >= text_.size()) break;
      s += escaped && text_[pos_] == 'n' ? '\n' : text_[pos_];
      ++pos_;
    }
    if (pos_ >= text_.size()) stop("a string does not end");
    ++pos_;
    return s;
  }
  double number() {
    skip_space();
    double v = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), v);
    if (error != std::errc{}) stop("expected a number");
    pos_ = static_cast<size_t>(end - text_.data());
    return v;
  }
  template <class Integer>
  Integer whole() {
    Integer v = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), v);
    if (error != std::errc{}) stop("expected a whole number");
    pos_ = static_cast<size_t>(end - text_.data());
    return v;
  }
  int64_t integer() {
    skip_space();
    return whole<int64_t>();
  }
  uint32_t index() { return whole<uint32_t>(); }
  Type type() {
    skip_space();
    const size_t begin = pos_, end = text_.find(']', pos_);
    const auto t =
        end == std::string_view::npos ? std::nullopt : type_named(text_.substr(begin, end + 1 - begin));
    if (!t) stop("expected a type such as f32[70,5]");
    pos_ = end + 1;
    return *t;
  }
  Types types() {
    Types list{type()};
    while (accept(";")) list.push_back(type());
    return list;
  }
  AttrValue attr_value(const AttrValue& like) {
    if (std::holds_alternative<bool>(like)) {
      if (accept("true")) return true;
      expect("false");
      return false;
    }
    if (std::holds_alternative<std::string>(like)) return quoted();
    if (std::holds_alternative<std::vector<int64_t>>(like)) {
      std::vector<int64_t> list;
      expect("[");
      while (!accept("]")) {
        list.push_back(integer());
        accept(",");
      }
      return list;
    }
    if (std::holds_alternative<int64_t>(like)) return integer();
    return number();
  }

  Value value(Graph& g, const std::map<uint32_t, ValueId>& values) {
    expect("%");
    const uint32_t number = index();
    uint32_t output = 0;
    if (pos_ < text_.size() && text_[pos_] == '.') {
      ++pos_;
      output = index();
    }
    const auto found = values.find(number);
    if (found == values.end() || output >= g.node(found->second).types.size())
      stop(fmt::format("%{} is not defined above", number), "define values before they are used");
    return g.value({found->second.node, output});
  }

  void statement(Graph& g, std::map<uint32_t, ValueId>& values) {
    if (accept("state")) {
      std::string name = state_name();
      expect(":");
      StateRole role = StateRole::parameter;
      for (StateRole r : {StateRole::parameter, StateRole::moment, StateRole::statistic,
                          StateRole::accumulator, StateRole::counter})
        if (accept(to_string(r))) role = r;
      StateInfo info{std::move(name), type(), role, {}};
      if (pos_ < text_.size() && text_[pos_] == ' ')  // how it lies stands on the same line
        info.layout = Layout(std::get<std::vector<int64_t>>(attr_value(std::vector<int64_t>{})));
      if (!info.layout.fits(info.type.dims)) stop("a state does not lie like that");
      g.declare(info);
    } else if (accept("write")) {
      const std::string name = state_name();
      expect(",");
      g.write(name, value(g, values));
    } else if (accept("output")) {
      const std::string name = quoted();
      expect("=");
      g.output(name, value(g, values));
    } else {
      expect("%");
      const uint32_t number = index();
      if (values.contains(number))
        stop(fmt::format("%{} is defined twice", number), "give each value its own number");
      expect("=");
      const Value v = node(g, values);
      if (auto s = g.status(); !s) stop(s.error().what, s.error().fix);
      values[number] = v.id();
    }
    if (auto s = g.status(); !s) stop(s.error().what, s.error().fix);
  }

  Value node(Graph& g, const std::map<uint32_t, ValueId>& values) {
    if (accept("input")) {
      std::string name = quoted();
      expect(":");
      return g.input(std::move(name), type());
    }
    if (accept("read")) {
      std::string name = state_name();
      expect(":");
      const Type t = type();
      const StateInfo* known = g.state(name);
      return g.read({name, t, known ? known->role : StateRole::parameter});
    }
    if (accept("constant")) {
      std::vector<double> list;
      expect("{");
      while (!accept("}")) {
        list.push_back(number());
        accept(",");
      }
      expect(":");
      const Type t = type();
      if (t.bytes() > kLargestConstant)
        stop(fmt::format("a constant of {} bytes", t.bytes()), "make it an input or a state");
      return g.constant(t, list);
    }
    const std::string_view name = word();
    const OpDef* op = nullptr;
    for (const OpDef* candidate : ops_)
      if (candidate->name == name) op = candidate;
    if (!op) stop(fmt::format("unknown operator '{}'", name), "use one of the operators in src/ops");
    std::vector<Value> inputs;
    expect("(");
    while (!accept(")")) {
      inputs.push_back(value(g, values));
      accept(",");
    }
    Attrs attrs;
    if (accept("{"))
      while (!accept("}")) {
        const std::string key(word());
        const AttrDef* def = nullptr;
        for (const auto& d : op->attrs)
          if (d.name == key) def = &d;
        if (!def)
          stop(fmt::format("{}: no attribute '{}'", op->name, key), "see the operator's file in src/ops");
        expect("=");
        attrs.set(key, attr_value(def->fallback));
        accept(",");
      }
    std::shared_ptr<const Graph> body;
    skip_space();
    if (text_.substr(pos_).starts_with("graph ")) {
      if (++depth_ > kDeepest) stop("bodies within bodies, too deep", "keep bodies shallow");
      body = std::make_shared<Graph>(graph());
      --depth_;
    }
    const Value v = g.add(*op, inputs, attrs, body);
    if (!v.valid()) return v;
    expect(":");
    if (const Types written = types(); written != g.node(v.id()).types)
      stop(
          fmt::format("{} gives {}, not {}", op->name, types_text(g.node(v.id()).types), types_text(written)),
          "correct the type or its inputs");
    return v;
  }

  std::string_view text_;
  std::span<const OpDef* const> ops_;
  std::string_view where_;
  size_t pos_ = 0;
  int depth_ = 0;  // of bodies
};

}  // namespace

std::string to_text(const Graph& graph) {
  std::string out;
  print(graph, "", out);
  return out;
}

Result<std::vector<Graph>> parse_graphs(std::string_view text, std::span<const OpDef* const> ops,
                                        std::string_view where) try {
  Parser parser(text, ops, where);
  std::vector<Graph> graphs;
  while (!parser.at_end()) graphs.push_back(parser.graph());
  return graphs;
} catch (Stop& s) {
  return fail(std::move(s.error));
}

Result<Graph> parse_graph(std::string_view text, std::span<const OpDef* const> ops, std::string_view where) {
  auto graphs = parse_graphs(text, ops, where);
  if (!graphs) return fail(graphs.error());
  if (graphs->size() != 1)
    return fail(ErrorKind::usage, fmt::format("holds {} graphs, not one", graphs->size()), std::string(where),
                "keep one graph");
  return std::move(graphs->front());
}

}  // namespace shoestring
