#include "task/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/overloaded.h"
#include "base/text.h"

namespace shoestring::task {
namespace {

using data::SyntheticColumn;
using Kind = SyntheticColumn::Kind;

// What a type is called, and the keys that a feature of it may have beside name, type and missing.
struct TypeRow {
  std::string_view name;
  Kind kind;
  bool can_be_target;
  std::array<std::string_view, 3> keys;
};
constexpr TypeRow kTypes[] = {
    {"number", Kind::number, true, {"min", "max", "decimals"}},
    {"binary", Kind::binary, true, {"prob", "bool2str"}},
    {"category", Kind::category, true, {"vocab_size", "idx2str"}},
    {"set", Kind::set, true, {"vocab_size", "idx2str", "max_len"}},
    {"bag", Kind::bag, false, {"vocab_size", "idx2str", "max_len"}},
    {"vector", Kind::vector, true, {"vector_size", "decimals"}},
    {"date", Kind::date, false, {}},
};
constexpr std::string_view kEveryKey[] = {"name", "type", "missing"};
constexpr int64_t kMostWords = 1'000'000, kMostParts = 100'000;

std::vector<std::string> numbered_words(const std::string& name, int64_t count) {
  std::vector<std::string> words;
  for (int64_t k = 0; k < count; ++k) words.push_back(fmt::format("{}_{}", name, k));
  return words;
}

// What a column has where nothing else is said.
SyntheticColumn column_of(std::string name, const TypeRow& type, bool is_target) {
  SyntheticColumn column{.name = std::move(name), .kind = type.kind, .is_target = is_target};
  if (type.kind == Kind::binary) column.words = {"false", "true"};
  if (type.kind == Kind::category || type.kind == Kind::set || type.kind == Kind::bag)
    column.words = numbered_words(column.name, 10);
  return column;
}

class Reader {
 public:
  explicit Reader(const Document& document) : document_(&document) {}

  Status list(const Node& node, bool are_targets, data::SyntheticTable& table) const {
    if (!node.is_list()) return refuse(node, "a list of features is wanted", kForm);
    for (const Node& item : node.items) {
      auto column = feature(item, are_targets);
      if (!column) return fail(column.error());
      if (std::ranges::find(table.columns, column->name, &SyntheticColumn::name) != table.columns.end())
        return refuse(item, fmt::format("there are two features '{}'", column->name),
                      "give each its own name");
      table.columns.push_back(std::move(*column));
    }
    return {};
  }

 private:
  static constexpr const char* kForm = "write [{name: a, type: number}, {name: b, type: category}]";

  Failure refuse(const Node& node, std::string what, std::string fix) const {
    return fail(ErrorKind::usage, std::move(what), document_->place(node.mark), std::move(fix));
  }

  Result<SyntheticColumn> feature(const Node& node, bool is_target) const {
    const auto* name = node.is_map() ? node.find("name") : nullptr;
    const auto* type = node.is_map() ? node.find("type") : nullptr;
    if (!name || !type || !name->value.is_scalar() || !type->value.is_scalar() || name->value.text.empty())
      return refuse(node, "a feature needs a name and a type", kForm);
    const auto row = std::ranges::find(kTypes, type->value.text, &TypeRow::name);
    if (row == std::end(kTypes)) {
      std::vector<std::string> names;
      for (const TypeRow& known : kTypes) names.emplace_back(known.name);
      const std::string near = nearest(type->value.text, names);
      return refuse(type->value, fmt::format("columns of type '{}' cannot be made up", type->value.text),
                    near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                 : fmt::format("did you mean '{}'?", near));
    }
    if (is_target && !row->can_be_target)
      return refuse(type->value, fmt::format("a target of type '{}' cannot be made up", row->name),
                    "make it an input feature");
    SyntheticColumn column = column_of(name->value.text, *row, is_target);
    for (const Entry& entry : node.entries)
      if (auto ok = key(entry, *row, column); !ok) return fail(ok.error());
    if (column.range && !((*column.range)[0] < (*column.range)[1]))
      return refuse(node, fmt::format("'{}': min has to be below max", column.name), "write both");
    return column;
  }

  Status key(const Entry& entry, const TypeRow& type, SyntheticColumn& column) const {
    const auto known = [&](const auto& keys) { return std::ranges::find(keys, entry.key) != std::end(keys); };
    if (entry.key.empty() || (!known(kEveryKey) && !known(type.keys))) {
      std::vector<std::string> names(std::begin(kEveryKey), std::end(kEveryKey));
      for (const auto& name : type.keys)
        if (!name.empty()) names.emplace_back(name);
      const std::string near = nearest(entry.key, names);
      return fail(ErrorKind::usage, fmt::format("unknown key '{}' of a {} feature", entry.key, type.name),
                  document_->place(entry.mark),
                  near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                               : fmt::format("did you mean '{}'?", near));
    }
    const Node& value = entry.value;
    if (entry.key == "missing") return number(entry, 0, 1, column.missing);
    if (entry.key == "prob") return number(entry, 0, 1, column.share_true);
    if (entry.key == "min" || entry.key == "max") {
      if (!column.range) column.range = {{0, 1}};
      return number(entry, -1e9, 1e9, (*column.range)[entry.key == "max"]);
    }
    if (entry.key == "decimals") {
      auto places = whole(entry, 0, 9);
      if (places) column.decimals = static_cast<int>(*places);
      return places ? Status() : fail(places.error());
    }
    if (entry.key == "max_len" || entry.key == "vector_size") {
      auto most = whole(entry, 1, kMostParts);
      if (most) column.most = *most;
      return most ? Status() : fail(most.error());
    }
    if (entry.key == "vocab_size") {
      auto words = whole(entry, 2, kMostWords);
      if (words) column.words = numbered_words(column.name, *words);
      return words ? Status() : fail(words.error());
    }
    if (entry.key != "idx2str" && entry.key != "bool2str") return {};
    const bool two = entry.key == "bool2str";
    if (!value.is_list() || value.items.size() < 2 || (two && value.items.size() != 2) ||
        !std::ranges::all_of(value.items, &Node::is_scalar))
      return refuse(value, fmt::format("'{}' is a list of {} words", entry.key, two ? "two" : "at least two"),
                    "write [no, yes]");
    column.words.clear();
    for (const Node& word : value.items) column.words.push_back(word.text);
    return {};
  }

  Status number(const Entry& entry, double low, double high, double& to) const {
    const auto value = entry.value.is_scalar() ? entry.value.as_number() : std::nullopt;
    if (!value || !(*value >= low && *value <= high))
      return refuse(entry.value, fmt::format("'{}' is no number from {} to {}", entry.key, low, high),
                    "write such a number");
    to = *value;
    return {};
  }

  Result<int64_t> whole(const Entry& entry, int64_t low, int64_t high) const {
    const auto value = entry.value.is_scalar() ? entry.value.as_integer() : std::nullopt;
    if (!value || *value < low || *value > high)
      return refuse(entry.value, fmt::format("'{}' is no whole number from {} to {}", entry.key, low, high),
                    "write such a number");
    return *value;
  }

  const Document* document_;
};

// Cells as a feature's preprocessing wants them.
Status follow_preprocessing(const auto& feature, SyntheticColumn& column) {
  return std::visit(
      [&](const auto& spec) {
        return Overloaded{[&](const VectorPreprocessing& p) -> Status {
                            column.most = p.vector_size.value_or(column.most);
                            return {};
                          },
                          [&](const WordsPreprocessing& p) -> Status {
                            if (p.tokenizer == data::Tokenizer::comma) column.between = ',';
                            return {};
                          },
                          [&](const DatePreprocessing& p) -> Status {
                            if (!p.datetime_format) return {};
                            return fail(ErrorKind::usage, "dates in a form of their own cannot be made up",
                                        fmt::format("feature '{}'", feature.name),
                                        "leave datetime_format out of the recipe");
                          },
                          [](const auto&) { return Status(); }}(spec.preprocessing);
      },
      feature.spec);
}

Status add(const auto& features, bool are_targets, data::SyntheticTable& table) {
  for (const auto& feature : features) {
    const auto row = std::ranges::find(kTypes, name_of(feature.type()), &TypeRow::name);
    if (row == std::end(kTypes) || (are_targets && !row->can_be_target))
      return fail(ErrorKind::usage,
                  fmt::format("{} of type '{}' cannot be made up", are_targets ? "a target" : "a column",
                              name_of(feature.type())),
                  fmt::format("feature '{}'", feature.name), "leave it out of the recipe");
    if (std::ranges::find(table.columns, feature.column, &SyntheticColumn::name) != table.columns.end())
      continue;
    table.columns.push_back(column_of(feature.column, *row, are_targets));
    if (auto ok = follow_preprocessing(feature, table.columns.back()); !ok) return ok;
  }
  return {};
}

}  // namespace

Result<data::SyntheticTable> synthetic_table(const Document& features) {
  data::SyntheticTable table;
  const Reader reader(features);
  const Node& root = features.root;
  if (!root.is_map()) {
    if (auto ok = reader.list(root, false, table); !ok) return fail(ok.error());
  } else {
    for (const Entry& entry : root.entries) {
      const bool targets = entry.key == "output_features";
      if (!targets && entry.key != "input_features")
        return fail(ErrorKind::usage, fmt::format("unknown key '{}'", entry.key), features.place(entry.mark),
                    "there are input_features and output_features");
      if (auto ok = reader.list(entry.value, targets, table); !ok) return fail(ok.error());
    }
  }
  if (table.columns.empty())
    return fail(ErrorKind::usage, "there are no features", features.name, "name at least one");
  return table;
}

Result<data::SyntheticTable> synthetic_table(const Recipe& recipe) {
  data::SyntheticTable table;
  if (auto ok = add(recipe.inputs, false, table); !ok) return fail(ok.error());
  if (auto ok = add(recipe.outputs, true, table); !ok) return fail(ok.error());
  for (const auto& input : recipe.inputs) {  // what log1p takes
    const auto* number = std::get_if<NumberInput>(&input.spec);
    if (!number || number->preprocessing.normalization != Normalization::log1p) continue;
    std::ranges::find(table.columns, input.column, &SyntheticColumn::name)->range = {{0, 1000}};
  }
  if (recipe.preprocessing.split)
    if (const auto* fixed = std::get_if<FixedSplit>(&*recipe.preprocessing.split))
      table.columns.push_back({.name = fixed->column, .kind = Kind::split});
  return table;
}

}  // namespace shoestring::task
