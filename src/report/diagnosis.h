// How the model learned, as far as its numbers tell: overfitting, underfitting, imbalance, too little data,
// labels that may be wrong, probabilities that are off. Each finding names its evidence.
#pragma once

#include <optional>
#include <vector>

#include "report/facts.h"
#include "report/sample.h"
#include "train/remarks.h"

namespace shoestring::report {

struct Evidence {
  const task::NetworkSpec& spec;
  const task::Fits& fits;
  const train::Metrics* training = nullptr;  // null: nobody knows them
  const train::Metrics* held_out = nullptr;  // as good as facts.metrics' last
  std::string held_out_name;
  const train::Course* course = nullptr;
  bool early_stopped = false;
};
std::vector<Finding> diagnose(const Evidence& evidence, const Facts& facts, const Duplicates& duplicates);

}  // namespace shoestring::report
