// What `synthesize-dataset` is asked for, from text: a list of features, or a recipe.
#pragma once

#include "data/synthesize.h"
#include "task/document.h"
#include "task/recipe.h"

namespace shoestring::task {

// A list of maps, [{name: a, type: number}, …], or a map with such lists under input_features and
// output_features: the latter become targets. Beside name and type a feature may have
//   missing          the share of its cells that are empty (0)
//   min, max         of a number: even between them; else bell-shaped around 0
//   decimals         of a number or vector: places after the point (4)
//   prob, bool2str   of binary: the share that is true (0.5), the two words ([false, true])
//   vocab_size, idx2str    of a category, set or bag: how many words (10), or the words themselves
//   max_len          of a set or bag: most words in a cell (10)
//   vector_size      of a vector (10)
// Fails with ErrorKind::usage, naming the place, for everything else.
Result<data::SyntheticTable> synthetic_table(const Document& features);

// The columns that a recipe reads. Its column of a fixed split comes last.
Result<data::SyntheticTable> synthetic_table(const Recipe& recipe);

}  // namespace shoestring::task
