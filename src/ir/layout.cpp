#include "ir/layout.h"

#include <fmt/format.h>

#include <cstring>

namespace shoestring {
namespace {

constexpr int kNoAxis = Shape::kMaxRank;  // fits no shape

}  // namespace

Layout::Layout(std::span<const Part> parts) {
  // Parts of one element say nothing, and two that follow each other are one.
  for (const Part& part : parts) {
    if (part.size == 1) continue;
    if (!parts_.empty() && parts_.back().axis == part.axis)
      parts_.back().size *= part.size;
    else
      parts_.push_back(part);
  }
  bool ascending = true;
  for (size_t i = 1; i < parts_.size(); ++i) ascending &= parts_[i - 1].axis < parts_[i].axis;
  if (ascending) parts_.clear();
}

Layout::Layout(const std::vector<int64_t>& attribute) {
  constexpr int64_t kMostSize = int64_t{1} << 31;  // that of an axis cut into many stays within an int64_t
  std::vector<Part> parts;
  bool good = attribute.size() % 2 == 0 && attribute.size() <= 4 * Shape::kMaxRank;
  for (size_t i = 0; good && i < attribute.size(); i += 2) {
    good = attribute[i] >= 0 && attribute[i] < Shape::kMaxRank && attribute[i + 1] >= 1 &&
           attribute[i + 1] <= kMostSize;
    if (good) parts.push_back({static_cast<int>(attribute[i]), attribute[i + 1]});
  }
  if (good)
    *this = Layout(parts);
  else
    parts_ = {{kNoAxis, 1}};
}

bool Layout::fits(const Shape& dims) const {
  if (row_major()) return true;
  std::array<int64_t, Shape::kMaxRank> sizes;
  sizes.fill(1);
  for (const Part& part : parts_) {
    if (part.axis >= dims.rank()) return false;
    int64_t& size = sizes[static_cast<size_t>(part.axis)];
    if (size > dims[part.axis] / part.size) return false;
    size *= part.size;
  }
  for (int axis = 0; axis < dims.rank(); ++axis)
    if (sizes[static_cast<size_t>(axis)] != dims[axis]) return false;
  return true;
}

std::vector<int64_t> Layout::attribute() const {
  std::vector<int64_t> out;
  for (const Part& part : parts_) out.insert(out.end(), {part.axis, part.size});
  return out;
}

std::string to_string(const Layout& layout) {
  if (layout.row_major()) return "row-major";
  if (layout.parts()[0].axis == kNoAxis) return "nothing does";
  std::string text;
  for (const Layout::Part& part : layout.parts())
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", static_cast<char>('a' + part.axis), part.size);
  return text;
}

ElementPlaces::ElementPlaces(const Layout& layout, const Shape& dims)
    : dims_(dims), along_(static_cast<size_t>(dims.rank())) {
  std::vector<Layout::Part> parts(layout.parts().begin(), layout.parts().end());
  if (layout.row_major())
    for (int axis = 0; axis < dims.rank(); ++axis) parts.push_back({axis, dims[axis]});
  for (int axis = 0; axis < dims.rank(); ++axis)
    along_[static_cast<size_t>(axis)].assign(static_cast<size_t>(dims[axis]), 0);
  // From the innermost part outwards: how far apart its steps are, in memory and along its axis.
  std::array<int64_t, Shape::kMaxRank> below;  // of each axis: the product of its parts so far
  below.fill(1);
  int64_t stride = 1;
  for (size_t p = parts.size(); p-- > 0;) {
    auto& along = along_[static_cast<size_t>(parts[p].axis)];
    int64_t& inner = below[static_cast<size_t>(parts[p].axis)];
    for (size_t i = 0; i < along.size(); ++i)
      along[i] += static_cast<int64_t>(i) / inner % parts[p].size * stride;
    inner *= parts[p].size;
    stride *= parts[p].size;
  }
}

void read_elements(const Layout& layout, const Type& type, const std::byte* tensor, int64_t first,
                   std::span<std::byte> piece) {
  const auto bytes = static_cast<size_t>(info(type.dtype).block_bytes);
  std::byte* to = piece.data();
  ElementPlaces(layout, type.dims).visit(first, static_cast<int64_t>(piece.size() / bytes), [&](int64_t at) {
    std::memcpy(to, tensor + static_cast<size_t>(at) * bytes, bytes);
    to += bytes;
  });
}

void write_elements(const Layout& layout, const Type& type, std::byte* tensor, int64_t first,
                    std::span<const std::byte> piece) {
  const auto bytes = static_cast<size_t>(info(type.dtype).block_bytes);
  const std::byte* from = piece.data();
  ElementPlaces(layout, type.dims).visit(first, static_cast<int64_t>(piece.size() / bytes), [&](int64_t at) {
    std::memcpy(tensor + static_cast<size_t>(at) * bytes, from, bytes);
    from += bytes;
  });
}

}  // namespace shoestring
