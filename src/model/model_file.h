// The model file: one file with all that prediction needs, made of strings and tensors, no code. It is
// a tensor file (model/tensor_file.h) whose metadata holds what stands in ModelFile.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/tensor_file.h"

namespace shoestring::model {

struct ModelFile {
  std::string recipe;         // as resolved, YAML
  std::string preprocessing;  // what preprocessing found, JSON; src/task writes and reads it
  std::map<std::string, std::vector<std::string>> labels;  // of each category or binary output, in order
  std::string graph;  // prediction, as ir/text.h writes it; its states are tensors of this file
  std::string card;   // what it is, for people: Markdown
  std::map<std::string, std::string> extra;  // further strings, of whoever writes the file

  std::vector<TensorView> tensors;
  std::shared_ptr<const std::string> bytes;  // what the tensors view, after reading
};

// Holds no time, path or machine name: equal models give equal bytes. Fails as write_tensors, and with
// ErrorKind::internal where the graph does not parse or reads a state that is no tensor of the model.
Status write_model(const std::string& path, const ModelFile& model, bool durable = true);

// Fails with ErrorKind::data as read_tensors, and where the file is a checkpoint, uses an operator that
// is newer or missing here, or lacks a state of its graph in the type that the graph wants.
Result<ModelFile> read_model(const std::string& path);

}  // namespace shoestring::model
