// A trained model as an ONNX file: its prediction graph, with the rows of a batch left open.
//
// Inputs and outputs have the names, types and shapes of task/network.h: "image:NAME" u8[rows, h, w, c],
// "numbers" f32[rows, n], "category:NAME" i32[rows]; "probabilities:NAME" f32[rows, classes] and so on. So
// pictures go in as pixels; numbers and words go in as preprocessing makes them, and number outputs come out
// on the scale of their preprocessed targets. What that takes stands in the file's metadata:
//
//   inputs         JSON list of {name, type, column, port}; of a number or binary input `index`, its place in
//                  "numbers"; of an image height, width and channels
//   outputs        JSON list of {name, type, column, port}
//   labels         JSON object: the classes of each output that has some, in the order of its probabilities
//   preprocessing  JSON, as in the model file: vocabularies, means, scales
//   recipe         YAML, as resolved
#pragma once

#include <string>
#include <vector>

#include "deploy/onnx_file.h"
#include "deploy/onnx_translation.h"
#include "train/saved_model.h"

namespace shoestring::deploy {

// A graph with the rows open. `build` gives it for a number of rows (row_sizes.h). ErrorKind::usage where an
// operator has no translation, named.
Result<onnx::Model> onnx_of(const std::function<Graph(int64_t rows)>& build,
                            const Translation::StateBytes& states);

// The records view `model`'s tensors.
Result<onnx::Model> onnx_of(const train::SavedModel& model);

struct Exported {
  int64_t bytes = 0, operations = 0;
  std::vector<std::string> inputs, outputs;  // ports
};
// Fails as train::load_model, onnx_of and onnx::write. In memory: the model file, and of the other what is no
// tensor.
Result<Exported> export_onnx(const std::string& model, const std::string& output);

}  // namespace shoestring::deploy
