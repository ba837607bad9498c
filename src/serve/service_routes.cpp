// What each route answers.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/batch.h"
#include "serve/openapi.h"
#include "serve/page_data.h"
#include "serve/service_parts.h"
#include "serve/url.h"

namespace shoestring::serve {
namespace {

using Json = nlohmann::ordered_json;

// "application/json; charset=utf-8" is application/json.
std::string media_type(std::string_view content_type) {
  return lowered(data::trim(content_type.substr(0, content_type.find(';'))));
}

// Whether Accept asks for HTML: names it, and wants nothing more than it.
bool wants_html(std::string_view accept) {
  double html = -1, any_text = 0, json = 0;
  while (!accept.empty()) {
    const std::string range = lowered(accept.substr(0, accept.find(',')));
    accept.remove_prefix(std::min(accept.size(), range.size() + 1));
    double quality = 1;
    if (const size_t q = range.find("q=", range.find(';')); q != std::string::npos)
      std::from_chars(range.data() + q + 2, range.data() + range.size(), quality);
    const std::string type = media_type(range);
    if (type == "text/html") html = quality;
    if (type == "text/*") any_text = quality;
    if (type == "application/json") json = quality;
  }
  if (html < 0) html = any_text;
  return html > 0 && html >= json;
}

Json tensor_json(std::string_view name, std::string_view datatype, int64_t size) {
  Json shape = Json::array({-1});
  if (size > 1) shape.push_back(size);
  return {{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}};
}

// What the page makes its form of.
Json form(const Description& model) {
  Json columns = Json::array(), outputs = Json::array();
  for (const InputColumn& input : model.inputs)
    columns.push_back({{"name", input.name},
                       {"type", task::name_of(input.type)},
                       {"expected", input.expected},
                       {"required", input.required},
                       {"values", input.values},
                       {"more_values", input.more_values},
                       {"minimum", input.minimum},
                       {"maximum", input.maximum}});
  for (const OutputColumns& output : model.outputs)
    outputs.push_back({{"name", output.name}, {"classes", output.classes}});
  return {{"columns", std::move(columns)},
          {"outputs", std::move(outputs)},
          {"example", Json::parse(model.example, nullptr, false)},
          {"parameters", model.parameters}};
}

Json metadata(const Description& model) {
  Json inputs = Json::array(), outputs = Json::array();
  for (const InputColumn& input : model.inputs)
    inputs.push_back(tensor_json(input.name, input.datatype, input.size));
  for (const OutputColumns& output : model.outputs)
    for (const AnswerColumn& column : output.columns)
      outputs.push_back(tensor_json(column.name, column.datatype, column.size));
  return {{"name", model.name},
          {"versions", Json::array({model.version})},
          {"platform", "shoestring"},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"parameters", form(model)}};
}

}  // namespace

void answer_json(HttpExchange& exchange, const Json& json) {
  exchange.answer += json.dump(-1, ' ', false, Json::error_handler_t::replace);
  exchange.answer += '\n';
}

void append_json_text(std::string& out, std::string_view text) {
  out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view page() { return {kPage, sizeof kPage - 1}; }

// Whether the method is one of `methods` ("GET, HEAD"); else 405.
bool LiveService::allow(HttpExchange& exchange, std::string_view methods) const {
  for (std::string_view rest = methods; !rest.empty();) {
    const size_t comma = std::min(rest.find(", "), rest.size());
    if (rest.substr(0, comma) == exchange.method) return true;
    rest.remove_prefix(std::min(rest.size(), comma + 2));
  }
  exchange.add_header("Allow", methods);
  answer_error(exchange, 405, fmt::format("this route takes {}", methods));
  return false;
}

// Health is for whoever starts and stops services, and the page says nothing by itself.
bool LiveService::is_open_to_all(const HttpExchange& exchange) const {
  const std::string_view path = exchange.path();
  return path == "/" || path == "/health" || path.starts_with("/v2/health/");
}

bool LiveService::route(HttpExchange& exchange, Visit& visit) {
  const std::string_view path = exchange.path();
  if (path == "/predict") return predict(exchange, visit, true);
  if (path == "/batch_predict") return predict(exchange, visit, false);
  if (path.starts_with("/v2/") || path == "/v2") return route_v2(exchange, visit);
  constexpr std::string_view kRead = "GET, HEAD";
  if (path == "/") return !allow(exchange, kRead) || root(exchange);
  if (path == "/health") return !allow(exchange, kRead) || health(exchange);
  if (path == "/metrics") {
    if (!allow(exchange, kRead)) return true;
    exchange.content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_.write(exchange.answer, models_,
                   {.connections = server_->connections(),
                    .ready = state_ == State::ready,
                    .lost_lines = access_log_.lost()});
    return true;
  }
  if (path == "/openapi.json") {
    if (!allow(exchange, kRead)) return true;
    const std::vector<Models::Entry> index = models_.index();
    std::vector<ServedModel> served;
    for (const Models::Entry& entry : index)
      served.push_back({entry.name, entry.model ? &entry.model->description() : nullptr});
    exchange.answer = openapi(served, options_.version, keys_.has_value());
    return true;
  }
  answer_error(exchange, 404, "there is no such route: /openapi.json lists them");
  return true;
}

bool LiveService::root(HttpExchange& exchange) {
  exchange.add_header("Vary", "Accept");
  if (!wants_html(exchange.header("accept"))) return health(exchange);
  exchange.content_type = "text/html; charset=utf-8";
  exchange.add_header(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
      "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
  exchange.add_header("X-Content-Type-Options", "nosniff");
  exchange.answer = page();
  return true;
}

bool LiveService::health(HttpExchange& exchange) {
  const bool ready = state_ == State::ready;
  if (!ready) {
    exchange.status = 503;
    exchange.add_header("Retry-After", "1");
  }
  answer_json(exchange, {{"status", ready                      ? "ready"
                                    : state_ == State::loading ? "loading"
                                                               : "draining"},
                         {"message", ready ? "Shoestring is up" : "not now"}});
  return true;
}

// False: it is loading or draining, and 503 stands in the answer.
bool LiveService::answers_now(HttpExchange& exchange) {
  if (state_ == State::ready) return true;
  exchange.add_header("Retry-After", "1");
  answer_error(exchange, 503,
               state_ == State::loading ? "the model is being loaded" : "the service is being stopped");
  return false;
}

// The model of that name, or the first. Null: there is none (404) or it is unloaded (503), as the answer
// says.
std::shared_ptr<LiveModel> LiveService::model_for(HttpExchange& exchange,
                                                  std::optional<std::string_view> name) {
  auto model = name ? models_.find(*name) : models_.first();
  if (model) return model;
  const auto index = models_.index();
  const auto entry = name ? std::ranges::find(index, *name, &Models::Entry::name) : index.begin();
  if (entry == index.end())
    answer_error(exchange, 404, models_.none_of(*name));
  else
    answer_error(
        exchange, 503,
        fmt::format("the model '{0}' is unloaded: POST /v2/repository/models/{0}/load", entry->name));
  return nullptr;
}

ReadOptions LiveService::read_options(const HttpExchange& exchange) const {
  ReadOptions options = options_.read;
  const auto [now, alone] = exchange.room();
  options.bytes_now = now;
  options.most_bytes = alone;
  return options;
}

bool LiveService::predict(HttpExchange& exchange, Visit& visit, bool one_row) {
  if (!allow(exchange, "POST") || !answers_now(exchange)) return true;
  ReadOptions options = read_options(exchange);
  std::optional<std::string> name;
  for (std::string_view query = exchange.query(); !query.empty();) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    const std::string_view key = part.substr(0, part.find('='));
    const std::string_view value = part.substr(std::min(part.size(), key.size() + 1));
    if (key == "strict" && (value == "true" || value == "false")) {
      options.strict = value == "true";
    } else if (key == "model" && percent_decoded(value, true)) {
      name = percent_decoded(value, true);
    } else {
      answer_error(exchange, 422,
                   fmt::format("'{}' is none of strict=true, strict=false and model=NAME", part));
      return true;
    }
  }
  const auto model = model_for(exchange, name);
  if (!model) return true;
  visit.tensors = false;
  const std::string_view content_type = exchange.header("content-type");
  const std::string type = media_type(content_type);
  const bool form = type == "application/x-www-form-urlencoded" || type == "multipart/form-data";
  // What curl -d sends without being told what it is. No field of a form begins so: it would be encoded.
  const bool in_disguise = form && (exchange.body.starts_with('{') || exchange.body.starts_with('['));
  const bool picture = type.starts_with("image/") && takes_a_picture(model->description());
  if (!form && !picture && !type.empty() && type != "application/json") {
    answer_error(exchange, 415,
                 fmt::format("'{}' is not read here: send application/json or a form{}", type.substr(0, 100),
                             takes_a_picture(model->description()) ? ", or a picture as image/jpeg" : ""));
    return true;
  }
  auto read = picture ? reader_.read_picture(model, exchange.body, visit.request, options)
              : form && !in_disguise
                  ? reader_.read_form(model, exchange.body, content_type, visit.request, options)
                  : reader_.read_json(model, exchange.body, visit.request, options);
  if (one_row && visit.request.orientation == Orientation::columns &&
      (read || read.error().why == Refusal::Why::unprocessable))
    read = tl::unexpected(Refusal{Refusal::Why::unprocessable,
                                  "this route answers one row, and a value is a list: send several rows to "
                                  "/batch_predict"});
  if (read && one_row != (visit.request.orientation == Orientation::row))
    read = tl::unexpected(
        Refusal{.what = one_row ? "this route answers one row, a JSON object: send several to /batch_predict"
                                : "this route answers several rows, a JSON list of objects: send a single "
                                  "one to /predict"});
  return submit(exchange, visit, model, std::move(read));
}

bool LiveService::infer(HttpExchange& exchange, Visit& visit, std::shared_ptr<LiveModel> model) {
  visit.tensors = true;
  const std::string type = media_type(exchange.header("content-type"));
  const std::string_view length = exchange.header("inference-header-content-length");
  size_t header_length = 0;
  if (!length.empty() && (std::from_chars(length.data(), length.data() + length.size(), header_length).ptr !=
                              length.data() + length.size() ||
                          header_length > exchange.body.size())) {
    answer_error(exchange, 400, "Inference-Header-Content-Length is no length within the body");
    return true;
  }
  if (!type.empty() && type != "application/json" &&
      !(type == "application/octet-stream" && header_length > 0)) {
    answer_error(exchange, 415,
                 fmt::format("'{}' is not read here: send application/json, or application/octet-stream with "
                             "Inference-Header-Content-Length",
                             type.substr(0, 100)));
    return true;
  }
  auto read = reader_.read_kserve(model, exchange.body, header_length, visit.request, read_options(exchange));
  return submit(exchange, visit, model, std::move(read));
}

bool LiveService::submit(HttpExchange& exchange, Visit& visit, const std::shared_ptr<LiveModel>& model,
                         OrRefusal<void> read) {
  visit.model_name = model->description().name;
  visit.metrics = &metrics_.of(visit.model_name);
  ++visit.metrics->running;
  if (!read) {
    constexpr int kStatus[] = {400, 422, 413, 503};
    if (read.error().why == Refusal::Why::busy) exchange.add_header("Retry-After", "1");
    exchange.status = kStatus[static_cast<size_t>(read.error().why)];
    exchange.answer += to_json(read.error());
    exchange.answer += '\n';
    return true;
  }
  if (const int64_t bytes = visit.request.bytes(); bytes > static_cast<int64_t>(kKeptBytes)) {
    if (!exchange.hold(bytes)) {
      exchange.add_header("Retry-After", "1");
      answer_error(exchange, 503, kTooMuch);
      return true;
    }
    exchange.answer.reserve(static_cast<size_t>(visit.request.rows * model->memory().text));
  }
  if (!visit.request.when_done)
    visit.request.when_done = [&visit](Request& request) {  // on the server's thread, or on the model's
      if (!visit.tensors) {
        write_json(request, visit.exchange.answer);
      } else if (const size_t head = write_kserve(request, visit.version, visit.exchange.answer); head > 0) {
        visit.exchange.content_type = "application/octet-stream";
        visit.exchange.add_header("Inference-Header-Content-Length", fmt::format_int(head).str());
      }
      visit.exchange.send();
    };
  Batcher& batcher = model->batcher();
  switch (batcher.submit(visit.request)) {
    case Batcher::Taken::yes:
      break;
    case Batcher::Taken::full: {
      const auto seconds = static_cast<int64_t>(std::ceil(std::max(batcher.retry_seconds(), 1.0)));
      exchange.add_header("Retry-After", fmt::format_int(seconds).str());
      answer_error(exchange, 429, "too many rows wait for this model");
      return true;
    }
    case Batcher::Taken::stopping:
      exchange.add_header("Retry-After", "1");
      answer_error(exchange, 503, "the model is being stopped");
      return true;
  }
  if (batcher.on_caller() && std::ranges::find(at_work_, model) == at_work_.end()) at_work_.push_back(model);
  return false;
}

// ---- KServe ----

bool LiveService::route_v2(HttpExchange& exchange, Visit& visit) {
  std::string_view rest = exchange.path().substr(std::min<size_t>(4, exchange.path().size()));
  const std::string_view first = take_part(rest);
  constexpr std::string_view kRead = "GET, HEAD";
  if (first.empty() && rest.empty()) {
    if (!allow(exchange, kRead)) return true;
    answer_json(exchange,
                {{"name", "shoestring"},
                 {"version", options_.version},
                 {"extensions", Json::array({"model_repository", "binary_tensor_data", "statistics"})}});
    return true;
  }
  if (first == "health" && (rest == "live" || rest == "ready")) {
    if (!allow(exchange, kRead)) return true;
    const bool yes = rest == "live" || state_ == State::ready;
    if (!yes) exchange.status = 503;
    answer_json(exchange, {{std::string(rest), yes}});
    return true;
  }
  if (first == "models" && !rest.empty()) {
    const std::string_view name = take_part(rest);
    return route_model(exchange, visit, name, rest);
  }
  if (first == "repository") return route_repository(exchange, rest);
  answer_error(exchange, 404, "there is no such route: /openapi.json lists them");
  return true;
}

bool LiveService::route_model(HttpExchange& exchange, Visit& visit, std::string_view encoded,
                              std::string_view rest) {
  const auto name = percent_decoded(encoded, false);
  std::string_view version;
  if (rest.starts_with("versions/")) {
    take_part(rest);
    version = take_part(rest);
  }
  const bool known = rest.empty() || rest == "ready" || rest == "infer" || rest == "stats";
  if (!known) {
    answer_error(exchange, 404, "a model has the routes /ready, /infer and /stats");
    return true;
  }
  if (!allow(exchange, rest == "infer" ? "POST" : "GET, HEAD")) return true;
  if (rest == "infer" && !answers_now(exchange)) return true;
  const auto model = model_for(exchange, name ? std::string_view(*name) : encoded);
  if (!model) return true;
  if (!version.empty() && version != model->description().version) {
    answer_error(exchange, 404,
                 fmt::format("the model '{}' has no version '{}': it has '{}'", model->description().name,
                             version.substr(0, 100), model->description().version));
    return true;
  }
  visit.version = model->description().version;
  if (rest == "infer") return infer(exchange, visit, model);
  if (rest == "ready") {
    const bool ready = state_ == State::ready;
    if (!ready) exchange.status = 503;
    answer_json(exchange, {{"name", model->description().name}, {"ready", ready}});
  } else if (rest == "stats") {
    const ModelMetrics& m = metrics_.of(model->description().name);
    const auto sum = [](int64_t count, double seconds) {
      return Json{{"count", count}, {"ns", static_cast<int64_t>(seconds * 1e9)}};
    };
    answer_json(exchange, {{"model_stats",
                            Json::array({{{"name", model->description().name},
                                          {"version", visit.version},
                                          {"inference_count", m.rows},
                                          {"execution_count", model->batcher().counts().passes},
                                          {"inference_stats",
                                           {{"success", sum(m.answered, m.request_seconds)},
                                            {"fail", sum(m.failed + m.rejected, 0)},
                                            {"queue", sum(m.answered, m.queue_seconds)},
                                            {"compute_infer", sum(m.answered, m.compute_seconds)}}}}})}});
  } else {
    answer_json(exchange, metadata(model->description()));
  }
  return true;
}

}  // namespace shoestring::serve
