// What is trained where nobody says what: several small networks that see numbers in different ways, whose
// answers are blended on the validation rows. The settings are those of RealMLP (arXiv 2407.04491: the
// schedule, the optimizer's betas, the robust scale), of TabM (arXiv 2410.24210: the batch ensemble on
// piecewise-linear numbers) and of "On Embeddings for Numerical Features" (arXiv 2203.05556: periodic
// numbers), cut down to what a minute on two cores allows.
#include "task/default_recipe.h"

#include <fmt/format.h>

namespace shoestring::task {
namespace {

// Batch ensembles on smooth steps, fine and coarse: best where the answer bends, as numbers do.
constexpr std::string_view kForNumbers = R"(
ensemble:
  blend: validation
  members:
    - number_encoder: {{type: ple, num_bins: {bins}, output_size: 12}}
      combiner: {{type: concat, num_fc_layers: {layers}, output_size: {wide}, batch_ensemble: true, num_ensemble_members: 8}}
    - number_encoder: {{type: ple, num_bins: {more_bins}, output_size: 12}}
      combiner: {{type: concat, num_fc_layers: {layers}, output_size: {wide}, batch_ensemble: true, num_ensemble_members: 8}}
)";
// One such, and plain networks on quantiles in sharp waves, best where single values matter (ages, hours,
// codes), and in slow ones.
constexpr std::string_view kForClasses = R"(
ensemble:
  blend: validation
  members:
    - number_encoder: {{type: ple, num_bins: {bins}, output_size: 12}}
      combiner: {{type: concat, num_fc_layers: {layers}, output_size: {wide}, batch_ensemble: true, num_ensemble_members: 8}}
    - count: 2
      number_encoder: {{type: periodic, input: quantile, sigma: 8, num_frequencies: 24, output_size: 8, activation: relu, shared_layer: true}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: {narrow}, dropout: {dropout}}}
      learning_rate_factor: 0.7
    - number_encoder: {{type: periodic, input: quantile, sigma: 0.5, num_frequencies: 24, output_size: 8, activation: relu}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: {narrow}, dropout: {dropout}}}
      learning_rate_factor: 0.7
)";
// Where rows are few, a linear model too.
constexpr std::string_view kLinear = R"(
    - combiner: {type: concat, num_fc_layers: 0}
      learning_rate_factor: 2
)";
constexpr std::string_view kNetwork = R"(
combiner: {{type: concat, num_fc_layers: 2, output_size: {wide}}}
trainer:
  epochs: 256
  learning_rate: 0.003
  learning_rate_scheduler: {{decay: coslog}}
  learning_rate_factors: {{bias: 0.5}}
  optimizer: {{type: adamw, betas: [0.9, 0.95], weight_decay: {decay}}}
  decay_weights_only: true
  gradient_clipping: {{clipglobalnorm: 10}}
  early_stop: -1
  validation_field: combined
  validation_metric: loss
)";

}  // namespace

std::string default_recipe_text(int64_t rows, bool numbers) {
  const bool few = rows < 4000;
  const int wide = few ? 64 : 256, narrow = few ? 64 : 128;
  const int bins = few ? 16 : 48;
  const std::string network =
      fmt::format(kNetwork, fmt::arg("wide", wide), fmt::arg("decay", numbers ? 0.1 : 0.02));
  const std::string members =
      numbers ? fmt::format(kForNumbers, fmt::arg("bins", bins), fmt::arg("more_bins", 2 * bins),
                            fmt::arg("layers", few ? 2 : 3), fmt::arg("wide", wide))
              : fmt::format(kForClasses, fmt::arg("bins", bins), fmt::arg("layers", few ? 2 : 3),
                            fmt::arg("wide", wide), fmt::arg("narrow", narrow),
                            fmt::arg("dropout", few ? 0.3 : 0.15));
  return network + members + std::string(few ? kLinear.substr(1) : "");
}

}  // namespace shoestring::task
