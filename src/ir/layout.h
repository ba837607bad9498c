// The order in which the elements of a tensor lie in memory, where that is not row-major. Types say nothing
// of it (ir/type.h): the order of values stands in the attributes of the nodes that make them (ir/op.h,
// LaidOut), that of a state with the state (ir/graph.h).
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "ir/type.h"

namespace shoestring {

// Each axis is cut into parts, whose sizes multiply to its extent, and the parts of all axes stand in one
// order, the outermost first; of one axis, the first part is the slowest. Filters [3,3,64,128] in blocks of
// 32 are d4 a3 b3 c64 d32: element [i,j,k,n] is the (n % 32)-th of row k of place [n / 32, i, j].
class Layout {
 public:
  struct Part {
    int axis = 0;
    int64_t size = 1;
    bool operator==(const Part&) const = default;
  };

  Layout() = default;  // row-major
  // Equal orders are equal objects, however they are cut: [a,b,c] by its axes is row-major.
  explicit Layout(std::span<const Part> parts);
  // As an attribute holds it: axis and size of each part, in turn; empty: row-major. Whatever is no layout of
  // any shape (an odd count, an axis below 0, a size below 1) gives one that fits none.
  explicit Layout(const std::vector<int64_t>& attribute);

  bool row_major() const { return parts_.empty(); }
  std::span<const Part> parts() const { return parts_; }
  bool fits(const Shape& dims) const;
  std::vector<int64_t> attribute() const;
  bool operator==(const Layout&) const = default;

 private:
  std::vector<Part> parts_;
};

std::string to_string(const Layout& layout);  // "d4 a3 b3 c64 d32", "row-major", "nothing does"

// Where each element of a tensor lies. What an index of one axis adds does not depend on the other axes.
class ElementPlaces {
 public:
  ElementPlaces(const Layout& layout, const Shape& dims);
  // How far from the first element one of this index along the axis is, in elements.
  std::span<const int64_t> along(int axis) const { return along_[static_cast<size_t>(axis)]; }

  // visit(at) for the elements [first, first + count) in row-major order: where each of them lies.
  template <class F>
  void visit(int64_t first, int64_t count, F&& visit) const;

 private:
  Shape dims_;
  std::vector<std::vector<int64_t>> along_;
};

// Elements [first, first + count) in row-major order, of a tensor that lies in `layout`, to and from a piece
// of memory that holds just them. No dtypes in blocks.
void read_elements(const Layout& layout, const Type& type, const std::byte* tensor, int64_t first,
                   std::span<std::byte> piece);
void write_elements(const Layout& layout, const Type& type, std::byte* tensor, int64_t first,
                    std::span<const std::byte> piece);

template <class F>
void ElementPlaces::visit(int64_t first, int64_t count, F&& visit) const {
  const int rank = dims_.rank();
  if (count <= 0) return;
  if (rank == 0) return visit(int64_t{0});
  std::array<int64_t, Shape::kMaxRank> at{};
  for (int axis = rank - 1; axis >= 0; --axis) {
    at[static_cast<size_t>(axis)] = first % dims_[axis];
    first /= dims_[axis];
  }
  const std::vector<int64_t>& last = along_[static_cast<size_t>(rank - 1)];
  int64_t& column = at[static_cast<size_t>(rank - 1)];
  while (count > 0) {
    int64_t row = 0;
    for (int axis = 0; axis < rank - 1; ++axis)
      row += along_[static_cast<size_t>(axis)][static_cast<size_t>(at[static_cast<size_t>(axis)])];
    for (; count > 0 && column < dims_.back(); ++column, --count)
      visit(row + last[static_cast<size_t>(column)]);
    column = 0;
    for (int axis = rank - 2; axis >= 0 && ++at[static_cast<size_t>(axis)] == dims_[axis]; --axis)
      at[static_cast<size_t>(axis)] = 0;
  }
}

}  // namespace shoestring
