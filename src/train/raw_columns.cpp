#include "train/raw_columns.h"

#include <algorithm>

#include "base/text.h"

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

}  // namespace

Result<ColumnMap> locate(const task::Recipe& recipe, const data::TableReader& table, bool with_targets) {
  ColumnMap map;
  auto inputs = locate_all(recipe.inputs, table, "input");
  if (!inputs) return fail(inputs.error());
  map.inputs = std::move(*inputs);
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

RawColumns::RawColumns(const task::Recipe& recipe, bool with_targets)
    : input_numbers(recipe.inputs.size()), with_targets_(with_targets) {
  for (const auto& input : recipe.inputs) {
    const bool is_category = input.type() == task::FeatureType::category;
    number_column.push_back(is_category ? -1 : number_columns++);
    auto& words = input_words.emplace_back();
    if (input.type() != task::FeatureType::number) words.emplace();
  }
  bad_inputs.resize(recipe.inputs.size());
  if (!with_targets) return;
  for (const auto& output : recipe.outputs) {
    auto& words = output_words.emplace_back();
    if (output.type() != task::FeatureType::number) words.emplace();
  }
  output_numbers.resize(recipe.outputs.size());
  bad_outputs.resize(recipe.outputs.size());
}

void RawColumns::append(const data::RecordBatch& batch, const ColumnMap& map) {
  const int64_t first = batch.first_row();
  for (size_t i = 0; i < input_words.size(); ++i) {
    const auto column = batch.column(map.inputs[i]);
    if (auto& words = input_words[i])
      data::append_codes(column, words->dictionary, words->codes);
    else
      data::append_numbers(column, first, input_numbers[i], bad_inputs[i]);
  }
  for (size_t o = 0; o < output_words.size(); ++o) {
    const auto column = batch.column(map.outputs[o]);
    if (auto& words = output_words[o])
      data::append_codes(column, words->dictionary, words->codes);
    else
      data::append_numbers(column, first, output_numbers[o], bad_outputs[o]);
  }
  rows_ += batch.rows();
}

void RawColumns::clear() {
  rows_ = 0;
  for (auto* all : {&input_words, &output_words})
    for (auto& words : *all)
      if (words) words.emplace();
  for (auto* all : {&input_numbers, &output_numbers})
    for (auto& column : *all) column.clear();
  for (auto* all : {&bad_inputs, &bad_outputs})
    for (auto& bad : *all) bad = {};
}

int64_t RawColumns::bytes() const {
  int64_t bytes = 0;
  for (const auto* all : {&input_words, &output_words})
    for (const auto& words : *all)
      if (words)
        bytes += words->dictionary.bytes() + static_cast<int64_t>(words->codes.capacity() * sizeof(int32_t));
  for (const auto* all : {&input_numbers, &output_numbers})
    for (const auto& column : *all) bytes += static_cast<int64_t>(column.capacity() * sizeof(double));
  return bytes;
}

task::NumberColumn RawColumns::input_column(size_t input) { return {input_numbers[input].data(), rows_}; }

task::NumberColumn RawColumns::output_column(size_t output) { return {output_numbers[output].data(), rows_}; }

}  // namespace shoestring::train
