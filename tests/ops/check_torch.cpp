// References and gradients against PyTorch's, stored by make_torch_values.py:
//
//   case bias_relu
//   in a f32[2,3] 0.25 -1.5 …        operands, in order
//   out f32[2,4] 0.125 …             results, in order
//   upstream f32[2,4] …              of the first result
//   grad a f32[2,3] …                d sum(upstream * first result) / d a
#include <charconv>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "ops/check.h"
#include "ops/differentiated.h"

namespace shoestring::optest {
namespace {

constexpr double kTolerance = 1e-9;  // both sides are f64

struct Stored {
  std::vector<std::pair<Type, Tensor64>> in, out, upstream;
  std::map<std::string, Tensor64> gradients;
};

std::optional<std::pair<Type, Tensor64>> parse_tensor(std::istringstream& line) {
  std::string word;
  line >> word;
  const auto type = type_named(word);
  if (!type) return std::nullopt;
  Tensor64 values;
  while (line >> word) {
    double x = 0;
    std::from_chars(word.data(), word.data() + word.size(), x);
    values.push_back(x);
  }
  if (static_cast<int64_t>(values.size()) != type->elements()) return std::nullopt;
  return std::pair{*type, values};
}

Result<Stored> load(const std::string& path, const std::string& name) {
  return read_file(path).and_then([&](const std::string& text) -> Result<Stored> {
    Stored stored;
    bool here = false, found = false;
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      std::istringstream words(line);
      std::string kind, operand;
      words >> kind;
      if (kind == "case") {
        words >> operand;
        here = operand == name;
        found |= here;
      }
      if (!here || kind == "case" || kind.empty() || kind[0] == '#') continue;
      if (kind == "in" || kind == "grad") words >> operand;
      auto tensor = parse_tensor(words);
      if (!tensor)
        return fail(ErrorKind::data, "no tensor", fmt::format("{}:{}", path, number),
                    "make it again with make_torch_values.py");
      if (kind == "in") stored.in.push_back(std::move(*tensor));
      if (kind == "out") stored.out.push_back(std::move(*tensor));
      if (kind == "upstream") stored.upstream.push_back(std::move(*tensor));
      if (kind == "grad") stored.gradients[operand] = std::move(tensor->second);
    }
    if (!found)
      return fail(ErrorKind::data, fmt::format("no case '{}'", name), path,
                  "make it with make_torch_values.py");
    return stored;
  });
}

}  // namespace

void check_torch(const Case& c, const std::string& folder, Report& report) {
  if (c.row.torch.empty()) return;
  const std::string flags = "--only torch";
  const Result<Stored> stored = load(fmt::format("{}/{}.txt", folder, c.row.op->name), c.row.torch);
  if (!stored) return report.fail(c.row, stored.error().message(), flags);
  if (stored->in.size() != c.row.in.size() || stored->out.empty() || stored->out.size() > c.row.out.size())
    return report.fail(c.row, "the stored operands or results are not as many as the row's", flags);
  std::vector<Data> data;
  for (size_t i = 0; i < stored->in.size(); ++i) {
    if (stored->in[i].first != c.row.in[i].type)
      return report.fail(
          c.row, fmt::format("{} is stored as {}", c.row.in[i].name, to_string(stored->in[i].first)), flags);
    data.push_back(encoded(stored->in[i].first, stored->in[i].second));
  }
  for (size_t i = 0; i < stored->out.size(); ++i)
    if (stored->out[i].first.dims != c.row.out[i].type.dims)
      return report.fail(c.row, fmt::format("result {} is stored as {}", i, to_string(stored->out[i].first)),
                         flags);
  auto compare = [&](const std::string& what, const Shape& dims, const Tensor64& ours,
                     const Tensor64& theirs) {
    if (const auto wrong = difference({DType::f64, dims}, ours, theirs, kTolerance))
      report.fail(c.row, fmt::format("{} (PyTorch's): {}", what, *wrong), flags);
    else
      report.passed();
  };
  const std::vector<Tensor64> reference = reference_of(c, data);
  for (size_t i = 0; i < stored->out.size(); ++i)
    compare(fmt::format("result {}", i), stored->out[i].first.dims, reference[i], stored->out[i].second);

  if (stored->gradients.empty()) return;
  std::optional<Differentiated> d = differentiated(c);
  if (!d || !d->graph.status() || stored->upstream.empty())
    return report.fail(c.row, "PyTorch has gradients and we have none", flags);
  std::map<std::string, Tensor64> inputs = inputs_of(c, *d, data);
  for (auto& [result, upstream] : d->upstream)
    inputs[fmt::format("upstream{}", result)].assign(upstream.size(), 0.0);
  inputs["upstream0"] = stored->upstream[0].second;
  const Interpretation ours = interpret(d->graph, inputs, {}, kContext);
  for (size_t operand : d->wrt) {
    const auto theirs = stored->gradients.find(c.row.in[operand].name);
    if (theirs != stored->gradients.end())
      compare(gradient_name(c, operand), c.row.in[operand].type.dims,
              ours.outputs.at(gradient_name(c, operand)), theirs->second);
  }
}

}  // namespace shoestring::optest
