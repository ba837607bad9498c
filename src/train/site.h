// Where a run takes place and what it costs there: on this machine, at the usual prices, unless plan is
// asked about others.
#pragma once

#include <memory>
#include <optional>

#include "budget/ledger.h"
#include "budget/prices.h"
#include "compile/compile.h"
#include "compile/machine.h"
#include "task/recipe.h"

namespace shoestring::train {

struct Site {
  std::shared_ptr<const MachineProfile> elsewhere = {};  // another machine; null: this one
  std::shared_ptr<const budget::Prices> prices = {};     // null: as budget::load_prices() finds them
};

// The machine of a profile that was saved on it. ErrorKind::data as budget::read_profile(), and where its
// instructions are such that this program makes no plans for them.
Result<std::shared_ptr<const MachineProfile>> machine_in(const std::string& path);

// What plans are compiled for there: as many threads as it has cores, or the budget's.
Target target_of(const Site& site, const task::Budget& budget);

// ErrorKind::data where a list that is to be found is broken.
Result<std::shared_ptr<const budget::Prices>> prices_at(const Site& site);

// What the process may hold there: by the budget and by the control groups that it is in, or by another
// machine's memory.
std::optional<int64_t> memory_limit(const task::Budget& budget, const Site& site);

// The seconds that may be spent: by the budget's time, and by its money at the price of the cheapest machine
// with as many cores. can_pay() says why money that is given buys none.
std::optional<double> time_limit(const task::Budget& budget, const Site& site);
Status can_pay(const task::Budget& budget, const Site& site);

// Which machine it is, for the ledger.
budget::Machine described(const Site& site, const Target& target);

}  // namespace shoestring::train
