// Records of the optimizers.
#include <fmt/format.h>

#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr Range kBeta{.low = 0, .high = 1, .open_high = true};
constexpr NameList kAdded = "Times the weight, added to its gradient.",
                   kShrinks = "Shrinks a weight by this times the learning rate.",
                   kNotQuantized = "moments are kept as they are, in no blocks",
                   kNesterov = "Looks ahead by the momentum; needs momentum and no dampening.";

template <class S>
constexpr Key betas() {
  return key<&S::betas>("betas", "Shares of the old first and second moment that are kept.").in(kBeta);
}
template <class S>
constexpr Key eps(std::string_view help = "Added to the root of the second moment.") {
  return key<&S::eps>("eps", help).at_least(0);
}
template <class S>
constexpr Key weight_decay(std::string_view help = kAdded) {
  return key<&S::weight_decay>("weight_decay", help).at_least(0);
}

// What only moments of 8 bits have; the clipping is off at 100.
constexpr auto kOfQuantized = keys(noted("block_wise", kNotQuantized), refused("percentile_clipping", "100"));

constexpr auto kQuantized =
    keys(noted("block_wise", "moments are coded in blocks of 256"), refused("percentile_clipping", "100"));

template <class S>
constexpr auto sgd_keys() {
  return keys(key<&S::momentum>("momentum", "Share of the last step that is kept.").at_least(0),
              weight_decay<S>(),
              key<&S::dampening>("dampening", "Share of the gradient kept out of the momentum.").at_least(0),
              key<&S::nesterov>("nesterov", kNesterov));
}
constexpr auto kSgd = sgd_keys<Sgd>();
constexpr auto kSgd8 = together(sgd_keys<EightBit<Sgd>>(), kQuantized);

template <class S>
constexpr auto adam_keys(std::string_view decay) {
  return keys(betas<S>(), eps<S>(), weight_decay<S>(decay),
              key<&S::amsgrad>("amsgrad", "Divides by the greatest second moment so far."));
}
constexpr auto kAdam = adam_keys<Adam>(kAdded);
constexpr auto kAdamW = adam_keys<AdamW>(kShrinks);
constexpr auto kAdam8 = together(adam_keys<EightBit<Adam>>(kAdded), kQuantized);
constexpr auto kAdamW8 = together(adam_keys<EightBit<AdamW>>(kShrinks), kQuantized);
constexpr auto kPagedAdam8 = together(adam_keys<Paged<EightBit<Adam>>>(kAdded), kQuantized);
constexpr auto kPagedAdamW8 = together(adam_keys<Paged<EightBit<AdamW>>>(kShrinks), kQuantized);
constexpr auto kPagedAdam = together(adam_keys<Paged<Adam>>(kAdded), kOfQuantized);
constexpr auto kPagedAdamW = together(adam_keys<Paged<AdamW>>(kShrinks), kOfQuantized);

constexpr auto kAdamax =
    keys(betas<Adamax>(), eps<Adamax>("Added to the size of the gradient."), weight_decay<Adamax>());
constexpr auto kNadam =
    keys(betas<Nadam>(), eps<Nadam>(), weight_decay<Nadam>(),
         key<&Nadam::momentum_decay>("momentum_decay", "How fast the momentum grows to its full share.")
             .at_least(0));
constexpr auto kRadam = keys(betas<Radam>(), eps<Radam>(), weight_decay<Radam>());
template <class S>
constexpr auto lamb_keys() {
  return keys(
      key<&S::bias_correction>("bias_correction", "Whether moments are scaled up while they are young."),
      betas<S>(), eps<S>(), weight_decay<S>("Times the weight, added to its step."),
      key<&S::amsgrad>("amsgrad", "Divides by the greatest second moment so far."),
      key<&S::adam_w_mode>("adam_w_mode", "false adds the weight decay to the gradient instead."),
      key<&S::max_unorm>("max_unorm", "Norm of a step beside the weight's, before the learning rate; 0 is 1.")
          .within(0, 1));
}
constexpr auto kLamb = together(lamb_keys<Lamb>(), kOfQuantized);
constexpr auto kLamb8 = together(lamb_keys<EightBit<Lamb>>(), kQuantized);

constexpr auto kAdadelta =
    keys(key<&Adadelta::rho>("rho", "Share of the old averages that is kept.").within(0, 1),
         eps<Adadelta>("Added to both averages before their roots."), weight_decay<Adadelta>());
template <class S>
constexpr auto adagrad_keys() {
  return keys(
      key<&S::initial_accumulator_value>("initial_accumulator_value", "Where the sum of squares begins.")
          .at_least(0),
      key<&S::lr_decay>("lr_decay", "The rate at step t, from 0, is divided by 1 + t times this.")
          .at_least(0),
      weight_decay<S>(), eps<S>("Added to the root of the sum of squares."));
}
constexpr auto kAdagrad = adagrad_keys<Adagrad>();
constexpr auto kAdagrad8 = together(adagrad_keys<EightBit<Adagrad>>(), kQuantized);
template <class S>
constexpr auto rmsprop_keys() {
  return keys(key<&S::momentum>("momentum", "Share of the last step that is kept.").at_least(0),
              key<&S::alpha>("alpha", "Share of the old second moment that is kept.").within(0, 1), eps<S>(),
              key<&S::centered>("centered", "Divides by the deviation in its place."), weight_decay<S>());
}
constexpr auto kRmsProp = rmsprop_keys<RmsProp>();
constexpr auto kRmsProp8 = together(rmsprop_keys<EightBit<RmsProp>>(), kQuantized);
constexpr auto kAdafactor =
    keys(key<&Adafactor::lr>("lr", "The learning rate; null is trainer.learning_rate.").at_least(0),
         key<&Adafactor::scale_parameter>("scale_parameter",
                                          "Whether the rate is times a weight's root mean square."),
         key<&Adafactor::relative_step>("relative_step",
                                        "Whether step t has the rate 1/√t, at most 0.01, and no other."),
         key<&Adafactor::warmup_init>("warmup_init", "relative_step: at most 0.000001·t instead."));

template <class S>
constexpr auto lars_keys() {
  return keys(
      key<&S::momentum>("momentum", "Share of the last step that is kept.").within(0, 1),
      key<&S::dampening>("dampening", "Share of the gradient kept out of the momentum.").within(0, 1),
      weight_decay<S>(), key<&S::nesterov>("nesterov", kNesterov),
      key<&S::max_unorm>("max_unorm",
                         "Norm of a step beside the weight's, before learning rate and momentum; 0 is "
                         "plain sgd.")
          .within(0, 1));
}
constexpr auto kLars = together(lars_keys<Lars>(), keys(refused("percentile_clipping", "100")));
constexpr auto kLars8 = together(lars_keys<EightBit<Lars>>(), kQuantized);
template <class S>
constexpr auto lion_keys() {
  return keys(
      key<&S::betas>("betas",
                     "Shares of the momentum that are kept in a step's direction and for the next step.")
          .in(kBeta),
      weight_decay<S>(kShrinks));
}
constexpr auto kLion = together(lion_keys<Lion>(), kOfQuantized);
constexpr auto kPagedLion = together(lion_keys<Paged<Lion>>(), kOfQuantized);
constexpr auto kLion8 = together(lion_keys<EightBit<Lion>>(), kQuantized);
constexpr auto kPagedLion8 = together(lion_keys<Paged<EightBit<Lion>>>(), kQuantized);
constexpr auto kMuon = keys(
    key<&Muon::momentum>("momentum", "Share of the last direction that is kept.").within(0, 1),
    key<&Muon::nesterov>("nesterov", "Looks ahead by the momentum."),
    key<&Muon::ns_steps>("ns_steps",
                         "Newton-Schulz steps that make a direction orthogonal; three do for small networks.")
        .within(1, 100),
    key<&Muon::normalize_weights>(
        "normalize_weights",
        "Brings a matrix to the norm √outputs before each step, which is then learning_rate alone (0.24 is "
        "usual); else a step is times 0.2 √(longer side)."),
    key<&Muon::others>("others",
                       "What changes all else: biases, norms, embeddings, filters over pixels, last layers."),
    key<&Muon::others_learning_rate_factor>("others_learning_rate_factor",
                                            "Their learning rate is learning_rate times this.")
        .above(0),
    key<&Muon::others_weight_decay>("others_weight_decay", "Their weight decay, as adamw and sgd have it.")
        .at_least(0),
    key<&Muon::others_momentum>("others_momentum",
                                "Of sgd: share of the last step that is kept; looks ahead by it.")
        .in(kBeta));
constexpr auto kScheduleFree =
    keys(key<&ScheduleFreeAdamW::betas>("betas",
                                        "Share of the average in the weights that the gradient is taken at, "
                                        "and share of the old second moment that is kept.")
             .in(kBeta),
         weight_decay<ScheduleFreeAdamW>(kShrinks),
         key<&ScheduleFreeAdamW::warmup_steps>("warmup_steps", "Steps over which the rate rises from 0.")
             .at_least(0));

template <class S>
Status check_nesterov(const Context& context, const Node& node, S& o) {
  if (!o.nesterov || (o.momentum > 0 && o.dampening == 0)) return {};
  return context.refuse(node.find("nesterov")->mark,
                        context.path + ".nesterov needs a momentum above 0 and a dampening of 0",
                        "set momentum, or leave nesterov out");
}

Status check_adafactor(const Context& context, const Node& node, Adafactor& o) {
  if (o.relative_step && o.lr)
    return context.refuse(node.find("lr")->mark,
                          context.path + ".lr has no place beside relative_step, which sets the rate",
                          "set relative_step: false, or leave lr out");
  if (o.warmup_init && !o.relative_step)
    return context.refuse(node.find("warmup_init")->mark, context.path + ".warmup_init needs relative_step",
                          "set relative_step: true, or leave warmup_init out");
  if (o.relative_step && context.notes)
    context.notes->push_back(context.path + ": relative_step sets the rate in place of learning_rate");
  return {};
}

Status check_muon(const Context& context, const Node& node, Muon& o) {
  if (o.others == MuonOthers::sgd || o.others_momentum == Muon().others_momentum) return {};
  return context.refuse(node.find("others_momentum")->mark,
                        context.path + ".others_momentum has no place beside others: adamw",
                        "set others: sgd, or leave others_momentum out");
}

template <class S>
Status check_paged(const Context& context, const Node&, S&) {
  if (context.notes)
    context.notes->push_back(context.path + ": there is nothing to page: moments have their place in memory");
  return {};
}

Status read_optimizer(const Context& context, const Node& node, const Key& key, void* value) {
  const Entry* type = node.is_map() ? node.find("type") : nullptr;
  const Node& name = type ? type->value : node;
  if (name.is_scalar() && name.text == "lbfgs")
    return context.refuse(name.mark,
                          context.path +
                              ": type 'lbfgs' is not supported: it asks for the loss of all rows at "
                              "several weights within a step",
                          "choose adamw, or muon for wide layers");
  return TypeOf<OptimizerSpec>::read(context, node, key, value);
}
constexpr ValueType optimizer_type() {
  ValueType type = TypeOf<OptimizerSpec>::value;
  type.read = read_optimizer;
  return type;
}

}  // namespace

constinit const ValueType kOptimizer = optimizer_type();

template <>
constinit const Component Described<Adam>::component{.name = "adam", .help = "Adam.", .keys = kAdam};
template <>
constinit const Component Described<AdamW>::component{
    .name = "adamw", .help = "Adam with decoupled weight decay.", .keys = kAdamW};
template <>
constinit const Component Described<Sgd>::component{
    .name = "sgd",
    .help = "Stochastic gradient descent, with momentum if wanted.",
    .keys = kSgd,
    .finish = finish<check_nesterov<Sgd>>};
template <>
constinit const Component Described<Adadelta>::component{
    .name = "adadelta",
    .help = "Steps as large as the last ones were, for their gradients; learning_rate 1 is usual.",
    .keys = kAdadelta};
template <>
constinit const Component Described<Adagrad>::component{
    .name = "adagrad", .help = "Divides by the root of the sum of all squared gradients.", .keys = kAdagrad};
template <>
constinit const Component Described<Adamax>::component{
    .name = "adamax", .help = "Adam by the greatest gradient instead of the mean square.", .keys = kAdamax};
template <>
constinit const Component Described<Nadam>::component{
    .name = "nadam", .help = "Adam with Nesterov's look ahead.", .keys = kNadam};
template <>
constinit const Component Described<RmsProp>::component{
    .name = "rmsprop", .help = "Divides by the root of the mean of squared gradients.", .keys = kRmsProp};
template <>
constinit const Component Described<Lamb>::component{
    .name = "lamb",
    .help = "Adam with steps as large as the weights they change, for large batches.",
    .keys = kLamb};
template <>
constinit const Component Described<Lars>::component{
    .name = "lars",
    .help = "Momentum with steps as large as the weights they change, for large batches.",
    .keys = kLars,
    .finish = finish<check_nesterov<Lars>>};
template <>
constinit const Component Described<Lion>::component{
    .name = "lion",
    .help =
        "Steps of one size, by the sign of the momentum; wants a third to a tenth of Adam's learning_rate.",
    .keys = kLion};
template <>
constinit const Component Described<Radam>::component{
    .name = "radam", .help = "Adam that waits until its second moment can be trusted.", .keys = kRadam};
template <>
constinit const Component Described<Adafactor>::component{
    .name = "adafactor",
    .help = "Second moments of a matrix from its rows and columns: least memory.",
    .keys = kAdafactor,
    .finish = finish<check_adafactor>};
template <>
constinit const Component Described<ScheduleFreeAdamW>::component{
    .name = "schedule_free_adamw",
    .help = "AdamW whose average takes the place of a learning rate schedule.",
    .keys = kScheduleFree};
template <>
constinit const Component Described<Muon>::component{
    .name = "muon",
    .help = "Orthogonal steps for the matrices and filters between layers, AdamW or SGD for all else.",
    .keys = kMuon,
    .finish = finish<check_muon>};
template <>
constinit const Component Described<Paged<Adam>>::component{
    .name = "paged_adam", .help = "adam.", .keys = kPagedAdam, .finish = finish<check_paged<Paged<Adam>>>};
template <>
constinit const Component Described<Paged<AdamW>>::component{.name = "paged_adamw",
                                                             .help = "adamw.",
                                                             .keys = kPagedAdamW,
                                                             .finish = finish<check_paged<Paged<AdamW>>>};
template <>
constinit const Component Described<Paged<Lion>>::component{
    .name = "paged_lion", .help = "lion.", .keys = kPagedLion, .finish = finish<check_paged<Paged<Lion>>>};
template <>
constinit const Component Described<EightBit<Adam>>::component{
    .name = "adam_8bit", .help = "adam with moments in 8 bits, a quarter of their memory.", .keys = kAdam8};
template <>
constinit const Component Described<EightBit<AdamW>>::component{
    .name = "adamw_8bit",
    .help = "adamw with moments in 8 bits, a quarter of their memory.",
    .keys = kAdamW8};
template <>
constinit const Component Described<EightBit<Sgd>>::component{
    .name = "sgd_8bit",
    .help = "sgd with moments in 8 bits, a quarter of their memory.",
    .keys = kSgd8,
    .finish = finish<check_nesterov<EightBit<Sgd>>>};
template <>
constinit const Component Described<EightBit<Adagrad>>::component{
    .name = "adagrad_8bit",
    .help = "adagrad with moments in 8 bits, a quarter of their memory.",
    .keys = kAdagrad8};
template <>
constinit const Component Described<EightBit<RmsProp>>::component{
    .name = "rmsprop_8bit",
    .help = "rmsprop with moments in 8 bits, a quarter of their memory.",
    .keys = kRmsProp8};
template <>
constinit const Component Described<EightBit<Lamb>>::component{
    .name = "lamb_8bit", .help = "lamb with moments in 8 bits, a quarter of their memory.", .keys = kLamb8};
template <>
constinit const Component Described<EightBit<Lars>>::component{
    .name = "lars_8bit",
    .help = "lars with moments in 8 bits, a quarter of their memory.",
    .keys = kLars8,
    .finish = finish<check_nesterov<EightBit<Lars>>>};
template <>
constinit const Component Described<EightBit<Lion>>::component{
    .name = "lion_8bit", .help = "lion with moments in 8 bits, a quarter of their memory.", .keys = kLion8};
template <>
constinit const Component Described<Paged<EightBit<Adam>>>::component{
    .name = "paged_adam_8bit",
    .help = "The same as adam_8bit.",
    .keys = kPagedAdam8,
    .finish = finish<check_paged<Paged<EightBit<Adam>>>>};
template <>
constinit const Component Described<Paged<EightBit<AdamW>>>::component{
    .name = "paged_adamw_8bit",
    .help = "The same as adamw_8bit.",
    .keys = kPagedAdamW8,
    .finish = finish<check_paged<Paged<EightBit<AdamW>>>>};
template <>
constinit const Component Described<Paged<EightBit<Lion>>>::component{
    .name = "paged_lion_8bit",
    .help = "The same as lion_8bit.",
    .keys = kPagedLion8,
    .finish = finish<check_paged<Paged<EightBit<Lion>>>>};

}  // namespace shoestring::task
