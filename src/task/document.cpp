#include "task/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "base/text.h"

namespace shoestring::task {
namespace {

// Aliases copy what they name, so a few lines can unfold without end; no recipe comes near this.
constexpr int64_t kMaxNodes = 1 << 18;

// Thrown through yaml-cpp's parser and caught in parse_document.
struct Refusal {
  Mark mark;
  std::string what, fix;
};

Mark to_mark(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

int64_t count_nodes(const Node& node) {
  int64_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Entry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

// Builds the tree from the parser's events. A stack holds the open lists and maps; a map in the
// stack that waits for a value has its key in `key`.
class TreeBuilder final : public YAML::EventHandler {
 public:
  Node root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.mark = to_mark(mark);
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end())
      throw Refusal{to_mark(mark), "an alias inside the value it names", "write the value out"};
    Node copy = named->second;
    nodes_ += count_nodes(copy);
    if (nodes_ > kMaxNodes)
      throw Refusal{to_mark(mark), "the aliases unfold to too many values", "write fewer aliases of aliases"};
    add(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = value;
    node.mark = to_mark(mark);
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    check_tag(tag, node.mark);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key;
    std::vector<Node> merges;  // the values of `<<`
  };

  static void check_tag(const std::string& tag, Mark mark) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0) return;
    throw Refusal{mark, fmt::format("the tag '{}' means nothing here", tag), "leave the tag out"};
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Node node;
    node.kind = kind;
    node.mark = to_mark(mark);
    check_tag(tag, node.mark);
    stack_.push_back({std::move(node), anchor, std::nullopt, {}});
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    unfold_merge_keys(done);
    add(std::move(done.node), done.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++nodes_ > kMaxNodes)
      throw Refusal{node.mark, "too many values for a recipe", "check that this is the right file"};
    if (anchor) anchors_[anchor] = node;
    if (stack_.empty()) {
      root = std::move(node);
    } else if (Open& top = stack_.back(); top.node.is_list()) {
      top.node.items.push_back(std::move(node));
    } else if (!top.key) {
      add_key(top, std::move(node));
    } else if (top.key->text == "<<" && !top.key->quoted) {
      top.merges.push_back(std::move(node));
      top.key.reset();
    } else {
      top.node.entries.push_back({top.key->text, top.key->mark, std::move(node)});
      top.key.reset();
    }
  }

  static void add_key(Open& top, Node key) {
    if (key.is_null()) key.kind = Node::Kind::scalar, key.text = "null";
    if (!key.is_scalar()) throw Refusal{key.mark, "a key must be a plain word", "write KEY: VALUE"};
    if (const Entry* first = top.node.find(key.text))
      throw Refusal{key.mark,
                    fmt::format("key '{}' is written twice (first at line {})", key.text, first->mark.line),
                    "keep one of them"};
    top.key = std::move(key);
  }

  // `<<: *defaults` brings in the entries of another map that this one does not set itself.
  static void unfold_merge_keys(Open& map) {
    for (const Node& merge : map.merges) {
      const std::vector<Node> sources = merge.is_list() ? merge.items : std::vector<Node>{merge};
      for (const Node& source : sources) {
        if (!source.is_map())
          throw Refusal{merge.mark, "'<<' takes a map or a list of maps", "name an anchor of a map"};
        for (const Entry& entry : source.entries)
          if (!map.node.find(entry.key)) map.node.entries.push_back(entry);
      }
    }
  }

  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  int64_t nodes_ = 0;
};

// 1_000 means 1000: underscores between digits are dropped.
std::string without_separators(std::string_view text) {
  std::string out;
  const auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '_' || i == 0 || !digit(i - 1) || !digit(i + 1)) out += text[i];
  return out;
}

Status set_in(Node& node, std::string_view path, Node value) {
  const size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  const auto no_such = [&](std::string fix) {
    return fail(ErrorKind::usage, fmt::format("no place for '{}'", path), {}, std::move(fix));
  };
  if (key.empty()) return no_such("write the path as KEY.KEY");
  Node* child = nullptr;
  if (node.is_list()) {
    size_t index = node.items.size();
    std::from_chars(key.data(), key.data() + key.size(), index);
    for (size_t i = 0; i < node.items.size() && index >= node.items.size(); ++i)
      if (const Entry* name = node.items[i].is_map() ? node.items[i].find("name") : nullptr;
          name && name->value.text == key)
        index = i;
    if (index >= node.items.size())
      return no_such(
          fmt::format("the list has {} items; name one by its number from 0 or its name", node.items.size()));
    child = &node.items[index];
  } else {
    if (node.is_scalar()) return no_such("a part of the path before it holds a value, not keys");
    if (node.is_null()) node.kind = Node::Kind::map;
    Entry* entry = node.find(key);
    child = entry ? &entry->value : &node.set(key, Node::null());
  }
  if (dot != std::string_view::npos) return set_in(*child, path.substr(dot + 1), std::move(value));
  *child = std::move(value);
  return {};
}

void clear_marks(Node& node) {
  node.mark = {};
  for (Node& item : node.items) clear_marks(item);
  for (Entry& entry : node.entries) entry.mark = {}, clear_marks(entry.value);
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

Entry* Node::find(std::string_view key) { return const_cast<Entry*>(std::as_const(*this).find(key)); }

Node& Node::set(std::string_view key, Node value) {
  if (Entry* entry = find(key)) return entry->value = std::move(value);
  entries.push_back({std::string(key), {}, std::move(value)});
  return entries.back().value;
}

std::optional<bool> Node::as_boolean() const {
  if (!is_scalar() || quoted) return std::nullopt;
  const std::string word = lowered(text);
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "no" || word == "off") return false;
  return std::nullopt;
}

std::optional<int64_t> Node::as_integer() const {
  if (!is_scalar() || quoted) return std::nullopt;
  const std::string digits = without_separators(text);
  const char* begin = digits.data() + (digits.size() > 1 && digits[0] == '+' ? 1 : 0);
  const char* end = digits.data() + digits.size();
  int64_t value = 0;
  if (const auto [last, error] = std::from_chars(begin, end, value); error == std::errc() && last == end)
    return value;
  const std::optional<double> number = as_number();
  if (number && std::abs(*number) < 0x1p53 && std::nearbyint(*number) == *number)
    return static_cast<int64_t>(*number);
  return std::nullopt;
}

std::optional<double> Node::as_number() const {
  if (!is_scalar() || quoted) return std::nullopt;
  const std::string word = lowered(text);
  if (word == ".inf" || word == "+.inf") return std::numeric_limits<double>::infinity();
  if (word == "-.inf") return -std::numeric_limits<double>::infinity();
  if (word == ".nan") return std::numeric_limits<double>::quiet_NaN();
  const std::string digits = without_separators(word);
  const char* begin = digits.data() + (digits.size() > 1 && digits[0] == '+' ? 1 : 0);
  const char* end = digits.data() + digits.size();
  if (begin == end || digits.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  double value = 0;
  const auto [last, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || last != end) return std::nullopt;
  return value;
}

Node Node::null() { return {}; }

Node Node::boolean(bool value) {
  Node node;
  node.kind = Kind::scalar;
  node.text = value ? "true" : "false";
  return node;
}

Node Node::integer(int64_t value) {
  Node node;
  node.kind = Kind::scalar;
  node.text = fmt::format("{}", value);
  return node;
}

Node Node::number(double value) {
  Node node;
  node.kind = Kind::scalar;
  if (std::isnan(value))
    node.text = ".nan";
  else if (std::isinf(value))
    node.text = value < 0 ? "-.inf" : ".inf";
  else
    node.text = fmt::format("{}", value);
  return node;
}

Node Node::list() { return list({}); }
Node Node::list(std::vector<Node> items) {
  Node node;
  node.kind = Kind::list;
  node.items = std::move(items);
  return node;
}

Node Node::map() {
  Node node;
  node.kind = Kind::map;
  return node;
}

std::string Document::place(Mark mark) const {
  return mark.line > 0 ? fmt::format("{}:{}:{}", name, mark.line, mark.column) : name;
}

Result<Document> read_document(const std::string& path) {
  Result<std::string> text = read_file(path);
  if (!text) {
    if (text.error().kind == ErrorKind::data)
      text.error().kind = ErrorKind::usage;  // the user's word, not data
    return fail(std::move(text.error()));
  }
  return parse_document(*text, path);
}

Result<Document> parse_document(std::string_view text, std::string name) {
  Document document{std::move(name), {}};
  const auto refuse = [&](Mark mark, std::string what, std::string fix) {
    return fail(ErrorKind::usage, std::move(what), document.place(mark), std::move(fix));
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder first;
    parser.HandleNextDocument(first);
    document.root = std::move(first.root);
    TreeBuilder second;
    if (parser.HandleNextDocument(second) && !second.root.is_null())
      return refuse(second.root.mark, "a second document after '---'", "keep one recipe in a file");
  } catch (const Refusal& refusal) {
    return refuse(refusal.mark, refusal.what, refusal.fix);
  } catch (const YAML::Exception& error) {
    return refuse(to_mark(error.mark), fmt::format("this is not YAML ({})", error.msg),
                  "check the indentation, quotes and brackets there");
  }
  return document;
}

Status set_path(Document& document, std::string_view path, std::string_view value) {
  Result<Document> parsed = parse_document(value, std::string(path));
  if (!parsed) return fail(std::move(parsed.error()));
  clear_marks(parsed->root);  // they count in `value`, not in the document
  return set_in(document.root, path, std::move(parsed->root));
}

Node merged(const Node& under, const Node& over) {
  if (!under.is_map() || !over.is_map()) return over;
  Node out = under;
  out.mark = over.mark;
  for (const Entry& entry : over.entries) {
    Entry* below = out.find(entry.key);
    if (below)
      *below = {entry.key, entry.mark, merged(below->value, entry.value)};
    else
      out.entries.push_back(entry);
  }
  return out;
}

}  // namespace shoestring::task
