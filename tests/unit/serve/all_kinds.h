// A recipe with every kind of column, and a table for it.
#pragma once

#include "unit/train/tables.h"

namespace shoestring::serve {

inline const char* const kAllKinds = R"(
input_features:
  - {name: a, type: number, preprocessing: {outlier_strategy: fill_with_mean}}
  - {name: b, type: number, preprocessing: {missing_value_strategy: drop_row, normalization: minmax}}
  - {name: sure, type: binary}
  - {name: kind, type: category, encoder: {embedding_size: 3}}
  - {name: v, type: vector, encoder: {output_size: 4}}
  - {name: tags, type: set, encoder: {embedding_size: 3}}
  - {name: when, type: date, encoder: {type: wave, output_size: 6}}
  - {name: day, type: date, column: when, encoder: {embedding_size: 2}}
output_features: [{name: y, type: number}, {name: big, type: binary}, {name: class, type: category}]
combiner: {type: concat, num_fc_layers: 1, output_size: 8}
trainer: {epochs: 1, batch_size: 32}
)";

inline std::string all_kinds_table(int rows) {
  std::string text = "a,b,sure,kind,v,tags,when,y,big,class\n";
  const char *kinds[] = {"red", "green", "blue", ""}, *tags[] = {"new", "new tall", "old", "old tall", ""};
  unsigned state = 7;
  const auto next = [&](int n) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>(state >> 8) % n;
  };
  for (int i = 0; i < rows; ++i) {
    const int a = next(100), b = next(50), k = next(4), t = next(5), month = next(9);
    text += (i % 10 == 9 ? "" : std::to_string(0.01 * a)) + "," + std::to_string(b) + "," +
            (a % 2 ? "yes" : "no") + "," + kinds[k] + ",[" + std::to_string(0.1 * b) + " 0.5]," + tags[t] +
            ",2016-0" + std::to_string(month + 1) + "-01 12:00," + std::to_string(0.01 * a + b + k) + "," +
            (b > 25 ? "True" : "False") + ",c" + std::to_string(k % 3) + "\n";
  }
  return text;
}

}  // namespace shoestring::serve
