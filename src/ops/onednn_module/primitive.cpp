#include "ops/onednn_module/primitive.h"

namespace shoestring::ops {

dnnl_engine_t cpu() {
  static const Engine engine = [] {
    // A primitive that a plan gives up is gone, not kept for another plan.
    dnnl_set_primitive_cache_capacity(0);
    return own<Engine>(dnnl_engine_create, dnnl_cpu, size_t{0});
  }();
  return engine.get();
}

Desc describe(DType dtype, std::span<const int64_t> dims, std::span<const int64_t> strides) {
  return own<Desc>(dnnl_memory_desc_create_with_strides, static_cast<int>(dims.size()), dims.data(),
                   dtype == DType::bf16 ? dnnl_bf16 : dnnl_f32, strides.data());
}

Attr attributes(Activation activation, const_dnnl_memory_desc_t factor, const_dnnl_memory_desc_t term) {
  Attr attr = own<Attr>(dnnl_primitive_attr_create);
  dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user);
  if (activation == Activation::none && !factor) return attr;
  const PostOps post = own<PostOps>(dnnl_post_ops_create);
  if (factor) {
    dnnl_post_ops_append_binary(post.get(), dnnl_binary_mul, factor);
    dnnl_post_ops_append_binary(post.get(), dnnl_binary_add, term);
  }
  const dnnl_alg_kind_t kind = activation == Activation::relu      ? dnnl_eltwise_relu
                               : activation == Activation::tanh    ? dnnl_eltwise_tanh
                               : activation == Activation::sigmoid ? dnnl_eltwise_logistic
                                                                   : dnnl_eltwise_gelu_erf;
  if (activation != Activation::none) dnnl_post_ops_append_eltwise(post.get(), kind, 0.0f, 0.0f);
  dnnl_primitive_attr_set_post_ops(attr.get(), post.get());
  return attr;
}

std::string_view implementation(const PrimitiveDesc& desc) {
  const char* name = "";
  dnnl_primitive_desc_query(desc.get(), dnnl_query_impl_info_str, 0, &name);
  return name;
}

const_dnnl_memory_desc_t scratchpad(const PrimitiveDesc& desc) {
  return dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0);
}

int64_t bytes_of(const_dnnl_memory_desc_t desc) {
  return static_cast<int64_t>(desc ? dnnl_memory_desc_get_size(desc) : 0);
}

bool Chain::add(const PrimitiveDesc& desc, std::span<const Argument> arguments, Place scratch) {
  if (!desc) return false;
  if (!stream_)
    stream_ = own<Stream>(dnnl_stream_create, cpu(), static_cast<unsigned>(dnnl_stream_default_flags));
  Step step{.primitive = own<Primitive>(dnnl_primitive_create, desc.get())};
  if (!stream_ || !step.primitive) return false;
  const auto bind = [&](const Argument& a) {
    bound_.push_back(
        {own<Memory>(dnnl_memory_create, a.type, cpu(), static_cast<void*>(DNNL_MEMORY_NONE)), a.place});
    step.arguments.push_back({a.name, bound_.back().memory.get()});
    return bound_.back().memory != nullptr;
  };
  for (const Argument& a : arguments)
    if (!bind(a)) return false;
  const const_dnnl_memory_desc_t pad = scratchpad(desc);
  if (bytes_of(pad) > 0 && !bind({DNNL_ARG_SCRATCHPAD, pad, scratch})) return false;
  steps_.push_back(std::move(step));
  return true;
}

void Chain::run(const void* chain, const KernelArgs& args) noexcept {
  const Chain& self = *static_cast<const Chain*>(chain);
  while (self.busy_.test_and_set(std::memory_order_acquire)) {
  }
  for (const Bound& b : self.bound_)
    dnnl_memory_set_data_handle(b.memory.get(), args.at<char>(b.place.operand) + b.place.offset);
  for (const Step& s : self.steps_)
    dnnl_primitive_execute(s.primitive.get(), self.stream_.get(), static_cast<int>(s.arguments.size()),
                           s.arguments.data());
  self.busy_.clear(std::memory_order_release);
}

}  // namespace shoestring::ops
