#include <fmt/core.h>
#include <oneapi/dnnl/dnnl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/parallel.h"
#include "ops/shared/onednn.h"

namespace shoestring::ops {
namespace {

// Owners of oneDNN's C objects.
template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using Engine = std::unique_ptr<dnnl_engine, Destroy<dnnl_engine_destroy>>;
using Stream = std::unique_ptr<dnnl_stream, Destroy<dnnl_stream_destroy>>;
using Desc = std::unique_ptr<dnnl_memory_desc, Destroy<dnnl_memory_desc_destroy>>;
using Memory = std::unique_ptr<dnnl_memory, Destroy<dnnl_memory_destroy>>;
using Attr = std::unique_ptr<dnnl_primitive_attr, Destroy<dnnl_primitive_attr_destroy>>;
using PostOps = std::unique_ptr<dnnl_post_ops, Destroy<dnnl_post_ops_destroy>>;
using PrimitiveDesc = std::unique_ptr<dnnl_primitive_desc, Destroy<dnnl_primitive_desc_destroy>>;
using Primitive = std::unique_ptr<dnnl_primitive, Destroy<dnnl_primitive_destroy>>;

// Calls make(&raw, ...) and takes ownership; null where oneDNN refuses.
template <class Owner, class Make, class... Args>
Owner own(Make make, Args... args) {
  typename Owner::pointer raw = nullptr;
  return make(&raw, args...) == dnnl_success ? Owner(raw) : Owner();
}

dnnl_engine_t cpu() {
  static const Engine engine = [] {
    // A primitive that a plan gives up is gone, not kept for another plan.
    dnnl_set_primitive_cache_capacity(0);
    return own<Engine>(dnnl_engine_create, dnnl_cpu, size_t{0});
  }();
  return engine.get();
}

Desc describe(DType dtype, std::initializer_list<int64_t> dims, std::initializer_list<int64_t> strides) {
  return own<Desc>(dnnl_memory_desc_create_with_strides, static_cast<int>(dims.size()), dims.begin(),
                   dtype == DType::bf16 ? dnnl_bf16 : dnnl_f32, strides.begin());
}

// A primitive with its arguments built once. Running sets their addresses, so two executors of one plan take
// turns.
struct Bound {
  Primitive primitive;
  Stream stream;
  std::vector<Memory> memories;  // as the kernel's operands
  std::vector<dnnl_exec_arg_t> arguments;
  mutable std::atomic_flag busy;

  static void run(const void* data, const KernelArgs& args) noexcept {
    const Bound& self = *static_cast<const Bound*>(data);
    while (self.busy.test_and_set(std::memory_order_acquire)) {
    }
    for (size_t i = 0; i < self.memories.size(); ++i)
      dnnl_memory_set_data_handle(self.memories[i].get(), args.operands[i]);
    dnnl_primitive_execute(self.primitive.get(), self.stream.get(), static_cast<int>(self.arguments.size()),
                           self.arguments.data());
    self.busy.clear(std::memory_order_release);
  }
};

tl::unexpected<std::string> refuse(std::string why) { return tl::unexpected<std::string>(std::move(why)); }

Attr attributes(Activation activation) {
  Attr attr = own<Attr>(dnnl_primitive_attr_create);
  dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user);
  if (activation == Activation::none) return attr;
  const PostOps post = own<PostOps>(dnnl_post_ops_create);
  const dnnl_alg_kind_t kind = activation == Activation::relu      ? dnnl_eltwise_relu
                               : activation == Activation::tanh    ? dnnl_eltwise_tanh
                               : activation == Activation::sigmoid ? dnnl_eltwise_logistic
                                                                   : dnnl_eltwise_gelu_erf;
  dnnl_post_ops_append_eltwise(post.get(), kind, 0.0f, 0.0f);
  dnnl_primitive_attr_set_post_ops(attr.get(), post.get());
  return attr;
}

PrepareResult prepare(const OnednnMatmul& mm) {
  const auto [z, m, n, k] = std::tuple(mm.batches, mm.m, mm.n, mm.k);
  const Desc a = describe(mm.operands, {z, m, k}, {m * k, mm.transpose_a ? 1 : k, mm.transpose_a ? m : 1});
  const Desc b = describe(mm.operands, {mm.shared_b ? 1 : z, k, n},
                          {k * n, mm.transpose_b ? 1 : n, mm.transpose_b ? k : 1});
  const Desc c = describe(mm.result, {z, m, n}, {m * n, n, 1});
  const Desc bias = mm.bias ? describe(DType::f32, {1, 1, n}, {n, n, 1}) : Desc();
  const Attr attr = attributes(mm.activation);

  const LibraryThreads threads(mm.threads);
  const PrimitiveDesc desc = own<PrimitiveDesc>(dnnl_matmul_primitive_desc_create, cpu(), a.get(), b.get(),
                                                bias.get(), c.get(), attr.get());
  if (!desc) return refuse("oneDNN has no primitive for it");
  const char* name = "";
  dnnl_primitive_desc_query(desc.get(), dnnl_query_impl_info_str, 0, &name);
  // The others allocate working memory while they run. These do not, but for oneDNN's own list of arguments:
  // a dozen nodes of less than 100 bytes a run, which its interface leaves no way around.
  if (!std::string_view(name).starts_with("brg")) return refuse(fmt::format("oneDNN would use {}", name));

  auto bound = std::make_shared<Bound>();
  bound->primitive = own<Primitive>(dnnl_primitive_create, desc.get());
  bound->stream = own<Stream>(dnnl_stream_create, cpu(), static_cast<unsigned>(dnnl_stream_default_flags));
  const auto bind = [&](int argument, const_dnnl_memory_desc_t type) {
    bound->memories.push_back(
        own<Memory>(dnnl_memory_create, type, cpu(), static_cast<void*>(DNNL_MEMORY_NONE)));
    bound->arguments.push_back({argument, bound->memories.back().get()});
  };
  bind(DNNL_ARG_SRC, a.get());
  bind(DNNL_ARG_WEIGHTS, b.get());
  if (bias) bind(DNNL_ARG_BIAS, bias.get());
  bind(DNNL_ARG_DST, c.get());
  const const_dnnl_memory_desc_t scratch =
      dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0);
  const auto scratch_bytes = static_cast<int64_t>(scratch ? dnnl_memory_desc_get_size(scratch) : 0);
  if (scratch_bytes > 0) bind(DNNL_ARG_SCRATCHPAD, scratch);
  if (!bound->primitive || !bound->stream) return refuse("oneDNN could not make the primitive");
  return Prepared{.run = &Bound::run, .data = std::move(bound), .scratch_bytes = scratch_bytes};
}

}  // namespace
}  // namespace shoestring::ops

extern "C" const shoestring::ops::OnednnModule* shoestring_onednn_module() {
  static constexpr shoestring::ops::OnednnModule kModule{shoestring::ops::kOnednnModuleVersion,
                                                         shoestring::ops::prepare};
  return &kModule;
}
