#include "ops/shared/onednn.h"

#include "base/module.h"

namespace shoestring::ops {
namespace {

// Below, making a primitive costs more than it gains.
constexpr double kLeastFlops = 1 << 21;

Result<const OnednnModule*> open_module() {
  const auto entry = module_entry("shoestring_onednn.so", "shoestring_onednn_module");
  if (!entry) return fail(entry.error());
  const OnednnModule* module = reinterpret_cast<decltype(&shoestring_onednn_module)>(*entry)();
  if (module->version != kOnednnModuleVersion) return fail(ErrorKind::machine, "it is of another version");
  return module;
}

// An entry of the module, called; or why there is no module.
template <class Made, class Request>
tl::expected<Made, std::string> ask(tl::expected<Made, std::string> (*OnednnModule::*entry)(const Request&),
                                    const Request& request) {
  static const Result<const OnednnModule*> module = open_module();
  if (!module) return tl::unexpected<std::string>(module.error().message());
  return ((*module)->*entry)(request);
}

// The convolution that a kernel is asked for, where it is large enough to gain.
template <class Made>
tl::expected<Made, std::string> ask(
    tl::expected<Made, std::string> (*OnednnModule::*entry)(const OnednnConv&), OnednnConv::Makes makes,
    const ConvSizes& sizes, const KernelRequest& r) {
  const auto no = [](const char* why) { return tl::unexpected(std::string(why)); };
  if (r.in[0].dtype == DType::f64) return no("f32 and bf16 only");
  if (r.target.isa != Isa::avx512 && r.target.isa != Isa::avx2) return no("AVX-512 and AVX2 only");
  if (sizes.flops() < kLeastFlops) return no("too small to gain");
  OnednnConv conv{.makes = makes,
                  .sizes = sizes,
                  .operands = r.in[0].dtype,
                  .result = r.out[0].dtype,
                  .filters = filters_layout(r.attrs)};
  conv.sizes.threads = threads_of(sizes, r.target);
  return ask(entry, conv);
}

}  // namespace

PrepareResult prepare_onednn(const OnednnMatmul& matmul) { return ask(&OnednnModule::matmul, matmul); }

PrepareResult prepare_onednn(OnednnConv::Makes makes, const ConvSizes& sizes, const KernelRequest& request) {
  return ask(&OnednnModule::conv, makes, sizes, request);
}

tl::expected<Layout, std::string> onednn_layout(OnednnConv::Makes makes, const ConvSizes& sizes,
                                                const KernelRequest& request) {
  return ask(&OnednnModule::conv_layout, makes, sizes, request);
}

}  // namespace shoestring::ops
