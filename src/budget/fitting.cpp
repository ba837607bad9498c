#include "budget/fitting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace shoestring::budget {
namespace {

using task::Recipe;

constexpr int64_t kFewestRows = 16;  // of a step: below, a step's overhead is what one pays for

bool has_batch_norm(const Recipe& recipe) {
  return task::render(recipe).find("norm: batch") != std::string::npos;
}

template <class T, class V>
inline constexpr bool kIsOneOf = false;
template <class T, class... Ts>
inline constexpr bool kIsOneOf<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

// The same optimizer with moments in 8 bits; nothing where there is none.
std::optional<task::OptimizerSpec> in_eight_bits(const task::OptimizerSpec& optimizer) {
  return std::visit(
      []<class O>(const O& now) -> std::optional<task::OptimizerSpec> {
        if constexpr (kIsOneOf<model::EightBit<O>, task::OptimizerSpec>)
          return model::EightBit<O>{now};
        else
          return std::nullopt;
      },
      optimizer);
}

using Edit = std::optional<Change> (*)(const Recipe&, int64_t training_rows);

std::optional<Change> accumulate(const Recipe& recipe, int64_t training_rows) {
  const task::BatchSizes now = task::batch_sizes(recipe.trainer, training_rows);
  if (now.batch % 2 != 0 || now.batch / 2 < kFewestRows || now.batch >= training_rows) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.batch_size.value = now.batch / 2;
  changed.trainer.effective_batch_size.value = now.batch * now.accumulation;
  changed.trainer.gradient_accumulation_steps.value.reset();
  return Change{"accumulation",
                fmt::format("trainer.batch_size: {}, effective_batch_size: {}", now.batch / 2,
                            now.batch * now.accumulation),
                has_batch_norm(recipe) ? "smaller steps; batch norm sees fewer rows" : "smaller steps",
                std::move(changed)};
}

std::optional<Change> eight_bit(const Recipe& recipe, int64_t) {
  const auto optimizer = in_eight_bits(recipe.trainer.optimizer);
  if (!optimizer) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.optimizer = *optimizer;
  return Change{"moments", "trainer.optimizer: the same with _8bit", "moments rounded to 8 bits",
                std::move(changed)};
}

std::optional<Change> smaller_batch(const Recipe& recipe, int64_t training_rows) {
  const task::BatchSizes now = task::batch_sizes(recipe.trainer, training_rows);
  if (!recipe.trainer.batch_size.is_auto() || recipe.trainer.effective_batch_size.value ||
      now.batch / 2 < kFewestRows)
    return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.batch_size.value = now.batch / 2;
  return Change{"batch", fmt::format("trainer.batch_size: {}", now.batch / 2),
                "twice the updates, each of half the rows", std::move(changed)};
}

// The cheapest first.
constexpr Edit kEdits[] = {accumulate, eight_bit, smaller_batch};

}  // namespace

std::vector<Change> changes(const Recipe& recipe, int64_t training_rows) {
  std::vector<Change> all;
  for (const Edit edit : kEdits)
    if (auto change = edit(recipe, training_rows)) all.push_back(std::move(*change));
  return all;
}

Result<Fitting> fit(const Recipe& recipe, int64_t training_rows, int64_t limit_bytes,
                    const Measure& measure) {
  const auto before = measure(recipe);
  if (!before) return fail(before.error());
  Fitting now{recipe, {}, *before};
  // First what each change gives as long as it gives much; then, if that is not enough, all of it.
  for (const double worth : {0.04, 0.0})
    for (const Edit edit : kEdits) {
      while (now.total_bytes > limit_bytes) {
        auto change = edit(now.recipe, training_rows);
        if (!change) break;
        const auto total = measure(change->recipe);
        if (!total) return fail(total.error());
        const int64_t saved = now.total_bytes - *total;
        if (saved <= 0 || static_cast<double>(saved) < worth * static_cast<double>(now.total_bytes)) break;
        auto same = std::ranges::find(now.choices, change->kind, &Choice::kind);
        if (same == now.choices.end()) same = now.choices.insert(same, Choice{.kind = change->kind});
        same->change = std::move(change->key);
        same->price = std::move(change->price);
        same->saved_bytes += saved;
        now.recipe = std::move(change->recipe);
        now.total_bytes = *total;
      }
    }
  return now;
}

Result<std::vector<WayOut>> ways_out(const Recipe& recipe, int64_t training_rows, int64_t total_bytes,
                                     std::optional<int64_t> limit_bytes, const Measure& measure,
                                     size_t most) {
  std::vector<WayOut> ways;
  for (const Change& change : changes(recipe, training_rows)) {
    const auto total = measure(change.recipe);
    if (!total) return fail(total.error());
    constexpr double kWorthIt = 0.99;
    if (static_cast<double>(*total) > kWorthIt * static_cast<double>(total_bytes)) continue;
    ways.push_back(
        {change.key, human_bytes(*total), change.price, *total, !limit_bytes || *total <= *limit_bytes});
    if (ways.size() == most) break;
  }
  return ways;
}

}  // namespace shoestring::budget
