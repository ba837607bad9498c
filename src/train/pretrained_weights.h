// Weights that others have trained, on their way into a run: their files are found and their headers read
// before the data is, names and shapes are held against the network before anything is planned, and their
// numbers are read, a piece at a time, once the run's memory is there.
#pragma once

#include <vector>

#include "base/log.h"
#include "model/tensor_file.h"
#include "model/vision/pretrained.h"
#include "task/pretrained.h"
#include "train/engine.h"

namespace shoestring::train {

class PretrainedWeights {
 public:
  // Opens the files that the recipe's encoders name. ErrorKind::data where one is missing, is none of
  // safetensors, or where a folder has none or several of that network's name.
  static Result<PretrainedWeights> find(const task::Recipe& recipe);

  // ErrorKind::data where a tensor is missing or has another shape than the network's.
  Status match(const task::NetworkSpec& spec);
  // Once they match. What the engine has of other states stays as it is.
  Status read_into(Engine& engine, const LogSink& log) const;

 private:
  struct File {
    task::PretrainedEncoder encoder;
    model::ForeignTensors tensors;
    std::vector<model::vision::ForeignState> states;
  };
  std::vector<File> files_;
};

}  // namespace shoestring::train
