// Training that begins with the weights of a saved model (--model_load_path). They mean something only for
// the columns, words and scales that they were trained on: what differs is refused, never ignored.
#pragma once

#include "train/saved_model.h"

namespace shoestring::train {

// Makes freshly fitted preprocessing agree with the model's: words are numbered and numbers are scaled as
// there, so that before the first step the network answers as the model does. ErrorKind::data where the
// model has other features (by name, type or order), a category has other words or a number another
// normalization; names the first.
Status follow(const SavedModel& model, const task::Recipe& recipe, task::Fits& fits);

// The model's states into an engine made for training. ErrorKind::data where names or shapes differ; names
// the first, in the order of the engine's.
Status start_from(const SavedModel& model, Engine& engine);

}  // namespace shoestring::train
