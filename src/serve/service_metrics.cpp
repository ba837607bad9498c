#include "serve/service_metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "base/memory.h"

namespace shoestring::serve {
namespace {

void describe(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// A label's value: Prometheus escapes these three.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\n')
      out += "\\n";
    else
      (c == '"' || c == '\\' ? out += '\\' : out) += c;
  return out;
}

double processor_seconds() {
  struct rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const struct timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void Histogram::add(double seconds) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++counts_[static_cast<size_t>(bucket)];
  sum_ += seconds;
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
  int64_t count = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i];
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{},le=\"{}\"}} {}\n", name, labels,
                   i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf", count);
  }
  fmt::format_to(std::back_inserter(out), "{0}_sum{{{1}}} {2}\n{0}_count{{{1}}} {3}\n", name, labels, sum_,
                 count);
}

ModelMetrics& ServiceMetrics::of(std::string_view model) {
  auto found = models_.find(model);
  if (found == models_.end())
    found = models_.emplace(std::string(model), std::make_unique<ModelMetrics>()).first;
  return *found->second;
}

void ServiceMetrics::write(std::string& out, const Models& models, const Now& now) const {
  const auto into = std::back_inserter(out);
  const auto labels = [](std::string_view model) {
    return fmt::format("model=\"{}\",version=\"1\"", escaped(model));
  };
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    describe(out, name, type, help);
    for (const auto& [model, metrics] : models_)
      fmt::format_to(into, "{}{{{}}} {}\n", name, labels(model), value(*metrics));
  };
  using M = ModelMetrics;
  const auto microseconds = [](double seconds) { return static_cast<int64_t>(seconds * 1e6); };
  each("nv_inference_request_success", "counter", "Requests that were answered",
       [](const M& m) { return m.answered; });
  describe(out, "nv_inference_request_failure", "counter", "Requests that were turned down, by reason");
  for (const auto& [model, m] : models_)
    fmt::format_to(into,
                   "nv_inference_request_failure{{{0},reason=\"REJECTED\"}} {1}\n"
                   "nv_inference_request_failure{{{0},reason=\"OTHER\"}} {2}\n",
                   labels(model), m->rejected, m->failed);
  each("nv_inference_count", "counter", "Rows that were answered", [](const M& m) { return m.rows; });
  each("nv_inference_request_duration_us", "counter", "From a request's last byte to its answer's, summed",
       [&](const M& m) { return microseconds(m.request_seconds); });
  each("nv_inference_queue_duration_us", "counter", "In the queue, summed over requests",
       [&](const M& m) { return microseconds(m.queue_seconds); });
  each("nv_inference_compute_infer_duration_us", "counter", "In forward passes, summed over requests",
       [&](const M& m) { return microseconds(m.compute_seconds); });

  describe(out, "nv_inference_exec_count", "counter", "Forward passes of the model that is loaded");
  for (const Models::Entry& entry : models.index())
    if (entry.model)
      fmt::format_to(into, "nv_inference_exec_count{{{}}} {}\n", labels(entry.name),
                     entry.model->batcher().counts().passes);
  describe(out, "nv_inference_pending_request_count", "gauge", "Requests that wait or are being answered");
  for (const auto& [model, m] : models_)
    fmt::format_to(into, "nv_inference_pending_request_count{{{}}} {}\n", labels(model), m->running);

  describe(out, "vllm:e2e_request_latency_seconds", "histogram",
           "From a request's last byte to its answer's");
  for (const auto& [model, m] : models_)
    m->latency.write(out, "vllm:e2e_request_latency_seconds",
                     fmt::format("model_name=\"{}\"", escaped(model)));
  describe(out, "vllm:num_requests_waiting", "gauge", "Rows in the queue");
  for (const Models::Entry& entry : models.index())
    if (entry.model)
      fmt::format_to(into, "vllm:num_requests_waiting{{model_name=\"{}\"}} {}\n", escaped(entry.name),
                     entry.model->batcher().counts().waiting_rows);
  describe(out, "shoestring_queue_rows", "gauge", "Rows that the queue takes at most");
  for (const Models::Entry& entry : models.index())
    if (entry.model)
      fmt::format_to(into, "shoestring_queue_rows{{model_name=\"{}\"}} {}\n", escaped(entry.name),
                     entry.model->batcher().counts().queue_rows);

  describe(out, "shoestring_http_requests_total", "counter", "Answers, by status");
  for (size_t hundreds = 0; hundreds < statuses_.size(); ++hundreds)
    for (size_t rest = 0; rest < statuses_[hundreds].size(); ++rest)
      if (statuses_[hundreds][rest] > 0)
        fmt::format_to(into, "shoestring_http_requests_total{{code=\"{}\"}} {}\n", 100 * hundreds + rest,
                       statuses_[hundreds][rest]);
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    describe(out, name, type, help);
    fmt::format_to(into, "{} {}\n", name, value);
  };
  one("shoestring_http_connections", "gauge", "Open connections", now.connections);
  one("shoestring_ready", "gauge", "1 where requests are answered, 0 while loading or draining",
      now.ready ? 1 : 0);
  one("shoestring_model_loads_total", "counter", "Models that were loaded", loads_);
  one("shoestring_model_load_failures_total", "counter", "Models that did not load", failed_loads_);
  one("shoestring_access_log_failures_total", "counter", "Writes of the access log that failed",
      now.lost_lines);
  one("process_cpu_seconds_total", "counter", "Processor time", processor_seconds());
  one("process_resident_memory_bytes", "gauge", "Resident memory", resident_bytes());
  one("process_resident_memory_max_bytes", "gauge", "The most that was resident", peak_resident_bytes());
  one("process_uptime_seconds", "gauge", "Since the start", SteadyClock().seconds() - process_started());
}

}  // namespace shoestring::serve
