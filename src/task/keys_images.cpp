// Records of image inputs: preprocessing, and the encoder stacked_cnn.
#include <fmt/format.h>

#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr int64_t kMostKernel = 1 << 10;

constexpr NameList kStrategies[] = {"fill_with_const", "fill_with_mode", "bfill", "ffill", "drop_row"};

Status read_padding(const Context& context, const Node& node, const Key& key, void* value) {
  auto& padding = *static_cast<Padding*>(value);
  if (node.is_scalar() && !node.as_number()) {
    if (node.text != "valid" && node.text != "same")
      return context.refuse(node.mark, fmt::format("{}: '{}' is no padding", context.path, node.text),
                            "write valid, same, a number, or [down, right]");
    padding = {node.text == "same" ? Padding::Kind::same : Padding::Kind::valid, {0, 0}};
    return {};
  }
  padding.kind = Padding::Kind::given;
  return TypeOf<Extent>::read(context, node, key, &padding.given);
}

Node write_padding(const void* value, const void*) {
  const auto& padding = *static_cast<const Padding*>(value);
  if (padding.kind == Padding::Kind::given) return TypeOf<Extent>::write(&padding.given, nullptr);
  return Node::string(padding.kind == Padding::Kind::same ? "same" : "valid");
}

Status read_conv_layers(const Context& context, const Node& node, const Key&, void* value) {
  ConvStack& stack = *static_cast<ConvStack*>(value);
  if (node.is_null()) {
    stack.layers = stack.alike();
    return {};
  }
  if (!node.is_list())
    return context.refuse(node.mark, context.path + " must be a list of layers",
                          "begin each layer with '- '");
  if (node.items.empty())
    return context.refuse(node.mark, context.path + " is empty", "give a layer, or leave it out");
  if (stack.num_layers && *stack.num_layers != std::ssize(node.items))
    return context.refuse(node.mark,
                          fmt::format("{} has {} layers, num_conv_layers is {}", context.path,
                                      node.items.size(), *stack.num_layers),
                          "leave num_conv_layers out");
  stack.layers.clear();
  for (const Node& item : node.items) {
    ConvLayer& layer = stack.layers.emplace_back(stack.around);
    if (Status read = read_component(context.in(std::to_string(stack.layers.size() - 1)), item,
                                     Described<ConvLayer>::component, &layer);
        !read)
      return read;
  }
  stack.num_layers = std::ssize(stack.layers);
  return {};
}

// Null where the layers are what the keys beside them say.
Node write_conv_layers(const void* value, const void* fallback) {
  const ConvStack& stack = *static_cast<const ConvStack*>(value);
  if (stack.layers == stack.alike()) return Node::null();
  Node list = Node::list();
  for (const ConvLayer& layer : stack.layers)
    list.items.push_back(
        write_component(Described<ConvLayer>::component, &layer, fallback ? &stack.around : nullptr));
  return list;
}

constexpr const Component* kConvComponents[] = {&Described<ConvLayer>::component};

struct ConvNames {
  NameList bias, norm, norm_params, activation, dropout;
};
constexpr ConvNames kLayerNames{"use_bias", "norm", "norm_params", "activation", "dropout"};
constexpr ConvNames kStackNames{"conv_use_bias", "conv_norm", "conv_norm_params", "conv_activation",
                                "conv_dropout"};

// The keys of one layer, the member at `Path...` being a ConvLayer.
template <auto... Path>
constexpr auto conv_keys(const ConvNames& n) {
  return keys(
      key<Path..., &ConvLayer::out_channels>("out_channels", "Filters of a layer.").within(1, 65536).common(),
      key<Path..., &ConvLayer::kernel_size>("kernel_size", "Height and width of a filter.")
          .within(1, kMostKernel),
      key<Path..., &ConvLayer::stride>("stride", "Pixels from one place of the filter to the next.")
          .within(1, kMostKernel),
      key<Path..., &ConvLayer::padding>("padding",
                                        "Pixels around the picture: valid is none, same as many as keep its "
                                        "size at a stride of 1, or so many "
                                        "on each side.")
          .within(0, kMostKernel),
      key<Path..., &ConvLayer::dilation>("dilation", "Pixels from one tap of a filter to the next.")
          .within(1, kMostKernel),
      key<Path..., &ConvLayer::groups>("groups",
                                       "Parts that the channels are cut into, each with filters of its own.")
          .within(1, 65536),
      key<Path..., &ConvLayer::padding_mode>(
          "padding_mode",
          "What stands in the padding: zeros, the picture mirrored at its edges without these (reflect), its "
          "edges (replicate), or its other side (circular)."),
      key<Path..., &ConvLayer::use_bias>(n.bias, "Whether a layer adds a bias."),
      key<Path..., &ConvLayer::norm>(n.norm, "Normalization of a layer's output."),
      key<Path..., &ConvLayer::norm_params>(n.norm_params, "Parameters of the normalization."),
      key<Path..., &ConvLayer::activation>(n.activation, "Activation of a layer; null leaves it linear."),
      key<Path..., &ConvLayer::dropout>(n.dropout, "Share of a layer's outputs that is dropped in training.")
          .in({.low = 0, .high = 1, .open_high = true}),
      key<Path..., &ConvLayer::pool_function>("pool_function", "What is taken of each window."),
      key<Path..., &ConvLayer::pool_kernel_size>("pool_kernel_size",
                                                 "Height and width of a window; null is no pool.")
          .within(1, kMostKernel),
      key<Path..., &ConvLayer::pool_stride>("pool_stride",
                                            "Pixels from one window to the next; null is the window's size.")
          .within(1, kMostKernel),
      key<Path..., &ConvLayer::pool_padding>("pool_padding",
                                             "Pixels around the picture that count for nothing.")
          .within(0, kMostKernel),
      key<Path..., &ConvLayer::pool_dilation>("pool_dilation", "Pixels from one of a window to the next.")
          .within(1, kMostKernel));
}
constexpr auto kConvLayer = conv_keys<>(kLayerNames);

constexpr NameList kOfPreprocessing = "null";
constexpr auto kStackedCnn =
    together(conv_keys<&StackedCnnEncoder::conv, &ConvStack::around>(kStackNames),
             keys(key<&StackedCnnEncoder::conv, &ConvStack::num_layers>(
                      "num_conv_layers",
                      "Convolutional layers, where conv_layers is null; null is two, the second with twice "
                      "the filters.")
                      .within(1, 1000)
                      .common(),
                  key<&StackedCnnEncoder::conv>(
                      "conv_layers",
                      "The layers one by one; what a layer leaves out comes from the keys beside the list.")
                      .always()),
             stack_keys<&StackedCnnEncoder::stack>(kFcNames),
             keys(refused("height", kOfPreprocessing), refused("width", kOfPreprocessing),
                  refused("num_channels", kOfPreprocessing), refused("skip", "false"), refused("adapter")));

constexpr auto kCompactCnn = keys(
    key<&CompactCnnEncoder::widths>("widths", "Filters of each group of convolutions.")
        .within(1, 65536)
        .common(),
    key<&CompactCnnEncoder::convolutions>("convolutions",
                                          "Convolutions of a group, the first of them pooled.")
        .within(1, 100)
        .common(),
    key<&CompactCnnEncoder::residual>("residual", "Whether what a group's first gives is added to its last."),
    key<&CompactCnnEncoder::whiten>("whiten",
                                    "Whether the first layer is one of fixed filters that make the training "
                                    "rows' patches of 2 x 2 white."),
    key<&CompactCnnEncoder::views>(
        "views",
        "Views of a picture that a prediction is the mean over: 2 are it and its mirror "
        "image, 6 these moved by a pixel each way too. Each takes the time of a prediction."),
    key<&CompactCnnEncoder::norm_params>("norm_params", "Parameters of the batch norms."),
    refused("skip", "false"), refused("adapter"));

Status read_sizes(const Context& context, const Node& node, const Key& key, void* value) {
  auto& sizes = *static_cast<std::vector<int64_t>*>(value);
  if (!node.is_list() || node.items.empty())
    return context.refuse(node.mark, context.path + " must be a list of integers", "write [64, 256, 256]");
  sizes.assign(node.items.size(), 0);
  for (size_t i = 0; i < sizes.size(); ++i)
    if (Status read = read_integer(context.in(std::to_string(i)), node.items[i], key, sizes[i]); !read)
      return read;
  return {};
}

Node write_sizes(const void* value, const void*) {
  Node list = Node::list();
  for (const int64_t size : *static_cast<const std::vector<int64_t>*>(value))
    list.items.push_back(Node::integer(size));
  return list;
}

constexpr auto kPreprocessing = keys(
    key<&ImagePreprocessing::missing_value_strategy>(
        "missing_value_strategy",
        "What a row without a picture becomes: one of fill_value's colour, the most frequent picture of the "
        "training rows, the picture of the nearest row below or above; drop_row leaves it out. Rows whose "
        "picture is broken are left out in any case.")
        .choices(kStrategies),
    key<&ImagePreprocessing::fill_value>("fill_value",
                                         "The level of every pixel of fill_with_const, and where another "
                                         "strategy finds no picture; 255 is white.")
        .within(0, 255),
    key<&ImagePreprocessing::height>("height", "Rows of pixels; null is found in the first pictures.")
        .within(1, kMostPictureSide)
        .common(),
    key<&ImagePreprocessing::width>("width", "Columns of pixels; null is found in the first pictures.")
        .within(1, kMostPictureSide)
        .common(),
    key<&ImagePreprocessing::num_channels>(
        "num_channels",
        "1 is grey, 2 grey with alpha, 3 red, green and blue, 4 with alpha; null is found in the "
        "first pictures.")
        .within(1, kMostPictureChannels)
        .common(),
    key<&ImagePreprocessing::resize_method>(
        "resize_method",
        "How a picture comes to its size: interpolate scales it, crop_or_pad cuts it about its "
        "middle or repeats its edges."),
    key<&ImagePreprocessing::infer_image_num_channels>(
        "infer_image_num_channels",
        "Whether num_channels null goes by most of the first pictures, not the first."),
    key<&ImagePreprocessing::infer_image_dimensions>(
        "infer_image_dimensions",
        "Whether height and width null are the mean of the first pictures', not the first one's."),
    key<&ImagePreprocessing::infer_image_max_height>("infer_image_max_height",
                                                     "A height that is found is at most this.")
        .within(1, kMostPictureSide),
    key<&ImagePreprocessing::infer_image_max_width>("infer_image_max_width",
                                                    "A width that is found is at most this.")
        .within(1, kMostPictureSide),
    key<&ImagePreprocessing::infer_image_sample_size>("infer_image_sample_size",
                                                      "The first pictures are so many.")
        .within(1, 1'000'000),
    key<&ImagePreprocessing::standardize_image>("standardize_image",
                                                "How levels become numbers: null divides by 255; imagenet1k "
                                                "then takes ImageNet's mean and deviation of "
                                                "each channel, inception 0.5 and 0.5, which gives -1 to 1, "
                                                "training those of the training rows. Left out, it is what "
                                                "published weights were trained with: imagenet1k before "
                                                "torchvision's, but inception before efficientnet_v2_l's "
                                                "and a mixer's of timm (those named miil want null)."),
    key<&ImagePreprocessing::requires_equal_dimensions>(
        "requires_equal_dimensions", "Whether height and width are made the same, the lesser."),
    key<&ImagePreprocessing::cache_encoder_embeddings>(
        "cache_encoder_embeddings",
        "Whether what a frozen encoder makes of each picture is computed once, before the first epoch, and "
        "kept; auto: where nothing changes the pictures, which augmentation does."),
    noted("in_memory", "preprocessing.in_memory of the whole recipe decides"),
    noted("num_processes", "the cores of the budget read pictures"),
    noted("mode", "pictures are decoded once, when they are read"),
    noted("prefetch_size", "pictures are there before training begins"),
    noted("lazy_cache_dir", "nothing is cached outside of the run"), refused("num_classes"),
    refused("infer_image_num_classes", "false"));

constexpr auto kImage = keys(
    key<&ImageInput::preprocessing>("preprocessing", "How pictures become pixels of one size."),
    key<&ImageInput::encoder>("encoder", "How pixels become the columns that the combiner sees."),
    key<&ImageInput::augmentation>(
        "augmentation",
        "How the pictures that the network is trained with are changed at random; true is a horizontal flip "
        "and a turn."));

Status check_preprocessing(const Context& context, const Node& node, ImagePreprocessing& p) {
  if (p.standardize_image == Standardize::imagenet1k && p.num_channels.value_or(3) != 3)
    return context.refuse(
        node.mark,
        fmt::format("{}: imagenet1k has 3 channels, num_channels is {}", context.path, *p.num_channels),
        "give num_channels 3, or standardize_image training");
  if (p.requires_equal_dimensions && p.height && p.width && *p.height != *p.width)
    return context.refuse(node.mark,
                          fmt::format("{}: height is {} and width {}, which are to be equal", context.path,
                                      *p.height, *p.width),
                          "give both the same, or requires_equal_dimensions false");
  return {};
}

// What timm's mixers and torchvision's one network that came from elsewhere were trained with, and its
// others.
Standardize published_levels(const ImageEncoderSpec& encoder) {
  const auto* efficientnet = std::get_if<EfficientNetEncoder>(&encoder);
  const bool halves = std::holds_alternative<MlpMixerEncoder>(encoder) ||
                      (efficientnet && efficientnet->model_variant == EfficientNetVariant::v2_l);
  return halves ? Standardize::inception : Standardize::imagenet1k;
}

// What pictures the encoder's published weights expect, and whether what it makes of them can be kept.
Status check_image(const Context& context, const Node& node, ImageInput& image) {
  const Entry* const preprocessing = node.find("preprocessing");
  const auto written = [&](std::string_view key) -> const Entry* {
    return preprocessing && preprocessing->value.is_map() ? preprocessing->value.find(key) : nullptr;
  };
  const auto mark_of = [&](std::string_view key) { return written(key) ? written(key)->mark : node.mark; };
  ImagePreprocessing& p = image.preprocessing;
  if (const Pretrained* from = pretrained_of(image.encoder); from && from->use_pretrained) {
    if (p.num_channels.value_or(3) != 3)
      return context.refuse(mark_of("num_channels"),
                            fmt::format("{}.preprocessing: num_channels is {}, and published weights are of "
                                        "networks for 3",
                                        context.path, *p.num_channels),
                            "give num_channels 3, or leave it out");
    p.num_channels = 3;
    if (!written("standardize_image")) p.standardize_image = published_levels(image.encoder);
  }
  if (p.cache_encoder_embeddings.or_else(false) && !is_frozen(image.encoder))
    return context.refuse(
        mark_of("cache_encoder_embeddings"),
        fmt::format("{}.preprocessing: cache_encoder_embeddings is true, and the encoder is "
                    "trained, so that its embeddings change",
                    context.path),
        "give encoder.trainable false, or leave cache_encoder_embeddings out");
  if (p.cache_encoder_embeddings.or_else(false) && !image.augmentation.items.empty())
    return context.refuse(
        mark_of("cache_encoder_embeddings"),
        fmt::format(
            "{}.preprocessing: cache_encoder_embeddings is true, and augmentation changes the pictures",
            context.path),
        "take the augmentation out, or leave cache_encoder_embeddings out");
  return {};
}

}  // namespace

// One number for both directions, or [down, right].
Status TypeOf<Extent>::read(const Context& context, const Node& node, const Key& key, void* value) {
  auto& extent = *static_cast<Extent*>(value);
  if (!node.is_list()) {
    const Status read = read_integer(context, node, key, extent.down);
    extent.right = extent.down;
    return read;
  }
  if (node.items.size() != 2)
    return context.refuse(node.mark, context.path + " must be one integer or two",
                          "write one for both directions, or [down, right]");
  const Status down = read_integer(context.in("0"), node.items[0], key, extent.down);
  return down ? read_integer(context.in("1"), node.items[1], key, extent.right) : down;
}

Node TypeOf<Extent>::write(const void* value, const void*) {
  const auto& extent = *static_cast<const Extent*>(value);
  if (extent.down == extent.right) return Node::integer(extent.down);
  return Node::list({Node::integer(extent.down), Node::integer(extent.right)});
}

std::vector<ConvLayer> ConvStack::two(ConvLayer layer) {
  std::vector<ConvLayer> layers(2, layer);
  layers[1].out_channels *= 2;
  return layers;
}

std::vector<ConvLayer> ConvStack::alike() const {
  return num_layers ? std::vector<ConvLayer>(static_cast<size_t>(*num_layers), around) : two(around);
}

constinit const ValueType TypeOf<std::vector<int64_t>>::value{
    .kind = ValueType::Kind::special, .words = "list of integers", .read = read_sizes, .write = write_sizes};
constinit const ValueType TypeOf<Padding>::value{.kind = ValueType::Kind::special,
                                                 .words = "valid, same, integer, or two: down and right",
                                                 .read = read_padding,
                                                 .write = write_padding};
constinit const ValueType TypeOf<ConvStack>::value{.kind = ValueType::Kind::list,
                                                   .words = "list of layers",
                                                   .nullable = true,
                                                   .components = kConvComponents,
                                                   .read = read_conv_layers,
                                                   .write = write_conv_layers,
                                                   .defaults = TypeOf<ConvLayer>::defaults};

template <>
constinit const Component Described<ConvLayer>::component{
    .name = "conv_layers",
    .help = "One convolutional layer: convolution, norm, activation, dropout, pool, in that order.",
    .keys = kConvLayer};
template <>
constinit const Component Described<StackedCnnEncoder>::component{
    .name = "stacked_cnn",
    .help = "Convolutional layers in a row, then a stack of layers over all that is left of the picture.",
    .keys = kStackedCnn};
template <>
constinit const Component Described<CompactCnnEncoder>::component{
    .name = "compact_cnn",
    .help =
        "Whitened patches, then groups of convolutions with batch norm and gelu: quick to train to a high "
        "quality "
        "on small pictures.",
    .keys = kCompactCnn};
template <>
constinit const Component Described<ImagePreprocessing>::component{
    .name = "preprocessing",
    .help = "Preprocessing of a column of pictures.",
    .keys = kPreprocessing,
    .finish = finish<check_preprocessing>};
template <>
constinit const Component Described<ImageInput>::component{
    .name = "image",
    .help = "Pictures: paths to files, members of an archive, or their bytes.",
    .keys = kImage,
    .finish = finish<check_image>};

}  // namespace shoestring::task
