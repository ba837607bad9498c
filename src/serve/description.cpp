#include "serve/description.h"

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"
#include "data/dates.h"
#include "data/row_text.h"
#include "train/dataset.h"

namespace shoestring::serve {
namespace {

using Kind = AnswerColumn::Kind;

std::string as_json(std::string_view text) {
  std::string out;
  data::append_json(out, text);
  return out;
}

// A number such as the column has: a whole one where it goes from one whole number to another, else in few
// digits.
std::string usual_number(const task::NumberFit& f) {
  const auto is_whole = [](double x) { return x == std::trunc(x) && std::abs(x) < 1e15; };
  return is_whole(f.minimum) && is_whole(f.maximum) ? fmt::format("{:.0f}", std::round(f.mean) + 0.0)
                                                    : fmt::format("{:.4g}", f.mean);
}

void take_words(const std::vector<std::string>& vocabulary, InputColumn& column) {
  for (const std::string& word : vocabulary)
    if (word != "<UNK>" && column.values.size() < kMostValues) column.values.push_back(word);
  column.more_values = vocabulary.size() > column.values.size() + 1;
}

InputColumn describe_input(const task::InputFeature& feature, const task::Fit& fit) {
  InputColumn column{.name = feature.column, .type = feature.type(), .expected = task::cell_of(fit)};
  column.required =
      std::visit([](const auto& f) { return f.strategy == task::MissingValues::drop_row; }, fit);
  column.datatype = "BYTES";
  std::visit(Overloaded{[&](const task::NumberFit& f) {
                          column.minimum = f.minimum, column.maximum = f.maximum, column.mean = f.mean;
                          column.example = usual_number(f);
                          column.datatype = "FP64";
                        },
                        [&](const task::BinaryFit& f) {
                          column.values = {f.true_label, f.false_label};
                          column.expected = fmt::format("'{}' or '{}'", f.true_label, f.false_label);
                          column.example = as_json(f.usual ? f.true_label : f.false_label);
                        },
                        [&](const task::CategoryFit& f) {
                          column.expected = "a word";
                          take_words(f.vocabulary, column);
                          column.example = as_json(column.values.empty() ? "word" : column.values.front());
                        },
                        [&](const task::VectorFit& f) {
                          column.size = f.size;
                          column.datatype = "FP32";
                          for (int64_t i = 0; i < f.size; ++i)
                            column.example +=
                                fmt::format("{}{}", i ? ", " : "[",
                                            f.usual.empty() ? 0.0F : f.usual[static_cast<size_t>(i)]);
                          column.example += "]";
                        },
                        [&](const task::WordsFit& f) {
                          take_words(f.vocabulary, column);
                          column.example = as_json(column.values.empty() ? "word" : column.values.front());
                        },
                        [&](const task::DateFit& f) {
                          const data::Civil c = data::civil_of(f.usual);
                          column.example = fmt::format("\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}\"", c.year,
                                                       c.month, c.day, c.hour, c.minute, c.second);
                        },
                        [&](const task::PictureFit&) {
                          column.expected = "a picture: a JPEG, PNG, WebP, BMP or PNM file in base64";
                          column.example = "\"UDUKMSAxCjI1NQqA\"";  // one grey pixel, a PGM
                        }},
             fit);
  return column;
}

OutputColumns describe_output(const task::OutputFeature& feature, const task::Fit& fit, int64_t size) {
  OutputColumns output{.name = feature.name, .type = feature.type()};
  const auto add = [&](const std::string& what, Kind kind, int64_t numbers, bool of_class,
                       std::string_view datatype) {
    output.columns.push_back({feature.name + what, kind, numbers, of_class, datatype});
  };
  const auto* words = std::get_if<task::WordsFit>(&fit);
  output.classes = words ? words->vocabulary : train::classes_of(fit).labels;
  if (output.classes.empty()) {
    if (feature.type() == task::FeatureType::vector)
      add("_predictions", Kind::numbers, size, false, "FP32");
    else
      add("_predictions", Kind::number, 1, false, "FP64");
    return output;
  }
  const auto classes = static_cast<int64_t>(output.classes.size());
  add("_predictions", words ? Kind::texts : Kind::text, 1, false, "BYTES");
  add("_probabilities", Kind::numbers, classes, false, "FP32");
  if (!words) add("_probability", Kind::number, 1, false, "FP32");
  for (const std::string& name : output.classes) add("_probabilities_" + name, Kind::number, 1, true, "FP32");
  return output;
}

}  // namespace

bool takes_a_picture(const Description& model) {
  return model.inputs.size() == 1 && model.inputs[0].type == task::FeatureType::image;
}

Description describe(const task::NetworkSpec& spec, const task::Fits& fits) {
  Description all;
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    InputColumn column = describe_input(spec.recipe.inputs[i], fits.inputs[i]);
    const auto before = std::ranges::find(all.inputs, column.name, &InputColumn::name);
    if (before == all.inputs.end())
      all.inputs.push_back(std::move(column));
    else  // another feature reads the same column
      before->required |= column.required;
  }
  for (const InputColumn& column : all.inputs)
    all.example +=
        fmt::format("{}{}: {}", all.example.empty() ? "{" : ", ", as_json(column.name), column.example);
  all.example += "}";
  for (size_t o = 0; o < fits.outputs.size(); ++o)
    all.outputs.push_back(describe_output(spec.recipe.outputs[o], fits.outputs[o], spec.output_sizes[o]));
  return all;
}

int64_t answer_bytes(const Description& description) {
  constexpr int64_t kNumber = 26, kBetween = 4, kIndex = 12;
  int64_t bytes = kIndex;
  for (const OutputColumns& output : description.outputs) {
    int64_t longest = 16, all = 2;  // of a class, and of a list of all; as text in a text
    for (const std::string& name : output.classes) {
      const auto size = static_cast<int64_t>(as_json(as_json(name)).size()) + kBetween;
      longest = std::max(longest, size);
      all += size;
    }
    for (const AnswerColumn& column : output.columns) {
      bytes += static_cast<int64_t>(as_json(column.name).size()) + kBetween;
      switch (column.kind) {
        case Kind::text:
          bytes += longest;
          break;
        case Kind::number:
          bytes += kNumber;
          break;
        case Kind::numbers:
          bytes += column.size * kNumber;
          break;
        case Kind::texts:
          bytes += all;
          break;
      }
    }
  }
  return bytes;
}

}  // namespace shoestring::serve
