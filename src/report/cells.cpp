#include "report/cells.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/base64.h"
#include "base/overloaded.h"
#include "data/png.h"
#include "task/network.h"

namespace shoestring::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string words_of(const task::WordsFit& fit, const data::CodeColumn& column, uint32_t row) {
  std::string text;
  for (int64_t k = 0; k < column.width(); ++k) {
    const int32_t word = column.at(row, k);
    if (word >= fit.no_word()) continue;
    if (!text.empty()) text += ", ";
    text += fit.vocabulary[static_cast<size_t>(word)];
  }
  return text;
}

std::string vector_of(const task::VectorFit& fit, const data::FloatRows& rows, uint32_t row) {
  constexpr int64_t kShown = 6;
  std::vector<float> values(rows.row(row), rows.row(row) + fit.size);
  task::decode(fit, values);
  std::string text = "[";
  for (int64_t i = 0; i < std::min(kShown, fit.size); ++i)
    text += fmt::format("{}{:.4g}", i > 0 ? ", " : "", values[static_cast<size_t>(i)]);
  return text + (fit.size > kShown ? ", …]" : "]");
}

std::string date_of(const task::DateFit& fit, const data::DateRows& dates, uint32_t row) {
  float fields[data::DateRows::kWidth];
  dates.gather(std::span(&row, 1), fields);
  const auto part = [&](int i) { return static_cast<int>(std::lround(fields[i])); };
  const long year = std::lround(static_cast<double>(fields[0]) * fit.year_scale + fit.year_shift);
  std::string text = fmt::format("{:04}-{:02}-{:02}", year, part(1) + 1, part(2) + 1);
  if (part(8) > 0) text += fmt::format(" {:02}:{:02}:{:02}", part(5), part(6), part(7));
  return text;
}

// In the fewest digits that are the same encoded number: what was 30 is not 29.9999.
std::string number_text(const task::NumberFit& fit, float encoded) {
  const double value = task::decode(fit, encoded);
  const float next = std::nextafter(encoded, encoded + 1 + std::abs(encoded));
  const double near = 2 * std::abs(task::decode(fit, next) - value);
  if (std::abs(value) <= near) return "0";
  for (int digits = 1; digits < 9; ++digits) {
    const double rounded = std::strtod(fmt::format("{:.{}g}", value, digits).c_str(), nullptr);
    if (std::abs(rounded - value) <= near) return fmt::format("{}", rounded);  // 30, not 3e+01
  }
  return fmt::format("{:.9g}", value);
}

}  // namespace

Cells::Cells(const task::NetworkSpec& spec, const task::Fits& fits) : spec_(&spec), fits_(&fits) {
  int next = 0;
  for (const auto& input : spec.recipe.inputs) column_.push_back(task::port_of(input).empty() ? next++ : -1);
}

double Cells::number(const train::EncodedInputs& rows, size_t input, uint32_t row) const {
  const auto* fit = std::get_if<task::NumberFit>(&fits_->inputs[input]);
  return fit && column_[input] >= 0 ? task::decode(*fit, rows.numbers.row(row)[column_[input]]) : kNan;
}

int32_t Cells::code(const train::EncodedInputs& rows, size_t input, uint32_t row) const {
  if (const auto* fit = std::get_if<task::BinaryFit>(&fits_->inputs[input]); fit && column_[input] >= 0) {
    const bool truth = rows.numbers.row(row)[column_[input]] > 0.5F;
    return truth == (fit->true_rows >= fit->false_rows) ? 0 : 1;
  }
  const auto* fit = std::get_if<task::CategoryFit>(&fits_->inputs[input]);
  if (!fit || fit->buckets > 0) return -1;
  const auto* column = std::get_if<data::CodeColumn>(&rows.columns[input]);
  return column ? column->at(row) % static_cast<int32_t>(fit->size()) : -1;
}

std::vector<std::string> Cells::labels(size_t input) const {
  if (const auto* fit = std::get_if<task::BinaryFit>(&fits_->inputs[input])) {
    const bool true_first = fit->true_rows >= fit->false_rows;
    return {true_first ? fit->true_label : fit->false_label, true_first ? fit->false_label : fit->true_label};
  }
  const auto* fit = std::get_if<task::CategoryFit>(&fits_->inputs[input]);
  return fit && fit->buckets == 0 ? fit->vocabulary : std::vector<std::string>();
}

std::string Cells::text(const train::EncodedInputs& rows, size_t input, uint32_t row) const {
  static const train::EncodedColumn kNone;
  const train::EncodedColumn& own = input < rows.columns.size() ? rows.columns[input] : kNone;
  return std::visit(
      Overloaded{
          [&](const task::NumberFit& fit) {
            return column_[input] < 0 ? std::string()
                                      : number_text(fit, rows.numbers.row(row)[column_[input]]);
          },
          [&](const task::CategoryFit& fit) {
            const auto* column = std::get_if<data::CodeColumn>(&own);
            if (fit.buckets > 0) return fmt::format("bucket {}", column ? column->at(row) : 0);
            const int32_t at = code(rows, input, row);
            return at < 0 ? std::string() : fit.vocabulary[static_cast<size_t>(at)];
          },
          [&](const task::BinaryFit& fit) {
            return task::decode(fit, rows.numbers.row(row)[column_[input]] > 0.5F);
          },
          [&](const task::VectorFit& fit) { return vector_of(fit, std::get<data::FloatRows>(own), row); },
          [&](const task::WordsFit& fit) { return words_of(fit, std::get<data::CodeColumn>(own), row); },
          [&](const task::DateFit& fit) { return date_of(fit, std::get<data::DateRows>(own), row); },
          [](const task::PictureFit& fit) {
            return fmt::format("picture of {} x {}", fit.height, fit.width);
          }},
      fits_->inputs[input]);
}

std::string Cells::shown(const train::EncodedInputs& rows, size_t input, uint32_t row) const {
  const auto* fit = std::get_if<task::PictureFit>(&fits_->inputs[input]);
  const auto* pixels = fit ? std::get_if<data::PixelRows>(&rows.columns[input]) : nullptr;
  if (!pixels) return shortened(text(rows, input, row));
  // Every so many pixels of a large picture.
  constexpr int64_t kMostSide = 48;
  const int64_t step = (std::max(fit->height, fit->width) + kMostSide - 1) / kMostSide;
  const int64_t height = (fit->height + step - 1) / step, width = (fit->width + step - 1) / step;
  const std::span<const uint8_t> all = pixels->row(row);
  std::vector<uint8_t> small;
  for (int64_t y = 0; y < fit->height; y += step)
    for (int64_t x = 0; x < fit->width; x += step)
      for (int64_t c = 0; c < fit->channels; ++c)
        small.push_back(all[static_cast<size_t>((y * fit->width + x) * fit->channels + c)]);
  const std::string png = data::encode_png(small, height, width, fit->channels);
  return "data:image/png;base64," + encode_base64(std::as_bytes(std::span(png)));
}

double Cells::target_number(const train::EncodedTargets& rows, size_t output, uint32_t row) const {
  const auto* fit = std::get_if<task::NumberFit>(&fits_->outputs[output]);
  return fit ? task::decode(*fit, rows.numbers[output][row]) : kNan;
}

std::string Cells::target(const train::EncodedTargets& rows, size_t output, uint32_t row) const {
  return std::visit(
      Overloaded{
          [&](const task::NumberFit& fit) { return number_text(fit, rows.numbers[output][row]); },
          [&](const task::BinaryFit& fit) { return task::decode(fit, rows.numbers[output][row] > 0.5F); },
          [&](const task::CategoryFit& fit) {
            const int32_t code = rows.codes[output][row];
            return code < 0 ? std::string("(unknown class)") : task::decode(fit, code);
          },
          [&](const task::VectorFit& fit) {
            return vector_of(fit, std::get<data::FloatRows>(rows.columns[output]), row);
          },
          [&](const task::WordsFit& fit) {
            return words_of(fit, std::get<data::CodeColumn>(rows.columns[output]), row);
          },
          [](const task::DateFit&) { return std::string(); },
          [](const task::PictureFit&) { return std::string(); }},
      fits_->outputs[output]);
}

std::string shortened(std::string_view text, size_t characters) {
  size_t seen = 0, cut = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;  // within a character
    if (++seen == characters) cut = at;
  }
  return seen <= characters ? std::string(text) : std::string(text.substr(0, cut)) + "…";
}

}  // namespace shoestring::report
