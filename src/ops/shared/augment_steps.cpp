// The text form of augmentation steps. Each step is described once: its name, and its fields with their
// ranges.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "ops/augmentation.h"

namespace shoestring::ops::augmentation {
namespace {

struct Range {
  double low = 0, high = 1;
};
constexpr Range kShare{0, 1}, kFactor{0, 100}, kLevel{0, 255}, kPixels{0, 4096};

// Calls f(field's name, field, range) for each and returns the step's name.
std::string_view describe(HorizontalFlip& s, auto&& f) {
  f("probability", s.probability, kShare);
  f("alternating", s.alternating, kShare);
  return "horizontal_flip";
}
std::string_view describe(VerticalFlip& s, auto&& f) {
  f("probability", s.probability, kShare);
  return "vertical_flip";
}
std::string_view describe(Crop& s, auto&& f) {
  f("padding", s.padding, kPixels);
  f("reflect", s.reflect, kShare);
  f("probability", s.probability, kShare);
  return "crop";
}
std::string_view describe(Rotate& s, auto&& f) {
  f("degrees", s.degrees, Range{0, 180});
  f("probability", s.probability, kShare);
  return "rotate";
}
std::string_view describe(Scale& s, auto&& f) {
  f("min", s.min, Range{0.01, 100});
  f("max", s.max, Range{0.01, 100});
  f("probability", s.probability, kShare);
  return "scale";
}
std::string_view describe(Shear& s, auto&& f) {
  f("degrees", s.degrees, Range{0, 80});
  f("probability", s.probability, kShare);
  return "shear";
}
std::string_view describe(Translate& s, auto&& f) {
  f("share", s.share, kShare);
  f("probability", s.probability, kShare);
  return "translate";
}

std::string_view describe_factor(auto& s, auto&& f, std::string_view name) {
  f("min", s.min, kFactor);
  f("max", s.max, kFactor);
  f("probability", s.probability, kShare);
  return name;
}
std::string_view describe(Brightness& s, auto&& f) { return describe_factor(s, f, "brightness"); }
std::string_view describe(Contrast& s, auto&& f) { return describe_factor(s, f, "contrast"); }
std::string_view describe(Saturation& s, auto&& f) { return describe_factor(s, f, "saturation"); }
std::string_view describe(Sharpness& s, auto&& f) { return describe_factor(s, f, "sharpness"); }

std::string_view describe(Blur& s, auto&& f) {
  f("kernel_size", s.kernel_size, Range{1, 63});
  f("probability", s.probability, kShare);
  return "blur";
}
std::string_view describe(Posterize& s, auto&& f) {
  f("bits", s.bits, Range{0, 8});
  f("probability", s.probability, kShare);
  return "posterize";
}
std::string_view describe(Solarize& s, auto&& f) {
  f("threshold", s.threshold, Range{0, 256});
  f("probability", s.probability, kShare);
  return "solarize";
}
std::string_view describe(AutoContrast& s, auto&& f) {
  f("probability", s.probability, kShare);
  return "autocontrast";
}
std::string_view describe(Equalize& s, auto&& f) {
  f("probability", s.probability, kShare);
  return "equalize";
}
std::string_view describe(Invert& s, auto&& f) {
  f("probability", s.probability, kShare);
  return "invert";
}
std::string_view describe(Cutout& s, auto&& f) {
  f("size", s.size, kPixels);
  f("fill", s.fill, kLevel);
  f("probability", s.probability, kShare);
  return "cutout";
}
std::string_view describe(Erase& s, auto&& f) {
  f("min_area", s.min_area, kShare);
  f("max_area", s.max_area, kShare);
  f("min_aspect", s.min_aspect, Range{0.01, 100});
  f("max_aspect", s.max_aspect, Range{0.01, 100});
  f("fill", s.fill, kLevel);
  f("probability", s.probability, kShare);
  return "erase";
}
std::string_view describe(RandAugment& s, auto&& f) {
  f("operations", s.operations, Range{1, 8});
  f("magnitude", s.magnitude, Range{0, 30});
  return "rand_augment";
}
std::string_view describe(TrivialAugment&, auto&&) { return "trivial_augment"; }

std::string shown(double x) { return fmt::format("{}", x); }
std::string shown(int64_t x) { return fmt::format("{}", x); }
std::string shown(bool x) { return x ? "true" : "false"; }

bool read(std::string_view text, bool& x) {
  x = text == "true";
  return x || text == "false";
}
bool read(std::string_view text, auto& x) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size();
}

constexpr auto kIgnore = [](std::string_view, auto&, Range) {};

template <size_t... I>
std::optional<Step> named(std::string_view name, std::index_sequence<I...>) {
  std::optional<Step> found;
  const auto look = [&](auto step) {
    if (describe(step, kIgnore) == name) found = step;
  };
  (look(std::variant_alternative_t<I, Step>()), ...);
  return found;
}

Failure wrong(std::string what) { return fail(ErrorKind::usage, std::move(what)); }

// One "name=value" of a step.
Status set(Step& step, std::string_view name, std::string_view value) {
  bool known = false, good = false;
  Range within;
  const std::string_view step_name = std::visit(
      [&](auto& s) {
        return describe(s, [&](std::string_view field, auto& x, Range range) {
          if (field != name) return;
          known = true, within = range;
          good =
              read(value, x) && static_cast<double>(x) >= range.low && static_cast<double>(x) <= range.high;
        });
      },
      step);
  if (!known) return wrong(fmt::format("{} has no '{}'", step_name, name));
  if (!good)
    return wrong(
        fmt::format("{}: {} is from {} to {}, not {}", step_name, name, within.low, within.high, value));
  return {};
}

// What ranges of single fields do not say.
Status check(const Step& step) {
  if (const auto* blur = std::get_if<Blur>(&step); blur && blur->kernel_size % 2 == 0)
    return wrong(fmt::format("blur: kernel_size is odd, not {}", blur->kernel_size));
  return std::visit(
      [](auto s) -> Status {
        if constexpr (requires { s.min; })
          if (s.min > s.max)
            return wrong(fmt::format("{}: min {} is above max {}", describe(s, kIgnore), s.min, s.max));
        if constexpr (requires { s.min_area; })
          if (s.min_area > s.max_area || s.min_aspect > s.max_aspect)
            return wrong(fmt::format("{}: a min is above its max", describe(s, kIgnore)));
        return {};
      },
      step);
}

std::string_view take_until(std::string_view& text, std::string_view ends) {
  const size_t n = std::min(text.find_first_of(ends), text.size());
  const std::string_view taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}
void skip(std::string_view& text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

}  // namespace

std::string to_text(std::span<const Step> steps) {
  std::string text;
  for (const Step& step : steps)
    std::visit(
        [&]<class S>(S s) {
          S plain;
          std::vector<std::string> usual;
          describe(plain, [&](std::string_view, auto& x, Range) { usual.push_back(shown(x)); });
          std::string list;
          size_t i = 0;
          const std::string_view name = describe(s, [&](std::string_view field, auto& x, Range) {
            if (const std::string value = shown(x); value != usual[i++])
              list += fmt::format("{}{}={}", list.empty() ? "" : ", ", field, value);
          });
          text += fmt::format("{}{}{}", text.empty() ? "" : ", ", name, list.empty() ? "" : "(" + list + ")");
        },
        step);
  return text;
}

Result<std::vector<Step>> steps_from(std::string_view text) {
  std::vector<Step> steps;
  constexpr auto kSteps = std::make_index_sequence<std::variant_size_v<Step>>();
  for (skip(text, ", "); !text.empty(); skip(text, ", ")) {
    const std::string_view name = take_until(text, ", (");
    std::optional<Step> step = named(name, kSteps);
    if (!step) return wrong(fmt::format("there is no step '{}'", name));
    if (text.starts_with('(')) {
      while (!text.empty() && !text.starts_with(')')) {
        skip(text, "(, ");
        const std::string_view field = take_until(text, "=),");
        skip(text, "=");
        if (Status s = set(*step, field, take_until(text, ",)")); !s) return fail(std::move(s.error()));
      }
      if (text.empty()) return wrong(fmt::format("{}: a bracket is open", name));
      text.remove_prefix(1);
    }
    if (Status s = check(*step); !s) return fail(std::move(s.error()));
    steps.push_back(*step);
  }
  return steps;
}

bool needs_numbers(std::span<const Step> steps) {
  for (const Step& step : steps)
    if (const auto* flip = std::get_if<HorizontalFlip>(&step); flip && flip->alternating) return true;
  return false;
}

}  // namespace shoestring::ops::augmentation
