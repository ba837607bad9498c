// Records of output features: decoders and losses.
#include <fmt/format.h>

#include "task/keys.h"

namespace shoestring::task {

extern const Component kRegressor, kClassifier, kProjector;

namespace {

constexpr NameList kWeightHelp = "Weight of this loss in the sum over the outputs.";
template <class S>
constexpr Key weight() {
  return key<&S::weight>("weight", kWeightHelp).at_least(0);
}
constexpr auto kWeightOfSquared = keys(weight<MeanSquaredError>());
constexpr auto kWeightOfAbsolute = keys(weight<MeanAbsoluteError>());
constexpr auto kWeightOfPercentage = keys(weight<MeanAbsolutePercentageError>());
constexpr auto kWeightOfRootPercentage = keys(weight<RootMeanSquaredPercentageError>());
constexpr auto kVectorCrossEntropy =
    keys(weight<VectorCrossEntropy>(), refused("class_weights"), refused("robust_lambda", "0"),
         refused("confidence_penalty", "0"), refused("class_similarities"),
         refused("class_similarities_temperature", "0"));
constexpr auto kSigmoidCrossEntropy =
    keys(weight<SigmoidCrossEntropy>(),
         key<&SigmoidCrossEntropy::class_weights>("class_weights",
                                                  "Weight of each word where it is in the set: a map from "
                                                  "word to weight, or a list in the order of the "
                                                  "vocabulary."));
constexpr auto kWeightOfRoot = keys(weight<RootMeanSquaredError>());
constexpr auto kHuber = keys(
    weight<Huber>(), key<&Huber::delta>("delta", "The error from which on the loss is linear.").above(0));
constexpr auto kBinaryCrossEntropy =
    keys(weight<BinaryCrossEntropy>(),
         key<&BinaryCrossEntropy::positive_class_weight>("positive_class_weight",
                                                         "Weight of the rows that are true; null is 1.")
             .at_least(0),
         refused("robust_lambda", "0"), refused("confidence_penalty", "0"));
constexpr auto kSoftmaxCrossEntropy =
    keys(weight<SoftmaxCrossEntropy>(),
         key<&SoftmaxCrossEntropy::class_weights>(
             "class_weights",
             "Weight of each class: a map from class to weight, or a list in the order of the vocabulary."),
         key<&SoftmaxCrossEntropy::label_smoothing>("label_smoothing",
                                                    "Share of the target spread over all classes.")
             .in({.low = 0, .high = 1, .open_high = true}),
         refused("robust_lambda", "0"), refused("confidence_penalty", "0"), refused("class_similarities"),
         refused("class_similarities_temperature", "0"));

// The keys of a decoder whose last layer is linear, the member at `Path...` being a LinearDecoder.
template <auto... Path>
constexpr auto linear_keys() {
  return together(
      stack_keys<Path..., &LinearDecoder::stack>(kDecoderNames),
      keys(key<Path..., &LinearDecoder::use_bias>("use_bias", "Whether the last layer adds a bias."),
           key<Path..., &LinearDecoder::weights_initializer>("weights_initializer",
                                                             "First values of the last layer's weights."),
           key<Path..., &LinearDecoder::bias_initializer>("bias_initializer",
                                                          "First values of the last layer's biases.")
               .choices(kBiasInitializers),
           refused("input_size")));
}
constexpr auto kLinear = linear_keys<>();
constexpr auto kProjectorKeys = together(
    linear_keys<&ProjectorDecoder::linear>(),
    keys(key<&ProjectorDecoder::activation>("activation",
                                            "Activation of the values; null leaves them linear."),
         key<&ProjectorDecoder::multiplier>("multiplier", "Factor of the values, after the activation.")
             .at_least(0),
         key<&ProjectorDecoder::clip>("clip",
                                      "Least and greatest value, last of all; null leaves them as they are."),
         refused("output_size")));
constexpr auto kClassifierKeys = together(
    kLinear, keys(refused("num_classes"), refused("calibration"), refused("mc_dropout_samples", "0")));
using Regressor = Sole<LinearDecoder, kRegressor>;
using Classifier = Sole<LinearDecoder, kClassifier>;
using Projector = Sole<ProjectorDecoder, kProjector>;

constexpr NameList kPreprocessingHelp = "How raw values become targets.";
constexpr NameList kDecoderHelp = "How the combiner's columns become a prediction.";
constexpr NameList kLossHelp = "What training makes small.";
constexpr NameList kReduced = "what reaches an output is one vector a row: there is nothing to reduce";
constexpr NameList kLaterClassifiers[] = {"mlp_classifier"};
constexpr NameList kLaterBinaryLosses[] = {"entropic_open_set", "objectosphere", "focal"};
constexpr NameList kLaterCategoryLosses[] = {"corn", "entropic_open_set", "objectosphere", "focal",
                                             "poly", "sparsemax",         "entmax15"};

// Of the losses of vectors one is refused with its reason.
Status read_vector_loss(const Context& context, const Node& node, const Key& key, void* value) {
  const Entry* type = node.is_map() ? node.find("type") : nullptr;
  const Node& name = type ? type->value : node;
  if (name.is_scalar() && name.text == "nt_xent")
    return context.refuse(name.mark,
                          context.path +
                              ": type 'nt_xent' is not supported: it compares two views of each row, and "
                              "a row of a table has one",
                          "choose mean_squared_error");
  return TypeOf<decltype(VectorOutput::loss)>::read(context, node, key, value);
}
constexpr NameList kLaterVectorLosses[] = {"nt_xent"};
constexpr ValueType vector_loss() {
  ValueType type = TypeOf<decltype(VectorOutput::loss)>::value;
  type.later = kLaterVectorLosses;
  type.read = read_vector_loss;
  return type;
}
constexpr ValueType kVectorLoss = vector_loss();

constexpr auto output_keys(std::string_view metric) {
  return keys(noted("reduce_input", kReduced), noted("reduce_dependencies", kReduced),
              refused("dependencies", "[]"), refused("default_validation_metric", metric),
              refused("input_size"), refused("num_classes"));
}

constexpr auto kNumber =
    together(keys(key<&NumberOutput::preprocessing>("preprocessing", kPreprocessingHelp),
                  key<&NumberOutput::decoder>("decoder", kDecoderHelp).as(Regressor::value),
                  key<&NumberOutput::loss>("loss", kLossHelp),
                  key<&NumberOutput::clip>(
                      "clip", "Least and greatest prediction; null leaves predictions as they are.")),
             output_keys("mean_squared_error"));
constexpr auto kBinary = together(
    keys(key<&BinaryOutput::preprocessing>("preprocessing", kPreprocessingHelp),
         key<&BinaryOutput::decoder>("decoder", kDecoderHelp).as(Regressor::value).later(kLaterClassifiers),
         key<&BinaryOutput::loss>("loss", kLossHelp).later(kLaterBinaryLosses),
         key<&BinaryOutput::threshold>("threshold", "Probability from which on the prediction is true.")
             .within(0, 1),
         refused("calibration", "false")),
    output_keys("roc_auc"));
constexpr auto kCategory = together(
    keys(
        key<&CategoryOutput::preprocessing>("preprocessing", kPreprocessingHelp),
        key<&CategoryOutput::decoder>("decoder", kDecoderHelp).as(Classifier::value).later(kLaterClassifiers),
        key<&CategoryOutput::loss>("loss", kLossHelp).later(kLaterCategoryLosses),
        key<&CategoryOutput::top_k>("top_k", "The k of the metric hits_at_k.").at_least(1),
        refused("calibration", "false")),
    output_keys("accuracy"));

constexpr auto kVector =
    together(keys(key<&VectorOutput::preprocessing>("preprocessing", kPreprocessingHelp),
                  key<&VectorOutput::decoder>("decoder", kDecoderHelp).as(Projector::value),
                  key<&VectorOutput::loss>("loss", kLossHelp).as(kVectorLoss),
                  key<&VectorOutput::softmax>(
                      "softmax", "Whether the answer is a distribution: numbers above 0 that add up to 1."),
                  key<&VectorOutput::preprocessing, &VectorPreprocessing::vector_size>(
                      "vector_size", "The same as preprocessing.vector_size.")
                      .within(1, kMostLayerOutputs)),
             output_keys("mean_squared_error"));
constexpr auto kSet =
    together(keys(key<&SetOutput::preprocessing>("preprocessing", kPreprocessingHelp),
                  key<&SetOutput::decoder>("decoder", kDecoderHelp).as(Classifier::value),
                  key<&SetOutput::loss>("loss", kLossHelp),
                  key<&SetOutput::threshold>("threshold", "Probability from which on a word is predicted.")
                      .within(0, 1)),
             output_keys("jaccard"));

constexpr NameList kLaterTypes[] = {"anomaly",   "category_distribution", "image", "sequence", "text",
                                    "timeseries"};
constexpr auto kOutput =
    keys(key<&OutputFeature::name>("name", "The feature's name.").required(),
         key<&OutputFeature::column>("column", "The data's column, where it is not the name."),
         key<&OutputFeature::spec>("type", "What kind of values the column holds.")
             .later(kLaterTypes)
             .beside()
             .required());

Status name_column(const Context&, const Node&, OutputFeature& feature) {
  if (feature.column.empty()) feature.column = feature.name;
  return {};
}

Status check_number(const Context& context, const Node& node, NumberOutput& output) {
  const bool of_targets = std::holds_alternative<MeanAbsolutePercentageError>(output.loss) ||
                          std::holds_alternative<RootMeanSquaredPercentageError>(output.loss);
  if (of_targets && output.preprocessing.normalization != Normalization::none)
    return context.refuse(
        node.mark,
        fmt::format("{}: its loss needs the targets as they are, without normalization", context.path),
        "leave preprocessing.normalization out");
  if (!output.clip || (*output.clip)[0] <= (*output.clip)[1]) return {};
  return context.refuse(
      node.find("clip")->value.mark,
      fmt::format("{}.clip: {} is above {}", context.path, (*output.clip)[0], (*output.clip)[1]),
      "give the least value first");
}

Status check_vector(const Context& context, const Node& node, VectorOutput& output) {
  const auto& clip = output.decoder.clip;
  if (clip && (*clip)[0] > (*clip)[1])
    return context.refuse(
        node.mark, fmt::format("{}.decoder.clip: {} is above {}", context.path, (*clip)[0], (*clip)[1]),
        "give the least value first");
  const Entry *own = node.find("vector_size"), *part = node.find("preprocessing");
  const Entry* inner = part ? part->value.find("vector_size") : nullptr;
  if (own && inner && own->value.text != inner->value.text)
    return context.refuse(own->mark,
                          fmt::format("{}: vector_size is {} and preprocessing.vector_size {}", context.path,
                                      own->value.text, inner->value.text),
                          "give one of them");
  const bool scaled = output.preprocessing.normalization != Normalization::none;
  const bool of_targets = std::holds_alternative<MeanAbsolutePercentageError>(output.loss) ||
                          std::holds_alternative<VectorCrossEntropy>(output.loss);
  if (scaled && (of_targets || output.softmax))
    return context.refuse(node.mark,
                          fmt::format("{}: {} needs the targets as they are, without normalization",
                                      context.path, of_targets ? "its loss" : "softmax"),
                          "leave preprocessing.normalization out");
  if (model::gated(output.decoder.activation))
    return context.refuse(
        node.mark,
        fmt::format("{}.decoder.activation: a gated activation leaves half of the values", context.path),
        "choose another one");
  return {};
}

Status read_class_weights(const Context& context, const Node& node, const Key& key, void* value) {
  ClassWeights& weights = *static_cast<ClassWeights*>(value);
  weights = {};
  if (node.is_null()) return {};
  Key one = key;
  one.type = nullptr;
  one.range = {.low = 0};
  if (node.is_list()) {
    for (const Node& item : node.items)
      if (Status read = read_number(context.in(std::to_string(weights.by_order.size())), item, one,
                                    weights.by_order.emplace_back());
          !read)
        return read;
    return {};
  }
  if (!node.is_map())
    return context.refuse(node.mark, context.path + " must be a map or a list of weights",
                          "write CLASS: WEIGHT under it");
  for (const Entry& entry : node.entries)
    if (Status read = read_number(context.in(entry.key), entry.value, one, weights.by_name[entry.key]); !read)
      return read;
  return {};
}

Node write_class_weights(const void* value, const void*) {
  const ClassWeights& weights = *static_cast<const ClassWeights*>(value);
  if (weights.empty()) return Node::null();
  if (!weights.by_order.empty()) return write_numbers(weights.by_order);
  Node map = Node::map();
  for (const auto& [name, weight] : weights.by_name) map.set(name, Node::number(weight));
  return map;
}

}  // namespace

constinit const ValueType TypeOf<ClassWeights>::value{.kind = ValueType::Kind::special,
                                                      .words = "map or list of numbers",
                                                      .nullable = true,
                                                      .read = read_class_weights,
                                                      .write = write_class_weights};

OutputFeature plain_like(const OutputFeature& feature) {
  OutputFeature plain{feature.name, feature.name, {}};
  TypeOf<decltype(plain.spec)>::select(&plain.spec, feature.spec.index());
  return plain;
}

constinit const Component kRegressor{
    .name = "regressor", .help = "A stack of layers, then one linear layer to one value.", .keys = kLinear};
constinit const Component kProjector{
    .name = "projector",
    .help = "A stack of layers, then one linear layer to one value for each number of the vector.",
    .keys = kProjectorKeys};
constinit const Component kClassifier{
    .name = "classifier",
    .help = "A stack of layers, then one linear layer to one logit per class.",
    .keys = kClassifierKeys};
template <>
constinit const Component Described<MeanSquaredError>::component{
    .name = "mean_squared_error", .help = "Mean of the squared errors.", .keys = kWeightOfSquared};
template <>
constinit const Component Described<MeanAbsoluteError>::component{
    .name = "mean_absolute_error", .help = "Mean of the errors' sizes.", .keys = kWeightOfAbsolute};
template <>
constinit const Component Described<RootMeanSquaredError>::component{
    .name = "root_mean_squared_error",
    .help = "Root of the batch's mean squared error.",
    .keys = kWeightOfRoot};
template <>
constinit const Component Described<Huber>::component{
    .name = "huber", .help = "Squared for small errors, linear for large ones.", .keys = kHuber};
template <>
constinit const Component Described<MeanAbsolutePercentageError>::component{
    .name = "mean_absolute_percentage_error",
    .help = "Mean of the errors' sizes over those of the targets.",
    .keys = kWeightOfPercentage};
template <>
constinit const Component Described<RootMeanSquaredPercentageError>::component{
    .name = "root_mean_squared_percentage_error",
    .help = "Root of the batch's mean of the squared errors over the targets.",
    .keys = kWeightOfRootPercentage};
template <>
constinit const Component Described<VectorCrossEntropy>::component{
    .name = "softmax_cross_entropy",
    .help = "Cross-entropy of the distribution that a vector is.",
    .keys = kVectorCrossEntropy};
template <>
constinit const Component Described<SigmoidCrossEntropy>::component{
    .name = "sigmoid_cross_entropy",
    .help = "Cross-entropy of each word's probability, summed over the words.",
    .keys = kSigmoidCrossEntropy};
template <>
constinit const Component Described<BinaryCrossEntropy>::component{.name = "binary_weighted_cross_entropy",
                                                                   .help = "Cross-entropy of a probability.",
                                                                   .keys = kBinaryCrossEntropy};
template <>
constinit const Component Described<SoftmaxCrossEntropy>::component{
    .name = "softmax_cross_entropy",
    .help = "Cross-entropy of a distribution over the classes.",
    .keys = kSoftmaxCrossEntropy};
template <>
constinit const Component Described<NumberOutput>::component{
    .name = "number", .help = "Predicts a number.", .keys = kNumber, .finish = finish<check_number>};
template <>
constinit const Component Described<BinaryOutput>::component{
    .name = "binary", .help = "Predicts one of two values.", .keys = kBinary};
template <>
constinit const Component Described<CategoryOutput>::component{
    .name = "category", .help = "Predicts one of several values.", .keys = kCategory};
template <>
constinit const Component Described<VectorOutput>::component{.name = "vector",
                                                             .help = "Predicts a vector of numbers.",
                                                             .keys = kVector,
                                                             .finish = finish<check_vector>};
template <>
constinit const Component Described<SetOutput>::component{
    .name = "set", .help = "Predicts which words are there.", .keys = kSet};
template <>
constinit const Component Described<OutputFeature>::component{.name = "output_features",
                                                              .help = "A column to predict.",
                                                              .keys = kOutput,
                                                              .finish = finish<name_column>};

}  // namespace shoestring::task
