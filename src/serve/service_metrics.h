// What a service counts, in Prometheus' text form. Names are Triton's where it has one (nv_inference_…), else
// vLLM's (vllm:…), else ours (shoestring_…, process_…). Counted on the server's thread alone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "serve/models.h"

namespace shoestring::serve {

// Seconds, in buckets whose bounds grow.
class Histogram {
 public:
  static constexpr std::array kBounds{50e-6, 100e-6, 200e-6, 500e-6, 1e-3,   2e-3, 5e-3, 10e-3,
                                      20e-3, 50e-3,  100e-3, 200e-3, 500e-3, 1.0,  2.0,  5.0};
  void add(double seconds);
  // NAME_bucket, NAME_sum and NAME_count with `labels` ("model_name=\"a\"").
  void write(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::array<int64_t, kBounds.size() + 1> counts_ = {};
  double sum_ = 0;
};

// Of one model name, whatever is loaded under it.
struct ModelMetrics {
  int64_t answered = 0, failed = 0, rejected = 0;  // requests; rejected: the queue was full
  int64_t rows = 0;
  double request_seconds = 0, queue_seconds = 0, compute_seconds = 0;
  Histogram latency;
  int64_t running = 0;  // requests that are not answered yet
};

class ServiceMetrics {
 public:
  // It stays where it is.
  ModelMetrics& of(std::string_view model);
  void count(int status) {
    ++statuses_[static_cast<size_t>(status / 100) % 6][static_cast<size_t>(status) % 100];
  }
  void count_load(bool ok) { ++(ok ? loads_ : failed_loads_); }

  struct Now {
    int connections = 0;
    bool ready = false;
    int64_t lost_lines = 0;
  };
  void write(std::string& out, const Models& models, const Now& now) const;

 private:
  std::map<std::string, std::unique_ptr<ModelMetrics>, std::less<>> models_;
  std::array<std::array<int64_t, 100>, 6> statuses_ = {};
  int64_t loads_ = 0, failed_loads_ = 0;
};

}  // namespace shoestring::serve
