#include "train/infer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "compile/compile.h"
#include "data/picture_table.h"
#include "data/profile.h"
#include "task/network.h"
#include "train/picture_sizes.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

// What a column's feature is; nothing where it cannot be one yet.
std::optional<task::FeatureType> feature_type(data::ColumnType type) {
  switch (type) {
    case data::ColumnType::number:
      return task::FeatureType::number;
    case data::ColumnType::binary:
      return task::FeatureType::binary;
    case data::ColumnType::category:
      return task::FeatureType::category;
    case data::ColumnType::vector:
      return task::FeatureType::vector;
    case data::ColumnType::set:
      return task::FeatureType::set;
    case data::ColumnType::date:
      return task::FeatureType::date;
    case data::ColumnType::text:
      break;
  }
  return std::nullopt;
}

Result<task::ColumnType> target_type(const data::ColumnSummary& column, const std::string& path) {
  const std::string where = fmt::format("{}, column '{}'", path, column.name);
  if (column.present() == 0)
    return fail(ErrorKind::data, "the target has no values", where, "name another target");
  if (column.distinct == 1)
    return fail(ErrorKind::data, fmt::format("the target has one value only: '{}'", column.top.front().value),
                where, "there is nothing to learn: add rows with other values or name another target");
  const data::Inference inference = data::infer_type(column, data::Role::target);
  const std::string seems = data::almost_numbers(column);
  if (!seems.empty() && 2 * column.distinct > column.present())
    return fail(ErrorKind::data, "the target looks like " + seems, where, "or say its type in a recipe");
  const auto type = feature_type(inference.type);
  if (!type || *type == task::FeatureType::date)
    return fail(ErrorKind::data,
                fmt::format("the target looks like {} ({}), which cannot be predicted yet",
                            word(inference.type), inference.reason),
                where, "name another target, or say its type in a recipe");
  return task::ColumnType{column.name, *type};
}

// A column of pictures: those that the first of its values name can be read. Its size is that of the first.
Result<std::optional<task::ColumnType>> picture_column(const std::string& path,
                                                       const data::ColumnSummary& column) {
  constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp", ".pgm", ".ppm", ".pnm", ".bmp"};
  const auto may_be = [&](const std::string& value) {
    std::string end = value.substr(value.size() - std::min<size_t>(value.size(), 5));
    std::ranges::transform(end, end.begin(), [](unsigned char c) { return std::tolower(c); });
    return value.find('#') != std::string::npos || data::is_picture(std::as_bytes(std::span(value))) ||
           std::ranges::any_of(kEndings, [&](std::string_view e) { return end.ends_with(e); });
  };
  const auto all = std::ranges::all_of(column.top, [&](const auto& v) { return may_be(v.value); });
  if (column.top.empty() || !all) return std::optional<task::ColumnType>();
  task::Recipe recipe;
  recipe.inputs.push_back({.name = column.name, .column = column.name, .spec = task::ImageInput()});
  auto ok = find_picture_sizes({.dataset = path, .format = {}}, recipe, {});
  if (!ok && column.name == data::kImageColumn) return fail(ok.error());
  if (!ok) return std::optional<task::ColumnType>();
  const auto& found = std::get<task::ImageInput>(recipe.inputs[0].spec).preprocessing;
  return task::ColumnType{.name = column.name,
                          .type = task::FeatureType::image,
                          .height = *found.height,
                          .width = *found.width,
                          .channels = *found.num_channels};
}

// "2 members of 64 outputs at most"
std::string what_it_is(const task::Recipe& recipe) {
  for (const task::InputFeature& input : recipe.inputs)
    if (const auto* image = std::get_if<task::ImageInput>(&input.spec))
      if (const auto* compact = std::get_if<task::CompactCnnEncoder>(&image->encoder))
        return fmt::format("a network whose convolutions have {} filters", fmt::join(compact->widths, ", "));
  int64_t widest = 0;
  for (const task::EnsembleMember& member : recipe.ensemble.members)
    if (member.combiner)
      for (const task::FcLayer& layer : std::get<task::ConcatCombiner>(*member.combiner).stack.layers)
        widest = std::max(widest, layer.output_size.or_else(task::kUsualOutputs));
  return fmt::format("a model of {} whose layers have {} outputs at most",
                     count_of(task::member_count(recipe), "network"), widest);
}

}  // namespace

std::vector<std::string> usual_targets(const std::string& table) {
  if (table.empty() || table == "-" || is_stream(table)) return {};
  const auto reader = data::open_table(table);
  const bool labelled = reader && (*reader)->format().kind == data::TableKind::pictures &&
                        (*reader)->index_of(data::kLabelColumn) >= 0;
  return labelled ? std::vector<std::string>{std::string(data::kLabelColumn)} : std::vector<std::string>();
}

double flop_in(double seconds) {
  constexpr double kOfCore = 80e9;  // a second
  return seconds * kOfCore * native_target().threads;
}

namespace {

// So much time at about the rates of this machine; a rehearsal measures them. Only convolutions ask for its
// profile, which is a file.
task::Effort effort_in(double seconds, bool convolves) {
  task::Effort effort{.seconds = seconds, .products = flop_in(1)};
  if (!convolves) return effort;
  const Target target = native_target();
  const auto threads = static_cast<double>(target.threads);
  const auto profile = budget::load_or_built_in(target).profile;
  const MachineProfile& machine = *profile;
  // A step is a third forward, a third for the pictures' gradients and a third for the filters'; few
  // convolutions are as large as the measured ones.
  const auto whole_steps = [&](const ConvRates& rates) {
    constexpr double kReached = 0.65;
    double seconds_for_one = 0;
    for (const double rate : rates) seconds_for_one += 1 / std::max(rate, 1.0) / 3;
    return kReached * threads / seconds_for_one;
  };
  constexpr double kBytesOfActivation = 30;
  effort.convolutions = whole_steps(machine.f32_convolutions);
  effort.activations = bytes_a_second(machine.read, kReuseBytes.back()) *
                       (machine.scaling.empty() ? 1 : machine.scaling.back().memory) / kBytesOfActivation;
  if (const double halves = whole_steps(machine.bf16_convolutions); halves > effort.convolutions) {
    effort.convolutions = halves;
    effort.convolves_in_halves = true;
  }
  return effort;
}

}  // namespace

Result<InferredRecipe> infer_recipe(const std::string& path, const std::string& format,
                                    const std::vector<std::string>& targets, double seconds,
                                    const std::atomic<bool>* stop, int64_t memory_limit) {
  data::ReadOptions options;
  if (auto ok = data::set_data_format(format, options); !ok) return fail(ok.error());
  options.expected_names = targets;
  auto reader = open_table(path, options, stop);
  if (!reader) return fail(reader.error());
  constexpr int64_t kLeastBytes = 1 << 20;
  int64_t most_bytes = data::kProfileBytes;
  if (memory_limit > 0)  // half of what is left: the heap does not give back at once what a list grew out of
    most_bytes = std::clamp((memory_limit - resident_bytes()) / 2, kLeastBytes, most_bytes);
  const auto profile = data::profile_table(**reader, targets.front(), most_bytes);
  if (!profile) return fail(profile.error());

  InferredRecipe result;
  std::vector<task::ColumnType> columns;
  std::vector<std::string> doubts;
  const auto doubt = [&](const data::ColumnSummary& column, const data::Inference& inference) {
    if (!inference.doubt.empty())
      doubts.push_back(
          fmt::format("column '{}' is taken as words, and looks like {}", column.name, inference.doubt));
  };
  for (size_t c = 0; c < profile->columns.size(); ++c) {
    const data::ColumnSummary& column = profile->columns[c];
    if (std::find(targets.begin(), targets.end(), column.name) == targets.end()) {
      auto picture = picture_column(path, column);
      if (!picture) return fail(picture.error());
      if (*picture) {
        columns.push_back(**picture);
        continue;
      }
    }
    if (std::find(targets.begin(), targets.end(), column.name) != targets.end()) {
      auto target = target_type(column, (*reader)->path());
      if (!target) return fail(target.error());
      // The names of folders are classes, however they read.
      if ((*reader)->format().kind == data::TableKind::pictures) target->type = task::FeatureType::category;
      doubt(column, data::infer_type(column, data::Role::target));
      columns.push_back(std::move(*target));
      continue;
    }
    if (column.name == "split") continue;  // says which rows are whose; no input
    const data::Inference inference = data::infer_type(column, data::Role::input);
    const auto leak = std::find_if(profile->leaks.begin(), profile->leaks.end(),
                                   [&](const data::Leak& l) { return l.column == static_cast<int>(c); });
    std::string why = inference.leave_out;
    if (why.empty() && leak != profile->leaks.end()) why = "it gives the target away: " + leak->reason;
    const auto type = feature_type(inference.type);
    if (why.empty() && !type) why = fmt::format("{} columns are not supported yet", word(inference.type));
    if (why.empty()) {
      columns.push_back({column.name, *type, column.distinct});
      doubt(column, inference);
    } else
      result.notes.push_back(fmt::format("column '{}' is left out: {}", column.name, why));
  }
  if (columns.size() == targets.size() && !result.notes.empty())
    return fail(ErrorKind::data,
                fmt::format("there is no column to predict from: {}", fmt::join(result.notes, "; ")),
                (*reader)->path(), "give other columns, or name those to use in a recipe");
  result.for_seconds = [columns, targets, rows = (*reader)->rows(), notes = result.notes,
                        doubts](double time) -> Result<InferredRecipe> {
    const bool pictures = std::ranges::count(columns, task::FeatureType::image, &task::ColumnType::type) > 0;
    auto recipes = task::infer_recipes(columns, targets, rows, effort_in(time, pictures));
    if (!recipes) return fail(recipes.error());
    for (task::Recipe& recipe : *recipes)
      for (const auto* more : {&notes, &doubts})
        recipe.notes.lines.insert(recipe.notes.lines.end(), more->begin(), more->end());
    InferredRecipe made{.recipe = std::move(recipes->front()), .notes = notes};
    for (size_t i = 1; i < recipes->size(); ++i)
      made.smaller.push_back({(*recipes)[i], what_it_is((*recipes)[i])});
    return made;
  };
  auto made = result.for_seconds(seconds);
  if (!made) return made;
  made->for_seconds = std::move(result.for_seconds);
  return made;
}

}  // namespace shoestring::train
