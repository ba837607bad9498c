#include "model/vision/pretrained.h"

#include <fmt/format.h>

#include <array>

namespace shoestring::model::vision {
namespace {

struct Ending {
  std::string_view ours, theirs;
};
// The longer ones first.
constexpr std::array kEndings{Ending{".in_proj.weights", ".in_proj_weight"},
                              Ending{".in_proj.bias", ".in_proj_bias"},
                              Ending{".weights", ".weight"},
                              Ending{".scale", ".weight"},
                              Ending{".shift", ".bias"},
                              Ending{".mean", ".running_mean"},
                              Ending{".variance", ".running_var"}};

// Theirs has outputs first, ours last: the axes of theirs in the order of ours.
std::vector<int> order_of(const Parameter& p) {
  if (!p.name.ends_with(".weights")) return {};
  if (p.type.dims.rank() == 2) return {1, 0};
  if (p.type.dims.rank() == 4) return {2, 3, 1, 0};
  return {};
}

bool fits(const Shape& theirs, const Shape& wanted) {
  if (theirs == wanted) return true;
  // Sides of 1, as a layer of single pixels has, say nothing.
  return theirs.rank() > wanted.rank() && theirs.elements() == wanted.elements() &&
         std::equal(wanted.begin(), wanted.end(), theirs.begin());
}

std::vector<double> values_of(const TensorView& tensor) {
  std::vector<double> values(static_cast<size_t>(tensor.type.elements()));
  decode(tensor.type.dtype, tensor.bytes.data(), values.data(), tensor.type.elements());
  return values;
}

// Elements of theirs in the order of ours.
std::vector<float> reordered(const std::vector<double>& theirs, const Shape& dims,
                             const std::vector<int>& order) {
  std::vector<float> ours(theirs.size());
  if (order.empty()) {
    for (size_t i = 0; i < theirs.size(); ++i) ours[i] = static_cast<float>(theirs[i]);
    return ours;
  }
  std::array<int64_t, Shape::kMaxRank> stride{}, size{}, step{};
  int64_t s = 1;
  for (int axis = dims.rank() - 1; axis >= 0; --axis) stride[static_cast<size_t>(axis)] = s, s *= dims[axis];
  for (size_t k = 0; k < order.size(); ++k) {
    size[k] = dims[order[k]];
    step[k] = stride[static_cast<size_t>(order[k])];
  }
  std::array<int64_t, Shape::kMaxRank> at{};
  int64_t from = 0;
  for (float& value : ours) {
    value = static_cast<float>(theirs[static_cast<size_t>(from)]);
    for (size_t k = order.size(); k-- > 0;) {
      from += step[k];
      if (++at[k] < size[k]) break;
      from -= step[k] * size[k];
      at[k] = 0;
    }
  }
  return ours;
}

}  // namespace

ForeignTensor foreign_form(const Parameter& p, const std::string& prefix) {
  ForeignTensor form{p.name.substr(prefix.empty() ? 0 : prefix.size() + 1), p.type.dims};
  for (const Ending& e : kEndings)
    if (form.name.ends_with(e.ours)) {
      form.name.replace(form.name.size() - e.ours.size(), e.ours.size(), e.theirs);
      break;
    }
  if (const std::vector<int> order = order_of(p); !order.empty()) {
    std::vector<int64_t> dims(order.size());
    for (size_t k = 0; k < order.size(); ++k)
      dims[static_cast<size_t>(order[k])] = p.type.dims[static_cast<int>(k)];
    form.dims = Shape(dims);
  }
  return form;
}

Result<std::vector<LoadedState>> load_foreign(const TensorFile& file, const std::string& path,
                                              std::span<const Parameter> parameters,
                                              const std::string& prefix) {
  std::vector<LoadedState> loaded;
  for (const Parameter& p : parameters) {
    if (!prefix.empty() && !p.name.starts_with(prefix + ".")) continue;
    const ForeignTensor form = foreign_form(p, prefix);
    const TensorView* tensor = file.find(form.name);
    const auto wrong = [&](const std::string& what) {
      return fail(ErrorKind::data, what, path, "give the weights of this very network and variant");
    };
    if (!tensor) return wrong(fmt::format("has no tensor '{}'", form.name));
    if (!fits(tensor->type.dims, form.dims))
      return wrong(fmt::format("tensor '{}' is {}, the network's {}", form.name, to_string(tensor->type.dims),
                               to_string(form.dims)));
    loaded.push_back({p.name, reordered(values_of(*tensor), form.dims, order_of(p))});
  }
  return loaded;
}

}  // namespace shoestring::model::vision
