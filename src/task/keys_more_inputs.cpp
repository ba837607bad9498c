// Records of the inputs whose cells are more than one value: vectors, sets and bags of words, dates.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "task/keys.h"

namespace shoestring::task {

extern const Component kSetEmbed, kBagEmbed;

namespace {

constexpr NameList kStrategies[] = {"fill_with_const", "fill_with_mode", "bfill", "ffill", "drop_row"};
constexpr NameList kDateStrategies[] = {"fill_with_const", "bfill", "ffill", "drop_row"};
constexpr NameList kMissingHelp = "What a missing value becomes; drop_row leaves its row out.";

constexpr NameList kVectorNormalizations[] = {"null", "zscore"};
constexpr auto kVectorPreprocessing =
    keys(key<&VectorPreprocessing::vector_size>(
             "vector_size", "Numbers in each cell; null is as many as most training rows have.")
             .within(1, kMostLayerOutputs),
         key<&VectorPreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kStrategies),
         key<&VectorPreprocessing::fill_value>(
             "fill_value", "The value of fill_with_const, numbers parted by spaces; empty is zeros."),
         key<&VectorPreprocessing::normalization>(
             "normalization", "How each place's numbers are scaled; fitted on the training rows.")
             .choices(kVectorNormalizations));

constexpr auto kWordsPreprocessing =
    keys(key<&WordsPreprocessing::tokenizer>(
             "tokenizer",
             "How a cell is taken apart into words. A list as JSON or Python writes it is its words."),
         key<&WordsPreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kStrategies),
         key<&WordsPreprocessing::fill_value>("fill_value", "The cell of fill_with_const."),
         key<&WordsPreprocessing::lowercase>("lowercase", "Whether words are lowercased first."),
         key<&WordsPreprocessing::most_common>("most_common",
                                               "Entries of the vocabulary at most; rarer words are unknown.")
             .at_least(1));

constexpr auto kDatePreprocessing =
    keys(key<&DatePreprocessing::missing_value_strategy>("missing_value_strategy", kMissingHelp)
             .choices(kDateStrategies),
         key<&DatePreprocessing::fill_value>(
             "fill_value", "The date of fill_with_const; empty is the middle one of the training rows."),
         key<&DatePreprocessing::datetime_format>(
             "datetime_format", "How dates are written, as strptime has it; null finds out by looking."));

constexpr auto kCommon = keys(refused("skip", "false"), refused("adapter"));

constexpr NameList kVectorsHelp = "Length of a vector, at most the vocabulary's size.";
constexpr auto kWords = together(
    keys(key<&WordsEncoder::representation>(
             "representation",
             "dense: learnt vectors; sparse: vectors as long as the vocabulary, the identity at first."),
         key<&WordsEncoder::embedding_size>("embedding_size", kVectorsHelp).within(1, kMostLayerOutputs),
         key<&WordsEncoder::embeddings_trainable>("embeddings_trainable",
                                                  "Whether training changes the vectors."),
         noted("embeddings_on_cpu", "the vectors lie where the model does"), refused("pretrained_embeddings"),
         refused("vocab")),
    stack_keys<&WordsEncoder::stack>(kPlainNames), kCommon);
constexpr auto kBagWords =
    together(keys(key<&WordsEncoder::force_embedding_size>(
                 "force_embedding_size", "Whether a vector may be longer than the vocabulary is large.")),
             kWords);
using SetEmbed = Sole<WordsEncoder, kSetEmbed>;
using BagEmbed = Sole<WordsEncoder, kBagEmbed>;

constexpr auto kDateEmbed =
    together(keys(key<&DateEmbedEncoder::embedding_size>("embedding_size", "Length of each part's vectors.")
                      .within(1, kMostLayerOutputs),
                  noted("embeddings_on_cpu", "the vectors lie where the model does")),
             stack_keys<&DateEmbedEncoder::stack>(kPlainNames), kCommon);
constexpr auto kDateWave = together(stack_keys<&DateWaveEncoder::stack>(kPlainNames), kCommon);

constexpr NameList kPreprocessingHelp = "How raw values become numbers.";
constexpr NameList kEncoderHelp = "How a value becomes the columns that the combiner sees.";

constexpr auto kVector = keys(key<&VectorInput::preprocessing>("preprocessing", kPreprocessingHelp),
                              key<&VectorInput::encoder>("encoder", kEncoderHelp));
constexpr auto kSet = keys(key<&SetInput::preprocessing>("preprocessing", kPreprocessingHelp),
                           key<&SetInput::encoder>("encoder", kEncoderHelp).as(SetEmbed::value));
constexpr auto kBag = keys(key<&BagInput::preprocessing>("preprocessing", kPreprocessingHelp),
                           key<&BagInput::encoder>("encoder", kEncoderHelp).as(BagEmbed::value));
constexpr auto kDate = keys(key<&DateInput::preprocessing>("preprocessing", kPreprocessingHelp),
                            key<&DateInput::encoder>("encoder", kEncoderHelp));

// Why a tokenizer of the language is not supported; "" if it is none.
std::string_view unsupported_because(std::string_view tokenizer) {
  constexpr NameList kModels[] = {"sentencepiece", "clip", "gpt2bpe", "bert", "hf_tokenizer"};
  if (std::find(std::begin(kModels), std::end(kModels), tokenizer) != std::end(kModels))
    return "it cuts words into pieces by a model of its own";
  constexpr NameList kLanguages[] = {
      "english",   "italian",    "spanish", "german", "french",   "portuguese", "dutch",   "greek",
      "norwegian", "lithuanian", "danish",  "polish", "romanian", "japanese",   "chinese", "multi"};
  constexpr NameList kWays[] = {"_tokenize",  "_tokenize_filter",  "_tokenize_remove_stopwords",
                                "_lemmatize", "_lemmatize_filter", "_lemmatize_remove_stopwords"};
  for (const NameList language : kLanguages)
    for (const NameList way : kWays)
      if (tokenizer.starts_with(language) && tokenizer.substr(language.size()) == way)
        return "it needs a language's rules and word lists";
  return {};
}

Status read_tokenizer(const Context& context, const Node& node, const Key& key, void* value) {
  const std::string_view reason = node.is_scalar() ? unsupported_because(node.text) : std::string_view();
  if (!reason.empty())
    return context.refuse(node.mark,
                          fmt::format("{}: '{}' is not supported yet: {}", context.path, node.text, reason),
                          fmt::format("choose {}", joined(Words<data::Tokenizer>::names)));
  size_t index = 0;
  if (Status read = read_word(context, node, key, TypeOf<data::Tokenizer>::value, index); !read) return read;
  *static_cast<data::Tokenizer*>(value) = static_cast<data::Tokenizer>(index);
  return {};
}

Node write_tokenizer(const void* value, const void*) {
  return write_word(
      Words<data::Tokenizer>::names[static_cast<size_t>(*static_cast<const data::Tokenizer*>(value))]);
}

}  // namespace

constinit const ValueType TypeOf<data::Tokenizer>::value{.kind = ValueType::Kind::choice,
                                                         .words = "choice",
                                                         .choices = Words<data::Tokenizer>::names,
                                                         .later = Words<data::Tokenizer>::later,
                                                         .read = read_tokenizer,
                                                         .write = write_tokenizer};

constinit const Component kSetEmbed{
    .name = "embed",
    .help = "A vector per word, summed over the words of a row, then a stack of layers.",
    .keys = kWords};
constinit const Component kBagEmbed{.name = "embed",
                                    .help =
                                        "A vector per word, summed over the words of a row, each as often as "
                                        "it occurs, then a stack of layers.",
                                    .keys = kBagWords};
template <>
constinit const Component Described<DateEmbedEncoder>::component{
    .name = "embed",
    .help =
        "A learnt vector for each of month, day, weekday, day of the year, hour, minute and second, beside "
        "the "
        "year through a linear layer and the cosine and sine of the time of day; then a stack of layers.",
    .keys = kDateEmbed};
template <>
constinit const Component Described<DateWaveEncoder>::component{
    .name = "wave",
    .help =
        "The cosine and sine of each part of a date over its period, beside the year through a linear layer; "
        "then a stack of layers.",
    .keys = kDateWave};
template <>
constinit const Component Described<VectorPreprocessing>::component{
    .name = "preprocessing", .help = "Preprocessing of a column of vectors.", .keys = kVectorPreprocessing};
template <>
constinit const Component Described<WordsPreprocessing>::component{
    .name = "preprocessing",
    .help = "Preprocessing of a column of sets or bags of words.",
    .keys = kWordsPreprocessing};
template <>
constinit const Component Described<DatePreprocessing>::component{
    .name = "preprocessing", .help = "Preprocessing of a column of dates.", .keys = kDatePreprocessing};
template <>
constinit const Component Described<VectorInput>::component{
    .name = "vector", .help = "As many numbers in each cell.", .keys = kVector};
template <>
constinit const Component Described<SetInput>::component{
    .name = "set", .help = "Words in a cell, each there or not.", .keys = kSet};
template <>
constinit const Component Described<BagInput>::component{
    .name = "bag", .help = "Words in a cell, each so many times.", .keys = kBag};
template <>
constinit const Component Described<DateInput>::component{
    .name = "date", .help = "Dates, with a time of day or without.", .keys = kDate};

}  // namespace shoestring::task
