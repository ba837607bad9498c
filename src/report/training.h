// How a run went, from what its evaluations wrote down.
#pragma once

#include <string_view>

#include "report/facts.h"
#include "task/metric_table.h"

namespace shoestring::report {

// When evaluations ended, for the speed between them; bounded, however many there are.
class Pace {
 public:
  void add(int64_t step, double seconds);
  // Samples a second at each mark but the first, of so many rows a step.
  void fill(double rows_per_step, TrainingFacts& out) const;

 private:
  struct Mark {
    int64_t step;
    double seconds;
  };
  static constexpr size_t kMost = 256;
  std::vector<Mark> marks_;
  int64_t every_ = 1, seen_ = 0;  // of so many evaluations one is kept
};

// `history`: the lines of metrics.jsonl.
TrainingFacts training_facts(std::string_view history, int64_t best_step);

}  // namespace shoestring::report
