// What stands in the columns: how their values are distributed in each split, what they tell of the target by
// themselves, and how far the splits differ; and what is wrong with any of it.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "report/cells.h"
#include "report/sample.h"

namespace shoestring::report {

struct ColumnFacts {
  std::string name, type;
  int64_t missing = 0;                        // cells, of all rows
  bool rises = false;                         // whole numbers, each larger than in the sampled row before
  int64_t distinct = 0;                       // words of a category; 0: not counted
  double minimum = 0, maximum = 0, mean = 0;  // of the training rows; NaN of other than numbers
  // Where values lie: bins of a number (their edges, one more than bins), or the commonest words.
  std::vector<double> edges;
  std::vector<std::string> labels;
  std::vector<std::vector<double>> shares;  // [split][bin]; a split without rows is empty
  // What the first output is for the training rows of each bin: the mean of a number, the share that is true,
  // or of classes the share of each of the commonest, [class][bin]. NaN where a bin is empty.
  std::vector<std::vector<double>> relation;
  // The share of the target's variance (of classes: of their Gini impurity, Goodman and Kruskal's tau) that
  // the column explains by itself, less what chance would; in [0, 1], NaN where it cannot be told.
  double strength = 0;
  // The population stability index of the held-out rows against the training rows, less what chance would
  // make it; 0.1 is some, 0.25 is much. NaN where there are too few rows.
  double drift = 0;
  // Of an evaluation, whose training rows are known by what the model has of them, and of numbers only: the
  // share of the rows beyond what training saw, and how many standard deviations their mean is off. NaN where
  // it cannot be told.
  double outside = std::numeric_limits<double>::quiet_NaN(), shift = outside;
};

// Rows in groups, and what each is: a number, or one of `classes` classes.
struct Grouped {
  std::span<const int32_t> groups;  // below 0: left out
  std::span<const double> values;   // NaN: left out. Of classes their numbers
  int64_t count = 0;                // of groups
  int64_t classes = 0;              // 0: values are numbers
};
double explained(const Grouped& rows);

// Of counts in the same bins.
double stability_index(std::span<const int64_t> expected, std::span<const int64_t> actual);

// Where there are no training rows, all is told of those that are held out, against what the fits have of
// training.
std::vector<ColumnFacts> column_facts(const train::Dataset& data, const DataSample& sample,
                                      task::SplitName held_out);

}  // namespace shoestring::report
