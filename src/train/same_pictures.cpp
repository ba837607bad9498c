#include "train/same_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "data/duplicates.h"

namespace shoestring::train {
namespace {

constexpr size_t kNamed = 3;

// Without the source's own name before the picture's, where there is but one.
std::string name_of(int64_t row, const FilesRead& read) {
  std::string place = read.place(row);
  const std::string source = read.path() + ": ";
  return read.readers.size() == 1 && place.starts_with(source) ? place.substr(source.size()) : place;
}

std::string note_of(const data::Duplicates& found, const std::string& input, std::string_view split,
                    const FilesRead& read) {
  std::string pairs;
  for (const data::Duplicate& pair : std::span(found.pairs).first(std::min(found.pairs.size(), kNamed)))
    pairs +=
        fmt::format("{}{} = {}", pairs.empty() ? "" : ", ", name_of(pair.row, read), name_of(pair.of, read));
  if (found.pairs.size() > kNamed) pairs += ", ...";
  return fmt::format(
      "'{}': {}{} of the {} split {} in the training split too ({} exactly, {} nearly), which its metrics "
      "may be the better for: {}",
      input, found.complete ? "" : "at least ", count_of(static_cast<int64_t>(found.pairs.size()), "picture"),
      split, found.pairs.size() == 1 ? "is" : "are", found.exact, found.near, pairs);
}

// Those whose picture is not the one that stands for missing ones.
std::vector<uint32_t> pictures_of_their_own(const std::vector<uint32_t>& rows, const data::PixelRows& pixels,
                                            const task::PictureFit& fit) {
  std::vector<uint32_t> own = rows;
  if (!fit.mode.empty())
    std::erase_if(own, [&](uint32_t row) { return std::ranges::equal(pixels.row(row), fit.mode); });
  return own;
}

}  // namespace

void tell_same_pictures(const Dataset& data, const FilesRead& read, const LogSink& log) {
  if (!log) return;
  const auto& inputs = data.spec.recipe.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto* pixels = std::get_if<data::PixelRows>(&data.inputs.columns[i]);
    const auto* fit = std::get_if<task::PictureFit>(&data.fits.inputs[i]);
    if (!pixels || !fit) continue;
    for (const auto& [name, rows] :
         {std::pair("validation", &data.validation), std::pair("test", &data.test)}) {
      const auto found = data::find_duplicates(*pixels, fit->form(), data.training,
                                               pictures_of_their_own(*rows, *pixels, *fit));
      if (!found.pairs.empty()) log(LogLevel::note, note_of(found, inputs[i].name, name, read));
    }
  }
}

}  // namespace shoestring::train
