// The inside of HttpService: what its routes work with.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <thread>

#include "base/caught.h"
#include "serve/access_log.h"
#include "serve/keys.h"
#include "serve/request.h"
#include "serve/service.h"
#include "serve/service_metrics.h"

namespace shoestring::serve {

// What a connection keeps of its request.
struct Visit : HttpExchange::Kept {
  explicit Visit(HttpExchange& its_exchange) : exchange(its_exchange) {}
  HttpExchange& exchange;
  Request request = {};
  bool tensors = false;             // it asked by KServe's protocol
  std::string version = {};         // of the model, as the path names it
  std::string id = {}, trace = {};  // X-Request-Id and traceparent
  std::string model_name = {}, key = {};
  ModelMetrics* metrics = nullptr;  // of a request to a model

  void begin() {
    request.clear();
    request.rows = 0;
    metrics = nullptr;
    version.clear();
    model_name.clear();
    key.clear();
  }
};

class LiveService final : public HttpService {
 public:
  LiveService(ServiceOptions options, const HttpModule& module, LogSink log);
  ~LiveService() override;
  Status open();
  Status run(HttpServer& server, const std::function<void()>& ready) override;

  void handle(HttpExchange& exchange) override;
  void refuse(HttpExchange& exchange, std::string_view what) override;
  void sent(const HttpExchange& exchange, int64_t bytes) override;
  bool idle() override;
  void signal(int number) override;

 private:
  enum class State { loading, ready, draining };

  void identify(HttpExchange& exchange, Visit& visit);
  bool admit(HttpExchange& exchange, Visit& visit);
  void read_again();
  static Visit& visit_of(HttpExchange& exchange);
  static void answer_error(HttpExchange& exchange, int status, std::string_view what);

  // ---- routes (service_routes.cpp). false: the answer is sent later ----
  bool route(HttpExchange& exchange, Visit& visit);
  bool is_open_to_all(const HttpExchange& exchange) const;
  bool route_v2(HttpExchange& exchange, Visit& visit);
  bool route_model(HttpExchange& exchange, Visit& visit, std::string_view name, std::string_view rest);
  bool allow(HttpExchange& exchange, std::string_view methods) const;
  bool root(HttpExchange& exchange);
  bool health(HttpExchange& exchange);
  std::shared_ptr<LiveModel> model_for(HttpExchange& exchange, std::optional<std::string_view> name);
  bool predict(HttpExchange& exchange, Visit& visit, bool one_row);
  ReadOptions read_options(const HttpExchange& exchange) const;
  bool infer(HttpExchange& exchange, Visit& visit, std::shared_ptr<LiveModel> model);
  bool submit(HttpExchange& exchange, Visit& visit, const std::shared_ptr<LiveModel>& model,
              OrRefusal<void> read);
  bool answers_now(HttpExchange& exchange);

  // ---- KServe's model repository (service_repository.cpp) ----
  bool route_repository(HttpExchange& exchange, std::string_view rest);
  bool load(HttpExchange& exchange, const std::string& name);
  bool unload(HttpExchange& exchange, const std::string& name);

  // ---- models are read on the loader's thread ----
  void load_all(const std::function<void()>& ready);
  void begin_answering(const std::function<void()>& ready);
  void in_background(std::function<void()> work);
  void load_models();
  void end_loader();

  ServiceOptions options_;
  const HttpModule& module_;
  const LogSink log_;
  HttpServer* server_ = nullptr;
  Models models_;
  RequestReader reader_;
  ServiceMetrics metrics_;
  AccessLog access_log_;
  std::optional<Keys> keys_;
  State state_ = State::loading;
  Status failed_ = {};
  std::vector<std::shared_ptr<LiveModel>> at_work_;  // whose passes run in idle()
  uint64_t next_id_;

  std::thread loader_;
  std::mutex loader_mutex_;
  std::condition_variable loader_wakes_;
  std::deque<std::function<void()>> to_load_;
  bool loader_ends_ = false;
};

// Exceptions, of memory that is not there, as errors.
template <class Work>
Status guarded(Work&& work) {
  try {
    return work();
  } catch (...) {
    return fail(caught());
  }
}

inline constexpr std::string_view kTooMuch = "too much is being answered at once";

// Appends a JSON string; bytes that are no UTF-8 become the replacement character.
void answer_json(HttpExchange& exchange, const nlohmann::ordered_json& json);  // a line of it
void append_json_text(std::string& out, std::string_view text);

// The page for people (page.html, compiled in).
std::string_view page();

}  // namespace shoestring::serve
