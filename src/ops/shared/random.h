// What random_uniform and random_normal share. Element e of row r of the global batch (the leading axis,
// counted on from RunContext::row_offset) is a function of (seed, stream, step, r, e) alone, so neither
// threads nor batches nor instruction sets change it.
#pragma once

#include <algorithm>

#include "base/philox.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

inline Result<Types> random_type(std::string_view name, const Attrs& attrs) {
  const auto dtype = dtype_named(attrs.text("dtype"));
  const auto& dims = attrs.list("dims");
  if (!dtype || (*dtype != DType::f32 && *dtype != DType::f64))
    return wrong(fmt::format("{}: dtype is f32 or f64, not {}", name, attrs.text("dtype")));
  if (dims.size() > Shape::kMaxRank || std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 0; }))
    return wrong(fmt::format("{}: {} is no shape", name, shoestring::to_string(AttrValue(dims))));
  return Types{{*dtype, Shape(dims)}};
}

struct RandomSizes {
  int64_t rows = 1, width = 1;
  uint32_t stream = 0;
  double a = 0, b = 0;  // of the distribution
  int threads = 1;

  RandomStream at(const RunContext& context) const { return {context.seed, stream, context.step}; }
};
// `worth_threads`: elements from which threads pay; of those that take 5 ns each by default.
inline RandomSizes random_sizes(const Type& out, const Attrs& attrs, double a, double b, int threads = 1,
                                int64_t worth_threads = 1024) {
  const int64_t rows = out.dims.rank() ? out.dims[0] : 1;
  return {rows,
          rows ? out.elements() / rows : 0,
          static_cast<uint32_t>(attrs.integer("stream")),
          a,
          b,
          out.elements() < worth_threads ? 1 : threads};
}

// draw(block, four doubles) turns 128 random bits into four numbers.
template <class T, class Draw>
void draw_rows(const RandomSizes& s, const RunContext& context, T* out, Draw&& draw) {
  const RandomStream stream = s.at(context);
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t e = 0; e < s.width; e += 4) {
        double four[4];
        draw(stream.block(context.row_offset + static_cast<uint32_t>(r), static_cast<uint32_t>(e / 4)), four);
        for (int64_t i = 0; i < std::min<int64_t>(4, s.width - e); ++i)
          out[r * s.width + e + i] = static_cast<T>(four[i]);
      }
  });
}

}  // namespace shoestring::ops
