// serve: answers over HTTP.
#include <arpa/inet.h>
#include <malloc.h>

#include <csignal>
#include <filesystem>

#include "base/clock.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "serve/serve_plan.h"
#include "serve/service.h"

namespace shoestring::cli {
namespace {

struct Given {
  std::vector<std::string> models;
  std::optional<int64_t> port, connections, max_batch, queue_rows;
  std::string host = "127.0.0.1", certificate, private_key, keys, access_log, max_body, large_requests, wait,
              grace, budget, logging_level;
  bool insecure = false, quiet = false;
};

// NAME=PATH, or PATH, whose name is that of the run, the folder or the file.
serve::ServiceOptions::Model named(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals != std::string::npos && equals > 0 && !std::filesystem::exists(word))
    return {word.substr(0, equals), word.substr(equals + 1)};
  std::filesystem::path path = std::filesystem::path(word).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (path.filename() == "model.safetensors") path = path.parent_path();
  if (path.filename() == "model" && path.has_parent_path()) path = path.parent_path();
  const std::string name = path.stem().string();
  return {name.empty() || name == "." || name == "/" ? "model" : name, word};
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  struct in_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Failure usage(std::string what, std::string fix) {
  return fail(ErrorKind::usage, std::move(what), "serve", std::move(fix));
}

Status complete(const Given& g, serve::ServiceOptions& service, serve::HttpOptions& http) {
  if (g.models.empty())
    return usage("a model is needed", "give --model_path PATH, or NAME=PATH several times");
  for (const std::string& word : g.models) {
    service.models.push_back(named(word));
    const auto& name = service.models.back().name;
    for (size_t i = 0; i + 1 < service.models.size(); ++i)
      if (service.models[i].name == name)
        return usage(fmt::format("two models are named '{}'", name),
                     "give them names: --model_path NAME=PATH");
  }
  const auto within = [](std::optional<int64_t> value, int64_t least, int64_t most,
                         std::string_view flag) -> Status {
    if (!value || (*value >= least && *value <= most)) return {};
    return usage(fmt::format("{} {} is out of range", flag, *value),
                 fmt::format("give {} to {}", least, most));
  };
  if (auto ok = within(g.port, 0, 65535, "--port"); !ok) return ok;
  if (auto ok = within(g.connections, 1, 100'000, "--connections"); !ok) return ok;
  if (auto ok = within(g.max_batch, 1, 4096, "--max_batch"); !ok) return ok;
  if (auto ok = within(g.queue_rows, 1, 1'000'000, "--queue_rows"); !ok) return ok;
  http.host = g.host;
  http.port = static_cast<int>(g.port.value_or(8000));
  http.certificate = g.certificate;
  http.private_key = g.private_key;
  http.signals = {SIGTERM, SIGINT, SIGHUP};
  if (g.certificate.empty() != g.private_key.empty())
    return usage("TLS needs a certificate and its key", "give both --tls_cert and --tls_key");
  if (!is_loopback(g.host) && g.keys.empty() && !g.insecure)
    return usage(fmt::format("everybody who reaches {} could ask", g.host),
                 "give --keys FILE, or say that this is wanted with --insecure");
  if (g.connections) http.limits.connections = static_cast<int>(*g.connections);
  if (!g.max_body.empty()) {
    const auto bytes = size_of_flag("--max-body", g.max_body, serve::kLargestBody);
    if (!bytes) return fail(bytes.error());
    http.limits.body_bytes = *bytes;
  }
  if (!g.large_requests.empty()) {
    const auto bytes = size_of_flag("--large-requests", g.large_requests, serve::kMostShared);
    if (!bytes) return fail(bytes.error());
    http.limits.shared_bytes = *bytes;
  }
  const auto seconds = [](const std::string& text, double& place, const char* flag) -> Status {
    if (text.empty() || text == "0") return {};
    const auto value = parse_seconds(text);
    if (!value || *value > 3600)
      return usage(fmt::format("{} {} is no time", flag, text), "write 20s or 2ms");
    place = *value;
    return {};
  };
  if (auto ok = seconds(g.wait, service.live.batcher.wait_seconds, "--batch_wait"); !ok) return ok;
  if (auto ok = seconds(g.grace, service.grace_seconds, "--grace"); !ok) return ok;
  service.live.max_batch = g.max_batch.value_or(service.live.max_batch);
  service.live.batcher.queue_rows = g.queue_rows.value_or(0);
  service.key_file = g.keys;
  service.access_log = g.access_log;
  service.version = SHOESTRING_VERSION;
  return {};
}

// What 'plan serve' tells: the models are loaded before anything else, and the limits are those that fit.
Status keep_to(const Given& g, serve::ServiceOptions& service, serve::HttpOptions& http) {
  auto budget = g.budget.empty() ? Result<task::Budget>(task::Budget()) : task::parse_budget(g.budget);
  if (!budget) return fail(budget.error());
  serve::ServePlanRequest request{.budget = *budget, .live = service.live, .connections = g.connections};
  for (const auto& model : service.models) request.models.push_back({model.name, model.path});
  if (!g.max_body.empty()) request.max_body = http.limits.body_bytes;
  if (!g.large_requests.empty()) request.shared_bytes = http.limits.shared_bytes;
  request.http = serve::HttpCosts::of(!http.certificate.empty());
  auto plan = serve::plan_serve(request);
  if (!plan) return fail(plan.error());
  if (!plan->fits) return fail(plan->fits.error());
  // What requests take is counted: it goes back to the system once they are gone.
  ::mallopt(M_MMAP_THRESHOLD, 16 << 10);
  service.loaded = std::move(plan->models);
  service.live = plan->live;
  service.read = plan->read;
  http.limits.connections = static_cast<int>(plan->connections);
  http.limits.body_bytes = plan->max_body;
  http.limits.shared_bytes = plan->shared_bytes;
  return {};
}

int run(const serve::ServiceOptions& options, const serve::HttpOptions& http, Console& console) {
  const auto module = serve::http_module();
  if (!module) return report(module.error());
  auto service = serve::HttpService::make(options, **module, console.sink());
  if (!service) return report(service.error());
  auto server = (*module)->open(http, **service);
  if (!server) return report(server.error());
  const auto ready = [&] {
    std::string names;
    for (const auto& model : options.models) names += (names.empty() ? "'" : ", '") + model.name + "'";
    console.line(fmt::format("serving {} on {}://{}:{} after {}", names,
                             http.certificate.empty() ? "http" : "https",
                             http.host.find(':') == std::string::npos ? http.host : "[" + http.host + "]",
                             (*server)->port(), human_seconds(SteadyClock().seconds() - process_started())));
    (void)flush_output();
  };
  const Status ok = (*service)->run(**server, ready);
  server->reset();
  if (!ok) return report(ok.error());
  console.line("stopped");
  return 0;
}

}  // namespace

int serve(Arguments arguments) {
  Given g;
  const Options options{
      "serve",
      "answers over HTTP: Ludwig's routes, KServe's V2 protocol, and a page for people",
      {{"model-path", "m", "[NAME=]PATH",
        "model file, model folder or run folder; several with names of their own", &g.models},
       {"port", "p", "N", "8000 if left out; 0 takes any that is free", &g.port},
       {"host", "", "ADDRESS", "127.0.0.1 if left out; any other than this machine's own needs --keys",
        &g.host},
       {"keys", "", "FILE",
        "clients must show one of its keys: Authorization: Bearer KEY. A line is KEY, or NAME KEY; KEY may "
        "be sha256:HEX",
        &g.keys},
       {"insecure", "", "", "answer everybody who reaches --host", &g.insecure},
       {"tls-cert", "", "FILE", "HTTPS: a PEM file with the certificate and its chain", &g.certificate},
       {"tls-key", "", "FILE", "the certificate's private key, in PEM", &g.private_key},
       {"budget", "", "KEY=VALUE",
        "what it may take, as memory=64MiB,cores=1; 'plan serve' tells what that buys", &g.budget},
       {"max-body", "", "BYTES", "of a request, 8MiB if left out", &g.max_body},
       {"large-requests", "", "BYTES",
        "that all bodies, their rows and answers share; chosen from --max-body if left out",
        &g.large_requests},
       {"connections", "", "N", "at a time; chosen if left out, as 'plan serve' tells", &g.connections},
       {"max-batch", "", "ROWS", "that a forward pass answers at most, 64 if left out", &g.max_batch},
       {"queue-rows", "", "ROWS", "that may wait, before requests get 429; chosen if left out",
        &g.queue_rows},
       {"batch-wait", "", "TIME", "that a pass waits for more rows; 0 if left out", &g.wait},
       {"grace", "", "TIME", "for what has begun when the service is to stop, 20s if left out", &g.grace},
       {"access-log", "", "FILE", "a JSON line for each request; '-' for stdout", &g.access_log},
       {"logging-level", "l", "LEVEL", "critical, error, warning, info or debug; the first two are --quiet",
        &g.logging_level},
       {"quiet", "q", "", "say nothing but errors", &g.quiet}},
      "  shoestring serve --model_path results/experiment_run\n"
      "  curl localhost:8000/predict -H 'Content-Type: application/json' -d '{\"age\": 39}'"};
  if (const auto done = options.read(arguments)) return *done;
  serve::ServiceOptions service;
  serve::HttpOptions http;
  if (auto ok = complete(g, service, http); !ok) return report(ok.error());
  if (auto ok = keep_to(g, service, http); !ok) return report(ok.error());
  Console console(g.quiet || g.logging_level == "critical" || g.logging_level == "error", false, true);
  return run(service, http, console);
}

}  // namespace shoestring::cli
