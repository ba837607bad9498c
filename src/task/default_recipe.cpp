// What is trained where nobody says what: several small networks that see numbers in different ways, whose
// answers are blended on the validation rows. The settings are those of RealMLP (arXiv 2407.04491: the
// schedule, the optimizer's betas, the robust scale), of TabM (arXiv 2410.24210: the batch ensemble on
// piecewise-linear numbers) and of "On Embeddings for Numerical Features" (arXiv 2203.05556: periodic
// numbers), cut down to what a minute on two cores allows.
#include "task/default_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace shoestring::task {
namespace {

// Batch ensembles on smooth steps, fine and coarse: best where the answer bends, as numbers do. Narrow
// members that learn fast do better in a minute than wide ones, which pay only where there is much time.
constexpr std::string_view kForNumbers = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 48, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
    - number_encoder: {{type: ple, num_bins: 96, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
    - number_encoder: {{type: ple, num_bins: 24, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
    - number_encoder: {{type: ple, num_bins: 48, output_size: {wide_embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
)";
// Two of them.
constexpr std::string_view kTwoForNumbers = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 48, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
    - number_encoder: {{type: ple, num_bins: 24, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: {width}, batch_ensemble: true, num_ensemble_members: {heads}}}
      learning_rate_factor: {pace}
)";
// One such, and plain networks on quantiles in sharp waves, best where single values matter (ages, hours,
// codes), and in slow ones.
constexpr std::string_view kForClasses = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 48, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 3, output_size: 256, batch_ensemble: true, num_ensemble_members: 8}}
    - count: 2
      number_encoder: {{type: periodic, input: quantile, sigma: 8, num_frequencies: 24, output_size: {waves}, activation: relu, shared_layer: true}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128, dropout: 0.15}}
      learning_rate_factor: 0.7
    - number_encoder: {{type: periodic, input: quantile, sigma: 0.5, num_frequencies: 24, output_size: {waves}, activation: relu}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128, dropout: 0.15}}
      learning_rate_factor: 0.7
)";
// Where the time is not enough for those: narrower, and fewer of them.
constexpr std::string_view kForNumbersSoon = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 48, output_size: {waves}}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128}}
    - number_encoder: {{type: ple, num_bins: 24, output_size: {waves}}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128}}
)";
constexpr std::string_view kForClassesSoon = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 48, output_size: {waves}}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128, batch_ensemble: true, num_ensemble_members: 4}}
    - number_encoder: {{type: periodic, input: quantile, sigma: 8, num_frequencies: 24, output_size: {waves}, activation: relu, shared_layer: true}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128, dropout: 0.15}}
      learning_rate_factor: 0.7
)";
// And where it is hardly enough to see every row.
constexpr std::string_view kAtOnce = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 24, output_size: 4}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 64}}
    - combiner: {{type: concat, num_fc_layers: 2, output_size: 64}}
)";
// Of few rows a network learns little about single values: half of the members see the numbers as they are,
// one of them is linear. Dropout helps with classes; with numbers, whose spread it changes, it harms.
constexpr std::string_view kForFewNumbers = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 16, output_size: {embedding}}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 64, batch_ensemble: true, num_ensemble_members: 8}}
    - combiner: {{type: concat, num_fc_layers: 2, output_size: 64, batch_ensemble: true, num_ensemble_members: 8}}
    - combiner: {{type: concat, num_fc_layers: 0}}
      learning_rate_factor: 2
)";
constexpr std::string_view kForFewClasses = R"(
ensemble:
  members:
    - number_encoder: {{type: ple, num_bins: 16, output_size: 4}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 64, batch_ensemble: true, num_ensemble_members: 8}}
    - count: 2
      combiner: {{type: concat, num_fc_layers: 2, output_size: 128, dropout: 0.2}}
    - number_encoder: {{type: periodic, input: quantile, sigma: 0.5, num_frequencies: 16, output_size: 4, activation: relu}}
      combiner: {{type: concat, num_fc_layers: 2, output_size: 64, dropout: 0.3}}
      learning_rate_factor: 0.7
    - combiner: {{type: concat, num_fc_layers: 0}}
      learning_rate_factor: 2
)";
constexpr std::string_view kNetwork = R"(
combiner: {{type: concat, num_fc_layers: 2, output_size: 64}}
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

// Members by size, the largest first, and about what a training step takes for a row of theirs. (Narrow ones
// take more time than their FLOP say, and want more passes over the rows.)
struct Members {
  double flop_of_row;
  std::string_view text;
  int width = 0, heads = 0, pace = 0;  // of the batch ensembles for numbers
};
constexpr Members kOfNumbers[] = {{100e6, kForNumbers, 128, 16, 4},
                                  {12e6, kForNumbers, 64, 8, 8},
                                  {4e6, kTwoForNumbers, 64, 8, 4},
                                  {0.4e6, kForNumbersSoon},
                                  {0, kAtOnce}};
constexpr Members kOfClasses[] = {{10e6, kForClasses}, {1.2e6, kForClassesSoon}, {0, kAtOnce}};

constexpr Members kOfFewNumbers[] = {{0, kForFewNumbers}, {0, kAtOnce}};
constexpr Members kOfFewClasses[] = {{0, kForFewClasses}, {0, kAtOnce}};

// From the largest that see enough, each row often, or of many rows many.
std::span<const Members> members_for(const TableSize& table, bool numbers, double flop) {
  constexpr int64_t kFewRows = 4000;
  constexpr double kEpochs = 16, kRows = 500'000;
  if (table.rows < kFewRows) return numbers ? std::span<const Members>(kOfFewNumbers) : kOfFewClasses;
  const auto all = numbers ? std::span<const Members>(kOfNumbers) : kOfClasses;
  const double seen = std::min(kEpochs * static_cast<double>(table.rows), kRows);
  const auto first =
      std::ranges::find_if(all, [&](const Members& m) { return seen * m.flop_of_row <= flop; });
  return all.subspan(static_cast<size_t>(first - all.begin()));
}

}  // namespace

std::vector<std::string> default_recipe_texts(const TableSize& table, bool numbers, double flop) {
  // What a first layer reads stays of one size, however many columns there are.
  const auto of_each = [&](int64_t most) {
    constexpr int64_t kAllTogether = 320, kLeast = 2;
    return std::clamp(kAllTogether / std::max<int64_t>(table.numbers, 1), kLeast, most);
  };
  std::vector<std::string> texts;
  for (const Members& members : members_for(table, numbers, flop))
    texts.push_back(fmt::format(kNetwork, fmt::arg("decay", numbers ? 0.1 : 0.02)) +
                    fmt::format(fmt::runtime(members.text), fmt::arg("embedding", of_each(12)),
                                fmt::arg("wide_embedding", of_each(24)), fmt::arg("waves", of_each(8)),
                                fmt::arg("width", members.width), fmt::arg("heads", members.heads),
                                fmt::arg("pace", members.pace)));
  return texts;
}

}  // namespace shoestring::task
