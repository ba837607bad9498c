#include "serve/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/parse.h"

namespace shoestring::serve {
namespace {

using Json = nlohmann::ordered_json;

Json reference(std::string_view name) { return {{"$ref", fmt::format("#/components/schemas/{}", name)}}; }

// Text that says that a value is missing (data/batch.h).
constexpr std::string_view kMissingWords =
    "[?]|NA|N/A|n/a|#N/A|#NA|<NA>|NaN|nan|NAN|-nan|-NaN|null|NULL|Null|None";

// A number as text, or, where the column may lack it, what says that it is missing.
std::string number_pattern(bool required) {
  const std::string number = "[+-]?([0-9]{1,15}([.][0-9]{0,15})?|[.][0-9]{1,15})([eE][+-]?[0-9]{1,2})?";
  return required ? fmt::format("^[ ]*{}[ ]*$", number)
                  : fmt::format("^[ ]*({}|{})?[ ]*$", number, kMissingWords);
}

// What a column takes, for people.
std::string about(const InputColumn& column) {
  using Type = task::FeatureType;
  std::string text = column.expected;
  if (column.type == Type::number && column.maximum > column.minimum)
    text += fmt::format("; {:.6g} to {:.6g} in the training rows", column.minimum, column.maximum);
  if (column.type == Type::category) {
    text += "; known:";
    for (size_t i = 0; i < std::min<size_t>(column.values.size(), 20); ++i)
      text += (i > 0 ? ", " : " ") + column.values[i];
    if (column.values.size() > 20 || column.more_values) text += ", …";
  }
  if (!column.required) text += "; may be missing";
  return text;
}

// A cell of the column, as strictly as the reader takes it.
Json cell_schema(const InputColumn& column) {
  using Type = task::FeatureType;
  Json forms = Json::array();
  switch (column.type) {
    case Type::number:
      forms.push_back({{"type", "number"}});
      forms.push_back({{"type", "string"}, {"pattern", number_pattern(column.required)}});
      break;
    case Type::binary: {
      Json words = Json::array();
      bool common = true;  // labels that any spelling of yes and no is taken for
      for (const std::string& value : column.values) {
        words.push_back(value);
        common = common && data::parse_binary(value).has_value();
      }
      if (common) words.insert(words.end(), {true, false, 1, 0});
      if (!column.required) words.push_back("");
      forms.push_back({{"enum", std::move(words)}});
      break;
    }
    case Type::category:
      forms.push_back({{"type", Json::array({"string", "number", "boolean"})}});
      if (column.required) forms.back()["pattern"] = "[^\\s?]";
      break;
    case Type::vector:
      forms.push_back({{"type", "array"},
                       {"items", {{"type", "number"}}},
                       {"minItems", column.size},
                       {"maxItems", column.size}});
      break;
    case Type::set:
    case Type::bag:
      forms.push_back({{"type", "array"}, {"items", {{"type", "string"}}}});
      forms.push_back({{"type", "string"}});
      break;
    case Type::date:
      forms.push_back({{"type", "string"}});
      break;
    case Type::image:
      forms.push_back({{"type", "string"}, {"contentEncoding", "base64"}});
      break;
  }
  if (!column.required) forms.push_back({{"type", "null"}});
  Json schema = forms.size() == 1 ? forms[0] : Json{{"anyOf", std::move(forms)}};
  schema["description"] = about(column);
  const Json example = Json::parse(column.example, nullptr, false);
  if (!example.is_discarded()) schema["example"] = example;
  return schema;
}

// An element of the column's tensor. A datatype is kept to: no text stands for a number there.
Json element_schema(const InputColumn& column) {
  using Type = task::FeatureType;
  Json form = {{"type", column.datatype == "BYTES" ? "string" : "number"}};
  if (column.type == Type::binary) {
    Json words = column.values;
    if (!column.required) words.push_back("");
    form["enum"] = std::move(words);
  }
  if (column.type == Type::category && column.required) form["pattern"] = "[^\\s?]";
  const bool is_list = column.size > 1 || column.type == Type::set || column.type == Type::bag;
  if (!column.required && !is_list)
    form = {{"anyOf", Json::array({std::move(form), Json{{"type", "null"}}})}};
  form["description"] = about(column);
  return form;
}

Json row_schema(const Description& model) {
  Json properties = Json::object(), required = Json::array();
  for (const InputColumn& column : model.inputs) {
    properties[column.name] = cell_schema(column);
    if (column.required) required.push_back(column.name);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}, {"minProperties", 1}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  const Json example = Json::parse(model.example, nullptr, false);
  if (!example.is_discarded()) schema["example"] = example;
  return schema;
}

Json answer_schema(const Description& model) {
  // null: beyond all numbers, of inputs that are.
  const Json number = {{"type", Json::array({"number", "null"})}};
  Json properties = Json::object(), required = Json::array();
  for (const OutputColumns& output : model.outputs)
    for (const AnswerColumn& column : output.columns) {
      using Kind = AnswerColumn::Kind;
      Json schema;
      switch (column.kind) {
        case Kind::text:
          schema = {{"type", "string"}, {"enum", output.classes}};
          break;
        case Kind::number:
          schema = number;
          break;
        case Kind::numbers:
          schema = {{"type", "array"}, {"items", number}};
          break;
        case Kind::texts:
          schema = {{"type", "array"}, {"items", {{"type", "string"}}}};
          break;
      }
      if (output.type == task::FeatureType::binary) schema.erase("enum");
      if (output.type == task::FeatureType::binary) schema.erase("type");
      properties[column.name] = std::move(schema);
      required.push_back(column.name);
    }
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

Json json_content(Json schema) { return Json{{"application/json", {{"schema", std::move(schema)}}}}; }

Json answer(std::string_view about, Json schema) {
  return {{"description", about}, {"content", json_content(std::move(schema))}};
}

struct Route {
  std::string_view path, method, id, summary;
  Json ok;                         // the schema of its 200
  Json request = {};               // of its body
  std::vector<int> refusals = {};  // statuses that tell an error
  bool open = false;               // asks for no key
};

const std::string_view kErrors[][2] = {
    {"400", "The body is no JSON, or not of the form that the route reads"},
    {"401", "The key is missing or wrong"},
    {"403", "A page of another site made a browser ask"},
    {"404", "There is no such model"},
    {"413", "The body or the number of rows is above the limit"},
    {"415", "The media type is not read here"},
    {"422", "Rows that the model does not take, by feature: what was expected, and what came"},
    {"429", "Too many rows wait; Retry-After says when to ask again"},
    {"503", "Loading or stopping, and Retry-After says when to ask again; or the model is unloaded"},
};

// The names of all models, or of those that answer.
Json names_of(std::span<const ServedModel> models, bool unloaded_too) {
  Json names = {{"type", "string"}, {"enum", Json::array()}};
  for (const ServedModel& model : models)
    if (model.model || unloaded_too) names["enum"].push_back(model.name);
  if (names["enum"].empty()) names.erase("enum");
  return names;
}

Json operation(const Route& route, std::span<const ServedModel> models, bool keys) {
  Json responses = {{"200", answer("Done", route.ok)}};
  for (const auto& [status, about] : kErrors) {
    const int number = std::stoi(std::string(status));
    const bool listed = std::ranges::find(route.refusals, number) != route.refusals.end();
    if (listed || (number == 401 && keys && !route.open))
      responses[std::string(status)] = answer(about, reference("Error"));
  }
  Json out = {{"operationId", route.id}, {"summary", route.summary}, {"responses", std::move(responses)}};
  if (!route.request.is_null()) out["requestBody"] = {{"required", true}, {"content", route.request}};
  if (keys && !route.open) out["security"] = Json::array({{{"key", Json::array()}}});
  Json parameters = Json::array();
  if (route.path.find("{model}") != std::string_view::npos)
    parameters.push_back({{"name", "model"},
                          {"in", "path"},
                          {"required", true},
                          {"schema", names_of(models, route.path.starts_with("/v2/repository"))}});
  const bool predicts = route.path == "/predict" || route.path == "/batch_predict";
  if (predicts && models.size() > 1)
    parameters.push_back({{"name", "model"},
                          {"in", "query"},
                          {"required", models[0].model == nullptr},
                          {"description", fmt::format("whose answers; '{}' if left out", models[0].name)},
                          {"schema", names_of(models, false)}});
  if (predicts)
    parameters.push_back({{"name", "strict"},
                          {"in", "query"},
                          {"description", "false: keys that are no columns of the model are passed over"},
                          {"schema", {{"type", "boolean"}}}});
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  return out;
}

// Whatever tensors, or, of the only model, those of one row.
Json kserve_request(const Description* model) {
  const Json text = {{"type", "string"}};
  Json tensor = {{"type", "object"},
                 {"properties",
                  {{"name", text},
                   {"datatype", text},
                   {"shape", {{"type", "array"}, {"items", {{"type", "integer"}}}}},
                   {"parameters", {{"type", "object"}}},
                   {"data", {{"type", "array"}}}}},
                 {"required", Json::array({"name", "datatype", "shape"})}};
  Json inputs = {{"type", "array"}, {"items", tensor}}, name = text;
  if (model) {
    Json tensors = Json::array(), names = Json::array();
    size_t least = 1;
    for (const InputColumn& column : model->inputs) {
      Json one = tensor;
      Json shape = Json::array({1});
      if (column.size > 1) shape.push_back(column.size);
      one["properties"]["name"] = {{"const", column.name}};
      one["properties"]["datatype"] = {{"const", column.datatype}};
      one["properties"]["shape"] = {{"const", std::move(shape)}};
      one["properties"]["data"] = {{"type", "array"},
                                   {"items", element_schema(column)},
                                   {"minItems", column.size},
                                   {"maxItems", column.size}};
      one["properties"].erase("parameters");
      one["required"].push_back("data");
      tensors.push_back(std::move(one));
      if (column.required) least = tensors.size();
    }
    inputs = {{"type", "array"}, {"prefixItems", std::move(tensors)}, {"items", false}, {"minItems", least}};
    for (const OutputColumns& output : model->outputs)
      for (const AnswerColumn& column : output.columns) names.push_back(column.name);
    name = {{"enum", std::move(names)}};
  }
  const Json output = {
      {"type", "object"}, {"properties", {{"name", std::move(name)}}}, {"required", Json::array({"name"})}};
  return {{"type", "object"},
          {"properties",
           {{"id", {{"type", "string"}, {"maxLength", 256}}},  // in bytes at most 1024
            {"inputs", std::move(inputs)},
            {"outputs", {{"type", "array"}, {"items", output}}}}},
          {"required", Json::array({"inputs"})}};
}

Json error_schema() {
  return {{"type", "object"},
          {"properties",
           {{"error", {{"type", "string"}}},
            {"detail",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"properties",
                 {{"loc", {{"type", "array"}}},
                  {"msg", {{"type", "string"}}},
                  {"input", {{"type", "string"}}}}}}}}}}},
          {"required", Json::array({"error"})}};
}

}  // namespace

std::string openapi(std::span<const ServedModel> models, const std::string& version, bool keys) {
  const Json object = {{"type", "object"}};
  Json schemas = {{"Error", error_schema()}};
  Json row_forms = Json::array(), answer_forms = Json::array();  // of the models that answer
  std::string title = "Shoestring";
  for (const auto& [name, model] : models) {
    if (!model) continue;
    title += (row_forms.empty() ? ": " : ", ") + name;
    const std::string number = row_forms.empty() ? "" : std::to_string(row_forms.size() + 1);
    schemas["Row" + number] = row_schema(*model);
    schemas["Answer" + number] = answer_schema(*model);
    row_forms.push_back(reference("Row" + number));
    answer_forms.push_back(reference("Answer" + number));
  }
  const auto one_of = [&](const Json& forms) {
    return forms.empty() ? object : forms.size() == 1 ? forms[0] : Json{{"anyOf", forms}};
  };
  const Json row = one_of(row_forms), row_answer = one_of(answer_forms);
  // Its tensors are told where there is no other that they could be mistaken for.
  const Description* only = models.size() == 1 ? models[0].model : nullptr;
  const Json text = {{"type", "string"}};
  const Json named = {
      {"type", "object"}, {"properties", {{"name", text}}}, {"required", Json::array({"name"})}};
  const Json rows = {{"type", "array"}, {"items", row}, {"minItems", 1}};
  const Json split_answer = {
      {"type", "object"},
      {"properties",
       {{"index", {{"type", "array"}}}, {"columns", {{"type", "array"}}}, {"data", {{"type", "array"}}}}},
      {"required", Json::array({"columns", "data"})}};
  const Json status = {
      {"type", "object"}, {"properties", {{"status", text}}}, {"required", Json::array({"status"})}};
  Json row_content = json_content(row);
  if (only && takes_a_picture(*only))
    row_content["image/*"] = {{"schema", {{"type", "string"}, {"format", "binary"}}}};
  const std::vector<int> asks = {400, 404, 413, 415, 422, 429, 503};
  const Route routes[] = {
      {"/", "get", "root", "Health; a page for people where Accept names text/html", status, {}, {503}, true},
      {"/health", "get", "health", "Whether requests are answered", status, {}, {503}, true},
      {"/predict", "post", "predict", "Answers one row", row_answer, row_content, asks},
      {"/batch_predict",
       "post",
       "batch_predict",
       "Answers several rows: a list of objects, {columns, data}, or lists by column",
       {{"anyOf", Json::array({Json{{"type", "array"}, {"items", row_answer}}, split_answer})}},
       json_content(rows),
       asks},
      {"/v2", "get", "server_metadata", "KServe: the server", named},
      {"/v2/health/live", "get", "live", "KServe: whether it runs", object, {}, {}, true},
      {"/v2/health/ready", "get", "ready", "KServe: whether requests are answered", object, {}, {503}, true},
      {"/v2/models/{model}", "get", "model_metadata", "KServe: a model's tensors", named, {}, {404, 503}},
      {"/v2/models/{model}/ready",
       "get",
       "model_ready",
       "KServe: whether a model answers",
       named,
       {},
       {404, 503}},
      {"/v2/models/{model}/stats",
       "get",
       "model_stats",
       "Triton: what a model has answered",
       object,
       {},
       {404, 503}},
      {"/v2/models/{model}/infer", "post", "infer", "KServe: answers rows that come as tensors, one a column",
       object, json_content(kserve_request(only)), asks},
      {"/v2/repository/index",
       "post",
       "repository_index",
       "Triton: the models",
       {{"type", "array"}, {"items", named}}},
      {"/v2/repository/models/{model}/load",
       "post",
       "load",
       "Triton: reads a model again, while the old one serves",
       named,
       {},
       {403, 404, 422, 503}},
      {"/v2/repository/models/{model}/unload",
       "post",
       "unload",
       "Triton: lets a model go",
       named,
       {},
       {403, 404, 503}},
  };
  Json paths = Json::object();
  for (const Route& route : routes)
    paths[std::string(route.path)][std::string(route.method)] = operation(route, models, keys);
  paths["/metrics"]["get"] = {
      {"operationId", "metrics"},
      {"summary", "Counters, in Prometheus' text form"},
      {"responses", {{"200", {{"description", "Done"}, {"content", {{"text/plain", {{"schema", text}}}}}}}}}};
  paths["/openapi.json"]["get"] = {{"operationId", "openapi"},
                                   {"summary", "This document"},
                                   {"responses", {{"200", answer("Done", object)}}}};
  for (const char* path : {"/metrics", "/openapi.json"})
    if (keys) {
      paths[path]["get"]["security"] = Json::array({{{"key", Json::array()}}});
      paths[path]["get"]["responses"]["401"] = answer(kErrors[1][1], reference("Error"));
    }
  Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", title},
        {"version", version},
        {"description", "Answers of a trained model. Ludwig's routes, and KServe's V2 protocol."}}},
      {"paths", std::move(paths)},
      {"components", {{"schemas", std::move(schemas)}}}};
  if (keys) document["components"]["securitySchemes"] = {{"key", {{"type", "http"}, {"scheme", "bearer"}}}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace shoestring::serve
