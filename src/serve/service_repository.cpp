// KServe's model repository: what is served, and loading and unloading it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "serve/service_parts.h"
#include "serve/url.h"

namespace shoestring::serve {

using Json = nlohmann::ordered_json;

bool LiveService::route_repository(HttpExchange& exchange, std::string_view rest) {
  if (rest == "index") {
    if (!allow(exchange, "POST")) return true;
    bool only_ready = false;
    if (!exchange.body.empty()) {
      const Json asked = Json::parse(exchange.body, nullptr, false);
      if (!asked.is_object() || (asked.contains("ready") && !asked["ready"].is_boolean())) {
        answer_error(exchange, 400, "the body is not {\"ready\": true or false}");
        return true;
      }
      only_ready = asked.value("ready", false);
    }
    Json list = Json::array();
    for (const Models::Entry& entry : models_.index())
      if (entry.model || !only_ready)
        list.push_back({{"name", entry.name},
                        {"version", "1"},
                        {"state", entry.model ? "READY" : "UNAVAILABLE"},
                        {"reason", entry.reason}});
    answer_json(exchange, list);
    return true;
  }
  const bool models = take_part(rest) == "models";
  const auto name = percent_decoded(take_part(rest), false);
  if (!models || (rest != "load" && rest != "unload")) {
    answer_error(exchange, 404, "there is no such route: /openapi.json lists them");
    return true;
  }
  if (!allow(exchange, "POST") || !answers_now(exchange)) return true;
  const auto index = models_.index();
  if (!name || std::ranges::find(index, *name, &Models::Entry::name) == index.end()) {
    answer_error(exchange, 404, models_.none_of(name.value_or("")));
    return true;
  }
  return rest == "load" ? load(exchange, *name) : unload(exchange, *name);
}

bool LiveService::load(HttpExchange& exchange, const std::string& name) {
  if (!exchange.body.empty()) {
    const Json asked = Json::parse(exchange.body, nullptr, false);
    if (!asked.is_object()) {
      answer_error(exchange, 400, "the body is no JSON object");
      return true;
    }
    if (asked.contains("parameters") && !(asked["parameters"].is_object() && asked["parameters"].empty())) {
      answer_error(
          exchange, 422,
          "parameters of a load are not taken: the model is read again from where it was read before");
      return true;
    }
  }
  in_background([this, name, &exchange] {
    const Status ok = guarded([&] { return models_.reload(name); });
    server_->post([this, ok, name, &exchange] {
      metrics_.count_load(ok.has_value());
      if (!ok)
        answer_error(exchange, 422, ok.error().message() + "; the model that was there stays");
      else
        answer_json(exchange, {{"name", name}, {"state", "READY"}});
      exchange.send();
    });
  });
  return false;
}

bool LiveService::unload(HttpExchange& exchange, const std::string& name) {
  in_background([this, name, &exchange] {
    const Status ok = models_.unload(name);
    server_->post([ok, name, &exchange] {
      if (!ok)
        answer_error(exchange, 404, ok.error().message());
      else
        answer_json(exchange, {{"name", name}, {"state", "UNAVAILABLE"}});
      exchange.send();
    });
  });
  return false;
}

}  // namespace shoestring::serve
