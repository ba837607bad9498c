// What a service takes, before it takes any of it: `plan serve` prints it, `serve` keeps to it.
//
//   auto plan = plan_serve(request);            // loads and compiles nothing for good
//   if (!plan->fits) return report(plan->fits.error());     // exit code 4
//   Models models(plan->live);  …serve with plan->connections and plan->max_body…
//
// The most that the process holds is the sum of the lines: VmHWM is never above it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "budget/ledger.h"
#include "serve/live_model.h"
#include "task/recipe.h"

namespace shoestring::serve {

// What HTTP takes, which its owner knows.
struct HttpCosts {
  int64_t process = 0;         // its module and libraries, threads and logs
  int64_t connection = 0;      // of each, beside the body and the answer
  double request_seconds = 0;  // of a request, beside its reading and answering: parsing headers, the kernel
};

struct ServePlanRequest {
  struct Model {
    std::string name, path;
  };
  std::vector<Model> models;
  task::Budget budget = {};  // memory and cores; money: prices as of `plan` (budget/prices.h)
  std::string prices = {};   // a file of prices
  LiveOptions live = {};
  // Absent: chosen, at most kMostConnections and kMostBody, as the memory allows.
  std::optional<int64_t> connections = {}, max_body = {};
  // Bodies and answers of all connections together: a body that finds no room waits, or gets 503.
  std::optional<int64_t> body_bytes = {};
  bool swaps = true;  // keep room for a second copy of the largest model, so that it can be replaced
  HttpCosts http = {};
};
inline constexpr int64_t kMostConnections = 1024, kMostBody = 8 << 20;

struct ServePlan {
  // What to serve with.
  LiveOptions live = {};
  int64_t connections = 0, max_body = 0, body_bytes = 0;

  std::vector<budget::MemoryLine> lines = {};
  int64_t total_bytes = 0;
  budget::Machine machine = {};
  // Of the first model, one row a request, on one core beside the one that asks: as many as it answers with a
  // 99th percentile of p99_seconds.
  double requests_per_second = 0, p99_seconds = 0;
  std::optional<double> usd_per_million = {};
  std::string priced_as = {};
  std::vector<budget::Choice> choices = {};  // what was made smaller so that it fits
  Status fits = {};                          // ErrorKind::budget with the least that would do
};

// Fails as LiveModel::load does.
Result<ServePlan> plan_serve(const ServePlanRequest& request);

std::string to_json(const ServePlan& plan, int indent = 2);

}  // namespace shoestring::serve
