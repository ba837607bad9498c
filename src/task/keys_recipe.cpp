// Records of the whole recipe: combiner, splits, and the parts at the top.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr auto kConcat = together(
    stack_keys<&ConcatCombiner::stack>(kPlainNames),
    keys(key<&ConcatCombiner::residual>("residual",
                                        "Whether a layer's input is added to its output where sizes agree."),
         key<&ConcatCombiner::scale_inputs>("scale_inputs",
                                            "Whether each column of its input has a learnt factor."),
         key<&ConcatCombiner::batch_ensemble>("batch_ensemble",
                                              "Whether the network is an ensemble whose members share all "
                                              "layers but their first factors and the "
                                              "last layers; the answer is the mean of theirs."),
         key<&ConcatCombiner::num_ensemble_members>("num_ensemble_members", "Members of the batch ensemble.")
             .within(1, 1024),
         noted("flatten_inputs", "what an encoder gives is one vector a row already")));

constexpr NameList kMemberEncoders[] = {"dense", "sparse", "onehot", "passthrough"};
constexpr auto kMember = keys(
    key<&EnsembleMember::count>("count", "So many members of this kind, each with first values of its own.")
        .within(1, 1000),
    key<&EnsembleMember::number_encoder>("number_encoder", "In the place of the encoders of number inputs."),
    key<&EnsembleMember::category_encoder>(
        "category_encoder",
        "In the place of the encoders of category inputs, but for target; a hash encoder's buckets are the "
        "feature's own.")
        .choices(kMemberEncoders),
    key<&EnsembleMember::combiner>("combiner", "In the place of the recipe's combiner."),
    key<&EnsembleMember::learning_rate_factor>("learning_rate_factor",
                                               "Its learning rate, relative to the trainer's.")
        .above(0));
constexpr auto kEnsemble = keys(
    key<&Ensemble::members>("members", "The kinds of members; none is the recipe's network alone."),
    key<&Ensemble::blend>(
        "blend", "How much each member's answer counts: equal, or what is best on the validation rows."));

constexpr NameList kSharesHelp = "Shares of training, validation and test, which add up to 1.";
constexpr Range kShare{.low = 0, .high = 1};
constexpr auto kRandom =
    keys(key<&RandomSplit::probabilities>("probabilities", kSharesHelp).in(kShare),
         key<&RandomSplit::per_row>("per_row",
                                    "A row's number alone decides, so that the table need not be in memory; "
                                    "the shares are then met but nearly."));
constexpr auto kFixed = keys(
    key<&FixedSplit::column>("column", "The column that says 0 (training), 1 (validation) or 2 (test)."));
// The keys of a split by a column.
template <class S>
constexpr auto column_split(NameList help) {
  return keys(key<&S::column>("column", help).required(),
              key<&S::probabilities>("probabilities", kSharesHelp).in(kShare));
}
constexpr auto kStratify =
    column_split<StratifySplit>("The column whose values have the same shares in every split.");
constexpr auto kDatetime = together(
    column_split<DatetimeSplit>("The column of dates, or of numbers, that says how old a row is."),
    keys(key<&DatetimeSplit::datetime_format>(
        "datetime_format", "How the dates are written, as strptime has it; null finds it by looking.")));
constexpr auto kHash =
    column_split<HashSplit>("The column whose value decides, by its CRC-32 and MurmurHash3's finalizer.");
constexpr auto kGroup =
    column_split<GroupSplit>("The column that says which rows belong together: a patient, a customer.");

constexpr auto kFold =
    keys(key<&FoldSplit::folds>("folds", "Parts that the rows are dealt into.").within(2, 1000),
         key<&FoldSplit::fold>("fold", "The part that tests, from 1.").within(1, 1000),
         key<&FoldSplit::stratify>("stratify", "A column whose values have the same shares in every part."),
         key<&FoldSplit::group>("group", "A column whose equal values stay in one part."),
         key<&FoldSplit::validation_share>("validation_share",
                                           "Share that validates of the rows that do not test.")
             .in({.low = 0, .high = 1, .open_high = true}));

constexpr auto kPreprocessing = keys(
    key<&Preprocessing::split>(
        "split", "How rows are split; null is by the column split if there is one, else random."),
    key<&Preprocessing::sample_ratio>("sample_ratio",
                                      "Share of the rows that is used at all, drawn at random.")
        .in({.low = 0, .high = 1, .open_low = true}),
    key<&Preprocessing::sample_size>("sample_size", "How many rows are used at all, drawn at random.")
        .at_least(1),
    key<&Preprocessing::in_memory>(
        "in_memory",
        "Whether all rows are held in memory; else they are encoded into a file and read through a buffer. "
        "auto: held where the memory budget, or the machine, has room for them."),
    key<&Preprocessing::window_rows>("window_rows",
                                     "Of rows that are not in memory, how many batches are drawn from at a "
                                     "time. auto: as many as the budget allows, 64 MiB at most.")
        .within(1, int64_t{1} << 32),
    key<&Preprocessing::oversample_minority>("oversample_minority",
                                             "Training rows of a rare class are repeated until they are this "
                                             "many for each row of the most frequent one.")
        .in({.low = 0, .high = 1, .open_low = true}),
    key<&Preprocessing::undersample_majority>(
        "undersample_majority",
        "Training rows of frequent classes are left out until the rarest has this many for each of theirs.")
        .in({.low = 0, .high = 1, .open_low = true}),
    noted("global_max_sequence_length", "there are no sequences"));

constexpr NameList kLaterCombiners[] = {
    "comparator", "cross_attention",   "ft_transformer", "gated_fusion",    "hypernetwork",
    "perceiver",  "project_aggregate", "sequence",       "sequence_concat", "tabnet",
    "tabpfn_v2",  "tabtransformer",    "transformer"};

constexpr auto kRecipe = keys(
    refused("model_type", "ecd"), key<&Recipe::inputs>("input_features", "What to predict from.").required(),
    key<&Recipe::outputs>("output_features", "What to predict.").required(),
    key<&Recipe::combiner>("combiner", "How the encoders' outputs become one vector a row.")
        .later(kLaterCombiners)
        .common(),
    key<&Recipe::preprocessing>("preprocessing", "What is done to the table as a whole."),
    key<&Recipe::trainer>("trainer", "How the network is trained.").common(),
    key<&Recipe::ensemble>("ensemble", "Several networks that are trained side by side and answer as one."),
    Key{.name = "defaults",
        .help = "By type of feature: preprocessing, encoder, decoder and loss of every feature of that type, "
                "under what the feature says itself.",
        .state = State::folded},
    noted("ludwig_version", "the language is the same from version to version"), refused("backend"),
    refused("hyperopt"), key<&Recipe::budget>("budget", "What may be spent."), refused("base_model"),
    refused("prompt"), refused("generation"), refused("adapter"), refused("quantization"),
    refused("model_parameters"));

template <class S>
Status check_shares(const Context& context, const Node& node, S& split) {
  const Probabilities& p = split.probabilities;
  const Entry* written = node.find("probabilities");
  if (std::abs(p[0] + p[1] + p[2] - 1) > 1e-6)
    return context.refuse(
        written->value.mark,
        fmt::format("{}.probabilities add up to {:g}, not 1", context.path, p[0] + p[1] + p[2]),
        "give three shares that add up to 1");
  if (p[0] <= 0)
    return context.refuse(written->value.mark, context.path + ".probabilities leave no rows to train on",
                          "give a first share above 0");
  return {};
}

Status check_sampling(const Context& context, const Node& node, Preprocessing& p) {
  const auto both = [&](NameList a, NameList b) {
    return context.refuse(node.find(b)->value.mark,
                          fmt::format("{}: {} and {} are both given", context.path, a, b),
                          "keep one of them");
  };
  if (p.sample_size && p.sample_ratio != 1) return both("sample_ratio", "sample_size");
  if (p.oversample_minority && p.undersample_majority)
    return both("oversample_minority", "undersample_majority");
  if (p.window_rows.value && p.in_memory.or_else(false))
    return context.refuse(node.find("window_rows")->value.mark,
                          context.path + ": there is no window_rows where all rows are in memory",
                          "leave it out, or write in_memory: false");
  return {};
}

Status check_fold(const Context& context, const Node& node, FoldSplit& split) {
  if (split.fold > split.folds)
    return context.refuse(node.find("fold") ? node.find("fold")->value.mark : node.mark,
                          fmt::format("{}: there is no fold {} of {}", context.path, split.fold, split.folds),
                          "folds are counted from 1");
  if (split.stratify && split.group)
    return context.refuse(node.find("group")->value.mark,
                          context.path + ": stratify and group are both given", "give one of them");
  return {};
}

}  // namespace

template <>
constinit const Component Described<ConcatCombiner>::component{
    .name = "concat", .help = "The encoders' outputs side by side, then a stack of layers.", .keys = kConcat};
template <>
constinit const Component Described<RandomSplit>::component{.name = "random",
                                                            .help = "Rows are dealt out at random.",
                                                            .keys = kRandom,
                                                            .finish = finish<check_shares<RandomSplit>>};
template <>
constinit const Component Described<FixedSplit>::component{
    .name = "fixed", .help = "A column says which split a row belongs to.", .keys = kFixed};
template <>
constinit const Component Described<StratifySplit>::component{
    .name = "stratify",
    .help = "Random, with the same shares of each value of a column.",
    .keys = kStratify,
    .finish = finish<check_shares<StratifySplit>>};
template <>
constinit const Component Described<DatetimeSplit>::component{
    .name = "datetime",
    .help = "The oldest rows train, the newest test.",
    .keys = kDatetime,
    .finish = finish<check_shares<DatetimeSplit>>};
template <>
constinit const Component Described<HashSplit>::component{
    .name = "hash",
    .help = "A hash of the row's value decides, whatever the other rows are: more rows change no split.",
    .keys = kHash,
    .finish = finish<check_shares<HashSplit>>};
template <>
constinit const Component Described<GroupSplit>::component{
    .name = "group",
    .help = "Random, with all rows of one value of a column in one split.",
    .keys = kGroup,
    .finish = finish<check_shares<GroupSplit>>};
template <>
constinit const Component Described<FoldSplit>::component{
    .name = "fold",
    .help = "One fold of a cross-validation; experiment --k_fold trains on each.",
    .keys = kFold,
    .finish = finish<check_fold>};
template <>
constinit const Component Described<Preprocessing>::component{.name = "preprocessing",
                                                              .help = "What is done to the table as a whole.",
                                                              .keys = kPreprocessing,
                                                              .finish = finish<check_sampling>};
template <>
constinit const Component Described<EnsembleMember>::component{
    .name = "members", .help = "A member: the recipe's network, but for what stands here.", .keys = kMember};
template <>
constinit const Component Described<Ensemble>::component{
    .name = "ensemble",
    .help = "Networks that are trained side by side, in one model file.",
    .keys = kEnsemble};
template <>
constinit const Component Described<Recipe>::component{
    .name = "recipe", .help = "The whole recipe.", .keys = kRecipe};

const Component& recipe_component() { return Described<Recipe>::component; }

}  // namespace shoestring::task
