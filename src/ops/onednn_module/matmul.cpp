#include <fmt/core.h>

#include <tuple>

#include "base/parallel.h"
#include "ops/onednn_module/module.h"
#include "ops/onednn_module/primitive.h"

namespace shoestring::ops {

PrepareResult prepare_matmul(const OnednnMatmul& mm) {
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
  // The others allocate working memory while they run. These do not, but for oneDNN's own list of arguments:
  // a dozen nodes of less than 100 bytes a run, which its interface leaves no way around.
  if (!implementation(desc).starts_with("brg"))
    return refuse(fmt::format("oneDNN would use {}", implementation(desc)));

  auto chain = std::make_shared<Chain>();
  const bool made = mm.bias ? chain->add(desc,
                                         {{DNNL_ARG_SRC, a.get(), {0}},
                                          {DNNL_ARG_WEIGHTS, b.get(), {1}},
                                          {DNNL_ARG_BIAS, bias.get(), {2}},
                                          {DNNL_ARG_DST, c.get(), {3}}},
                                         {4})
                            : chain->add(desc,
                                         {{DNNL_ARG_SRC, a.get(), {0}},
                                          {DNNL_ARG_WEIGHTS, b.get(), {1}},
                                          {DNNL_ARG_DST, c.get(), {2}}},
                                         {3});
  if (!made) return refuse("oneDNN could not make the primitive");
  return Prepared{.run = &Chain::run, .data = std::move(chain), .scratch_bytes = bytes_of(scratchpad(desc))};
}

}  // namespace shoestring::ops
