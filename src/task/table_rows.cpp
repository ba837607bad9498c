#include "task/table_rows.h"

#include "ops/ops.h"

namespace shoestring::task {

bool updates_rows(const model::Optimizer& optimizer) {
  return std::visit(
      []<class O>(const O&) {
        using namespace model;
        return !kEightBit<O> &&
               (std::is_base_of_v<Adam, O> || std::is_base_of_v<AdamW, O> || std::is_base_of_v<Sgd, O> ||
                std::is_base_of_v<Adagrad, O> || std::is_base_of_v<RmsProp, O>);
      },
      optimizer);
}

std::vector<std::string> tables_by_rows(const Graph& training) {
  std::vector<std::string> out;
  for (const shoestring::Node& n : training.nodes())
    if (n.op == &write_op && training.node(n.inputs[0]).op->name == "scatter_rows" &&
        training.state(n.name)->role == StateRole::parameter)
      out.push_back(n.name);
  return out;
}

void TableRows::take(Graph& graph, std::vector<model::Trained>& trained, int64_t most_dense_bytes) {
  for (model::Trained& t : trained) {
    if (!t.gradient.valid() || t.value.type().bytes() <= most_dense_bytes) continue;
    const shoestring::Node& maker = graph.node(t.gradient.id());
    if (maker.op->name != "gather_grad") continue;  // it has other uses: the gradient is dense
    const std::vector<ValueId> from = maker.inputs;
    const Value numbers = graph.add(*ops::find("sum_rows"), {graph.value(from[0]), graph.value(from[1])},
                                    {{"rows", t.value.dims()[0]}});
    tables_.push_back({t.name, t.value, numbers, numbers.output(1).type()});
    t.gradient = numbers.output(1);
    t.value = ops::gather(t.value, numbers);
  }
}

void TableRows::put(std::vector<model::StateUpdate>& updates) const {
  for (const Table& t : tables_)
    for (model::StateUpdate& u : updates)
      if (u.state == t.name)
        u.value = t.whole.graph().add(*ops::find("scatter_rows"), {t.whole, t.numbers, u.value});
}

StateForms TableRows::forms(const Graph& graph) const {
  StateForms out;
  for (const Table& t : tables_)
    for (const StateInfo& s : graph.states())
      if (s.role == StateRole::moment && s.type == t.rows && s.name.starts_with(t.name + "/"))
        out.emplace(s.name, rows_form({s.name, t.whole.type(), s.role}, t.numbers.id()));
  return out;
}

}  // namespace shoestring::task
