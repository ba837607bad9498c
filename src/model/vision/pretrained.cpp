#include "model/vision/pretrained.h"

#include <fmt/format.h>

#include <algorithm>
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

Result<std::vector<ForeignState>> match_foreign(const FindTensor& find, const std::string& path,
                                                std::span<const Parameter> parameters,
                                                const std::string& prefix) {
  std::vector<ForeignState> matched;
  for (const Parameter& p : parameters) {
    if (!prefix.empty() && !p.name.starts_with(prefix + ".")) continue;
    const ForeignTensor form = foreign_form(p, prefix);
    const Type* const type = find(form.name);
    const auto wrong = [&](const std::string& what) {
      return fail(ErrorKind::data, what, path, "give the weights of this very network and variant");
    };
    if (!type) return wrong(fmt::format("has no tensor '{}'", form.name));
    if (!fits(type->dims, form.dims))
      return wrong(fmt::format("tensor '{}' is {}, the network's {}", form.name, to_string(type->dims),
                               to_string(form.dims)));
    if (!info(type->dtype).floating || in_blocks(type->dtype))
      return wrong(
          fmt::format("tensor '{}' is {}, no numbers of floating point", form.name, to_string(*type)));
    matched.push_back({p.name, form, type->dtype, order_of(p)});
  }
  return matched;
}

void put_foreign(const ForeignState& state, int64_t first, std::span<const std::byte> bytes,
                 std::span<float> values) {
  const Shape& dims = state.tensor.dims;
  // In the state, how far a step along an axis of theirs goes.
  std::array<int64_t, Shape::kMaxRank> step{}, at{};
  int64_t size = 1;
  for (int k = dims.rank() - 1; k >= 0; --k) {
    const int axis = state.order.empty() ? k : state.order[static_cast<size_t>(k)];
    step[static_cast<size_t>(axis)] = size;
    size *= dims[axis];
  }
  int64_t to = 0, rest = first;
  for (int axis = dims.rank() - 1; axis >= 0; --axis) {
    at[static_cast<size_t>(axis)] = rest % dims[axis];
    rest /= dims[axis];
    to += at[static_cast<size_t>(axis)] * step[static_cast<size_t>(axis)];
  }
  constexpr int64_t kDecoded = 256;
  std::array<double, kDecoded> decoded{};
  const auto width = static_cast<int64_t>(info(state.dtype).block_bytes);
  for (int64_t count = static_cast<int64_t>(bytes.size()) / width; count > 0;) {
    const int64_t now = std::min(count, kDecoded);
    decode(state.dtype, bytes.data(), decoded.data(), now);
    bytes = bytes.subspan(static_cast<size_t>(now * width));
    count -= now;
    for (int64_t i = 0; i < now; ++i) {
      values[static_cast<size_t>(to)] = static_cast<float>(decoded[static_cast<size_t>(i)]);
      for (int axis = dims.rank() - 1; axis >= 0; --axis) {
        const auto a = static_cast<size_t>(axis);
        to += step[a];
        if (++at[a] < dims[axis]) break;
        to -= step[a] * dims[axis];
        at[a] = 0;
      }
    }
  }
}

Status read_foreign(const ForeignTensors& file, const ForeignState& state, std::span<float> values,
                    std::span<std::byte> buffer) {
  const auto width = static_cast<int64_t>(info(state.dtype).block_bytes);
  const int64_t piece = static_cast<int64_t>(buffer.size()) / width, all = state.tensor.dims.elements();
  for (int64_t first = 0; first < all; first += piece) {
    const auto bytes = buffer.first(static_cast<size_t>(std::min(piece, all - first) * width));
    if (auto ok = file.read(state.tensor.name, first * width, bytes); !ok) return ok;
    put_foreign(state, first, bytes, values);
  }
  return {};
}

}  // namespace shoestring::model::vision
