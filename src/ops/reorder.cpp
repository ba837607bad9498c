// reorder: the same values in another order in memory (ir/layout.h), `from` and `to` as Layout::attribute()
// gives them. It is what a plan pays where two kernels want one tensor in two orders.
#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "ir/layout.h"
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"from", std::vector<int64_t>{}}, {"to", std::vector<int64_t>{}}};
const LaidOut kLaidOut[] = {{0, "from"}, {1, "to"}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  for (const char* name : {"from", "to"})
    if (const Layout layout(args.attrs.list(name)); !layout.fits(x.dims))
      return wrong(fmt::format("reorder: {} does not lie as {} ({})", to_string(x), to_string(layout), name));
  return Types{x};
}

// Values are what they were; so the gradient goes back to the operand's order.
void grad(Backward& b) {
  b.add(0, reorder(b.upstream(), Layout(b.attrs().list("to")), Layout(b.attrs().list("from"))));
}

// One loop of the copy: a size, and how far apart its steps are on both sides, in elements.
struct Loop {
  int64_t size, from, to;
};

struct Reordering {
  int64_t bytes = 0;  // of what is copied as one: an element, or a few that are neighbours on both sides
  std::vector<Loop> outer;  // the outermost first, as the target lies
  // Within them, the steps of `row` are neighbours in the target and those of `column`, where they can be, in
  // the source.
  Loop column{1, 1, 1}, row{1, 1, 1};
  int threads = 1;
};

// The sizes behind which an axis is cut, in either order.
std::vector<int64_t> cuts_of(int axis, const Layout& layout) {
  std::vector<int64_t> cuts{1};
  const auto parts = layout.parts();
  for (size_t p = parts.size(); p-- > 0;)
    if (parts[p].axis == axis) cuts.push_back(cuts.back() * parts[p].size);
  return cuts;
}

// Nothing where the cuts of the two orders cross, as 6 and 4 do.
std::optional<Reordering> loops_of(const Shape& dims, int64_t element_bytes, const Layout& from,
                                   const Layout& to) {
  const ElementPlaces sources(from, dims), targets(to, dims);
  std::vector<Loop> loops;
  for (int axis = 0; axis < dims.rank(); ++axis) {
    std::vector<int64_t> cuts = cuts_of(axis, from);
    for (const int64_t cut : cuts_of(axis, to)) cuts.push_back(cut);
    cuts.push_back(dims[axis]);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      if (cuts[i + 1] % cuts[i] != 0) return std::nullopt;
      const auto at = static_cast<size_t>(cuts[i]);
      loops.push_back({cuts[i + 1] / cuts[i], sources.along(axis)[at], targets.along(axis)[at]});
    }
  }
  std::sort(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) { return a.to > b.to; });
  std::vector<Loop> merged;
  for (const Loop& loop : loops) {
    if (!merged.empty() && merged.back().from == loop.size * loop.from &&
        merged.back().to == loop.size * loop.to)
      merged.back() = {merged.back().size * loop.size, loop.from, loop.to};
    else
      merged.push_back(loop);
  }
  // Neighbours on both sides become one wider element where there is such a word.
  Reordering r{.bytes = element_bytes};
  if (!merged.empty() && merged.back().from == 1 &&
      std::has_single_bit(static_cast<uint64_t>(merged.back().size)) && merged.back().size * r.bytes <= 8) {
    const int64_t size = merged.back().size;
    merged.pop_back();
    r.bytes *= size;
    for (Loop& loop : merged) loop.from /= size, loop.to /= size;
  }
  if (merged.empty()) return r;
  r.row = merged.back();
  merged.pop_back();
  auto column = std::find_if(merged.begin(), merged.end(), [](const Loop& l) { return l.from == 1; });
  if (column == merged.end() && !merged.empty()) column = merged.end() - 1;
  if (column != merged.end()) {
    r.column = *column;
    merged.erase(column);
  }
  r.outer = std::move(merged);
  return r;
}

// [row][column] of the source to [column][row] of the target.
template <class T>
void turn(const Reordering& r, const T* from, T* to) {
  const Loop &column = r.column, &row = r.row;
  if (row.size == 2 && column.to == 2 && column.from == 1) {  // pairs, as bf16 products take them
    const T* second = from + row.from;
    for (int64_t i = 0; i < column.size; ++i) to[2 * i] = from[i], to[2 * i + 1] = second[i];
    return;
  }
  if (row.from == 1) {
    for (int64_t i = 0; i < column.size; ++i)
      for (int64_t j = 0; j < row.size; ++j) to[i * column.to + j] = from[i * column.from + j];
    return;
  }
  for (int64_t i = 0; i < column.size; ++i) {
    T* line = to + i * column.to;
    for (int64_t j = 0; j < row.size; ++j) line[j] = from[i * column.from + j * row.from];
  }
}

template <class T>
void blocks(const void* data, const KernelArgs& args) noexcept {
  const auto& r = *static_cast<const Reordering*>(data);
  const T* from = args.at<const T>(0);
  T* to = args.at<T>(1);
  int64_t count = 1;
  for (const Loop& loop : r.outer) count *= loop.size;
  split(count, 1, r.threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t source = 0, target = 0, rest = i;
      for (size_t k = r.outer.size(); k-- > 0;) {
        const Loop& loop = r.outer[k];
        source += rest % loop.size * loop.from;
        target += rest % loop.size * loop.to;
        rest /= loop.size;
      }
      turn(r, from + source, to + target);
    }
  });
}

PrepareResult prepare_blocks(const KernelRequest& request) {
  const Type& x = request.in[0];
  const auto no = [](std::string why) { return tl::unexpected(std::move(why)); };
  if (x.elements() == 0) return no("it is empty");
  auto loops = loops_of(x.dims, info(x.dtype).block_bytes, Layout(request.attrs.list("from")),
                        Layout(request.attrs.list("to")));
  if (!loops) return no("the two orders cut an axis crosswise");
  loops->threads = x.bytes() < kBytesWorthThreads ? 1 : request.target.threads;
  auto data = std::make_shared<const Reordering>(std::move(*loops));
  switch (data->bytes) {
    case 1:
      return Prepared{blocks<uint8_t>, std::move(data)};
    case 2:
      return Prepared{blocks<uint16_t>, std::move(data)};
    case 4:
      return Prepared{blocks<uint32_t>, std::move(data)};
    default:
      return Prepared{blocks<uint64_t>, std::move(data)};
  }
}

// Any two orders: element by element.
struct Elements {
  std::vector<int64_t> from, to;  // where each lies, in row-major order
  int64_t bytes;
};

void each_element(const void* data, const KernelArgs& args) noexcept {
  const auto& e = *static_cast<const Elements*>(data);
  for (size_t i = 0; i < e.from.size(); ++i)
    std::memcpy(args.at<char>(1) + e.to[i] * e.bytes, args.at<const char>(0) + e.from[i] * e.bytes,
                static_cast<size_t>(e.bytes));
}

PrepareResult prepare_elements(const KernelRequest& request) {
  const Type& x = request.in[0];
  auto e = std::make_shared<Elements>();
  e->bytes = info(x.dtype).block_bytes;
  const auto places = [&](const char* name) {
    std::vector<int64_t> all;
    ElementPlaces(Layout(request.attrs.list(name)), x.dims).visit(0, x.elements(), [&](int64_t at) {
      all.push_back(at);
    });
    return all;
  };
  e->from = places("from"), e->to = places("to");
  return Prepared{each_element, std::move(e)};
}

const Kernel kKernels[] = {{"blocks", prepare_blocks}, {"elements", prepare_elements}};

}  // namespace

extern const OpDef reorder_op{
    .name = "reorder",
    .doc = "the same values, lying in another order",
    .attrs = kAttrs,
    .laid_out = kLaidOut,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = [](const ReferenceArgs& a) { std::copy_n(a.in[0], a.in_types[0].elements(), a.out[0]); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
