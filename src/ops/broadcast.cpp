// broadcast: a tensor repeated along new axes and axes of size 1, by NumPy's rule.
#include "ops/shared/broadcast.h"

#include <numeric>

#include "base/arith.h"
#include "base/parallel.h"
#include "ir/graph.h"
#include "ops/ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/broadcast.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// The first `run` of n remaining elements are `value`. Whole vectors may spill into what is still to be
// written, which spares short runs their masks.
template <class T>
HWY_INLINE void fill_run(T value, T* to, int64_t run, int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto v = hn::Set(d, value);
  int64_t i = 0;
  for (; i < run && i + lanes <= n; i += lanes) hn::StoreU(v, d, to + i);
  for (; i < run; ++i) to[i] = value;
}

// Likewise for copies; `readable` elements lie at `from`.
template <class T>
HWY_INLINE void copy_run(const T* from, T* to, int64_t run, int64_t n, int64_t readable) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t room = n < readable ? n : readable;
  int64_t i = 0;
  for (; i < run && i + lanes <= room; i += lanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  for (; i < run; ++i) to[i] = from[i];
}

// Where an element of the result is: an index along each axis, and its place in the source.
struct Position {
  std::array<int64_t, Shape::kMaxRank> at{};
  int64_t place = 0;

  Position(const BroadcastMap& map, int64_t element) {
    for (auto a = static_cast<size_t>(map.rank); a-- > 0;) {
      at[a] = element % map.size[a];
      element /= map.size[a];
      place += at[a] * map.stride[a];
    }
  }
  // To the next index of axis `a`, whose inner axes are all at 0.
  void next(const BroadcastMap& map, size_t a) {
    for (;; --a) {
      place += map.stride[a];
      if (++at[a] < map.size[a] || a == 0) return;
      place -= map.size[a] * map.stride[a];
      at[a] = 0;
    }
  }
};

// Run by run of the last axis.
template <class T>
void copy_runs(const BroadcastMap& map, const T* from, T* to, int64_t begin, int64_t n) {
  Position p(map, begin);
  const auto last = static_cast<size_t>(map.rank - 1);
  const int64_t width = map.size[last];
  while (n > 0) {
    const int64_t left = width - p.at[last], run = left < n ? left : n;
    if (map.stride[last] == 0)
      fill_run(from[p.place], to, run, n);
    else
      copy_run(from + p.place, to, run, n, map.source_elements - p.place);
    to += run;
    n -= run;
    if (last == 0) return;  // that was all
    p.place -= p.at[last] * map.stride[last];
    p.at[last] = 0;
    p.next(map, last - 1);
  }
}

// Short runs that repeat (a narrow row) are laid out once, up to a multiple of the vector; the rest copies
// what lies that far back.
template <class T>
void broadcast_run(const BroadcastMap& map, const void* source, void* target, int64_t begin,
                   int64_t n) noexcept {
  const T* const from = static_cast<const T*>(source);
  T* const to = static_cast<T*>(target);
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  if (map.rank == 0) {
    if (n > 0) *to = *from;
    return;
  }
  const int64_t pattern = map.pattern;
  if (pattern > n / 2 || map.rank == 1 || map.size[static_cast<size_t>(map.rank - 1)] >= 4 * lanes ||
      16 % lanes != 0)
    return copy_runs(map, from, to, begin, n);
  copy_runs(map, from, to, begin, pattern);
  int64_t i = pattern;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::LoadU(d, to + i - pattern), d, to + i);
  for (; i < n; ++i) to[i] = to[i - pattern];
}

BroadcastFn function_for(int element_bytes) {
  switch (element_bytes) {
    case 1:
      return broadcast_run<uint8_t>;
    case 2:
      return broadcast_run<uint16_t>;
    case 8:
      return broadcast_run<uint64_t>;
    default:
      return broadcast_run<uint32_t>;
  }
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {
SHOESTRING_EXPORT(function_for);
}

BroadcastFn broadcast_function(Isa isa, int element_bytes) { return function_for_on(isa)(element_bytes); }

BroadcastMap broadcast_map(const Shape& from, const Shape& to) {
  BroadcastMap map{.elements = to.elements(), .source_elements = from.elements()};
  if (map.elements == 0) return map;
  // From the back, so that a stride is the product of the source's axes passed so far.
  std::array<int64_t, Shape::kMaxRank> size{}, stride{};
  int rank = 0;
  int64_t step = 1;
  for (int k = 1; k <= to.rank(); ++k) {
    const int64_t n = to[to.rank() - k];
    const int64_t of_source = k <= from.rank() ? from[from.rank() - k] : 1;
    if (n == 1) continue;
    const bool repeated = of_source == 1;
    const auto r = static_cast<size_t>(rank);
    if (rank > 0 && repeated == (stride[r - 1] == 0)) {
      size[r - 1] *= n;
    } else {
      size[r] = n;
      stride[r] = repeated ? 0 : step;
      ++rank;
    }
    step *= of_source;
  }
  map.rank = rank;
  for (int axis = 0; axis < rank; ++axis) {
    map.size[static_cast<size_t>(axis)] = size[static_cast<size_t>(rank - 1 - axis)];
    map.stride[static_cast<size_t>(axis)] = stride[static_cast<size_t>(rank - 1 - axis)];
  }
  map.pattern = std::lcm(map.period(), int64_t{16});
  return map;
}

namespace {

const AttrDef kAttrs[] = {{"dims", std::vector<int64_t>{}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const std::vector<int64_t>& to = args.attrs.list("dims");
  const auto refuse = [&](std::string why) {
    return fail(ErrorKind::usage, fmt::format("broadcast: {} to {}: {}", shoestring::to_string(x),
                                              shoestring::to_string(AttrValue(to)), why));
  };
  if (to.size() > Shape::kMaxRank) return refuse(fmt::format("more than {} axes", Shape::kMaxRank));
  if (to.size() < static_cast<size_t>(x.dims.rank())) return refuse("fewer axes");
  std::optional<int64_t> bytes = info(x.dtype).block_bytes;
  for (int64_t n : to) {
    if (n < 0) return refuse("a negative size");
    if (bytes) bytes = checked_mul(*bytes, n);
  }
  if (!bytes) return refuse("too large");
  const size_t added = to.size() - static_cast<size_t>(x.dims.rank());
  for (int axis = 0; axis < x.dims.rank(); ++axis) {
    const int64_t n = x.dims[axis], m = to[added + static_cast<size_t>(axis)];
    if (n != m && n != 1) return refuse(fmt::format("an axis of {} cannot become {}", n, m));
  }
  return Types{{x.dtype, Shape(to)}};
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  return {.bytes = static_cast<double>(args.in[0].bytes() + out[0].bytes())};
}

// The sum over the repeated axes.
void grad(Backward& b) {
  const Shape from = b.input(0).dims(), to = b.upstream().dims();
  std::vector<int64_t> axes;
  const int added = to.rank() - from.rank();
  for (int axis = 0; axis < to.rank(); ++axis)
    if (axis < added || (from[axis - added] == 1 && to[axis] != 1)) axes.push_back(axis);
  Value sum = b.upstream();
  if (!axes.empty()) sum = reduce_sum(sum, axes, true);
  b.add(0, reshape(sum, from));
}

void reference(const ReferenceArgs& args) {
  const BroadcastMap map = broadcast_map(args.in_types[0].dims, args.out_types[0].dims);
  for (int64_t e = 0; e < map.elements; ++e) {
    int64_t rest = e, place = 0;
    for (int axis = map.rank - 1; axis >= 0; --axis) {
      place += rest % map.size[static_cast<size_t>(axis)] * map.stride[static_cast<size_t>(axis)];
      rest /= map.size[static_cast<size_t>(axis)];
    }
    args.out[0][e] = args.in[0][place];
  }
}

// ---- the kernel ----

struct Data {
  BroadcastMap map;
  BroadcastFn run;
  int threads;
  int64_t bytes;  // of an element
};
constexpr int64_t kGrain = 1024;               // elements
constexpr int64_t kParallelBytes = 256 << 10;  // below, a region costs more than it saves

void run(const void* data, const KernelArgs& args) noexcept {
  const Data& k = *static_cast<const Data*>(data);
  if (k.threads == 1) return k.run(k.map, args.operands[0], args.operands[1], 0, k.map.elements);
  parallel([&](int thread, int threads) {
    const Share s = share_of(k.map.elements, thread, threads, kGrain);
    k.run(k.map, args.operands[0], args.at<char>(1) + s.begin * k.bytes, s.begin, s.end - s.begin);
  });
}

PrepareResult prepare(const KernelRequest& r) {
  const int bytes = info(r.in[0].dtype).block_bytes;
  const BroadcastMap map = broadcast_map(r.in[0].dims, r.out[0].dims);
  const int threads = map.elements * bytes >= kParallelBytes ? r.target.threads : 1;
  return Prepared{run, std::make_shared<Data>(map, broadcast_function(r.target.isa, bytes), threads, bytes)};
}
constexpr Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef broadcast_op{
    .name = "broadcast",
    .doc = "repeats along new axes and axes of size 1, aligned at the back",
    .traits = kCheap,
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
