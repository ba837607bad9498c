// Models to and from their files: what training found goes into one, evaluation and prediction begin
// from it.
#pragma once

#include <string>

#include "model/model_file.h"
#include "train/best_model.h"
#include "train/dataset.h"
#include "train/evaluate.h"

namespace shoestring::train {

struct SavedModel {
  task::NetworkSpec spec;
  task::Fits fits;
  uint64_t seed = 42;     // it was trained with: a random split is told from it
  model::ModelFile file;  // its tensors are the states
};

// A model file, a model folder or a run folder. ErrorKind::data as find_model and read_model, where recipe
// or preprocessing in it cannot be read, and where the recipe makes another network here than the graph in
// the file, which was trained.
Result<SavedModel> load_model(const std::string& path);

// The model's states into an engine that was made for its spec.
Status load_states(const SavedModel& model, Engine& engine);

// Writes the copy that `best` holds. Whole or absent, and the same bytes for the same model.
struct ModelNotes {
  uint64_t seed = 42;
  int64_t step = 0;  // optimizer steps that made it
  int64_t training_rows = 0;
  const Metrics* held_out = nullptr;  // for the model card; null while training goes on
  std::string held_out_name;          // "test"
};
// What save_model() takes while it writes: the texts of the file, some copies of each.
int64_t saving_bytes(const task::NetworkSpec& spec, const task::Fits& fits);

Status save_model(const std::string& path, const task::NetworkSpec& spec, const task::Fits& fits,
                  const BestModel& best, const ModelNotes& notes);

}  // namespace shoestring::train
