#include "train/site.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "budget/machine_profile.h"

namespace shoestring::train {
namespace {

std::optional<Isa> isa_named(std::string_view name) {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::neon})
    if (to_string(isa) == name) return isa;
  return std::nullopt;
}

// Kernels for one kind of processor are compiled into a program, those of all its generations.
bool has_kernels(Isa isa) {
  return isa == Isa::scalar || (isa == Isa::neon) == (native_target().isa == Isa::neon);
}

// What an hour costs there.
std::optional<double> usd_an_hour(const task::Budget& budget, const Site& site,
                                  const budget::Prices& prices) {
  const double cores = target_of(site, budget).threads;
  return budget::cost_of({3600, cores, budget.memory_bytes.value_or(0)}, prices).usd;
}

}  // namespace

Result<std::shared_ptr<const MachineProfile>> machine_in(const std::string& path) {
  auto profile = budget::read_profile(path);
  if (!profile) return fail(profile.error());
  const auto isa = isa_named(profile->machine.isa);
  if (!isa || !has_kernels(*isa))
    return fail(ErrorKind::data,
                fmt::format("the machine has the instructions '{}', for which this program makes no plans",
                            profile->machine.isa),
                path, "plan with the program that measured it");
  return std::make_shared<const MachineProfile>(std::move(*profile));
}

Target target_of(const Site& site, const task::Budget& budget) {
  Target target = native_target();
  if (!site.elsewhere) return target;
  const int cores = std::max(1, site.elsewhere->machine.cores);
  target.isa = isa_named(site.elsewhere->machine.isa).value_or(Isa::scalar);
  target.threads = static_cast<int>(std::clamp<int64_t>(budget.cores.value_or(cores), 1, cores));
  return target;
}

Result<std::shared_ptr<const budget::Prices>> prices_at(const Site& site) {
  if (site.prices) return site.prices;
  auto prices = budget::load_prices({}, budget::cache_folder());
  if (!prices) return fail(prices.error());
  return std::make_shared<const budget::Prices>(std::move(*prices));
}

std::optional<int64_t> memory_limit(const task::Budget& budget, const Site& site) {
  int64_t most = kNoLimit;
  if (!site.elsewhere)
    most = read_limits().memory_bytes;
  else if (site.elsewhere->machine.memory_bytes > 0)
    most = site.elsewhere->machine.memory_bytes;
  if (most == kNoLimit) return budget.memory_bytes;
  return std::min(most, budget.memory_bytes.value_or(most));
}

std::optional<double> time_limit(const task::Budget& budget, const Site& site) {
  if (!budget.money_usd) return budget.time_seconds;
  const auto prices = prices_at(site);
  const auto an_hour = prices ? usd_an_hour(budget, site, **prices) : std::nullopt;
  if (!an_hour || *an_hour <= 0) return budget.time_seconds;
  const double bought = *budget.money_usd / *an_hour * 3600;
  return std::min(bought, budget.time_seconds.value_or(bought));
}

Status can_pay(const task::Budget& budget, const Site& site) {
  if (!budget.money_usd) return {};
  const auto prices = prices_at(site);
  if (!prices) return fail(prices.error());
  if (usd_an_hour(budget, site, **prices)) return {};
  return fail(ErrorKind::usage,
              fmt::format("no machine of the price list has {}{}, so money buys no time",
                          count_of(target_of(site, budget).threads, "core"),
                          budget.memory_bytes ? " and " + human_bytes(*budget.memory_bytes) : ""),
              "budget.money", "give a list that has one with --prices FILE, fewer cores, or budget.time");
}

budget::Machine described(const Site& site, const Target& target) {
  budget::Machine machine;
  if (site.elsewhere) {
    machine = {.name = budget::to_string(site.elsewhere->machine), .measured = site.elsewhere->measured};
    machine.here = false;
  } else {
    const budget::KnownMachine known = budget::load_or_built_in(target);
    machine = {.name = budget::to_string(known.profile->machine),
               .measured = known.path.empty() ? "" : known.profile->measured};
  }
  machine.threads = target.threads;
  return machine;
}

}  // namespace shoestring::train
