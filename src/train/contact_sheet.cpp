#include "train/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/png.h"
#include "ir/interpret.h"
#include "ops/augment.h"
#include "task/mixing.h"
#include "train/batches.h"
#include "train/picture_sizes.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

constexpr int64_t kGap = 2, kLeastSide = 64;
constexpr uint8_t kBackground = 255;

// Cells of pictures on a ground, small pictures made larger by a whole number.
class Sheet {
 public:
  Sheet(const task::PictureFit& form, int64_t rows, int64_t columns)
      : form_(form),
        scale_(std::max<int64_t>(1, kLeastSide / std::max(form.height, form.width))),
        height_(rows * (form.height * scale_ + kGap) + kGap),
        width_(columns * (form.width * scale_ + kGap) + kGap),
        pixels_(static_cast<size_t>(height_ * width_ * form.channels), kBackground) {}

  void put(int64_t row, int64_t column, const double* levels) {
    const int64_t top = row * (form_.height * scale_ + kGap) + kGap;
    const int64_t left = column * (form_.width * scale_ + kGap) + kGap;
    for (int64_t y = 0; y < form_.height * scale_; ++y)
      for (int64_t x = 0; x < form_.width * scale_; ++x)
        for (int64_t c = 0; c < form_.channels; ++c)
          pixels_[static_cast<size_t>(((top + y) * width_ + left + x) * form_.channels + c)] =
              static_cast<uint8_t>(
                  std::lround(levels[((y / scale_) * form_.width + x / scale_) * form_.channels + c]));
  }
  std::string png() const { return data::encode_png(pixels_, height_, width_, form_.channels); }

 private:
  task::PictureFit form_;
  int64_t scale_, height_, width_;
  std::vector<uint8_t> pixels_;
};

// The first pictures that can be read, and which rows they are.
struct FirstPictures {
  std::vector<double> levels;
  std::vector<uint32_t> rows;
};
Result<FirstPictures> first_pictures(const SheetRequest& request, const task::Recipe& recipe, size_t input) {
  data::ReadOptions options;
  if (auto ok = data::set_data_format(request.data.format, options); !ok) return fail(ok.error());
  options.expected_names = column_names(recipe, false);
  auto reader = open_table(request.data.dataset, options, nullptr);
  if (!reader) return fail(reader.error());
  task::Recipe only = recipe;
  only.inputs = {recipe.inputs[input]};
  const auto map = locate(only, **reader, false);
  if (!map) return fail(map.error());
  FirstPictures found;
  std::string fault;
  while (std::ssize(found.rows) < request.pictures) {
    auto batch = (*reader)->next();
    if (!batch) return fail(batch.error());
    if (!*batch) break;
    RawColumns raw(only, false);
    raw.append(**batch, *map);
    if (fault.empty() && !raw.bad_inputs[0].reasons.empty()) fault = raw.bad_inputs[0].reasons[0];
    const auto& pictures = std::get<Pictures>(raw.inputs[0]);
    for (int64_t row = 0; row < raw.rows() && std::ssize(found.rows) < request.pictures; ++row) {
      if (pictures.states[static_cast<size_t>(row)] != task::PictureState::there) continue;
      const auto pixels = pictures.pixels.row(row);
      found.levels.insert(found.levels.end(), pixels.begin(), pixels.end());
      found.rows.push_back(static_cast<uint32_t>((*batch)->first_row() + row));
    }
  }
  if (found.rows.empty())
    return fail(ErrorKind::data,
                fault.empty() ? std::string("there is no picture") : "no picture can be read: " + fault,
                (*reader)->path(), "give pictures");
  return found;
}

}  // namespace

Result<ContactSheet> contact_sheet(const SheetRequest& request, task::Recipe recipe) {
  const auto found = std::ranges::find_if(recipe.inputs, [&](const task::InputFeature& input) {
    return input.type() == task::FeatureType::image &&
           (request.feature.empty() || input.name == request.feature);
  });
  if (found == recipe.inputs.end())
    return fail(ErrorKind::usage,
                request.feature.empty() ? std::string("the recipe has no image input")
                                        : fmt::format("the recipe has no image input '{}'", request.feature),
                {}, "name an input feature of type image");
  const auto input = static_cast<size_t>(found - recipe.inputs.begin());
  if (auto ok = find_picture_sizes(request.data, recipe, {}); !ok) return fail(ok.error());
  const auto& image = std::get<task::ImageInput>(recipe.inputs[input].spec);
  const auto first = first_pictures(request, recipe, input);
  if (!first) return fail(first.error());
  const task::PictureFit form{.height = *image.preprocessing.height,
                              .width = *image.preprocessing.width,
                              .channels = *image.preprocessing.num_channels};
  const int64_t size = form.height * form.width * form.channels, count = std::ssize(first->rows);

  const auto steps = image.augmentation.steps();
  Graph graph("augment");
  const Value pictures =
      graph.input("pictures", {DType::u8, {count, form.height, form.width, form.channels}});
  const bool numbered = ops::augmentation::needs_numbers(steps);
  const Value numbers = numbered ? graph.input("numbers", {DType::i32, {count}}) : Value();
  task::Recipe only = recipe;
  only.inputs = {recipe.inputs[input]};
  graph.output("views", task::mixed_levels(steps.empty() ? pictures : ops::augment(pictures, steps, numbers),
                                           task::draw_mixing(graph, only)));
  if (auto ok = graph.status(); !ok) return fail(ok.error());

  Sheet sheet(form, count, 1 + request.views);
  for (int64_t view = 0; view <= request.views; ++view) {
    std::map<std::string, Tensor64> inputs{{"pictures", first->levels}};
    if (numbered && view > 0) {  // the first view is the first epoch's
      std::vector<int32_t> numbers_of(static_cast<size_t>(count));
      number_rows({.rows = first->rows}, request.seed, static_cast<uint32_t>(view - 1), count,
                  numbers_of.data());
      inputs["numbers"] = Tensor64(numbers_of.begin(), numbers_of.end());
    }
    const Tensor64 views =
        view == 0 ? first->levels
                  : interpret(graph, inputs, {}, {.seed = request.seed, .step = static_cast<uint32_t>(view)})
                        .outputs.at("views");
    for (int64_t row = 0; row < count; ++row) sheet.put(row, view, views.data() + row * size);
  }
  std::string text = ops::augmentation::to_text(steps);
  for (const task::AugmentationItem& item : image.augmentation.items) {
    const auto add = [&](std::string_view name, const auto* mix) {
      if (mix)
        text += fmt::format("{}{}(alpha={:g}, probability={:g})", text.empty() ? "" : ", ", name, mix->alpha,
                            mix->probability);
    };
    add("mixup", std::get_if<task::Mixup>(&item.spec));
    add("cutmix", std::get_if<task::Cutmix>(&item.spec));
  }
  return ContactSheet{
      .png = sheet.png(), .feature = recipe.inputs[input].name, .steps = text, .pictures = count};
}

}  // namespace shoestring::train
