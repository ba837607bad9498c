// Records of input features: preprocessing and encoders.
#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr NameList kNumberStrategies[] = {"fill_with_const", "fill_with_mode", "fill_with_mean",
                                          "bfill",           "ffill",          "drop_row"};
constexpr NameList kBinaryStrategies[] = {"fill_with_mode", "fill_with_false", "fill_with_true",
                                          "bfill",          "ffill",           "drop_row"};
constexpr NameList kCategoryStrategies[] = {"fill_with_const", "fill_with_mode", "bfill", "ffill",
                                            "drop_row"};
constexpr NameList kMissingHelp = "What a missing value becomes; drop_row leaves its row out.";

constexpr auto kNumberPreprocessing =
    keys(key<&NumberPreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kNumberStrategies),
         key<&NumberPreprocessing::fill_value>("fill_value", "The value of fill_with_const."),
         key<&NumberPreprocessing::normalization>("normalization",
                                                  "How values are scaled; fitted on the training rows."),
         key<&NumberPreprocessing::outlier_strategy>("outlier_strategy",
                                                     "What an outlier becomes; null leaves it.")
             .choices(kNumberStrategies),
         key<&NumberPreprocessing::outlier_threshold>(
             "outlier_threshold", "Standard deviations from the mean beyond which a value is an outlier.")
             .at_least(0));

constexpr auto kBinaryPreprocessing =
    keys(key<&BinaryPreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kBinaryStrategies),
         key<&BinaryPreprocessing::fallback_true_label>(
             "fallback_true_label",
             "Which of two values is true; null goes by the usual words, or picks one and says so."),
         noted("fill_value", "no strategy of a binary column uses it"));

constexpr auto kCategoryPreprocessing =
    keys(key<&CategoryPreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kCategoryStrategies),
         key<&CategoryPreprocessing::fill_value>("fill_value", "The value of fill_with_const."),
         key<&CategoryPreprocessing::lowercase>("lowercase", "Whether values are lowercased first."),
         key<&CategoryPreprocessing::most_common>(
             "most_common", "Entries of the vocabulary at most; rarer values are unknown.")
             .at_least(1),
         noted("cache_encoder_embeddings", "there is no slow encoder whose outputs would be kept"));

constexpr double kMostBuckets = 100'000'000;
constexpr auto kCommon = keys(refused("skip", "false"), refused("adapter"));
constexpr auto kWithVocab = together(kCommon, keys(refused("vocab")));
constexpr auto kDense =
    together(stack_keys<&DenseEncoder::stack>(kDenseNames), kCommon, keys(refused("input_size")));

// The keys that embeddings share.
template <class S>
constexpr auto embedding_keys() {
  return together(
      keys(key<&S::embedding_initializer>("embedding_initializer",
                                          "First values of the vectors; null is the encoder's own way."),
           key<&S::embeddings_trainable>("embeddings_trainable", "Whether training changes the vectors."),
           key<&S::dropout>("dropout", "Share of a vector that is dropped in training.")
               .in({.low = 0, .high = 1, .open_high = true}),
           noted("embeddings_on_cpu", "the vectors lie where the model does"),
           refused("pretrained_embeddings")),
      kWithVocab);
}
constexpr auto kEmbed =
    together(keys(key<&EmbedEncoder::embedding_size>("embedding_size",
                                                     "Length of a vector, at most the vocabulary's size.")
                      .within(1, kMostLayerOutputs)),
             embedding_keys<EmbedEncoder>());
constexpr auto kSparse = embedding_keys<SparseEmbedEncoder>();
constexpr auto kHash = together(
    keys(key<&HashEncoder::num_hash_buckets>("num_hash_buckets", "Buckets that values are hashed into.")
             .within(1, kMostBuckets),
         key<&HashEncoder::embedding_size>("embedding_size", "Length of a vector.")
             .within(1, kMostLayerOutputs)),
    kWithVocab);
constexpr auto kTarget = together(
    keys(
        key<&TargetEncoder::smoothing>("smoothing",
                                       "So many rows of the mean of all are added to those of a value; auto: "
                                       "the fewer, the less the rows of a value differ.")
            .at_least(0),
        key<&TargetEncoder::num_folds>("num_folds",
                                       "Parts of the training rows: each sees the means of the others.")
            .within(2, 100),
        refused("output_size", "1")),
    kWithVocab);

constexpr NameList kColumnsHelp =
                       "Columns that a number becomes; auto is 12, and fewer where there are many numbers.",
                   kActivationHelp = "Activation of the columns; null leaves them linear.",
                   kPlusInputHelp = "Whether the number itself stands beside its columns.";
template <class S>
constexpr Key output_size_key() {
  return key<&S::output_size>("output_size", kColumnsHelp).within(1, kMostLayerOutputs);
}
template <class S>
constexpr Key bins_key() {
  return key<&S::num_bins>("num_bins", "Bins at most, between quantiles of the training rows.")
      .within(1, 65536);
}
constexpr auto kPle =
    together(keys(bins_key<PleEncoder>(), output_size_key<PleEncoder>(),
                  key<&PleEncoder::activation>("activation", kActivationHelp),
                  key<&PleEncoder::plus_input>("plus_input", kPlusInputHelp), refused("ple_bin_edges")),
             kCommon);
constexpr auto kPeriodic = together(
    keys(key<&PeriodicEncoder::num_frequencies>("num_frequencies",
                                                "Frequencies, each with a sine and a cosine.")
             .within(1, kMostLayerOutputs),
         output_size_key<PeriodicEncoder>(),
         key<&PeriodicEncoder::sigma>("sigma", "Standard deviation of the frequencies' first values.")
             .above(0),
         key<&PeriodicEncoder::activation>("activation", kActivationHelp),
         key<&PeriodicEncoder::plus_input>("plus_input", kPlusInputHelp),
         key<&PeriodicEncoder::shared_layer>("shared_layer", "Whether all features share one linear layer."),
         key<&PeriodicEncoder::input>(
             "input", "What is encoded: the value, or the share of the training rows below it.")),
    kCommon);
constexpr auto kBins = together(
    keys(bins_key<BinsEncoder>(), output_size_key<BinsEncoder>(), refused("bins_bin_edges")), kCommon);

constexpr NameList kPreprocessingHelp = "How raw values become numbers.";
constexpr NameList kEncoderHelp = "How a value becomes the columns that the combiner sees.";

constexpr auto kNumber = keys(key<&NumberInput::preprocessing>("preprocessing", kPreprocessingHelp),
                              key<&NumberInput::encoder>("encoder", kEncoderHelp));
constexpr auto kBinary = keys(key<&BinaryInput::preprocessing>("preprocessing", kPreprocessingHelp),
                              key<&BinaryInput::encoder>("encoder", kEncoderHelp));
constexpr auto kCategory = keys(key<&CategoryInput::preprocessing>("preprocessing", kPreprocessingHelp),
                                key<&CategoryInput::encoder>("encoder", kEncoderHelp));

constexpr NameList kLaterTypes[] = {"audio", "h3", "sequence", "text", "timeseries"};
constexpr auto kInput =
    keys(key<&InputFeature::name>("name", "The feature's name.").required(),
         key<&InputFeature::column>("column", "The data's column, where it is not the name."),
         key<&InputFeature::spec>("type", "What kind of values the column holds.")
             .later(kLaterTypes)
             .beside()
             .required(),
         key<&InputFeature::tied>(
             "tied",
             "Another input, alike in all but its column, whose encoder and fitted preprocessing "
             "this one shares."));

Status name_column(const Context&, const Node&, InputFeature& feature) {
  if (feature.column.empty()) feature.column = feature.name;
  return {};
}

}  // namespace

InputFeature plain_like(const InputFeature& feature) {
  InputFeature plain{feature.name, feature.name, {}};
  TypeOf<decltype(plain.spec)>::select(&plain.spec, feature.spec.index());
  return plain;
}

template <>
constinit const Component Described<NumberPreprocessing>::component{
    .name = "preprocessing", .help = "Preprocessing of a number column.", .keys = kNumberPreprocessing};
template <>
constinit const Component Described<BinaryPreprocessing>::component{
    .name = "preprocessing",
    .help = "Preprocessing of a column of two values.",
    .keys = kBinaryPreprocessing};
template <>
constinit const Component Described<CategoryPreprocessing>::component{
    .name = "preprocessing",
    .help = "Preprocessing of a column of categories.",
    .keys = kCategoryPreprocessing};
template <>
constinit const Component Described<PassthroughEncoder>::component{
    .name = "passthrough",
    .help = "The value as it is; of a category its number in the vocabulary.",
    .keys = kCommon};
template <>
constinit const Component Described<DenseEncoder>::component{
    .name = "dense", .help = "A stack of layers over the value.", .keys = kDense};
template <>
constinit const Component Described<PleEncoder>::component{
    .name = "ple",
    .help =
        "Piecewise linear: a column for each bin, 0 below it, 1 above it, linear within; then a linear "
        "layer.",
    .keys = kPle};
template <>
constinit const Component Described<PeriodicEncoder>::component{
    .name = "periodic",
    .help = "Sines and cosines of the value times learnt frequencies, then a linear layer.",
    .keys = kPeriodic};
template <>
constinit const Component Described<BinsEncoder>::component{
    .name = "bins", .help = "A learnt vector for each bin.", .keys = kBins};
template <>
constinit const Component Described<OneHotEncoder>::component{
    .name = "onehot", .help = "One column per entry of the vocabulary.", .keys = kWithVocab};
template <>
constinit const Component Described<EmbedEncoder>::component{
    .name = "dense", .help = "A learnt vector per entry of the vocabulary.", .keys = kEmbed};
template <>
constinit const Component Described<SparseEmbedEncoder>::component{
    .name = "sparse",
    .help = "A vector per entry, as long as the vocabulary; the identity unless told otherwise.",
    .keys = kSparse};
template <>
constinit const Component Described<HashEncoder>::component{
    .name = "hash",
    .help =
        "A learnt vector per bucket; a hash of the value says which, so values that training did not see "
        "have one too.",
    .keys = kHash};
template <>
constinit const Component Described<TargetEncoder>::component{
    .name = "target",
    .help =
        "The means of the targets over the training rows of the value; a training row does not count to "
        "its own.",
    .keys = kTarget};
template <>
constinit const Component Described<NumberInput>::component{
    .name = "number", .help = "Numbers.", .keys = kNumber};
template <>
constinit const Component Described<BinaryInput>::component{
    .name = "binary", .help = "Two values.", .keys = kBinary};
template <>
constinit const Component Described<CategoryInput>::component{
    .name = "category", .help = "One of several values.", .keys = kCategory};
template <>
constinit const Component Described<InputFeature>::component{.name = "input_features",
                                                             .help = "A column to predict from.",
                                                             .keys = kInput,
                                                             .finish = finish<name_column>};

}  // namespace shoestring::task
