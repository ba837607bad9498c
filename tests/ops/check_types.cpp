// The shape rule, the text form, the verifier, the written values; and the report.
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/check.h"
#include "ops/ops.h"

namespace shoestring::optest {

std::string_view isa_name(Isa isa) {
  constexpr std::string_view names[] = {"scalar", "avx2", "avx512", "neon"};
  return names[static_cast<size_t>(isa)];
}

std::vector<Isa> machine_isas() {
  std::vector<Isa> isas{Isa::scalar};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(Isa::avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    isas.push_back(Isa::avx512);
#elif defined(__aarch64__)
  isas.push_back(Isa::neon);
#endif
  return isas;
}

void Report::fail(const Row& row, std::string what, std::string flags) {
  std::string command = fmt::format("optest {} --row {}", row.op->name, row.number());
  if (!flags.empty()) command += " " + flags;
  failures_.push_back({row.where(), std::move(what), std::move(command)});
}

void Report::refused(const OpDef& op, std::string_view kernel, Isa isa, const std::string& reason) {
  refusals_[op.name].insert(fmt::format("{} on {}: {}", kernel, isa_name(isa), reason));
}

const Report::Support& Report::support(const OpDef& op) const {
  static const Support none;
  const auto at = accepted_.find(op.name);
  return at == accepted_.end() ? none : at->second;
}
const std::set<std::string>& Report::refusals(const OpDef& op) const {
  static const std::set<std::string> none;
  const auto at = refusals_.find(op.name);
  return at == refusals_.end() ? none : at->second;
}

std::optional<Case> check_types(const Row& row, const RowFile& file, Report& report) {
  std::optional<Case> c;
  c.emplace(Case{row, Graph("row"), {}});  // in its final place: values point to their graph
  std::vector<Value> in;
  for (const Operand& o : row.in) in.push_back(c->graph.input(o.name, o.type));
  c->value = c->graph.add(*row.op, in, row.attrs, row.body.empty() ? nullptr : file.body(row.body));
  const Status status = c->graph.status();
  if (!row.error.empty()) {
    if (status)
      report.fail(row, fmt::format("is accepted as {}, not refused", to_string(c->value.type())));
    else if (status.error().what != row.error)
      report.fail(row, fmt::format("the error is\n    \"{}\"", status.error().what));
    else
      report.passed();
    return std::nullopt;
  }
  if (!status) {
    report.fail(row, "is refused: " + status.error().what);
    return std::nullopt;
  }

  std::string written, inferred;
  for (const Expected& e : row.out) written += (written.empty() ? "" : "; ") + to_string(e.type);
  for (const Type& t : c->node().types) inferred += (inferred.empty() ? "" : "; ") + to_string(t);
  if (written != inferred) {
    report.fail(row, fmt::format("gives {}, not {}", inferred, written));
    return std::nullopt;
  }
  for (size_t i = 0; i < row.out.size(); ++i)
    c->graph.output(fmt::format("y{}", i), c->value.output(static_cast<uint32_t>(i)));

  if (const Status s = verify(c->graph); !s) report.fail(row, "does not verify: " + s.error().message());
  const std::string text = to_text(c->graph);
  std::vector<const OpDef*> vocabulary(ops::all().begin(), ops::all().end());
  vocabulary.push_back(row.op);  // the self check's are not in it
  const Result<Graph> again = parse_graph(text, vocabulary);
  if (!again)
    report.fail(row, "its text does not parse: " + again.error().message() + "\n" + text);
  else if (to_text(*again) != text)
    report.fail(row, "its text changes when it is read back:\n" + text + to_text(*again));

  if (row.op->cost) {
    const Types types = row.in_types();
    const Cost cost = row.op->cost({types, c->node().attrs, c->node().body.get()}, c->node().types);
    if (!(cost.flops >= 0 && cost.flops < 1e15 && cost.bytes >= 0 && cost.bytes < 1e15))
      report.fail(row, fmt::format("costs {} flops and {} bytes", cost.flops, cost.bytes));
  } else {
    report.fail(row, "has no cost");
  }
  report.passed();
  return c;
}

std::vector<Tensor64> reference_of(const Case& c, std::span<const Data> data) {
  std::vector<const Tensor64*> in;
  for (const Data& d : data) in.push_back(&d.values);
  return interpret_node(c.node(), c.row.in_types(), in, kContext);
}

void check_reference(const Case& c, Report& report) {
  const std::vector<Data> data = draw(c.row);
  const std::vector<Tensor64> reference = reference_of(c, data);
  for (size_t i = 0; i < c.row.out.size(); ++i) {
    const Expected& e = c.row.out[i];
    if (!e.values) continue;
    if (static_cast<int64_t>(e.values->size()) != e.type.elements()) {
      report.fail(c.row, fmt::format("{} values are written for {}", e.values->size(), to_string(e.type)));
      continue;
    }
    if (const auto wrong = difference({DType::f64, e.type.dims}, reference[i], *e.values, 1e-12))
      report.fail(c.row, fmt::format("reference, result {}: {}", i, *wrong));
    report.passed();
  }
}

}  // namespace shoestring::optest
