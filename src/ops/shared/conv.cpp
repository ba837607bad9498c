#include "ops/shared/conv.h"

namespace shoestring::ops {

ConvSizes known_conv_sizes(const Shape& x, const Shape& filters, const Shape& y, const Attrs& attrs) {
  const auto &strides = attrs.list("strides"), &padding = attrs.list("padding"),
             &dilations = attrs.list("dilations");
  ConvSizes s{.batch = x[0], .in = x[3], .out = filters[3], .groups = attrs.integer("groups")};
  const auto axis = [&](int a) {
    const auto i = static_cast<size_t>(a);
    return ConvAxis{.in = x[a + 1],
                    .out = y[a + 1],
                    .kernel = filters[a],
                    .stride = strides[i],
                    .dilation = dilations[i],
                    .before = padding[i],
                    .after = padding[i + 2]};
  };
  s.down = axis(0), s.right = axis(1);
  return s;
}

tl::expected<ConvSizes, std::string> conv_sizes(const Shape& x, const Shape& filters, const Attrs& attrs) {
  const auto no = [](std::string why) { return tl::unexpected(std::move(why)); };
  constexpr int64_t kMost = 1 << 20;  // of every attribute
  const auto within = [&](std::string_view name, size_t count, int64_t least) {
    const std::vector<int64_t>& values = attrs.list(name);
    return values.size() == count &&
           std::all_of(values.begin(), values.end(), [&](int64_t v) { return v >= least && v <= kMost; });
  };
  if (x.rank() != 4) return no("pictures have four axes [b,h,w,c]");
  if (filters.rank() != 4) return no("filters have four axes [kh,kw,c/groups,n]");
  if (!within("strides", 2, 1)) return no("strides must be two sizes from 1 on");
  if (!within("padding", 4, 0)) return no("padding must be four sizes from 0 on");
  if (!within("dilations", 2, 1)) return no("dilations must be two sizes from 1 on");
  const int64_t groups = attrs.integer("groups");
  if (groups < 1 || x[3] % groups != 0 || filters[3] % groups != 0)
    return no(fmt::format("{} groups do not divide the channels", groups));
  if (x[3] / groups != filters[2])
    return no(fmt::format("the filters are of {} channels, the pictures' groups have {}", filters[2],
                          x[3] / groups));
  if (filters[0] < 1 || filters[1] < 1) return no("the filters are empty");
  if (filters[0] > kMost || filters[1] > kMost) return no("the filters are too large");
  ConvSizes s = known_conv_sizes(x, filters, x, attrs);
  for (ConvAxis* axis : {&s.down, &s.right}) {
    if (axis->reach() > axis->in + axis->before + axis->after)
      return no("the filters reach beyond the padded pictures");
    axis->out = axis->wanted_out();
  }
  return s;
}

ConvOptions conv_options(const Attrs& attrs) {
  ConvOptions o{.groups = attrs.integer("groups")};
  std::copy_n(attrs.list("strides").begin(), 2, o.strides.begin());
  std::copy_n(attrs.list("padding").begin(), 4, o.padding.begin());
  std::copy_n(attrs.list("dilations").begin(), 2, o.dilations.begin());
  return o;
}

}  // namespace shoestring::ops
