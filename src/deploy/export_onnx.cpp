#include "deploy/export_onnx.h"

#include <nlohmann/json.hpp>

#include "compile/rewrite.h"

namespace shoestring::deploy {
namespace {

using Json = nlohmann::ordered_json;

// Composites that have no row in the table, as what they are made of.
Graph expanded(Graph graph) {
  for (bool again = true; again && graph.status();) {
    again = false;
    graph = rewrite(graph, [&](Rewriter& r, NodeId id) -> std::optional<std::vector<Value>> {
      const Node& node = r.from().node(id);
      if (!node.op->expand || translator_of(node.op->name)) return std::nullopt;
      std::vector<Value> inputs;
      for (const ValueId& v : node.inputs) inputs.push_back(r(v));
      Expansion expansion(r.to(), inputs, node.attrs);
      again = true;
      return node.op->expand(expansion);
    });
  }
  return graph;
}

Json inputs_of(const task::NetworkSpec& spec) {
  Json out = Json::array();
  int64_t numbers = 0;
  for (size_t i = 0; i < spec.recipe.inputs.size(); ++i) {
    const task::InputFeature& input = spec.recipe.inputs[i];
    const std::string port = task::port_of(input);
    Json entry = {{"name", input.name},
                  {"type", name_of(input.type())},
                  {"column", input.column},
                  {"port", port.empty() ? "numbers" : port}};
    if (port.empty()) entry["index"] = numbers++;
    if (input.type() == task::FeatureType::image) {
      const Shape dims = task::port_type(spec, i, 1).dims;
      entry.update({{"height", dims[1]}, {"width", dims[2]}, {"channels", dims[3]}});
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Json outputs_of(const task::NetworkSpec& spec) {
  Json out = Json::array();
  for (const task::OutputFeature& output : spec.recipe.outputs)
    out.push_back({{"name", output.name},
                   {"type", name_of(output.type())},
                   {"column", output.column},
                   {"port", task::answer_port_of(output)}});
  return out;
}

}  // namespace

Result<onnx::Model> onnx_of(const std::function<Graph(int64_t rows)>& build,
                            const Translation::StateBytes& states) {
  const auto sizes = sizes_by_rows([&](int64_t rows) { return expanded(build(rows)); });
  if (!sizes) return fail(sizes.error());
  return Translation(*sizes, states).run();
}

Result<onnx::Model> onnx_of(const train::SavedModel& model) {
  const auto build = [&](int64_t rows) { return task::build_prediction(model.spec, rows); };
  const auto states = [&](const std::string& name) -> std::span<const std::byte> {
    for (const auto& tensor : model.file.tensors)
      if (tensor.name == name) return tensor.bytes;
    return {};
  };
  auto out = onnx_of(build, states);
  if (!out) return out;
  out->producer_version = SHOESTRING_VERSION;
  out->doc = model.file.card;
  out->metadata = {{"inputs", inputs_of(model.spec).dump()},
                   {"outputs", outputs_of(model.spec).dump()},
                   {"labels", Json(model.file.labels).dump()},
                   {"preprocessing", model.file.preprocessing},
                   {"recipe", model.file.recipe}};
  return out;
}

Result<Exported> export_onnx(const std::string& model, const std::string& output) {
  const auto saved = train::load_model(model);
  if (!saved) return fail(saved.error());
  const auto file = onnx_of(*saved);
  if (!file) return fail(file.error());
  if (auto ok = onnx::write(*file, output); !ok) return fail(ok.error());
  Exported out{.bytes = onnx::bytes_of(*file), .operations = static_cast<int64_t>(file->operations.size())};
  for (const onnx::Port& port : file->inputs) out.inputs.push_back(port.name);
  for (const onnx::Port& port : file->outputs) out.outputs.push_back(port.name);
  return out;
}

}  // namespace shoestring::deploy
