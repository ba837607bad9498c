#include "serve/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>

#include "base/text.h"
#include "serve/service_parts.h"

namespace shoestring::serve {
namespace {

uint64_t random_start() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return static_cast<uint64_t>(now) * 0x9e3779b97f4a7c15u;
}

}  // namespace

Result<std::unique_ptr<HttpService>> HttpService::make(ServiceOptions options, const HttpModule& module,
                                                       LogSink log) {
  auto service = std::make_unique<LiveService>(std::move(options), module, std::move(log));
  if (auto ok = service->open(); !ok) return fail(ok.error());
  return std::unique_ptr<HttpService>(std::move(service));
}

LiveService::LiveService(ServiceOptions options, const HttpModule& module, LogSink log)
    : options_(std::move(options)),
      module_(module),
      log_(std::move(log)),
      models_(options_.live),
      next_id_(random_start()) {
  options_.read.readable_behind = kBodyPadding;
}

LiveService::~LiveService() { end_loader(); }

Status LiveService::open() {
  if (!options_.key_file.empty()) {
    auto keys = Keys::read(options_.key_file, module_);
    if (!keys) return fail(keys.error());
    keys_ = std::move(*keys);
  }
  if (options_.access_log.empty()) return {};
  auto opened = AccessLog::open(options_.access_log);
  if (!opened) return fail(opened.error());
  access_log_ = std::move(*opened);
  return {};
}

Status LiveService::run(HttpServer& server, const std::function<void()>& ready) {
  server_ = &server;
  loader_ = std::thread([this] { load_models(); });
  if (options_.loaded.empty())
    in_background([this, ready] { load_all(ready); });
  else
    server.post([this, ready] {
      for (auto& model : std::exchange(options_.loaded, {})) {
        metrics_.of(model->description().name);  // its counters begin at 0
        models_.adopt(std::move(model));
      }
      begin_answering(ready);
    });
  server.run();
  end_loader();
  models_.drain();
  access_log_.flush();
  return failed_;
}

void LiveService::load_all(const std::function<void()>& ready) {
  for (const auto& model : options_.models)
    if (auto ok = guarded([&] { return models_.load(model.name, model.path); }); !ok)
      return server_->post([this, error = ok.error()] {
        failed_ = fail(error);
        server_->stop();
      });
  server_->post([this, ready] { begin_answering(ready); });
}

void LiveService::begin_answering(const std::function<void()>& ready) {
  for (const Models::Entry& entry : models_.index())
    metrics_.of(entry.name);  // counters begin at 0, not nowhere
  if (state_ == State::loading) state_ = State::ready;
  ready();
}

void LiveService::in_background(std::function<void()> work) {
  {
    const std::scoped_lock lock(loader_mutex_);
    to_load_.push_back(std::move(work));
  }
  loader_wakes_.notify_one();
}

void LiveService::load_models() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(loader_mutex_);
      loader_wakes_.wait(lock, [this] { return loader_ends_ || !to_load_.empty(); });
      if (to_load_.empty()) return;
      work = std::move(to_load_.front());
      to_load_.pop_front();
    }
    work();
  }
}

void LiveService::end_loader() {
  {
    const std::scoped_lock lock(loader_mutex_);
    loader_ends_ = true;
  }
  loader_wakes_.notify_one();
  if (loader_.joinable()) loader_.join();
}

void LiveService::signal(int number) {
  if (number == SIGHUP) return read_again();
  if (server_->draining()) return server_->stop();  // asked twice
  log_(LogLevel::info,
       fmt::format("finishing what has begun, for at most {}", human_seconds(options_.grace_seconds)));
  state_ = State::draining;
  server_->drain(options_.grace_seconds);
}

void LiveService::read_again() {
  const auto warn = [this](const Error& error) {
    log_(LogLevel::warning, error.message() + "; what was there stays");
  };
  if (!options_.key_file.empty()) {
    if (auto keys = Keys::read(options_.key_file, module_))
      keys_ = std::move(*keys);
    else
      warn(keys.error());
  }
  if (auto ok = access_log_.reopen(); !ok) warn(ok.error());
  if (auto ok = server_->read_certificate(); !ok) warn(ok.error());
  in_background([this, warn] {
    for (const Models::Entry& entry : models_.index()) {
      if (!entry.model) continue;  // who unloaded it loads it
      const Status ok = guarded([&] { return models_.reload(entry.name); });
      server_->post([this, warn, ok, name = entry.name] {
        metrics_.count_load(ok.has_value());
        if (ok)
          log_(LogLevel::info, fmt::format("model '{}' was read again", name));
        else
          warn(ok.error());
      });
    }
  });
}

bool LiveService::idle() {
  // One pass of each model, then the sockets again: whoever has come meanwhile shares the next one.
  bool any = false;
  for (size_t i = 0; i < at_work_.size();) {
    if (at_work_[i]->batcher().run()) {
      any = true;
      ++i;
    } else {
      at_work_[i] = std::move(at_work_.back());
      at_work_.pop_back();
    }
  }
  if (!any) access_log_.flush();
  return any;
}

// ---- requests ----

Visit& LiveService::visit_of(HttpExchange& exchange) {
  if (!exchange.kept) exchange.kept = std::make_unique<Visit>(exchange);
  return static_cast<Visit&>(*exchange.kept);
}

void LiveService::handle(HttpExchange& exchange) {
  Visit& visit = visit_of(exchange);
  visit.begin();
  identify(exchange, visit);
  if (!admit(exchange, visit)) return exchange.send();
  try {
    if (!route(exchange, visit)) return;
    // Of what clients ask for besides: openapi.json, the page.
    if (exchange.answer.size() > static_cast<size_t>(kKeptBufferBytes) &&
        !exchange.hold(static_cast<int64_t>(exchange.answer.capacity()))) {
      std::string().swap(exchange.answer);
      exchange.add_header("Retry-After", "1");
      answer_error(exchange, 503, kTooMuch);
    }
    exchange.send();
  } catch (...) {
    const Error error = caught();
    log_(LogLevel::warning, error.message());
    exchange.answer.clear();
    answer_error(exchange, error.kind == ErrorKind::machine ? 503 : 500, error.what);
    exchange.send();
  }
}

void LiveService::refuse(HttpExchange& exchange, std::string_view what) {
  Visit& visit = visit_of(exchange);
  visit.begin();
  identify(exchange, visit);
  answer_error(exchange, exchange.status, what);
}

// A request's name in logs: the client's, if it is a word, else one of ours.
void LiveService::identify(HttpExchange& exchange, Visit& visit) {
  const auto is_word = [](std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    });
  };
  const std::string_view given = exchange.header("x-request-id");
  if (is_word(given))
    visit.id.assign(given);
  else
    visit.id.assign(fmt::format_int(++next_id_).str());
  exchange.add_header("X-Request-Id", visit.id);
  // Of a trace the next one to look is our answer: it carries the trace on.
  const std::string_view trace = exchange.header("traceparent");
  visit.trace.assign(trace.size() == 55 && is_word(trace) ? trace : std::string_view());
  if (!visit.trace.empty()) exchange.add_header("traceparent", visit.trace);
}

// Whether the request may be answered at all.
bool LiveService::admit(HttpExchange& exchange, Visit& visit) {
  // A page of another site must not make its visitors' browsers work here.
  const std::string_view origin = exchange.header("origin");
  const std::string_view site = origin.substr(std::min(origin.size(), origin.find("//") + 2));
  const bool foreign = exchange.header("sec-fetch-site") == "cross-site" ||
                       (!origin.empty() && lowered(site) != lowered(exchange.header("host")));
  if (foreign && exchange.method == "POST") {
    answer_error(exchange, 403, "requests from pages of other sites are not answered");
    return false;
  }
  const std::string_view coding = exchange.header("content-encoding");
  if (!coding.empty() && lowered(coding) != "identity") {
    answer_error(exchange, 415, "compressed bodies are not read: send them as they are");
    return false;
  }
  if (!keys_ || is_open_to_all(exchange)) return true;
  const std::string* name = keys_->find(exchange.header("authorization"));
  if (name == nullptr) {
    exchange.add_header("WWW-Authenticate", "Bearer");
    answer_error(exchange, 401, "a key is needed: Authorization: Bearer KEY");
    return false;
  }
  visit.key = *name;
  return true;
}

void LiveService::answer_error(HttpExchange& exchange, int status, std::string_view what) {
  exchange.status = status;
  exchange.content_type = "application/json";
  exchange.answer += "{\"error\":";
  append_json_text(exchange.answer, what);
  exchange.answer += "}\n";
}

void LiveService::sent(const HttpExchange& exchange, int64_t bytes) {
  Visit& visit = visit_of(const_cast<HttpExchange&>(exchange));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - exchange.arrived;
  metrics_.count(exchange.status);
  if (visit.metrics != nullptr) {
    ModelMetrics& m = *visit.metrics;
    --m.running;
    if (exchange.status == 200) {
      ++m.answered;
      m.rows += visit.request.rows;
      m.request_seconds += took.count();
      m.queue_seconds += visit.request.queue_seconds;
      m.compute_seconds += visit.request.compute_seconds;
      m.latency.add(took.count());
    } else {
      ++(exchange.status == 429 || exchange.status == 503 ? m.rejected : m.failed);
    }
  }
  if (access_log_.on())
    access_log_.add({.id = visit.id,
                     .peer = exchange.peer,
                     .method = exchange.method,
                     .target = exchange.target,
                     .status = exchange.status,
                     .bytes = bytes,
                     .seconds = took.count(),
                     .model = visit.model_name,
                     .key = visit.key,
                     .rows = visit.request.rows,
                     .traceparent = visit.trace});
  visit.request.clear();
}

}  // namespace shoestring::serve
