// Records of the trainer: schedules, clipping, stopping. The optimizers' stand in keys_optimizers.cpp.
#include <fmt/format.h>

#include <cmath>

#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr auto kScheduler = keys(
    key<&LearningRateScheduler::decay>("decay",
                                       "How the learning rate falls from step to step; null keeps it."),
    key<&LearningRateScheduler::decay_rate>("decay_rate", "exponential: the factor over decay_steps.")
        .within(0, 1),
    key<&LearningRateScheduler::decay_steps>("decay_steps",
                                             "exponential: steps over which the factor applies once.")
        .at_least(1),
    key<&LearningRateScheduler::staircase>("staircase", "exponential: whether the rate falls in steps."),
    key<&LearningRateScheduler::reduce_on_plateau>(
        "reduce_on_plateau", "Times the rate is reduced when the metric stands still; 0 is never.")
        .at_least(0),
    key<&LearningRateScheduler::reduce_on_plateau_patience>(
        "reduce_on_plateau_patience", "Evaluations without improvement before a reduction.")
        .at_least(0),
    key<&LearningRateScheduler::reduce_on_plateau_rate>("reduce_on_plateau_rate",
                                                        "The factor of a reduction.")
        .within(0, 1),
    key<&LearningRateScheduler::warmup_evaluations>("warmup_evaluations",
                                                    "Evaluations over which the rate rises from 0.")
        .at_least(0),
    key<&LearningRateScheduler::warmup_fraction>("warmup_fraction",
                                                 "Share of all steps over which the rate rises from 0.")
        .within(0, 1),
    key<&LearningRateScheduler::reduce_eval_metric>("reduce_eval_metric",
                                                    "The metric that reduce_on_plateau watches."),
    key<&LearningRateScheduler::reduce_eval_split>("reduce_eval_split", "The split it is measured on."),
    key<&LearningRateScheduler::t_0>(
        "t_0", "cosine: steps before the first restart; null is the steps between checkpoints.")
        .at_least(1),
    key<&LearningRateScheduler::t_mult>("t_mult", "cosine: how many times longer each cycle is.").at_least(1),
    key<&LearningRateScheduler::eta_min>("eta_min", "cosine: the least rate.").within(0, 1),
    key<&LearningRateScheduler::max_lr>("max_lr", "one_cycle: the greatest rate; null is learning_rate.")
        .above(0),
    key<&LearningRateScheduler::pct_start>("pct_start",
                                           "one_cycle: share of the steps until the greatest rate.")
        .within(0, 1),
    key<&LearningRateScheduler::div_factor>("div_factor",
                                            "one_cycle: the greatest rate divided by this is the first.")
        .above(0),
    key<&LearningRateScheduler::final_div_factor>("final_div_factor",
                                                  "one_cycle: the first rate divided by this is the last.")
        .above(0),
    key<&LearningRateScheduler::inverse_sqrt_warmup_steps>(
        "inverse_sqrt_warmup_steps",
        "inverse_sqrt: the rate is divided by the root of the step, or of this while it is larger.")
        .at_least(1),
    key<&LearningRateScheduler::polynomial_power>("polynomial_power",
                                                  "polynomial: the power of the share of steps left.")
        .at_least(0),
    key<&LearningRateScheduler::polynomial_end_lr>("polynomial_end_lr", "polynomial: the last rate.")
        .at_least(0),
    key<&LearningRateScheduler::wsd_warmup_fraction>(
        "wsd_warmup_fraction", "wsd: share of the steps over which the rate rises from 0.")
        .within(0, 1),
    key<&LearningRateScheduler::wsd_stable_fraction>("wsd_stable_fraction",
                                                     "wsd: share of the steps over which the rate stays.")
        .within(0, 1),
    key<&LearningRateScheduler::wsd_decay_fraction>(
        "wsd_decay_fraction",
        "wsd: share of the steps over which the rate falls to 0; the three add up to 1.")
        .within(0, 1),
    key<&LearningRateScheduler::coslog_cycles>(
        "coslog_cycles", "coslog: times that the rate rises from 0 and falls back, each time slower.")
        .within(1, 60));

constexpr NameList kFactorHelp = "Learning rate of these parameters, relative to that of the weights.";
constexpr auto kFactors = keys(key<&LearningRateFactors::bias>("bias", kFactorHelp).at_least(0),
                               key<&LearningRateFactors::norm>("norm", kFactorHelp).at_least(0),
                               key<&LearningRateFactors::scale>("scale", kFactorHelp).at_least(0),
                               key<&LearningRateFactors::embedding>("embedding", kFactorHelp).at_least(0),
                               key<&LearningRateFactors::frequency>("frequency", kFactorHelp).at_least(0));

constexpr auto kClipping = keys(
    key<&GradientClipping::clipglobalnorm>("clipglobalnorm", "Greatest norm of all gradients together.")
        .above(0),
    key<&GradientClipping::clipnorm>("clipnorm", "Greatest norm of each gradient.").above(0),
    key<&GradientClipping::clipvalue>("clipvalue", "Greatest size of each element of a gradient.").above(0));

constexpr NameList kGrowing = "the batch does not grow on a plateau",
                   kPretraining = "there is no contrastive pretraining",
                   kBalance = "losses are summed by their weights";

// A name, or null for the usual one.
Status read_name_or_null(const Context& context, const Node& node, const Key& key, void* value) {
  std::string& name = *static_cast<std::string*>(value);
  if (!node.is_null()) return read_string(context, node, key, name);
  name.clear();
  return {};
}
Node write_name_or_null(const void* value, const void*) {
  const std::string& name = *static_cast<const std::string*>(value);
  return name.empty() ? Node::null() : Node::string(name);
}
constexpr ValueType kNameOrNull{.kind = ValueType::Kind::string,
                                .words = "string",
                                .nullable = true,
                                .read = read_name_or_null,
                                .write = write_name_or_null};

// eval_batch_size may be null too, which says the same as auto.
Status read_size_or_null(const Context& context, const Node& node, const Key& key, void* value) {
  if (!node.is_null()) return TypeOf<OrAuto<int64_t>>::read(context, node, key, value);
  static_cast<OrAuto<int64_t>*>(value)->value.reset();
  return {};
}
constexpr ValueType size_or_null() {
  ValueType type = TypeOf<OrAuto<int64_t>>::value;
  type.nullable = true;
  type.read = read_size_or_null;
  return type;
}
constexpr ValueType kSizeOrNull = size_or_null();

constexpr auto kTrainer = keys(
    key<&Trainer::epochs>(
        "epochs",
        "Passes over the training rows at most; auto is as many as fit budget.time, or about "
        "10s where there is none, and 256 at most.")
        .at_least(1)
        .common(),
    key<&Trainer::train_steps>("train_steps", "Steps at most; where set, it stands in place of epochs.")
        .at_least(1),
    key<&Trainer::batch_size>("batch_size",
                              "Rows of a step; auto is 256, at most a tenth of the rows, at least 2.")
        .within(1, kMostBatchRows)
        .common(),
    key<&Trainer::effective_batch_size>(
        "effective_batch_size", "Rows behind an update: batch_size times gradient_accumulation_steps.")
        .within(1, kMostBatchRows),
    key<&Trainer::gradient_accumulation_steps>("gradient_accumulation_steps",
                                               "Steps whose gradients are added up before an update.")
        .within(1, kMostBatchRows),
    key<&Trainer::max_batch_size>("max_batch_size", "Most rows that batch_size auto may choose.").at_least(1),
    key<&Trainer::eval_batch_size>("eval_batch_size",
                                   "Rows of an evaluation step; auto or null is batch_size.")
        .as(kSizeOrNull)
        .within(1, kMostBatchRows),
    key<&Trainer::learning_rate>(
        "learning_rate",
        "Size of a step; auto is chosen by the optimizer, the rows behind an update and the widest layer: "
        "0.002 for the family of adam at 256 rows and 256 outputs.")
        .above(0)
        .common(),
    key<&Trainer::learning_rate_scheduler>("learning_rate_scheduler", "How the learning rate changes."),
    key<&Trainer::learning_rate_factors>("learning_rate_factors",
                                         "Learning rates by what a parameter does in its layer."),
    key<&Trainer::decay_weights_only>("decay_weights_only",
                                      "Whether weight_decay leaves biases, norms and scales alone."),
    key<&Trainer::optimizer>("optimizer", "How gradients become steps.").as(kOptimizer).common(),
    key<&Trainer::gradient_clipping>("gradient_clipping", "Limits on gradients; null turns all off."),
    key<&Trainer::regularization_type>("regularization_type", "What of the weights is added to the loss."),
    key<&Trainer::regularization_lambda>("regularization_lambda", "How much of it; 0 is none.").within(0, 1),
    key<&Trainer::should_shuffle>("should_shuffle", "Whether rows come in a new order every epoch."),
    key<&Trainer::validation_field>(
        "validation_field", "The output whose metric picks the best model, or combined; null is the first.")
        .as(kNameOrNull),
    key<&Trainer::validation_metric>("validation_metric", "That metric; null is the output type's usual one.")
        .as(kNameOrNull),
    key<&Trainer::early_stop>("early_stop",
                              "Evaluations without improvement before training stops; -1 is never.")
        .at_least(-1)
        .common(),
    key<&Trainer::evaluate_training_set>("evaluate_training_set",
                                         "Whether metrics are also measured on the whole training split."),
    key<&Trainer::checkpoints_per_epoch>("checkpoints_per_epoch",
                                         "Evaluations and checkpoints an epoch; 0 is one.")
        .at_least(0),
    key<&Trainer::steps_per_checkpoint>("steps_per_checkpoint",
                                        "Steps between evaluations and checkpoints; 0 counts by epochs.")
        .at_least(0),
    refused("skip_all_evaluation", "false"), refused("eval_steps"), refused("enable_profiling", "false"),
    noted("profiler", "profiling is not on"), noted("compile", "every plan is compiled ahead of time"),
    noted("learning_rate_scaling", "one worker trains: there is nothing to scale"),
    refused("bucketing_field"),
    key<&Trainer::use_mixed_precision>("use_mixed_precision",
                                       "Large products of a training step take bf16 operands and sum in f32, "
                                       "where the machine is faster so; "
                                       "weights, norms, losses and updates stay f32."),
    key<&Trainer::enable_gradient_checkpointing>(
        "enable_gradient_checkpointing",
        "Values of the forward part are computed again where the backward part needs them, as few as it "
        "takes to fit "
        "the memory budget, without one as many as help; auto is where the budget asks for it."),
    key<&Trainer::early_updates>("early_updates",
                                 "Each weight is updated as soon as its gradient is there, so gradients need "
                                 "not wait for each other; a bad "
                                 "gradient then stops its own weight's update alone. Not with clipping by "
                                 "the global norm or accumulation; "
                                 "auto is where the budget asks for it."),
    key<&Trainer::stored_activations>("stored_activations",
                                      "What values of the forward part are kept as for the backward part; "
                                      "auto is float32, and bfloat16 where the "
                                      "budget asks for it."),
    refused("layers_to_freeze_regex"), refused("increase_batch_size_on_plateau", "0"),
    noted("increase_batch_size_on_plateau_patience", kGrowing),
    noted("increase_batch_size_on_plateau_rate", kGrowing),
    noted("increase_batch_size_eval_metric", kGrowing), noted("increase_batch_size_eval_split", kGrowing),
    refused("loss_balancing", "none"), noted("loss_balancing_alpha", kBalance),
    noted("loss_balancing_lr", kBalance), noted("loss_balancing_preference_vector", kBalance),
    noted("loss_balancing_tchebycheff_weight", kBalance), refused("contrastive_pretrain_epochs", "0"),
    noted("contrastive_pretrain_temperature", kPretraining),
    noted("contrastive_pretrain_projection_dim", kPretraining),
    noted("contrastive_pretrain_learnable_temperature", kPretraining), refused("modality_dropout", "0"),
    refused("model_soup"), noted("model_soup_top_k", "models are not averaged"));

// What a schedule does not heed is said; what it cannot mean is refused.
Status check_scheduler(const Context& context, const Node& node, LearningRateScheduler& s) {
  const double sum = s.wsd_warmup_fraction + s.wsd_stable_fraction + s.wsd_decay_fraction;
  if (s.decay == Decay::wsd && std::abs(sum - 1) > 1e-6)
    return context.refuse(node.mark,
                          fmt::format("{}: wsd_warmup_fraction, wsd_stable_fraction and wsd_decay_fraction "
                                      "add up to {:g}, not 1",
                                      context.path, sum),
                          "give three shares that add up to 1");
  if (context.notes && warms_up_itself(s.decay) && (s.warmup_fraction > 0 || s.warmup_evaluations > 0))
    context.notes->push_back(fmt::format(
        "{}: warmup_fraction and warmup_evaluations have no effect: decay {} brings its own warm-up",
        context.path, Words<Decay>::names[static_cast<size_t>(s.decay)]));
  if (context.notes && s.decay == Decay::inverse_sqrt)
    context.notes->push_back(
        fmt::format("{}: inverse_sqrt divides learning_rate by the root of the step, at "
                    "least by {:.4g}",
                    context.path, std::sqrt(static_cast<double>(s.inverse_sqrt_warmup_steps))));
  return {};
}

Status check_trainer(const Context& context, const Node& node, Trainer& trainer) {
  if (trainer.checkpoints_per_epoch > 0 && trainer.steps_per_checkpoint > 0)
    return context.refuse(node.find("steps_per_checkpoint")->mark,
                          context.path + " has both checkpoints_per_epoch and steps_per_checkpoint",
                          "keep one of them");
  const auto batch = trainer.batch_size.value, steps = trainer.gradient_accumulation_steps.value,
             effective = trainer.effective_batch_size.value;
  if (!effective) return {};
  const Mark mark = node.find("effective_batch_size")->mark;
  if (batch && steps && *batch != *effective / *steps)
    return context.refuse(
        mark,
        fmt::format("{}: effective_batch_size {} is not batch_size {} times gradient_accumulation_steps {}",
                    context.path, *effective, *batch, *steps),
        "leave one of the three out");
  for (const auto part : {batch, steps})
    if (part && *effective % *part != 0)
      return context.refuse(
          mark,
          fmt::format("{}: effective_batch_size {} is not a multiple of {}", context.path, *effective, *part),
          "give a multiple");
  return {};
}

constexpr const Component* kClippingComponents[] = {&Described<GradientClipping>::component};

Status read_clipping(const Context& context, const Node& node, const Key&, void* value) {
  if (!node.is_null()) return read_component(context, node, *kClippingComponents[0], value);
  *static_cast<GradientClipping*>(value) = {std::nullopt, std::nullopt, std::nullopt};
  return {};
}

Node write_clipping(const void* value, const void* fallback) {
  if (*static_cast<const GradientClipping*>(value) ==
      GradientClipping{std::nullopt, std::nullopt, std::nullopt})
    return Node::null();
  return write_component(*kClippingComponents[0], value, fallback);
}

const void* default_clipping(size_t) {
  static const GradientClipping plain;
  return &plain;
}

}  // namespace

constinit const ValueType TypeOf<GradientClipping>::value{.kind = ValueType::Kind::component,
                                                          .words = "map of keys",
                                                          .nullable = true,
                                                          .components = kClippingComponents,
                                                          .read = read_clipping,
                                                          .write = write_clipping,
                                                          .defaults = default_clipping};

template <>
constinit const Component Described<LearningRateScheduler>::component{
    .name = "learning_rate_scheduler",
    .help = "How the learning rate changes.",
    .keys = kScheduler,
    .finish = finish<check_scheduler>};
template <>
constinit const Component Described<LearningRateFactors>::component{
    .name = "learning_rate_factors",
    .help = "Learning rates by what a parameter does in its layer.",
    .keys = kFactors};
template <>
constinit const Component Described<GradientClipping>::component{
    .name = "gradient_clipping", .help = "Limits on gradients.", .keys = kClipping};
template <>
constinit const Component Described<Trainer>::component{.name = "trainer",
                                                        .help = "How the network is trained.",
                                                        .keys = kTrainer,
                                                        .finish = finish<check_trainer>};

}  // namespace shoestring::task
