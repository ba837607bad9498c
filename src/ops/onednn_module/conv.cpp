#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/arith.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "ops/onednn_module/module.h"
#include "ops/onednn_module/primitive.h"

namespace shoestring::ops {
namespace {

using Makes = OnednnConv::Makes;
using Pair = std::array<int64_t, 2>;

// oneDNN names axes [b,c,h,w] and [groups,n,c,kh,kw], whatever their order in memory.
Desc pictures(DType dtype, int64_t batch, int64_t h, int64_t w, int64_t c) {
  return describe(dtype, {batch, c, h, w}, {h * w * c, 1, w * c, c});
}
struct Filters {
  std::vector<int64_t> dims, strides;  // row-major [kh,kw,c/groups,n]
};
Filters filters(const ConvSizes& s) {
  const int64_t inner = s.in_of_group() * s.out;
  Filters f{{s.out_of_group(), s.in_of_group(), s.down.kernel, s.right.kernel},
            {1, s.out, s.right.kernel * inner, inner}};
  if (s.groups > 1) {
    f.dims.insert(f.dims.begin(), s.groups);
    f.strides.insert(f.strides.begin(), s.out_of_group());
  }
  return f;
}

// The descriptions of one convolution, of which one of three primitives is made.
class Conv {
 public:
  explicit Conv(const OnednnConv& conv)
      : conv_(conv),
        s_(conv.sizes),
        x_(pictures(kept(Makes::pictures), s_.batch, s_.down.in, s_.right.in, s_.in)),
        y_(pictures(kept(Makes::results), s_.batch, s_.down.out, s_.right.out, s_.out)),
        channels_(describe(DType::f32, {1, s_.out, 1, 1}, {s_.out, 1, s_.out, s_.out})),
        attr_(attributes(s_.activation, s_.scale ? channels_.get() : nullptr, channels_.get())),
        filters_(filters(s_)) {
    const DType type = kept(Makes::filters);
    rows_ = describe(type, filters_.dims, filters_.strides);
    any_ = own<Desc>(dnnl_memory_desc_create_with_tag, static_cast<int>(filters_.dims.size()),
                     filters_.dims.data(), type == DType::bf16 ? dnnl_bf16 : dnnl_f32, dnnl_format_tag_any);
    if (s_.bias && !s_.scale) bias_ = describe(DType::f32, {s_.out}, {1});
  }

  PrepareResult prepare() {
    return accepted().and_then([&](const PrimitiveDesc& desc) { return chain(desc); });
  }
  tl::expected<Layout, std::string> layout() {
    return accepted().map([&](const PrimitiveDesc& desc) { return layout_of(blocked(desc)); });
  }

 private:
  tl::expected<PrimitiveDesc, std::string> accepted() const {
    PrimitiveDesc desc = make();
    if (!desc) return refuse("oneDNN has no primitive for it");
    // The reference is slower than our own, and products of unfolded pictures take several times their
    // memory.
    for (std::string_view slow : {"ref", "gemm"})
      if (implementation(desc).starts_with(slow))
        return refuse(fmt::format("oneDNN would use {}", implementation(desc)));
    return desc;
  }

  // The filters as the primitive has them.
  const_dnnl_memory_desc_t blocked(const PrimitiveDesc& desc) const {
    return dnnl_primitive_desc_query_md(
        desc.get(), conv_.makes == Makes::filters ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  }

  // Row-major too where the format fills channels up: such filters are put into it in the scratch.
  Layout layout_of(const_dnnl_memory_desc_t format) const {
    const dnnl_dims_t *strides = nullptr, *padded = nullptr, *blocks = nullptr, *axes = nullptr;
    int count = 0;
    dnnl_memory_desc_query(format, dnnl_query_strides, &strides);
    dnnl_memory_desc_query(format, dnnl_query_padded_dims, &padded);
    dnnl_memory_desc_query(format, dnnl_query_inner_nblks_s32, &count);
    dnnl_memory_desc_query(format, dnnl_query_inner_blks, &blocks);
    dnnl_memory_desc_query(format, dnnl_query_inner_idxs, &axes);
    const std::vector<int64_t>& dims = filters_.dims;
    if (!strides || !padded || (count > 0 && (!blocks || !axes))) return {};
    std::vector<int64_t> outer = dims;
    for (size_t i = 0; i < dims.size(); ++i)
      if ((*padded)[i] != dims[i]) return {};
    for (int b = 0; b < count; ++b) outer[static_cast<size_t>((*axes)[b])] /= (*blocks)[b];
    std::vector<size_t> order(dims.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return (*strides)[a] > (*strides)[b]; });
    struct Part {
      size_t axis;
      int64_t size;
    };
    std::vector<Part> parts;
    for (const size_t axis : order) parts.push_back({axis, outer[axis]});
    for (int b = 0; b < count; ++b) parts.push_back({static_cast<size_t>((*axes)[b]), (*blocks)[b]});
    // Ours are [kh,kw,c/groups,n], and groups are the slow part of n.
    std::vector<Layout::Part> ours;
    bool within_group = false;
    for (const Part& part : parts) {
      const size_t axis = s_.groups > 1 ? part.axis : part.axis + 1;
      constexpr int kOurs[] = {3, 3, 2, 0, 1};
      if (part.size == 1) continue;
      if (axis == 0 && within_group) return {};
      within_group |= axis == 1;
      ours.push_back({kOurs[axis], part.size});
    }
    return Layout(ours);
  }

  DType kept(Makes what) const { return conv_.makes == what ? conv_.result : conv_.operands; }

  PrimitiveDesc make() const {
    switch (conv_.makes) {
      case Makes::results:
        return own<PrimitiveDesc>(dnnl_convolution_forward_primitive_desc_create, cpu(),
                                  dnnl_forward_inference, dnnl_convolution_direct, x_.get(), any_.get(),
                                  bias_.get(), y_.get(), strides_.data(), dilations_.data(), before_.data(),
                                  after_.data(), attr_.get());
      case Makes::pictures:
        return own<PrimitiveDesc>(dnnl_convolution_backward_data_primitive_desc_create, cpu(),
                                  dnnl_convolution_direct, x_.get(), any_.get(), y_.get(), strides_.data(),
                                  dilations_.data(), before_.data(), after_.data(), nullptr, attr_.get());
      case Makes::filters:
        return own<PrimitiveDesc>(dnnl_convolution_backward_weights_primitive_desc_create, cpu(),
                                  dnnl_convolution_direct, x_.get(), any_.get(), nullptr, y_.get(),
                                  strides_.data(), dilations_.data(), before_.data(), after_.data(), nullptr,
                                  attr_.get());
    }
    return {};
  }

  PrimitiveDesc reorder(const_dnnl_memory_desc_t from, const_dnnl_memory_desc_t to) const {
    return own<PrimitiveDesc>(dnnl_reorder_primitive_desc_create, from, cpu(), to, cpu(), attr_plain_.get());
  }

  std::vector<Chain::Argument> of_results(const_dnnl_memory_desc_t blocked, Chain::Place filters) const {
    std::vector<Chain::Argument> all{{DNNL_ARG_SRC, x_.get(), {0}}, {DNNL_ARG_WEIGHTS, blocked, filters}};
    if (bias_) all.push_back({DNNL_ARG_BIAS, bias_.get(), {2}});
    if (s_.scale) {  // the post-ops in their order: the scale, then the bias
      all.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, channels_.get(), {3}});
      all.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1, channels_.get(), {2}});
    }
    all.push_back({DNNL_ARG_DST, y_.get(), {2 + s_.bias + s_.scale}});
    return all;
  }

  PrepareResult chain(const PrimitiveDesc& desc) const {
    const bool gradient = conv_.makes == Makes::filters;
    const const_dnnl_memory_desc_t blocked = this->blocked(desc);
    if (!conv_.filters.row_major() && conv_.filters != layout_of(blocked))
      return refuse(fmt::format("its filters lie as {}", to_string(layout_of(blocked))));
    const bool reordered = conv_.filters.row_major() && !dnnl_memory_desc_equal(blocked, rows_.get());
    const int scratch = 3 + s_.bias + s_.scale;
    const Chain::Place rows{gradient ? 2 : 1},
        kept = reordered ? Chain::Place{scratch} : rows,
        pad{scratch, reordered ? round_up(bytes_of(blocked), kAlignment) : 0};

    PrimitiveDesc change;
    if (reordered) change = gradient ? reorder(blocked, rows_.get()) : reorder(rows_.get(), blocked);
    auto chain = std::make_shared<Chain>();
    const auto changed = [&] {
      return !reordered ||
             chain->add(change,
                        {{DNNL_ARG_FROM, gradient ? blocked : rows_.get(), gradient ? kept : rows},
                         {DNNL_ARG_TO, gradient ? rows_.get() : blocked, gradient ? rows : kept}},
                        pad);
    };
    const bool made = [&] {
      switch (conv_.makes) {
        case Makes::results:
          if (!changed()) return false;
          return chain->add(desc, of_results(blocked, kept), pad);
        case Makes::pictures:
          return changed() && chain->add(desc,
                                         {{DNNL_ARG_DIFF_DST, y_.get(), {0}},
                                          {DNNL_ARG_WEIGHTS, blocked, kept},
                                          {DNNL_ARG_DIFF_SRC, x_.get(), {2}}},
                                         pad);
        case Makes::filters:
          return chain->add(desc,
                            {{DNNL_ARG_SRC, x_.get(), {0}},
                             {DNNL_ARG_DIFF_DST, y_.get(), {1}},
                             {DNNL_ARG_DIFF_WEIGHTS, blocked, kept}},
                            pad) &&
                 changed();
      }
      return false;
    }();
    if (!made) return refuse("oneDNN could not make the primitive");
    const int64_t pads = std::max(bytes_of(scratchpad(desc)), change ? bytes_of(scratchpad(change)) : 0);
    return Prepared{.run = &Chain::run,
                    .data = std::move(chain),
                    .scratch_bytes = pads > 0    ? pad.offset + pads
                                     : reordered ? bytes_of(blocked)
                                                 : 0};
  }

  const OnednnConv& conv_;
  const ConvSizes& s_;
  const Pair strides_{s_.down.stride, s_.right.stride};
  const Pair dilations_{s_.down.dilation - 1, s_.right.dilation - 1};
  const Pair before_{s_.down.before, s_.right.before}, after_{s_.down.after, s_.right.after};
  const Desc x_, y_, channels_;
  Desc rows_, any_, bias_;  // the filters, row-major and in any format
  const Attr attr_, attr_plain_ = attributes(Activation::none);
  const Filters filters_;
};

}  // namespace

PrepareResult prepare_conv(const OnednnConv& conv) {
  const LibraryThreads threads(conv.sizes.threads);
  return Conv(conv).prepare();
}

tl::expected<Layout, std::string> conv_layout(const OnednnConv& conv) {
  const LibraryThreads threads(conv.sizes.threads);
  return Conv(conv).layout();
}

}  // namespace shoestring::ops
