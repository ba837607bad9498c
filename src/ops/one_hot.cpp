// one_hot: class numbers i32[..] to rows [.., classes] with a 1 at the class; a number outside gives zeros.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"classes", int64_t{0}}, {"dtype", std::string("f32")}};

Result<Types> infer(const OpArgs& args) {
  const auto dtype = dtype_named(args.attrs.text("dtype"));
  const int64_t classes = args.attrs.integer("classes");
  if (args.in[0].dtype != DType::i32)
    return wrong(fmt::format("one_hot: class numbers are i32, not {}", to_string(args.in[0])));
  if (!dtype || (*dtype != DType::f32 && *dtype != DType::f64))
    return wrong(fmt::format("one_hot: dtype is f32 or f64, not {}", args.attrs.text("dtype")));
  if (classes < 1) return wrong(fmt::format("one_hot: {} classes", classes));
  if (args.in[0].dims.rank() == Shape::kMaxRank)
    return wrong(fmt::format("one_hot: {} has no room for another axis", to_string(args.in[0])));
  return Types{{*dtype, args.in[0].dims.plus(classes)}};
}

void reference(const ReferenceArgs& a) {
  const int64_t classes = a.out_types[0].dims.back();
  for (int64_t r = 0; r < a.in_types[0].elements(); ++r)
    for (int64_t c = 0; c < classes; ++c) a.out[0][r * classes + c] = static_cast<double>(c) == a.in[0][r];
}

struct Sizes {
  int64_t rows, classes;
};

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const int32_t* indices = args.at<const int32_t>(0);
  T* out = args.at<T>(1);
  std::memset(out, 0, static_cast<size_t>(s.rows * s.classes) * sizeof(T));
  for (int64_t r = 0; r < s.rows; ++r)
    if (indices[r] >= 0 && indices[r] < s.classes) out[r * s.classes + indices[r]] = T{1};
}

PrepareResult prepare(const KernelRequest& r) {
  auto data = std::make_shared<const Sizes>(Sizes{r.in[0].elements(), r.out[0].dims.back()});
  return Prepared{r.out[0].dtype == DType::f32 ? run<float> : run<double>, data};
}

const Kernel kKernels[] = {{"scatter", prepare}};

}  // namespace

extern const OpDef one_hot_op{
    .name = "one_hot",
    .doc = "class numbers to rows of zeros with a one",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "class numbers are integers",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
