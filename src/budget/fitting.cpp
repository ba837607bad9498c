#include "budget/fitting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "task/auto_values.h"
#include "task/network.h"
#include "task/pretrained.h"

namespace shoestring::budget {
namespace {

using task::Recipe;

constexpr int64_t kFewestRows = 16;  // of a step: below, a step's overhead is what one pays for

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

// The recipe as it was written and as it is by now.
struct Now {
  const Recipe &written, &recipe;
  int64_t training_rows;
  task::BatchSizes sizes() const { return task::batch_sizes(recipe.trainer, training_rows); }
};
struct Edit {
  std::optional<Change> (*make)(const Now&);
  bool has_price = false;  // in memory, once: more of it may save what a little does not
};

std::optional<Change> smaller_evaluation(const Now& now) {
  const Recipe& recipe = now.recipe;
  const int64_t rows = now.sizes().eval / 2;
  if (!now.written.trainer.eval_batch_size.is_auto() || rows < kFewestRows) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.eval_batch_size.value = rows;
  return Change{"evaluation", fmt::format("trainer.eval_batch_size: {}", rows), "none", std::move(changed)};
}

std::optional<Change> early(const Now& now) {
  const Recipe& recipe = now.recipe;
  if (!recipe.trainer.early_updates.is_auto() || !task::can_update_early(recipe) ||
      now.sizes().accumulation > 1)
    return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.early_updates.value = true;
  return Change{"updates", "trainer.early_updates: true", "a bad gradient stops one weight's update alone",
                std::move(changed)};
}

std::optional<Change> recompute(const Now& now) {
  const Recipe& recipe = now.recipe;
  if (!recipe.trainer.enable_gradient_checkpointing.is_auto()) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.enable_gradient_checkpointing.value = true;
  return Change{"recomputation", "trainer.enable_gradient_checkpointing: true",
                "at most the forward part once more", std::move(changed)};
}

std::optional<Change> stored(const Now& now) {
  const Recipe& recipe = now.recipe;
  if (!recipe.trainer.stored_activations.is_auto()) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.stored_activations.value = task::Stored::bfloat16;
  return Change{"activations", "trainer.stored_activations: bfloat16",
                "what the backward part reads is rounded", std::move(changed)};
}

std::optional<Change> accumulate(const Now& now) {
  const Recipe& recipe = now.recipe;
  const task::BatchSizes sizes = now.sizes();
  if (sizes.batch % 2 != 0 || sizes.batch / 2 < kFewestRows || sizes.batch >= now.training_rows ||
      now.written.trainer.early_updates.or_else(false))
    return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.early_updates =
      now.written.trainer.early_updates;  // accumulation needs all gradients at once
  changed.trainer.batch_size.value = sizes.batch / 2;
  changed.trainer.effective_batch_size.value = sizes.batch * sizes.accumulation;
  changed.trainer.gradient_accumulation_steps.value.reset();
  return Change{"accumulation",
                fmt::format("trainer.batch_size: {}, effective_batch_size: {}", sizes.batch / 2,
                            sizes.batch * sizes.accumulation),
                "smaller steps; batch norm, if any, sees fewer rows", std::move(changed)};
}

std::optional<Change> eight_bit(const Now& now) {
  const Recipe& recipe = now.recipe;
  const auto optimizer = in_eight_bits(recipe.trainer.optimizer);
  if (!optimizer) return std::nullopt;
  Recipe changed = recipe;
  changed.trainer.optimizer = *optimizer;
  return Change{"moments", "trainer.optimizer: the same with _8bit", "moments rounded to 8 bits",
                std::move(changed)};
}

std::optional<Change> smaller_batch(const Now& now) {
  const int64_t rows = now.sizes().batch / 2;
  if (!now.written.trainer.batch_size.is_auto() || now.written.trainer.effective_batch_size.value ||
      rows < kFewestRows)
    return std::nullopt;
  Recipe changed = now.recipe;
  changed.trainer.batch_size.value = rows;
  changed.trainer.effective_batch_size.value.reset();
  return Change{"batch", fmt::format("trainer.batch_size: {}", rows),
                "twice the updates, each of half the rows", std::move(changed)};
}

std::optional<Change> smaller_model(const Now& now) {
  auto narrower = task::narrower(now.written, now.recipe);
  if (!narrower) return std::nullopt;
  return Change{"model", std::move(narrower->sizes), "a smaller model", std::move(narrower->recipe)};
}

// Told, and taken by prepare_run() alone, where the rows cannot be in a file: it may cost many times the
// time.
std::optional<Change> without_features(const Now& now) {
  Recipe changed = now.recipe;
  std::string keys = task::forget_features(changed);
  if (keys.empty()) return std::nullopt;
  return Change{"features", std::move(keys), "every step runs the frozen encoder", std::move(changed)};
}

// Before anything was changed.
int64_t total_of(const Fitting& fitting) {
  int64_t total = fitting.total_bytes;
  for (const Choice& choice : fitting.choices) total += choice.saved_bytes;
  return total;
}

// The cheapest first.
constexpr Edit kEdits[] = {{smaller_evaluation}, {early},        {recompute},
                           {accumulate, true},   {stored},       {eight_bit},
                           {smaller_batch},      {smaller_model}};
constexpr Edit kWays[] = {
    {smaller_evaluation}, {early},         {recompute},        {accumulate, true}, {stored},
    {eight_bit},          {smaller_batch}, {without_features}, {smaller_model}};

struct Tried {
  Change change;
  int64_t total_bytes;
};
// The edit, made as often as it takes to save `least_bytes`; nothing where it cannot.
Result<std::optional<Tried>> saving(const Edit& edit, const Fitting& now, int64_t least_bytes,
                                    const Measure& measure) {
  task::Recipe recipe = now.asked.recipe;
  do {
    auto change = edit.make({now.asked.written, recipe, now.asked.training_rows});
    if (!change) break;
    const auto total = measure(change->recipe);
    if (!total) return fail(total.error());
    if (now.total_bytes - *total >= least_bytes) return Tried{std::move(*change), *total};
    recipe = std::move(change->recipe);
  } while (edit.has_price);
  return std::nullopt;
}

Result<Fitting> change_until(Asked asked, int64_t limit_bytes, const Measure& measure) {
  const auto before = measure(asked.recipe);
  if (!before) return fail(before.error());
  Fitting now{std::move(asked), {}, *before};
  // First what each change gives as long as it gives much; then, if that is not enough, all of it, and at
  // last a smaller model.
  for (const double worth : {0.04, 0.0})
    for (const Edit& edit : kEdits) {
      if (edit.make == smaller_model && worth > 0) continue;
      while (now.total_bytes > limit_bytes) {
        const auto least =
            std::max<int64_t>(static_cast<int64_t>(worth * static_cast<double>(now.total_bytes)), 1);
        auto tried = saving(edit, now, least, measure);
        if (!tried) return fail(tried.error());
        if (!*tried) break;
        auto& [change, total] = **tried;
        if (change.kind == "accumulation")  // which takes early updates back
          std::erase_if(now.choices, [](const Choice& c) { return c.kind == "updates"; });
        auto same = std::ranges::find(now.choices, change.kind, &Choice::kind);
        if (same == now.choices.end()) same = now.choices.insert(same, Choice{.kind = change.kind});
        same->change = std::move(change.key);
        same->price = std::move(change.price);
        same->saved_bytes += now.total_bytes - total;
        now.asked.recipe = std::move(change.recipe);
        now.total_bytes = total;
      }
    }
  return now;
}

}  // namespace

Result<Fitting> fit(Asked asked, int64_t limit_bytes, const Measure& measure,
                    std::span<const Smaller> smaller) {
  auto fitted = change_until(std::move(asked), limit_bytes, measure);
  if (!fitted) return fitted;
  const int64_t as_it_was = total_of(*fitted);
  for (const Smaller& one : smaller) {
    if (fitted->total_bytes <= limit_bytes) break;
    auto next = change_until({one.recipe, one.recipe, fitted->asked.training_rows}, limit_bytes, measure);
    if (!next) return next;
    next->choices.insert(next->choices.begin(), {.kind = "model",
                                                 .change = one.what,
                                                 .price = "a smaller model",
                                                 .saved_bytes = as_it_was - total_of(*next)});
    fitted = std::move(next);
  }
  return fitted;
}

Result<std::vector<WayOut>> ways_out(const Asked& asked, int64_t total_bytes,
                                     std::optional<int64_t> limit_bytes, const Measure& measure,
                                     size_t most) {
  constexpr double kWorthIt = 0.01;  // of what it takes now
  const auto least = std::max<int64_t>(static_cast<int64_t>(kWorthIt * static_cast<double>(total_bytes)), 1);
  const Fitting now{asked, {}, total_bytes};
  std::vector<WayOut> ways;
  for (const Edit& edit : kWays) {
    if (ways.size() == most) break;
    auto tried = saving(edit, now, least, measure);
    if (!tried) return fail(tried.error());
    if (!*tried) continue;
    auto& [change, total] = **tried;
    ways.push_back({std::move(change.key), human_bytes(total), std::move(change.price), Resource::memory,
                    static_cast<double>(total), !limit_bytes || total <= *limit_bytes});
  }
  return ways;
}

}  // namespace shoestring::budget
