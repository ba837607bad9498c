// The vocabulary of the recipe: the words of its enums, and which structs have records. The records
// themselves stand in the other files keys_*.cpp.
#pragma once

#include "task/value_types.h"

namespace shoestring::task {

using NameList = std::string_view;

template <>
struct Words<Activation> {
  static constexpr auto& names = model::kActivationNames;
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Norm> {
  static constexpr NameList names[] = {"null", "batch", "layer"};
  static constexpr NameList later[] = {"ghost"};
};
template <>
struct Words<Stored> {
  static constexpr NameList names[] = {"float32", "bfloat16", "float16"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Device> {
  static constexpr NameList names[] = {"cpu"};
  static constexpr NameList later[] = {"auto", "cuda", "gpu"};
};
template <>
struct Words<init::Fan> {
  static constexpr NameList names[] = {"fan_in", "fan_out"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<init::Gain> {
  static constexpr NameList names[] = {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<FeatureType> {
  static constexpr NameList names[] = {"number", "binary", "category", "vector",
                                       "set",    "bag",    "date",     "image"};
  static constexpr NameList later[] = {"anomaly", "audio",     "category_distribution", "h3", "sequence",
                                       "text",    "timeseries"};
};
template <>
struct Words<data::Tokenizer> {
  static constexpr NameList names[] = {"space", "space_punct", "characters", "underscore",
                                       "comma", "untokenized", "stripped"};
  static constexpr NameList later[] = {"LANG_tokenize",
                                       "LANG_tokenize_filter",
                                       "LANG_tokenize_remove_stopwords",
                                       "LANG_lemmatize",
                                       "LANG_lemmatize_filter",
                                       "LANG_lemmatize_remove_stopwords",
                                       "sentencepiece",
                                       "clip",
                                       "gpt2bpe",
                                       "bert",
                                       "hf_tokenizer"};
};
// Unsupported tokenizers are refused with the reason.
template <>
struct TypeOf<data::Tokenizer> {
  static const ValueType value;
};
template <>
struct Words<Representation> {
  static constexpr NameList names[] = {"dense", "sparse"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<MissingValues> {
  static constexpr NameList names[] = {"fill_with_const", "fill_with_mode", "fill_with_mean",
                                       "fill_with_false", "fill_with_true", "bfill",
                                       "ffill",           "drop_row"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Normalization> {
  static constexpr NameList names[] = {"null", "zscore", "minmax", "log1p", "iq", "robust"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<NumberView> {
  static constexpr NameList names[] = {"value", "quantile"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Blend> {
  static constexpr NameList names[] = {"equal", "validation"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Decay> {
  static constexpr NameList names[] = {"null",         "linear",     "exponential", "cosine", "one_cycle",
                                       "inverse_sqrt", "polynomial", "wsd",         "coslog"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<SplitName> {
  static constexpr NameList names[] = {"training", "validation", "test"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<MuonOthers> {
  static constexpr NameList names[] = {"adamw", "sgd"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Views> {
  static constexpr NameList names[] = {"1", "2", "6"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Regularization> {
  static constexpr NameList names[] = {"l1", "l2", "l1_l2"};
  static constexpr std::span<const NameList> later{};
};

template <>
struct FamilyTraits<InitializerSpec> {
  static constexpr bool short_form = true;
  static constexpr NameList later[] = {"dirac"};
};

template <>
struct FamilyTraits<OptimizerSpec> {
  static constexpr bool short_form = false;
  static constexpr NameList later[] = {"lbfgs"};
};
// Names some of `later` with a reason.
extern const ValueType kOptimizer;

template <>
struct Words<Pool> {
  static constexpr NameList names[] = {"max", "average", "avg", "mean"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<PaddingMode> {
  static constexpr NameList names[] = {"zeros", "reflect", "replicate", "circular"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Resize> {
  static constexpr NameList names[] = {"crop_or_pad", "interpolate"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<Standardize> {
  static constexpr NameList names[] = {"null", "imagenet1k", "inception", "training"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct TypeOf<Extent> {
  static Status read(const Context&, const Node& node, const Key& key, void* value);
  static Node write(const void* value, const void* fallback);
  static constexpr ValueType value{.kind = ValueType::Kind::special,
                                   .words = "integer, or two: down and right",
                                   .read = read,
                                   .write = write};
};
// A list of sizes.
template <>
struct TypeOf<std::vector<int64_t>> {
  static const ValueType value;
};
template <>
struct TypeOf<Padding> {
  static const ValueType value;
};
// The layers of a stack of convolutions, written as FcStack's are.
template <>
struct TypeOf<ConvStack> {
  static const ValueType value;
};
template <>
struct FamilyTraits<ImageEncoderSpec> {
  static constexpr bool short_form = false;
  static constexpr NameList later[] = {"unet",          "clip",       "dinov2",           "siglip",
                                       "timm",          "caformer",   "convformer",       "poolformer",
                                       "convnextv2",    "alexnet",    "densenet",         "googlenet",
                                       "inceptionv3",   "maxvit",     "mnasnet",          "regnet",
                                       "shufflenet_v2", "squeezenet", "swin_transformer", "vgg"};
};
template <>
struct Words<ResNetVariant> {
  static constexpr NameList names[] = {"18", "34", "50", "101", "152"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<WideResNetVariant> {
  static constexpr NameList names[] = {"50_2", "101_2"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<ResNextVariant> {
  static constexpr NameList names[] = {"50_32x4d", "101_32x8d", "101_64x4d"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<MobileNetV2Variant> {
  static constexpr NameList names[] = {"base"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<MobileNetV3Variant> {
  static constexpr NameList names[] = {"small", "large"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<EfficientNetVariant> {
  static constexpr NameList names[] = {"b0", "b1", "b2",   "b3",   "b4",  "b5",
                                       "b6", "b7", "v2_s", "v2_m", "v2_l"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<ConvNextVariant> {
  static constexpr NameList names[] = {"tiny", "small", "base", "large"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<VitVariant> {
  static constexpr NameList names[] = {"b_16", "b_32", "l_16", "l_32", "h_14"};
  static constexpr std::span<const NameList> later{};
};
template <>
struct Words<AutoMethod> {
  static constexpr NameList names[] = {"trivial_augment", "rand_augment"};
  static constexpr NameList later[] = {"auto_augment"};
};
template <>
struct FamilyTraits<AugmentationSpec> {
  static constexpr bool short_form = false;
  static constexpr std::span<const NameList> later{};
};
// A list of steps, or true for the usual ones.
template <>
struct TypeOf<Augmentation> {
  static const ValueType value;
};

// The layers of a stack, written as the list fc_layers; null: as many as the key beside it says.
template <>
struct TypeOf<FcStack> {
  static const ValueType value;
};

// A vector has no inputs and outputs that a spread could follow from, and no columns.
inline constexpr NameList kBiasInitializers[] = {"zeros", "ones", "constant", "uniform", "normal"};

// The names under which a stack's keys stand in a component.
struct StackNames {
  NameList layers, count, size, bias, weights_initializer, bias_initializer, norm, norm_params, activation,
      dropout;
};
inline constexpr StackNames kPlainNames{
    "fc_layers",        "num_fc_layers", "output_size", "use_bias",   "weights_initializer",
    "bias_initializer", "norm",          "norm_params", "activation", "dropout"};
inline constexpr StackNames kDenseNames{
    "fc_layers",        "num_layers", "output_size", "use_bias",   "weights_initializer",
    "bias_initializer", "norm",       "norm_params", "activation", "dropout"};
inline constexpr StackNames kDecoderNames{
    "fc_layers",           "num_fc_layers", "fc_output_size", "fc_use_bias",   "fc_weights_initializer",
    "fc_bias_initializer", "fc_norm",       "fc_norm_params", "fc_activation", "fc_dropout"};

// Behind convolutions.
inline constexpr StackNames kFcNames{
    "fc_layers",           "num_fc_layers", "output_size",    "fc_use_bias",   "fc_weights_initializer",
    "fc_bias_initializer", "fc_norm",       "fc_norm_params", "fc_activation", "fc_dropout"};

// The keys of one layer, the member at `Path...` being an FcLayer.
template <auto... Path>
constexpr std::array<Key, 8> layer_keys(const StackNames& n) {
  return {
      key<Path..., &FcLayer::output_size>(
          n.size, "Outputs of a layer; auto is chosen by the rows, the inputs, the time and the memory.")
          .within(1, kMostLayerOutputs)
          .common(),
      key<Path..., &FcLayer::use_bias>(n.bias, "Whether a layer adds a bias."),
      key<Path..., &FcLayer::weights_initializer>(n.weights_initializer,
                                                  "First values of a layer's weights."),
      key<Path..., &FcLayer::bias_initializer>(n.bias_initializer, "First values of a layer's biases.")
          .choices(kBiasInitializers),
      key<Path..., &FcLayer::norm>(n.norm, "Normalization of a layer's output, and of the stack's input."),
      key<Path..., &FcLayer::norm_params>(n.norm_params, "Parameters of the normalization."),
      key<Path..., &FcLayer::activation>(
          n.activation,
          "Activation of a layer; null leaves it linear. Before swiglu, geglu and reglu, which "
          "multiply one half by the other, the layer is twice as wide, so that its "
          "outputs remain as many as asked for."),
      key<Path..., &FcLayer::dropout>(n.dropout, "Share of a layer's outputs that is dropped in training.")
          .in({.low = 0, .high = 1, .open_high = true})};
}

// The keys of a stack, the member at `Path...` being an FcStack.
template <auto... Path>
constexpr std::array<Key, 10> stack_keys(const StackNames& n) {
  return together(
      layer_keys<Path..., &FcStack::around>(n),
      keys(key<Path..., &FcStack::num_layers>(n.count,
                                              "Layers, where fc_layers is null; auto is chosen by the rows.")
               .within(0, 1000)
               .common(),
           key<Path...>(n.layers,
                        "The layers one by one; what a layer leaves out comes from the keys beside the list.")
               .always()));
}

template <>
struct TypeOf<ClassWeights> {
  static const ValueType value;
};

// Null turns all clipping off.
template <>
struct TypeOf<GradientClipping> {
  static const ValueType value;
};

// clang-format off
// keys_layers.cpp
template <> const Component Described<NormParams>::component;
template <> const Component Described<FcLayer>::component;
template <> const Component Described<init::Zeros>::component;
template <> const Component Described<init::Ones>::component;
template <> const Component Described<init::Constant>::component;
template <> const Component Described<init::Uniform>::component;
template <> const Component Described<init::Normal>::component;
template <> const Component Described<init::XavierUniform>::component;
template <> const Component Described<init::XavierNormal>::component;
template <> const Component Described<init::KaimingUniform>::component;
template <> const Component Described<init::KaimingNormal>::component;
template <> const Component Described<init::Eye>::component;
template <> const Component Described<init::Identity>::component;
template <> const Component Described<init::Orthogonal>::component;
template <> const Component Described<init::Sparse>::component;
// keys_inputs.cpp, keys_more_inputs.cpp
template <> const Component Described<NumberPreprocessing>::component;
template <> const Component Described<BinaryPreprocessing>::component;
template <> const Component Described<CategoryPreprocessing>::component;
template <> const Component Described<PassthroughEncoder>::component;
template <> const Component Described<DenseEncoder>::component;
template <> const Component Described<PleEncoder>::component;
template <> const Component Described<PeriodicEncoder>::component;
template <> const Component Described<BinsEncoder>::component;
template <> const Component Described<OneHotEncoder>::component;
template <> const Component Described<EmbedEncoder>::component;
template <> const Component Described<SparseEmbedEncoder>::component;
template <> const Component Described<HashEncoder>::component;
template <> const Component Described<TargetEncoder>::component;
template <> const Component Described<VectorPreprocessing>::component;
template <> const Component Described<WordsPreprocessing>::component;
template <> const Component Described<DatePreprocessing>::component;
template <> const Component Described<DateEmbedEncoder>::component;
template <> const Component Described<DateWaveEncoder>::component;
template <> const Component Described<NumberInput>::component;
template <> const Component Described<BinaryInput>::component;
template <> const Component Described<CategoryInput>::component;
template <> const Component Described<VectorInput>::component;
template <> const Component Described<SetInput>::component;
template <> const Component Described<BagInput>::component;
template <> const Component Described<DateInput>::component;
template <> const Component Described<InputFeature>::component;
// keys_images.cpp
template <> const Component Described<ConvLayer>::component;
template <> const Component Described<StackedCnnEncoder>::component;
template <> const Component Described<CompactCnnEncoder>::component;
template <> const Component Described<ImagePreprocessing>::component;
template <> const Component Described<ImageInput>::component;
// keys_vision.cpp
template <> const Component Described<ResNetEncoder>::component;
template <> const Component Described<WideResNetEncoder>::component;
template <> const Component Described<ResNextEncoder>::component;
template <> const Component Described<MobileNetV2Encoder>::component;
template <> const Component Described<MobileNetV3Encoder>::component;
template <> const Component Described<EfficientNetEncoder>::component;
template <> const Component Described<ConvNextEncoder>::component;
template <> const Component Described<VitEncoder>::component;
template <> const Component Described<MlpMixerEncoder>::component;
// keys_augmentation.cpp
template <> const Component Described<AugmentationItem>::component;
template <> const Component Described<AutoAugmentation>::component;
template <> const Component Described<steps::HorizontalFlip>::component;
template <> const Component Described<steps::VerticalFlip>::component;
template <> const Component Described<steps::Crop>::component;
template <> const Component Described<steps::Translate>::component;
template <> const Component Described<steps::Rotate>::component;
template <> const Component Described<steps::Scale>::component;
template <> const Component Described<steps::Shear>::component;
template <> const Component Described<steps::Blur>::component;
template <> const Component Described<steps::Brightness>::component;
template <> const Component Described<steps::Contrast>::component;
template <> const Component Described<steps::Saturation>::component;
template <> const Component Described<steps::Sharpness>::component;
template <> const Component Described<steps::Posterize>::component;
template <> const Component Described<steps::Solarize>::component;
template <> const Component Described<steps::AutoContrast>::component;
template <> const Component Described<steps::Equalize>::component;
template <> const Component Described<steps::Invert>::component;
template <> const Component Described<steps::Cutout>::component;
template <> const Component Described<steps::Erase>::component;
template <> const Component Described<steps::RandAugment>::component;
template <> const Component Described<Mixup>::component;
template <> const Component Described<Cutmix>::component;
// keys_outputs.cpp
template <> const Component Described<MeanSquaredError>::component;
template <> const Component Described<MeanAbsoluteError>::component;
template <> const Component Described<RootMeanSquaredError>::component;
template <> const Component Described<Huber>::component;
template <> const Component Described<BinaryCrossEntropy>::component;
template <> const Component Described<SoftmaxCrossEntropy>::component;
template <> const Component Described<MeanAbsolutePercentageError>::component;
template <> const Component Described<RootMeanSquaredPercentageError>::component;
template <> const Component Described<VectorCrossEntropy>::component;
template <> const Component Described<SigmoidCrossEntropy>::component;
template <> const Component Described<NumberOutput>::component;
template <> const Component Described<BinaryOutput>::component;
template <> const Component Described<CategoryOutput>::component;
template <> const Component Described<VectorOutput>::component;
template <> const Component Described<SetOutput>::component;
template <> const Component Described<OutputFeature>::component;
// keys_optimizers.cpp
template <> const Component Described<Adam>::component;
template <> const Component Described<AdamW>::component;
template <> const Component Described<Sgd>::component;
template <> const Component Described<Adadelta>::component;
template <> const Component Described<Adagrad>::component;
template <> const Component Described<Adamax>::component;
template <> const Component Described<Nadam>::component;
template <> const Component Described<RmsProp>::component;
template <> const Component Described<Lamb>::component;
template <> const Component Described<Lars>::component;
template <> const Component Described<Lion>::component;
template <> const Component Described<Radam>::component;
template <> const Component Described<Adafactor>::component;
template <> const Component Described<ScheduleFreeAdamW>::component;
template <> const Component Described<Muon>::component;
template <> const Component Described<Paged<Adam>>::component;
template <> const Component Described<Paged<AdamW>>::component;
template <> const Component Described<Paged<Lion>>::component;
template <> const Component Described<EightBit<Adam>>::component;
template <> const Component Described<EightBit<AdamW>>::component;
template <> const Component Described<EightBit<Sgd>>::component;
template <> const Component Described<EightBit<Adagrad>>::component;
template <> const Component Described<EightBit<RmsProp>>::component;
template <> const Component Described<EightBit<Lamb>>::component;
template <> const Component Described<EightBit<Lars>>::component;
template <> const Component Described<EightBit<Lion>>::component;
template <> const Component Described<Paged<EightBit<Adam>>>::component;
template <> const Component Described<Paged<EightBit<AdamW>>>::component;
template <> const Component Described<Paged<EightBit<Lion>>>::component;
// keys_trainer.cpp
template <> const Component Described<LearningRateScheduler>::component;
template <> const Component Described<LearningRateFactors>::component;
template <> const Component Described<GradientClipping>::component;
template <> const Component Described<Trainer>::component;
// keys_budget.cpp
template <> const Component Described<Budget>::component;
// keys_recipe.cpp
template <> const Component Described<ConcatCombiner>::component;
template <> const Component Described<RandomSplit>::component;
template <> const Component Described<FixedSplit>::component;
template <> const Component Described<StratifySplit>::component;
template <> const Component Described<DatetimeSplit>::component;
template <> const Component Described<HashSplit>::component;
template <> const Component Described<GroupSplit>::component;
template <> const Component Described<FoldSplit>::component;
template <> const Component Described<Preprocessing>::component;
template <> const Component Described<EnsembleMember>::component;
template <> const Component Described<Ensemble>::component;
template <> const Component Described<Recipe>::component;
// clang-format on

}  // namespace shoestring::task
