// oneDNN's C objects: owners, descriptions, and a chain of primitives as a kernel.
#pragma once

#include <oneapi/dnnl/dnnl.h>

#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ops/shared/onednn.h"

namespace shoestring::ops {

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

dnnl_engine_t cpu();
inline tl::unexpected<std::string> refuse(std::string why) {
  return tl::unexpected<std::string>(std::move(why));
}
Desc describe(DType dtype, std::span<const int64_t> dims, std::span<const int64_t> strides);
inline Desc describe(DType dtype, std::initializer_list<int64_t> dims,
                     std::initializer_list<int64_t> strides) {
  return describe(dtype, std::span(dims.begin(), dims.size()), std::span(strides.begin(), strides.size()));
}
// User-supplied scratchpads; behind the product it is multiplied by `factor` and has `term` added, if these
// are given, as post-ops 0 and 1, and then an activation.
Attr attributes(Activation activation, const_dnnl_memory_desc_t factor = nullptr,
                const_dnnl_memory_desc_t term = nullptr);
std::string_view implementation(const PrimitiveDesc& desc);
const_dnnl_memory_desc_t scratchpad(const PrimitiveDesc& desc);
int64_t bytes_of(const_dnnl_memory_desc_t desc);

// Primitives that run one after the other, with their arguments built once. Running sets the arguments'
// addresses, so two executors of one plan take turns.
class Chain {
 public:
  // Where an argument lies: so many bytes behind the start of one of the kernel's operands.
  struct Place {
    int operand;
    int64_t offset = 0;
  };
  struct Argument {
    int name;  // DNNL_ARG_SRC
    const_dnnl_memory_desc_t type;
    Place place;
  };

  // False where oneDNN does not make it. The scratchpad, if it wants one, lies at `scratch`.
  bool add(const PrimitiveDesc& desc, std::span<const Argument> arguments, Place scratch);
  bool add(const PrimitiveDesc& desc, std::initializer_list<Argument> arguments, Place scratch) {
    return add(desc, std::span(arguments.begin(), arguments.size()), scratch);
  }
  static void run(const void* chain, const KernelArgs& args) noexcept;

 private:
  struct Step {
    Primitive primitive;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  struct Bound {
    Memory memory;
    Place place;
  };
  Stream stream_;
  std::vector<Step> steps_;
  std::vector<Bound> bound_;
  mutable std::atomic_flag busy_;
};

}  // namespace shoestring::ops
