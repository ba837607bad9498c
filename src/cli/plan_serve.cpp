// plan serve: what a service of these models would take.
#include <filesystem>

#include "base/text.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "serve/http.h"
#include "serve/serve_plan.h"
#include "train/run_folder.h"

namespace shoestring::cli {
namespace {

struct Given {
  std::vector<std::string> models;
  std::string budget, prices, max_body, large_requests;
  std::optional<int64_t> connections, max_batch;
  bool json = false, tls = false;
};

Result<serve::ServePlanRequest> complete(const Given& g) {
  serve::ServePlanRequest request;
  for (const std::string& model : g.models) {
    const size_t equals = model.find('=');
    if (equals == std::string::npos)
      request.models.push_back({g.models.size() == 1 ? "model" : std::filesystem::path(model).stem(), model});
    else
      request.models.push_back({model.substr(0, equals), model.substr(equals + 1)});
  }
  if (!g.budget.empty()) {
    auto budget = task::parse_budget(g.budget);
    if (!budget) return fail(budget.error());
    request.budget = *budget;
  }
  request.prices = g.prices;
  request.http = serve::HttpCosts::of(g.tls);
  request.connections = g.connections;
  if (g.connections && (*g.connections < 1 || *g.connections > 100'000))
    return fail(ErrorKind::usage, "--connections is out of range", "plan serve", "give 1 to 100000");
  if (g.max_batch && (*g.max_batch < 1 || *g.max_batch > 4096))
    return fail(ErrorKind::usage, "--max-batch is out of range", "plan serve", "give 1 to 4096");
  request.live.max_batch = g.max_batch.value_or(request.live.max_batch);
  if (!g.max_body.empty()) {
    const auto bytes = size_of_flag("--max-body", g.max_body, serve::kLargestBody);
    if (!bytes) return fail(bytes.error());
    request.max_body = *bytes;
  }
  if (!g.large_requests.empty()) {
    const auto bytes = size_of_flag("--large-requests", g.large_requests, serve::kMostShared);
    if (!bytes) return fail(bytes.error());
    request.shared_bytes = *bytes;
  }
  return request;
}

std::string mebibytes(int64_t bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / (1 << 20)); }

std::string text_of(const serve::ServePlan& plan) {
  std::vector<std::vector<std::string>> lines{{"memory", "MiB", ""}};
  for (const auto& line : plan.lines)
    if (line.bytes > 0)
      lines.push_back(
          {"  " + line.name, mebibytes(line.bytes),
           fmt::format("{}{}{}", name_of(line.certainty), line.about.empty() ? "" : ": ", line.about)});
  lines.push_back(
      {"  serve, at most", mebibytes(plan.total_bytes), fmt::format("{} bytes", plan.total_bytes)});
  std::string text = table(lines) + "\n";
  for (const auto& model : plan.models) {
    std::string passes;
    for (const auto& pass : model->passes())
      passes += fmt::format("{}{} in {:.3g} us", passes.empty() ? "" : ", ", count_of(pass.rows, "row"),
                            pass.seconds * 1e6);
    text += wrapped(fmt::format("{}  {}", model->description().name, passes), reading_columns(), 8) + "\n";
  }
  text += wrapped(fmt::format("bodies  of {} at most, of {} from {}", human_bytes(plan.max_body),
                              count_of(plan.read.max_rows, "row"), count_of(plan.connections, "connection")),
                  reading_columns(), 8) +
          "\n";
  if (plan.requests_per_second > 0)
    text += wrapped(fmt::format("rate    {} requests/s of one row on one core, 99 in 100 within {} where {} "
                                "clients ask all the time",
                                human_count(plan.requests_per_second), human_seconds(plan.p99_seconds),
                                serve::kClients),
                    reading_columns(), 8) +
            "\n";
  if (plan.usd_per_million)
    text += wrapped(fmt::format("money   {:.2g} USD for 1,000,000 requests, an estimate by the price of {}",
                                *plan.usd_per_million, plan.priced_as),
                    reading_columns(), 8) +
            "\n";
  for (const auto& choice : plan.choices)
    text += wrapped(fmt::format("chosen  {}: saves {}; price: {}", choice.change,
                                human_bytes(choice.saved_bytes), choice.price),
                    reading_columns(), 8) +
            "\n";
  return text;
}

}  // namespace

int plan_serve(Arguments arguments) {
  Given g;
  const Options options{
      "plan serve",
      "says what a service of these models would take",
      {{"model-path", "m", "FILES", "model file, model folder or run folder; NAME=PATH for several",
        &g.models},
       {"budget", "", "KEY=VALUE", "what it may take, as memory=64MiB,cores=1", &g.budget},
       {"connections", "", "N", "clients at a time; chosen if left out", &g.connections},
       {"max-body", "", "SIZE", "of a request; 8MiB, or what the memory allows", &g.max_body},
       {"large-requests", "", "SIZE", "what all bodies, rows and answers share; chosen from max-body",
        &g.large_requests},
       {"max-batch", "", "N", "rows of the largest pass (64)", &g.max_batch},
       {"tls", "", "", "connections are encrypted, as with --tls-cert of serve", &g.tls},
       {"prices", "", "FILE", "a list of prices in the place of the built-in one", &g.prices},
       {"json", "", "", "as JSON on stdout", &g.json}},
      "  shoestring plan serve -m results/experiment_run --budget memory=64MiB\n"};
  if (const auto done = options.read(arguments)) return *done;
  auto request = complete(g);
  if (!request) return report(request.error());
  const auto plan = serve::plan_serve(*request);
  if (!plan) return report(plan.error());
  print(g.json ? to_json(*plan) + "\n" : text_of(*plan));
  return plan->fits ? 0 : report(plan->fits.error());
}

}  // namespace shoestring::cli
