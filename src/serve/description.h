// What a model takes and what it answers, for whoever shows or checks it: the page's form, openapi.json,
// KServe's metadata.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "task/network.h"
#include "task/preprocess.h"

namespace shoestring::serve {

// One column of the rows that the model wants.
struct InputColumn {
  std::string name;  // the key in a row
  task::FeatureType type = task::FeatureType::number;
  std::string expected;             // "a number", "'Yes' or 'No'": what errors say
  bool required = false;            // a row without it is refused; else the model fills it
  std::vector<std::string> values;  // words that it knows, the most frequent first: of a category, set or bag
                                    // at most kMostValues, of a binary column both
  bool more_values = false;         // and it knows more
  double minimum = 0, maximum = 0, mean = 0;  // of a number, in the training rows
  int64_t size = 1;                           // numbers of a vector
  std::string example;                        // a value, as JSON
  std::string_view datatype;                  // of its KServe tensor: "FP64", or "BYTES" for what is text
};
inline constexpr size_t kMostValues = 100;

// One column of the answers, named as Ludwig names them.
struct AnswerColumn {
  enum class Kind {
    text,     // a class; KServe BYTES [rows]
    number,   // KServe FP32 [rows]; of a number output's predictions FP64
    numbers,  // a list of `size`; KServe FP32 [rows, size]
    texts,    // a set's words; KServe BYTES [rows], each a JSON list
  };
  std::string name;  // "F_predictions", "F_probabilities", "F_probability", "F_probabilities_CLASS"
  Kind kind = Kind::number;
  int64_t size = 1;
  bool of_class = false;  // F_probabilities_CLASS: a KServe answer has it only where it is asked for by name
  std::string_view datatype;
};

struct OutputColumns {
  std::string name;  // F
  task::FeatureType type = task::FeatureType::number;
  std::vector<std::string> classes;  // labels, or words of a set; empty of a number
  std::vector<AnswerColumn> columns;
};

struct Description {
  std::string name, version = "1", path;
  std::vector<InputColumn> inputs;
  std::vector<OutputColumns> outputs;
  std::string example;     // a whole row, as a JSON object
  std::string card;        // the model's card, in Markdown
  int64_t parameters = 0;  // trainable numbers
};

// Whether a row of the model is a picture and nothing else.
bool takes_a_picture(const Description& model);

Description describe(const task::NetworkSpec& spec, const task::Fits& fits);

// Of a row's answers as text, at most: as JSON in any orientation, or as tensors.
int64_t answer_bytes(const Description& description);

}  // namespace shoestring::serve
