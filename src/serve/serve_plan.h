// What a service takes: `plan serve` prints it, `serve` keeps to it. The models are loaded for it, once: who
// serves goes on with them.
//
//   auto plan = plan_serve(request);
//   if (!plan->fits) return report(plan->fits.error());     // exit code 4
//   Models models(plan->live);
//   for (auto& model : plan->models) models.adopt(std::move(model));
//   …serve with plan->connections, plan->max_body, plan->shared_bytes, and plan->read for every request
//
// The most that the process holds is the sum of the lines: VmHWM is never above it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "budget/ledger.h"
#include "serve/http.h"
#include "serve/live_model.h"
#include "task/recipe.h"

namespace shoestring::serve {

// What HTTP takes, which its owner knows.
struct HttpCosts {
  static HttpCosts of(bool tls) {
    return tls ? HttpCosts{kHttpProcessBytes + kTlsProcessBytes, kConnectionBytes + kTlsConnectionBytes}
               : HttpCosts{};
  }
  int64_t process = kHttpProcessBytes;           // its module and libraries, threads and logs
  int64_t connection = kConnectionBytes;         // of each, between two requests
  double request_seconds = kHttpRequestSeconds;  // of a request, beside its reading and answering
};

struct ServePlanRequest {
  struct Model {
    std::string name, path;
  };
  std::vector<Model> models = {};
  task::Budget budget = {};  // memory and cores
  std::string prices = {};   // a file of prices, budget/prices.h
  LiveOptions live = {};
  // Absent: chosen, at most kMostConnections and kMostBody, as the memory allows.
  std::optional<int64_t> connections = {}, max_body = {};
  int64_t shared_bytes = 0;  // for large requests, where it is more than three bodies
  bool swaps = true;         // keep room for another copy of the largest model, so that it can be replaced
  HttpCosts http = {};
};
inline constexpr int64_t kMostConnections = 1024, kMostBody = 8 << 20;

struct ServePlan {
  // What to serve with.
  LiveOptions live = {};
  ReadOptions read = {};
  int64_t connections = 0, max_body = 0;
  int64_t shared_bytes = 0;  // of all bodies, as they come, with what is made of them until they are answered
  std::vector<std::shared_ptr<LiveModel>> models = {};

  budget::Machine machine = {};
  std::vector<budget::MemoryLine> lines = {};
  int64_t total_bytes = 0;
  // Of the first model's example, one row a request, from kClients clients that ask all the time, served by
  // one core; measured just now.
  double requests_per_second = 0, p99_seconds = 0;
  std::optional<double> usd_per_million = {};
  std::string priced_as = {};
  std::vector<budget::Choice> choices = {};  // what was made smaller so that it fits
  Status fits = {};                          // ErrorKind::budget with the least that would do
};
inline constexpr int kClients = 16;

// Fails as LiveModel::load does, and with ErrorKind::budget before a model is loaded whose file alone is
// larger than the memory.
Result<ServePlan> plan_serve(const ServePlanRequest& request);

std::string to_json(const ServePlan& plan, int indent = 2);

}  // namespace shoestring::serve
