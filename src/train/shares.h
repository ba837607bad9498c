// The same recipe trained again on some of the training rows: a point of a learning curve.
#pragma once

#include "train/set_up.h"

namespace shoestring::train {

// After a run has ended and all of it is written: its states and its best model become those of this
// training. As many epochs as the run had; in whole batches, at least one. The rows are taken evenly from
// all. With an error where the numbers stop being finite, where it was to stop, and where the training alone
// takes more than `seconds`.
Result<OfShare> train_on_share(Run& run, double share, int64_t steps_of_all, task::SplitName held_out,
                               double seconds, const std::atomic<bool>* stop);
// Whether it can: the rows are in memory and no more than half a million, and training began with no other
// model's weights.
bool can_train_on_shares(const Run& run);

}  // namespace shoestring::train
