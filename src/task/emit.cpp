// Trees written out: as YAML that a person reads and the parser reads back, and as JSON.
#include <fmt/format.h>

#include <cmath>

#include "task/document.h"

namespace shoestring::task {
namespace {

// A double-quoted string as both YAML and JSON have it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Whether the text, unquoted, reads back as the same string. Cautious: letters, digits and a few
// signs, beginning with a letter or a digit.
bool is_plain(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (is_null_word(text) || !letter(text.front()) || text.back() == ' ') return false;
  for (const char c : text)
    if (!letter(c) && c != '_' && c != '-' && c != '.' && c != ' ' && c != '/') return false;
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = text;
  return !node.as_boolean() && !node.as_number();
}

std::string scalar(const Node& node) {
  if (node.is_null()) return "null";
  return node.quoted ? quoted(node.text) : node.text;
}

bool is_leaf(const Node& node) { return node.is_null() || node.is_scalar(); }

bool is_short_list(const Node& node) {
  if (!node.is_list()) return false;
  for (const Node& item : node.items)
    if (!is_leaf(item)) return false;
  return true;
}

// What stands on the line of the key, or nullopt if the value needs lines of its own.
std::optional<std::string> inlined(const Node& node) {
  if (is_leaf(node)) return scalar(node);
  if (node.is_map()) return node.entries.empty() ? std::optional<std::string>("{}") : std::nullopt;
  if (!is_short_list(node)) return std::nullopt;
  std::string out = "[";
  for (const Node& item : node.items) out += (out.size() > 1 ? ", " : "") + scalar(item);
  return out + "]";
}

void write_block(const Node& node, size_t indent, bool on_started_line, std::string& out);

void write_value(const Node& node, size_t indent, bool is_item, std::string& out) {
  const std::string comment = node.comment.empty() ? "" : "  # " + node.comment;
  if (const auto text = inlined(node)) {
    out += (is_item ? "" : " ") + *text + comment + "\n";
  } else if (is_item && comment.empty()) {
    write_block(node, indent + 2, true, out);
  } else {
    out += comment + "\n";
    write_block(node, indent + 2, false, out);
  }
}

void write_block(const Node& node, size_t indent, bool on_started_line, std::string& out) {
  const auto begin_line = [&] {
    if (!on_started_line) out.append(indent, ' ');
    on_started_line = false;
  };
  for (const Node& item : node.items) {
    begin_line();
    out += "- ";
    write_value(item, indent, true, out);
  }
  for (const Entry& entry : node.entries) {
    begin_line();
    out += (is_plain(entry.key) ? entry.key : quoted(entry.key)) + ":";
    write_value(entry.value, indent, false, out);
  }
}

std::string json_scalar(const Node& node) {
  if (node.is_null()) return "null";
  if (node.quoted) return quoted(node.text);
  if (const auto value = node.as_boolean()) return *value ? "true" : "false";
  if (const auto value = node.as_integer()) return fmt::format("{}", *value);
  if (const auto value = node.as_number(); value && std::abs(*value) <= 1.7976931348623157e308)
    return fmt::format("{}", *value);
  return quoted(node.text);
}

void write_json(const Node& node, size_t indent, std::string& out) {
  if (is_leaf(node)) {
    out += json_scalar(node);
    return;
  }
  const bool list = node.is_list();
  const size_t size = list ? node.items.size() : node.entries.size();
  out += list ? "[" : "{";
  for (size_t i = 0; i < size; ++i) {
    out += i ? "," : "";
    if (!is_short_list(node))
      out += "\n" + std::string(indent + 2, ' ');
    else if (i)
      out += " ";
    if (!list) out += quoted(node.entries[i].key) + ": ";
    write_json(list ? node.items[i] : node.entries[i].value, indent + 2, out);
  }
  if (size > 0 && !is_short_list(node)) out += "\n" + std::string(indent, ' ');
  out += list ? "]" : "}";
}

}  // namespace

Node Node::string(std::string_view value) {
  Node node;
  node.kind = Kind::scalar;
  node.text = value;
  node.quoted = !is_plain(value);
  return node;
}

std::string to_yaml(const Node& node) {
  if (const auto text = inlined(node)) return *text + "\n";
  std::string out;
  write_block(node, 0, false, out);
  return out;
}

std::string to_json(const Node& node) {
  std::string out;
  write_json(node, 0, out);
  return out + "\n";
}

}  // namespace shoestring::task
