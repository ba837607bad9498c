// Records of what networks are made of: layers, norms, initializers.
#include <fmt/format.h>

#include "task/keys.h"

namespace shoestring::task {
namespace {

Status read_layers(const Context& context, const Node& node, const Key&, void* value) {
  FcStack& stack = *static_cast<FcStack*>(value);
  stack.layers.clear();
  if (node.is_null()) {
    stack.layers = stack.alike();
    return {};
  }
  if (!node.is_list())
    return context.refuse(node.mark, context.path + " must be a list of layers",
                          "begin each layer with '- '");
  for (const Node& item : node.items) {
    FcLayer& layer = stack.layers.emplace_back(stack.around);
    if (Status read = read_component(context.in(std::to_string(stack.layers.size() - 1)), item,
                                     Described<FcLayer>::component, &layer);
        !read)
      return read;
  }
  stack.num_layers = std::ssize(stack.layers);
  return {};
}

// Null where the layers are what the keys beside them say.
Node write_layers(const void* value, const void* fallback) {
  const FcStack& stack = *static_cast<const FcStack*>(value);
  if (stack.layers == stack.alike()) return Node::null();
  Node list = Node::list();
  for (const FcLayer& layer : stack.layers)
    list.items.push_back(
        write_component(Described<FcLayer>::component, &layer, fallback ? &stack.around : nullptr));
  return list;
}

constexpr auto kFcLayer = layer_keys<>(kPlainNames);
constexpr const Component* kLayerComponents[] = {&Described<FcLayer>::component};

constexpr auto kNormParams = keys(
    key<&NormParams::eps>("eps", "Added to the variance before the root.").above(0),
    key<&NormParams::momentum>("momentum", "Batch norm: the share of a new batch in the running statistics.")
        .within(0, 1),
    refused("affine", "true"), refused("elementwise_affine", "true"), refused("track_running_stats", "true"));

constexpr auto kConstant = keys(key<&init::Constant::val>("val", "The value.").required());
constexpr auto kUniform =
    keys(key<&init::Uniform::a>("a", "Lower end."), key<&init::Uniform::b>("b", "Upper end."));
constexpr auto kNormal = keys(key<&init::Normal::mean>("mean", "Mean."),
                              key<&init::Normal::std>("std", "Standard deviation.").at_least(0));
constexpr auto kXavierUniform = keys(key<&init::XavierUniform::gain>("gain", "Factor of the spread."));
constexpr auto kXavierNormal = keys(key<&init::XavierNormal::gain>("gain", "Factor of the spread."));

template <class S>
constexpr auto kaiming_keys() {
  return keys(key<&S::a>("a", "Slope below zero of leaky_relu."),
              key<&S::mode>("mode", "Whether inputs or outputs of the layer keep their variance."),
              key<&S::nonlinearity>("nonlinearity", "What follows the layer, which sets the gain."));
}
constexpr auto kKaimingUniform = kaiming_keys<init::KaimingUniform>();
constexpr auto kKaimingNormal = kaiming_keys<init::KaimingNormal>();

constexpr auto kOrthogonal = keys(key<&init::Orthogonal::gain>("gain", "Length of the vectors."));
constexpr auto kSparse =
    keys(key<&init::Sparse::sparsity>("sparsity", "Share of each input's weights that is 0.")
             .within(0, 1)
             .required(),
         key<&init::Sparse::std>("std", "Standard deviation of the others.").at_least(0));

Status check_uniform(const Context& context, const Node& node, init::Uniform& uniform) {
  if (uniform.a <= uniform.b) return {};
  return context.refuse(node.mark,
                        fmt::format("{}: a is {}, above b, {}", context.path, uniform.a, uniform.b),
                        "give a at most b");
}

}  // namespace

constinit const ValueType TypeOf<FcStack>::value{.kind = ValueType::Kind::list,
                                                 .words = "list of layers",
                                                 .nullable = true,
                                                 .components = kLayerComponents,
                                                 .read = read_layers,
                                                 .write = write_layers,
                                                 .defaults = TypeOf<FcLayer>::defaults};

template <>
constinit const Component Described<FcLayer>::component{
    .name = "fc_layers",
    .help = "One fully connected layer: linear, norm, activation, dropout, in that order.",
    .keys = kFcLayer};
template <>
constinit const Component Described<NormParams>::component{
    .name = "norm_params", .help = "Parameters of a normalization.", .keys = kNormParams};
template <>
constinit const Component Described<init::Zeros>::component{.name = "zeros", .help = "All zero.", .keys = {}};
template <>
constinit const Component Described<init::Ones>::component{.name = "ones", .help = "All one.", .keys = {}};
template <>
constinit const Component Described<init::Constant>::component{
    .name = "constant", .help = "All one given value.", .keys = kConstant};
template <>
constinit const Component Described<init::Uniform>::component{.name = "uniform",
                                                              .help = "Uniform between two ends.",
                                                              .keys = kUniform,
                                                              .finish = finish<check_uniform>};
template <>
constinit const Component Described<init::Normal>::component{
    .name = "normal", .help = "Normal.", .keys = kNormal};
template <>
constinit const Component Described<init::XavierUniform>::component{
    .name = "xavier_uniform",
    .help = "Uniform within ±gain·√(6 / (fan_in + fan_out)).",
    .keys = kXavierUniform};
template <>
constinit const Component Described<init::XavierNormal>::component{
    .name = "xavier_normal",
    .help = "Normal with deviation gain·√(2 / (fan_in + fan_out)).",
    .keys = kXavierNormal};
template <>
constinit const Component Described<init::KaimingUniform>::component{
    .name = "kaiming_uniform", .help = "Uniform within ±gain·√(3 / fan).", .keys = kKaimingUniform};
template <>
constinit const Component Described<init::KaimingNormal>::component{
    .name = "kaiming_normal", .help = "Normal with deviation gain / √fan.", .keys = kKaimingNormal};
template <>
constinit const Component Described<init::Eye>::component{
    .name = "eye", .help = "The identity matrix.", .keys = {}};
template <>
constinit const Component Described<init::Identity>::component{
    .name = "identity", .help = "The identity matrix.", .keys = {}};
template <>
constinit const Component Described<init::Orthogonal>::component{
    .name = "orthogonal",
    .help = "Rows or columns, the fewer of them, orthogonal to each other.",
    .keys = kOrthogonal};
template <>
constinit const Component Described<init::Sparse>::component{
    .name = "sparse", .help = "Normal, with a share of zeros.", .keys = kSparse};

}  // namespace shoestring::task
