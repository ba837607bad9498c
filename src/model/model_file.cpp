#include "model/model_file.h"

#include <nlohmann/json.hpp>
#include <set>

#include "ir/text.h"
#include "ir/verify.h"
#include "ops/ops.h"

namespace shoestring::model {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kExtra = "extra/";
constexpr std::string_view kAgain = "copy it again, or train again if it was never whole";
constexpr std::string_view kUpdate = "update shoestring";

Failure bad(const std::string& path, std::string what, std::string_view fix = kAgain) {
  return fail(ErrorKind::data, std::move(what), path, std::string(fix));
}

// The operators of the graph and of the graphs inside it, each with its version.
void collect_operators(const Graph& graph, std::map<std::string, int>& into) {
  for (const Node& node : graph.nodes()) {
    if (ops::find(node.op->name)) into[std::string(node.op->name)] = node.op->version;
    if (node.body) collect_operators(*node.body, into);
  }
}

Result<Graph> parse(const std::string& text, const std::string& path) {
  try {
    Result<Graph> graph = parse_graph(text, ops::all(), path + ", its graph");
    if (!graph) return graph;
    if (Status s = verify(*graph); !s) return fail(std::move(s.error()));
    return graph;
  } catch (const std::exception& e) {  // such as a constant of more bytes than there is memory
    return bad(path, fmt::format("is damaged: its graph cannot be built ({})", e.what()));
  }
}

Status check_states(const Graph& graph, std::span<const TensorView> tensors, const std::string& path) {
  std::map<std::string_view, const Type*> types;
  for (const TensorView& t : tensors) types[t.name] = &t.type;
  for (const StateInfo& state : graph.states()) {
    const auto at = types.find(state.name);
    if (at == types.end()) return bad(path, fmt::format("is damaged: tensor '{}' is not there", state.name));
    if (*at->second != state.type)
      return bad(path, fmt::format("is damaged: tensor '{}' is {}, its graph wants {}", state.name,
                                   to_string(*at->second), to_string(state.type)));
  }
  return {};
}

Status check_operators(const std::string& text, const std::string& path) {
  const Json versions = Json::parse(text, nullptr, false);
  if (!versions.is_object()) return bad(path, "is damaged: its list of operators does not parse");
  for (const auto& [name, version] : versions.items()) {
    if (!version.is_number_integer()) return bad(path, "is damaged: its list of operators does not parse");
    const OpDef* op = ops::find(name);
    if (!op)
      return bad(path, fmt::format("needs the operator '{}', which this version lacks", name), kUpdate);
    if (version.get<int64_t>() > op->version)
      return bad(path,
                 fmt::format("was made by a newer version ('{}' version {}, this has {})", name,
                             version.get<int64_t>(), op->version),
                 kUpdate);
  }
  return {};
}

Result<std::map<std::string, std::vector<std::string>>> labels_of(const std::string& text,
                                                                  const std::string& path) {
  std::map<std::string, std::vector<std::string>> out;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad(path, "is damaged: its labels do not parse");
  for (const auto& [name, list] : json.items()) {
    if (!list.is_array()) return bad(path, "is damaged: its labels do not parse");
    std::vector<std::string>& labels = out[name];
    for (const Json& label : list) {
      if (!label.is_string()) return bad(path, "is damaged: its labels do not parse");
      labels.push_back(label);
    }
  }
  return out;
}

}  // namespace

Status write_model(const std::string& path, const ModelFile& model, bool durable) {
  Result<Graph> graph = parse(model.graph, path);
  Status sound = graph ? check_states(*graph, model.tensors, path) : fail(graph.error());
  if (!sound) {
    sound.error().kind = ErrorKind::internal;
    return sound;
  }
  std::map<std::string, int> operators;
  collect_operators(*graph, operators);

  std::map<std::string, std::string> metadata{{"kind", "model"},
                                              {"recipe", model.recipe},
                                              {"preprocessing", model.preprocessing},
                                              {"graph", model.graph},
                                              {"card", model.card}};
  try {
    metadata["labels"] = Json(model.labels).dump();
    metadata["operators"] = Json(operators).dump();
  } catch (const Json::exception& e) {
    return fail(ErrorKind::data, fmt::format("a label is not UTF-8 ({})", e.what()), path,
                "save the data as UTF-8");
  }
  for (const auto& [key, text] : model.extra) metadata[std::string(kExtra) + key] = text;
  return write_tensors(path, metadata, model.tensors, durable);
}

Result<ModelFile> read_model(const std::string& path) {
  Result<TensorFile> file = read_tensors(path);
  if (!file) return fail(std::move(file.error()));
  if (file->text("kind", path).value_or("") != "model")
    return bad(path, "is a checkpoint, not a model", "give a model file, a model folder or a run folder");

  ModelFile out{.tensors = std::move(file->tensors), .bytes = file->bytes};
  std::string labels, operators;
  struct Field {
    std::string_view key;
    std::string& into;
  };
  for (const Field& field :
       {Field{"recipe", out.recipe}, Field{"preprocessing", out.preprocessing}, Field{"graph", out.graph},
        Field{"card", out.card}, Field{"labels", labels}, Field{"operators", operators}}) {
    Result<std::string> text = file->text(field.key, path);
    if (!text) return fail(std::move(text.error()));
    field.into = std::move(*text);
  }
  if (Status s = check_operators(operators, path); !s) return fail(std::move(s.error()));
  Result<Graph> graph = parse(out.graph, path);
  if (!graph) {
    graph.error().kind = ErrorKind::data;
    return fail(std::move(graph.error()));
  }
  if (Status s = check_states(*graph, out.tensors, path); !s) return fail(std::move(s.error()));
  auto names = labels_of(labels, path);
  if (!names) return fail(std::move(names.error()));
  out.labels = std::move(*names);
  for (const auto& [key, text] : file->metadata)
    if (key.starts_with(kExtra)) out.extra[key.substr(kExtra.size())] = text;
  return out;
}

}  // namespace shoestring::model
