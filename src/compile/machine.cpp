#include "compile/machine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace shoestring {
namespace {

struct Features {
  bool avx512_bf16 = false, avx512_fp16 = false, amx_bf16 = false;
};

Features features() {
  Features f;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return f;
  const unsigned subleaves = a;
  f.avx512_fp16 = d >> 23 & 1;
  f.amx_bf16 = d >> 22 & 1;
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) f.avx512_bf16 = a >> 5 & 1;
#endif
  return f;
}

}  // namespace

// Measured with oneDNN's products of 1,024 x 1,024 x 1,024. Cores with fp16 arithmetic but without tiles take
// two steps for a bf16 dot product, those without fp16 one.
MachineProfile built_in_profile(const Target& target) {
  const Features f = features();
  if (target.isa != Isa::avx512 || !f.avx512_bf16) return {};
  if (f.amx_bf16) return {.bf16_products = 4};
  return {.bf16_products = f.avx512_fp16 ? 0.5 : 1.9};
}

}  // namespace shoestring
