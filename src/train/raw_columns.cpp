#include "train/raw_columns.h"

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"
#include "base/text.h"
#include "task/network.h"

namespace shoestring::train {
namespace {

template <class Feature>
Result<std::vector<int>> locate_all(const std::vector<Feature>& features, const data::TableReader& table,
                                    const char* kind) {
  std::vector<int> columns;
  for (const Feature& feature : features) {
    const int index = table.index_of(feature.column);
    if (index < 0) {
      std::vector<std::string> unused;  // a column that another feature reads is not what was meant
      for (const std::string& name : table.names())
        if (std::ranges::find(features, name, &Feature::column) == features.end()) unused.push_back(name);
      const std::string near = nearest(feature.column, unused);
      return fail(
          ErrorKind::data,
          fmt::format("there is no column '{}' for the {} feature '{}'", feature.column, kind, feature.name),
          table.path(),
          near.empty() ? "name one of its columns, or take the feature out of the recipe"
                       : fmt::format("did you mean '{}'?", near));
    }
    columns.push_back(index);
  }
  return columns;
}

// An empty column for a feature's cells, by its preprocessing.
template <class Feature>
RawColumn raw_column(const Feature& feature) {
  return std::visit(
      [](const auto& spec) {
        return Overloaded{
            [](const task::NumberPreprocessing&) { return RawColumn(Numbers()); },
            [](const task::BinaryPreprocessing&) { return RawColumn(Words()); },
            [](const task::CategoryPreprocessing&) { return RawColumn(Words()); },
            [](const task::VectorPreprocessing&) { return RawColumn(Vectors()); },
            [](const task::WordsPreprocessing& p) { return RawColumn(WordLists{.tokenizer = p.tokenizer}); },
            [](const task::DatePreprocessing& p) {
              return RawColumn(Dates{.format = p.datetime_format.value_or("")});
            },
            [](const task::ImagePreprocessing& p) {
              return RawColumn(
                  Pictures{.form = task::form_of(p),
                           .keeps_missing = p.missing_value_strategy != task::MissingValues::drop_row});
            }}(spec.preprocessing);
      },
      feature.spec);
}

}  // namespace

Result<ColumnMap> locate(const task::Recipe& recipe, const data::TableReader& table, bool with_targets) {
  ColumnMap map;
  auto inputs = locate_all(recipe.inputs, table, "input");
  if (!inputs) return fail(inputs.error());
  map.inputs = std::move(*inputs);
  if (std::ranges::any_of(recipe.inputs,
                          [](const auto& i) { return i.type() == task::FeatureType::image; })) {
    auto pictures = table.pictures();
    if (!pictures) return fail(pictures.error());
    map.pictures = std::move(*pictures);
  }
  if (!with_targets) return map;
  auto outputs = locate_all(recipe.outputs, table, "output");
  if (!outputs) return fail(outputs.error());
  map.outputs = std::move(*outputs);
  return map;
}

std::vector<std::string> column_names(const task::Recipe& recipe, bool with_targets) {
  std::vector<std::string> names;
  for (const auto& input : recipe.inputs) names.push_back(input.column);
  if (with_targets)
    for (const auto& output : recipe.outputs) names.push_back(output.column);
  return names;
}

void Numbers::append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad) {
  data::append_numbers(column, first_row, values, bad);
}
void Words::append(const data::TextColumn& column, int64_t, data::BadCells&) {
  data::append_codes(column, dictionary, codes);
}
void Vectors::append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad) {
  data::append_vectors(column, first_row, lists, bad);
}
void WordLists::append(const data::TextColumn& column, int64_t, data::BadCells&) {
  data::append_words(column, tokenizer, dictionary, lists);
}
void Dates::append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad) {
  data::append_dates(column, format, first_row, stamps, bad);
}

int64_t missing_cells(const RawColumn& column) {
  const auto holes = [](const auto& lists) {
    return static_cast<int64_t>(std::ranges::count_if(lists.missing, [](auto flag) { return flag != 0; }));
  };
  return std::visit(
      Overloaded{[](const std::monostate&) { return int64_t{0}; },
                 [](const Numbers& n) {
                   return static_cast<int64_t>(
                       std::ranges::count_if(n.values, [](double v) { return std::isnan(v); }));
                 },
                 [](const Words& w) {
                   return static_cast<int64_t>(std::ranges::count(w.codes, data::kMissingCode));
                 },
                 [&](const Vectors& v) { return holes(v.lists); },
                 [&](const WordLists& l) { return holes(l.lists); },
                 [](const Dates& d) {
                   return static_cast<int64_t>(
                       std::ranges::count_if(d.stamps, [](const auto& stamp) { return std::isnan(stamp); }));
                 },
                 [](const Pictures& p) { return std::ranges::count(p.states, task::PictureState::missing); }},
      column);
}

task::MissingRows mark_missing(RawColumn& column, std::vector<uint8_t>& drop) {
  return std::visit(Overloaded{[](std::monostate&) { return task::MissingRows(); },
                               [&](auto& cells) { return task::mark_missing(cells.view(), drop); }},
                    column);
}

RawColumns::RawColumns(const task::Recipe& recipe, bool with_targets) {
  for (const auto& input : recipe.inputs) {
    number_column.push_back(task::port_of(input).empty() ? number_columns++ : -1);
    inputs.push_back(raw_column(input));
  }
  bad_inputs.resize(inputs.size());
  if (!with_targets) return;
  for (const auto& output : recipe.outputs) outputs.push_back(raw_column(output));
  bad_outputs.resize(outputs.size());
}

void RawColumns::append_part(int part, const data::RecordBatch& batch, const ColumnMap& map) {
  auto at = static_cast<size_t>(part);
  const bool is_input = at < inputs.size();
  if (!is_input) at -= inputs.size();
  const data::TextColumn column = batch.column((is_input ? map.inputs : map.outputs)[at]);
  data::BadCells& bad = (is_input ? bad_inputs : bad_outputs)[at];
  std::visit(Overloaded{[](std::monostate&) {}, [](Pictures&) {},
                        [&](auto& cells) { cells.append(column, batch.first_row(), bad); }},
             (is_input ? inputs : outputs)[at]);
}

void RawColumns::append_pictures(const data::RecordBatch& batch, const ColumnMap& map) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (auto* pictures = std::get_if<Pictures>(&inputs[i]))
      pictures->append(batch.column(map.inputs[i]), batch.first_row(), bad_inputs[i], map.pictures.get());
}

void RawColumns::append(const data::RecordBatch& batch, const ColumnMap& map) {
  append_pictures(batch, map);
  for (int part = 0; part < parts(); ++part) append_part(part, batch, map);
  appended(batch.rows());
}

int64_t RawColumns::bytes() const {
  int64_t bytes = 0;
  for (const auto* all : {&inputs, &outputs})
    for (const RawColumn& column : *all)
      bytes += std::visit(Overloaded{[](const std::monostate&) { return int64_t{0}; },
                                     [](const auto& cells) { return cells.bytes(); }},
                          column);
  return bytes;
}

}  // namespace shoestring::train
