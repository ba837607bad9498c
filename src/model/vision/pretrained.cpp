#include "model/vision/pretrained.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

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

constexpr std::string_view kPlaces = "encoder.pos_embedding";  // [1, 1 + places, d]

// The square grid of their table of places; none where it is no such table.
std::optional<PatchGrid> square_places(const Type& theirs, const Shape& wanted) {
  const Shape& dims = theirs.dims;
  if (dims.rank() != 3 || dims[0] != 1 || dims[1] < 2 || dims[2] != wanted[2]) return std::nullopt;
  const auto side = std::llround(std::sqrt(static_cast<double>(dims[1] - 1)));
  return side * side == dims[1] - 1 ? std::optional(PatchGrid{side, side}) : std::nullopt;
}

// How much of each of `from` points is in each of `to`, [to,from]: cubic convolution (Keys 1981) with a =
// -0.75 over four points, the first on the first and the last on the last; what lies beyond is the last.
std::vector<double> bicubic(int64_t from, int64_t to) {
  constexpr double kA = -0.75;
  const auto near = [](double x) { return ((kA + 2) * x - (kA + 3)) * x * x + 1; };         // x up to 1
  const auto far = [](double x) { return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA; };  // 1 to 2
  std::vector<double> shares(static_cast<size_t>(from * to), 0);
  for (int64_t i = 0; i < to; ++i) {
    const double at = to > 1 ? static_cast<double>(i * (from - 1)) / static_cast<double>(to - 1) : 0;
    const auto first = static_cast<int64_t>(at);
    const double t = at - static_cast<double>(first);
    const double taps[] = {far(1 + t), near(t), near(1 - t), far(2 - t)};
    for (int64_t k = 0; k < 4; ++k) {
      const int64_t point = std::clamp<int64_t>(first - 1 + k, 0, from - 1);
      shares[static_cast<size_t>(i * from + point)] += taps[k];
    }
  }
  return shares;
}

// Decodes numbers a few at a time: take(values).
template <class Take>
void decode_each(DType dtype, std::span<const std::byte> bytes, const Take& take) {
  constexpr int64_t kDecoded = 256;
  std::array<double, kDecoded> decoded{};
  const auto width = static_cast<int64_t>(info(dtype).block_bytes);
  for (int64_t count = static_cast<int64_t>(bytes.size()) / width; count > 0;) {
    const int64_t now = std::min(count, kDecoded);
    decode(dtype, bytes.data(), decoded.data(), now);
    bytes = bytes.subspan(static_cast<size_t>(now * width));
    count -= now;
    take(std::span<const double>(decoded).first(static_cast<size_t>(now)));
  }
}

// Adds what these numbers of their places are of each of ours.
void put_places(const ForeignState& state, int64_t first, std::span<const std::byte> bytes,
                std::span<float> values) {
  if (first == 0) std::ranges::fill(values, 0.0F);
  const PatchGrid &from = state.from, &to = state.to;
  const int64_t d = state.tensor.dims[2];
  const std::vector<double> down = bicubic(from.rows, to.rows), across = bicubic(from.columns, to.columns);
  // Numbers [0, size) of a place's d, from `begin` on, times a share.
  const auto add = [&](int64_t place, int64_t begin, std::span<const double> numbers, double share) {
    float* out = values.data() + place * d + begin;
    for (const double number : numbers) *out++ += static_cast<float>(share * number);
  };
  decode_each(state.dtype, bytes, [&](std::span<const double> numbers) {
    while (!numbers.empty()) {
      const int64_t place = first / d, begin = first % d;
      const auto now = numbers.first(static_cast<size_t>(std::min(d - begin, std::ssize(numbers))));
      if (place == 0) add(0, begin, now, 1);
      const int64_t y = (place - 1) / from.columns, x = (place - 1) % from.columns;
      for (int64_t row = 0; place > 0 && row < to.rows; ++row)
        for (int64_t column = 0; column < to.columns; ++column) {
          const double share = down[static_cast<size_t>(row * from.rows + y)] *
                               across[static_cast<size_t>(column * from.columns + x)];
          if (share != 0) add(1 + row * to.columns + column, begin, now, share);
        }
      first += std::ssize(now);
      numbers = numbers.subspan(now.size());
    }
  });
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
                                                const std::string& prefix, PatchGrid patches) {
  std::vector<ForeignState> matched;
  for (const Parameter& p : parameters) {
    if (!prefix.empty() && !p.name.starts_with(prefix + ".")) continue;
    ForeignTensor form = foreign_form(p, prefix);
    const Type* const type = find(form.name);
    const auto wrong = [&](const std::string& what) {
      return fail(ErrorKind::data, what, path, "give the weights of this very network and variant");
    };
    if (!type) return wrong(fmt::format("has no tensor '{}'", form.name));
    PatchGrid from, to;
    if (patches.rows > 0 && form.name == kPlaces) {
      const auto places = square_places(*type, form.dims);
      if (places && *places != patches) {
        from = *places, to = patches;
        form.dims = type->dims;
      } else if (!places && type->dims != form.dims) {
        return wrong(
            fmt::format("tensor '{}' is {}, no table of a square of places, and the network's pictures "
                        "have {} x {} patches",
                        form.name, to_string(type->dims), patches.rows, patches.columns));
      }
    }
    if (!fits(type->dims, form.dims))
      return wrong(fmt::format("tensor '{}' is {}, the network's {}", form.name, to_string(type->dims),
                               to_string(form.dims)));
    if (!info(type->dtype).floating || in_blocks(type->dtype))
      return wrong(
          fmt::format("tensor '{}' is {}, no numbers of floating point", form.name, to_string(*type)));
    matched.push_back({p.name, form, type->dtype, order_of(p), from, to});
  }
  return matched;
}

void put_foreign(const ForeignState& state, int64_t first, std::span<const std::byte> bytes,
                 std::span<float> values) {
  if (state.from.rows > 0) return put_places(state, first, bytes, values);
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
  decode_each(state.dtype, bytes, [&](std::span<const double> numbers) {
    for (const double number : numbers) {
      values[static_cast<size_t>(to)] = static_cast<float>(number);
      for (int axis = dims.rank() - 1; axis >= 0; --axis) {
        const auto a = static_cast<size_t>(axis);
        to += step[a];
        if (++at[a] < dims[axis]) break;
        to -= step[a] * dims[axis];
        at[a] = 0;
      }
    }
  });
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
