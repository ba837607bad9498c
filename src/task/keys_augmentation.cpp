// Records of the augmentation of pictures.
#include <fmt/format.h>

#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr NameList kProbabilityHelp = "Share of the rows that it happens to.";
template <class S>
constexpr Key kProbability = key<&S::probability>("probability", kProbabilityHelp).within(0, 1);

template <class S>
constexpr auto kFactors = keys(key<&S::min>("min", "The least factor; 1 changes nothing.").within(0, 100),
                               key<&S::max>("max", "The largest factor.").within(0, 100), kProbability<S>);
template <class S>
constexpr auto kAlone = keys(kProbability<S>);

constexpr auto kHorizontalFlip =
    keys(kProbability<steps::HorizontalFlip>,
         key<&steps::HorizontalFlip::alternating>(
             "alternating",
             "Each picture in every second epoch, the first time by chance; in place of a probability."));
constexpr auto kCrop =
    keys(key<&steps::Crop::padding>("padding", "Pixels around the picture, in which its window may lie.")
             .within(0, 4096)
             .common(),
         key<&steps::Crop::reflect>(
             "reflect", "Whether these are the picture's own, mirrored at its edges; else black."),
         kProbability<steps::Crop>);
constexpr auto kTranslate =
    keys(key<&steps::Translate::share>("share", "The farthest it moves, as a share of width and height.")
             .within(0, 1),
         kProbability<steps::Translate>);
constexpr auto kRotate =
    keys(key<&steps::Rotate::degrees>("degree", "The largest angle, either way.").within(0, 180),
         kProbability<steps::Rotate>);
constexpr auto kScale =
    keys(key<&steps::Scale::min>("min", "The least factor.").within(0.01, 100),
         key<&steps::Scale::max>("max", "The largest factor.").within(0.01, 100), kProbability<steps::Scale>);
constexpr auto kShear =
    keys(key<&steps::Shear::degrees>("degree", "The largest angle, either way.").within(0, 80),
         kProbability<steps::Shear>);
constexpr auto kBlur = keys(
    key<&steps::Blur::kernel_size>("kernel_size", "Pixels that are blurred into one; odd.").within(1, 63),
    kProbability<steps::Blur>);
constexpr auto kPosterize =
    keys(key<&steps::Posterize::bits>("bits", "Bits of each level that are kept.").within(0, 8),
         kProbability<steps::Posterize>);
constexpr auto kSolarize =
    keys(key<&steps::Solarize::threshold>("threshold", "Levels from here on are inverted.").within(0, 256),
         kProbability<steps::Solarize>);
constexpr NameList kFillHelp = "The level of the pixels that are cut out.";
constexpr auto kCutout =
    keys(key<&steps::Cutout::size>("size", "Side of the square, in pixels.").within(0, 4096).common(),
         key<&steps::Cutout::fill>("fill", kFillHelp).within(0, 255), kProbability<steps::Cutout>);
constexpr auto kErase =
    keys(key<&steps::Erase::min_area>("min_area", "The least share of the picture.").within(0, 1),
         key<&steps::Erase::max_area>("max_area", "The largest share of the picture.").within(0, 1),
         key<&steps::Erase::min_aspect>("min_aspect", "The least height beside the width.").within(0.01, 100),
         key<&steps::Erase::max_aspect>("max_aspect", "The largest.").within(0.01, 100),
         key<&steps::Erase::fill>("fill", kFillHelp).within(0, 255), kProbability<steps::Erase>);
constexpr auto kAuto = keys(key<&AutoAugmentation::method>("method", "The policy."));
constexpr auto kRand = keys(
    key<&steps::RandAugment::operations>("num_ops", "Operations on each picture.").within(1, 8),
    key<&steps::RandAugment::magnitude>("magnitude", "How much each changes: of 30 bins, 30 is the most.")
        .within(0, 30));

constexpr NameList kShareHelp =
    "Share of the batches that it happens to; with mixup beside cutmix both shares add up to 1 at most.";
template <class S>
constexpr auto kMixes = keys(
    key<&S::alpha>("alpha",
                   "How evenly: shares are Beta(alpha, alpha), at 1 every share as often, below 1 mostly "
                   "near 0 or 1.")
        .within(0.01, 100)
        .common(),
    key<&S::probability>("probability", kShareHelp).within(0, 1));

constexpr auto kItem =
    keys(key<&AugmentationItem::spec>("type", "What happens to pictures.").beside().required());

// min and max, min_area and max_area are in order; a blur's kernel is odd.
template <class S>
Status check(const Context& context, const Node& node, S& s) {
  const auto ordered = [&](std::string_view low, double a, std::string_view high, double b) -> Status {
    if (a <= b) return {};
    return context.refuse(node.mark, fmt::format("{}: {} {} is above {} {}", context.path, low, a, high, b),
                          "swap them");
  };
  if constexpr (std::is_same_v<S, steps::HorizontalFlip>)
    if (s.alternating && s.probability != S().probability)
      return context.refuse(
          node.mark,
          context.path + ": a flip that is alternating happens in every second epoch, not by chance",
          "leave out probability or alternating");
  if constexpr (requires { s.min; }) return ordered("min", s.min, "max", s.max);
  if constexpr (requires { s.min_area; }) {
    Status area = ordered("min_area", s.min_area, "max_area", s.max_area);
    return area ? ordered("min_aspect", s.min_aspect, "max_aspect", s.max_aspect) : area;
  }
  if constexpr (requires { s.kernel_size; })
    if (s.kernel_size % 2 == 0)
      return context.refuse(node.mark,
                            fmt::format("{}: kernel_size is {}, which is even", context.path, s.kernel_size),
                            fmt::format("write {}", s.kernel_size + 1));
  return {};
}

// Two flips that alternate turn a picture in the same epochs, so that it is never seen turned.
Status check_alternating(const Context& context, const Node& node, const Augmentation& augmentation) {
  std::optional<size_t> first;
  for (size_t i = 0; i < augmentation.items.size(); ++i) {
    const auto* flip = std::get_if<steps::HorizontalFlip>(&augmentation.items[i].spec);
    if (!flip || !flip->alternating) continue;
    if (first)
      return context.refuse(
          node.items[i].mark,
          fmt::format("{}: steps {} and {} are both random_horizontal_flip with alternating, "
                      "and each undoes what the other does",
                      context.path, *first, i),
          "take one of them out");
    first = i;
  }
  return {};
}

Status read_augmentation(const Context& context, const Node& node, const Key& key, void* value) {
  auto& augmentation = *static_cast<Augmentation*>(value);
  if (!node.is_list()) {
    bool usual = false;
    if (!node.is_null())
      if (Status read = read_boolean(context, node, key, usual); !read)
        return context.refuse(node.mark, context.path + " must be true, false or a list of steps",
                              "begin each step with '- type: '");
    augmentation = usual ? Augmentation::usual() : Augmentation{};
    return {};
  }
  if (Status read = TypeOf<std::vector<AugmentationItem>>::read(context, node, key, &augmentation.items);
      !read)
    return read;
  return check_alternating(context, node, augmentation);
}

Node write_augmentation(const void* value, const void* fallback) {
  const auto& augmentation = *static_cast<const Augmentation*>(value);
  if (augmentation.items.empty()) return Node::boolean(false);
  return TypeOf<std::vector<AugmentationItem>>::write(&augmentation.items, fallback);
}

}  // namespace

Augmentation Augmentation::usual() { return {{{steps::HorizontalFlip{}}, {steps::Rotate{}}}}; }

std::vector<steps::Step> Augmentation::steps() const {
  std::vector<steps::Step> list;
  for (const AugmentationItem& item : items)
    std::visit(
        [&]<class S>(const S& s) {
          if constexpr (std::is_constructible_v<steps::Step, const S&>)
            list.emplace_back(s);
          else if constexpr (!std::is_same_v<S, AutoAugmentation>)
            ;  // of a whole batch
          else if (s.method == AutoMethod::trivial_augment)
            list.emplace_back(steps::TrivialAugment{});
          else
            list.emplace_back(steps::RandAugment{});
        },
        item.spec);
  return list;
}

AugmentationItem plain_like(const AugmentationItem& item) {
  AugmentationItem plain;
  TypeOf<AugmentationSpec>::select(&plain.spec, item.spec.index());
  return plain;
}

constinit const ValueType TypeOf<Augmentation>::value{.kind = ValueType::Kind::list,
                                                      .words = "list of maps",
                                                      .nullable = true,
                                                      .or_boolean = true,
                                                      .components = TypeOf<AugmentationItem>::components,
                                                      .read = read_augmentation,
                                                      .write = write_augmentation,
                                                      .defaults = TypeOf<AugmentationItem>::defaults};

template <>
constinit const Component Described<AugmentationItem>::component{
    .name = "augmentation",
    .help = "One change of the pictures that a network is trained with, drawn anew for each row and step.",
    .keys = kItem};
template <>
constinit const Component Described<steps::HorizontalFlip>::component{
    .name = "random_horizontal_flip",
    .help = "Left and right change places.",
    .keys = kHorizontalFlip,
    .finish = finish<check<steps::HorizontalFlip>>};
template <>
constinit const Component Described<steps::VerticalFlip>::component{.name = "random_vertical_flip",
                                                                    .help = "Above and below change places.",
                                                                    .keys = kAlone<steps::VerticalFlip>};
template <>
constinit const Component Described<steps::Crop>::component{
    .name = "random_crop",
    .help = "A window of the picture's own size, somewhere in the picture with pixels around it.",
    .keys = kCrop};
template <>
constinit const Component Described<steps::Translate>::component{
    .name = "random_translate", .help = "Moves by whole pixels; what comes in is black.", .keys = kTranslate};
template <>
constinit const Component Described<steps::Rotate>::component{
    .name = "random_rotate", .help = "Turns about the centre; what comes in is black.", .keys = kRotate};
template <>
constinit const Component Described<steps::Scale>::component{.name = "random_scale",
                                                             .help = "Grows or shrinks about the centre.",
                                                             .keys = kScale,
                                                             .finish = finish<check<steps::Scale>>};
template <>
constinit const Component Described<steps::Shear>::component{
    .name = "random_shear", .help = "Slants both axes about the centre.", .keys = kShear};
template <>
constinit const Component Described<steps::Blur>::component{
    .name = "random_blur", .help = "A Gaussian blur.", .keys = kBlur, .finish = finish<check<steps::Blur>>};
template <>
constinit const Component Described<steps::Brightness>::component{.name = "random_brightness",
                                                                  .help = "Levels times a factor.",
                                                                  .keys = kFactors<steps::Brightness>,
                                                                  .finish = finish<check<steps::Brightness>>};
template <>
constinit const Component Described<steps::Contrast>::component{
    .name = "random_contrast",
    .help = "Distances from the picture's mean grey times a factor.",
    .keys = kFactors<steps::Contrast>,
    .finish = finish<check<steps::Contrast>>};
template <>
constinit const Component Described<steps::Saturation>::component{
    .name = "random_saturation",
    .help = "Distances of a pixel's colours from its grey times a factor.",
    .keys = kFactors<steps::Saturation>,
    .finish = finish<check<steps::Saturation>>};
template <>
constinit const Component Described<steps::Sharpness>::component{
    .name = "random_sharpness",
    .help = "Distances from the smoothed picture times a factor.",
    .keys = kFactors<steps::Sharpness>,
    .finish = finish<check<steps::Sharpness>>};
template <>
constinit const Component Described<steps::Posterize>::component{
    .name = "random_posterize", .help = "Fewer levels.", .keys = kPosterize};
template <>
constinit const Component Described<steps::Solarize>::component{
    .name = "random_solarize", .help = "Bright levels inverted.", .keys = kSolarize};
template <>
constinit const Component Described<steps::AutoContrast>::component{
    .name = "random_autocontrast",
    .help = "Each channel stretched to all levels.",
    .keys = kAlone<steps::AutoContrast>};
template <>
constinit const Component Described<steps::Equalize>::component{.name = "random_equalize",
                                                                .help = "Each channel's histogram made flat.",
                                                                .keys = kAlone<steps::Equalize>};
template <>
constinit const Component Described<steps::Invert>::component{
    .name = "random_invert", .help = "The negative.", .keys = kAlone<steps::Invert>};
template <>
constinit const Component Described<steps::Cutout>::component{
    .name = "cutout", .help = "A square is cut out, centred anywhere.", .keys = kCutout};
template <>
constinit const Component Described<steps::Erase>::component{.name = "random_erasing",
                                                             .help = "A rectangle of random size is cut out.",
                                                             .keys = kErase,
                                                             .finish = finish<check<steps::Erase>>};
template <>
constinit const Component Described<AutoAugmentation>::component{
    .name = "auto_augmentation", .help = "A published policy as it is.", .keys = kAuto};
template <>
constinit const Component Described<steps::RandAugment>::component{
    .name = "rand_augment", .help = "Some of 14 operations at random, all of one magnitude.", .keys = kRand};
template <>
constinit const Component Described<Mixup>::component{
    .name = "mixup",
    .help =
        "Each picture of a batch blended with the next one, and the loss with that of its target, by one "
        "share for the batch; behind all other steps.",
    .keys = kMixes<Mixup>};
template <>
constinit const Component Described<Cutmix>::component{
    .name = "cutmix",
    .help =
        "A box of each picture of a batch is the next one's, and so much of the loss that of its target; "
        "behind all other steps.",
    .keys = kMixes<Cutmix>};

}  // namespace shoestring::task
