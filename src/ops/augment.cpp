// augment: pictures changed at random, as a list of steps says (ops/augmentation.h). Rows are shared out over
// the team.
#include "ops/augment.h"

#include <algorithm>
#include <cmath>

#include "ops/ops.h"
#include "ops/shared/augment_pixels.h"
#include "ops/shared/random.h"

namespace shoestring::ops {
namespace {

namespace steps = augmentation;
namespace change = augmentation::change;
using augmentation::PictureSize;

const AttrDef kAttrs[] = {{"steps", std::string()}, {"stream", int64_t{0}}};

constexpr int64_t kMostPixels = int64_t{1} << 24;  // coordinates are exact in f32

PictureSize size_of(const Shape& dims) {
  return {static_cast<int32_t>(dims[1]), static_cast<int32_t>(dims[2]), static_cast<int32_t>(dims[3])};
}

// Mirrored borders are narrower than the picture.
std::optional<std::string> too_small(const steps::Step& step, const PictureSize& size) {
  const int64_t least = std::min(size.height, size.width);
  if (const auto* crop = std::get_if<steps::Crop>(&step); crop && crop->reflect && crop->padding >= least)
    return fmt::format("a mirrored padding of {}", crop->padding);
  if (const auto* blur = std::get_if<steps::Blur>(&step); blur && blur->kernel_size / 2 >= least)
    return fmt::format("a blur over {} pixels", blur->kernel_size);
  return std::nullopt;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dtype != DType::u8 || x.dims.rank() != 4)
    return wrong(fmt::format("augment: pictures are u8[b,h,w,c], not {}", to_string(x)));
  for (int axis = 1; axis < 4; ++axis)
    if (x.dims[axis] < 1 || x.dims[axis] > kMostPixels)
      return wrong(fmt::format("augment: {} has pictures of no size or sides beyond 2^24", to_string(x)));
  const auto list = steps::steps_from(args.attrs.text("steps"));
  if (!list) return wrong("augment: " + list.error().what);
  if (steps::most_changes(*list) > steps::kMostChanges)
    return wrong(fmt::format("augment: more than {} changes to a picture", steps::kMostChanges));
  for (const steps::Step& step : *list)
    if (const auto what = too_small(step, size_of(x.dims)))
      return wrong(fmt::format("augment: {} is too small for {}", to_string(x), *what));
  const bool numbers = steps::needs_numbers(*list);
  if (numbers != (args.in.size() == 2))
    return wrong(numbers ? "augment: an alternating flip asks for numbers i32[b]"
                         : "augment: numbers are there, but no flip is alternating");
  if (numbers && args.in[1] != Type{DType::i32, {x.dims[0]}})
    return wrong(fmt::format("augment: the numbers of {} are i32[{}], not {}", to_string(x), x.dims[0],
                             to_string(args.in[1])));
  return Types{x};
}

struct Job {
  std::vector<steps::Step> list;
  PictureSize size;
  int64_t rows = 0, scratch_of_thread = 0;
  uint32_t stream = 0;
  int threads = 1;
};

constexpr int64_t kBytesWorthTeam = 1 << 15;

Job job_of(const Type& x, const Attrs& attrs, int threads) {
  Job job{.list = *steps::steps_from(attrs.text("steps")), .size = size_of(x.dims), .rows = x.dims[0]};
  job.scratch_of_thread = steps::scratch_bytes(job.size);
  job.stream = static_cast<uint32_t>(attrs.integer("stream"));
  job.threads = x.bytes() < kBytesWorthTeam ? 1 : threads;
  return job;
}

void run(const Job& job, const KernelArgs& args, const int32_t* numbers, uint8_t* out,
         std::byte* scratch) noexcept {
  const RandomStream stream{args.context->seed, job.stream, args.context->step};
  const auto* in = args.at<const uint8_t>(0);
  const auto rows = [&](Share share, std::byte* memory) {
    steps::Changes changes;
    for (int64_t r = share.begin; r < share.end; ++r) {
      steps::draw_changes(job.list, stream, args.context->row_offset + static_cast<uint32_t>(r),
                          numbers ? numbers[r] : 0, job.size, changes);
      steps::apply(changes.all(), job.size, in + r * job.size.bytes(), out + r * job.size.bytes(), memory);
    }
  };
  if (job.threads == 1) return rows({0, job.rows}, scratch);
  parallel([&](int thread, int team) {
    rows(share_of(job.rows, thread, team), scratch + thread * job.scratch_of_thread);
  });
}

const Kernel kKernels[] = {
    {"scalar", [](const KernelRequest& r) -> PrepareResult {
       auto job = std::make_shared<Job>(job_of(r.in[0], r.attrs, r.target.threads));
       const int64_t scratch = job->threads * job->scratch_of_thread;
       const KernelFn plain = [](const void* data, const KernelArgs& a) noexcept {
         run(*static_cast<const Job*>(data), a, nullptr, a.at<uint8_t>(1), a.at<std::byte>(2));
       };
       const KernelFn numbered = [](const void* data, const KernelArgs& a) noexcept {
         run(*static_cast<const Job*>(data), a, a.at<const int32_t>(1), a.at<uint8_t>(2), a.at<std::byte>(3));
       };
       return Prepared{r.in.size() == 2 ? numbered : plain, std::move(job), scratch};
     }}};

// Pixels are worked on one by one, so that an operation of theirs takes the time of about a vector of
// ordinary ones: measured, beside elementwise functions.
struct OperationsAnElement {
  double operator()(const steps::HorizontalFlip&) const { return 0; }
  double operator()(const steps::VerticalFlip&) const { return 0; }
  double operator()(const steps::Crop&) const { return 2; }
  double operator()(const steps::Rotate& s) const { return 200 * s.probability; }
  double operator()(const steps::Scale& s) const { return 200 * s.probability; }
  double operator()(const steps::Shear& s) const { return 200 * s.probability; }
  double operator()(const steps::Translate& s) const { return 200 * s.probability; }
  double operator()(const steps::Saturation& s) const { return 150 * s.probability; }
  double operator()(const steps::Sharpness& s) const { return 300 * s.probability; }
  double operator()(const steps::Blur& s) const {
    return (200 + 60 * static_cast<double>(s.kernel_size)) * s.probability;
  }
  double operator()(const steps::Cutout&) const { return 2; }
  double operator()(const steps::Erase&) const { return 2; }
  double operator()(const steps::RandAugment& s) const { return 130 * static_cast<double>(s.operations); }
  double operator()(const steps::TrivialAugment&) const { return 150; }
  double operator()(const auto& s) const { return 40 * s.probability; }  // through tables
};

Cost cost(const OpArgs& args, std::span<const Type> out) {
  double operations = 0;
  const auto list = steps::steps_from(args.attrs.text("steps"));
  for (const steps::Step& step : *list) operations += std::visit(OperationsAnElement(), step);
  return {.flops = operations * static_cast<double>(out[0].elements()),
          .bytes = moving_cost(args, out).bytes};
}

// ---- the reference: what each change says of one element, pulled from the picture before ----
struct Picture {
  PictureSize size;
  std::vector<double> levels;

  double at(int64_t y, int64_t x, int64_t c) const {
    return levels[static_cast<size_t>(y * size.line() + x * size.channels + c)];
  }
  // As far outside as inside of the edge.
  double mirrored(int64_t y, int64_t x, int64_t c) const {
    const auto inside = [](int64_t i, int64_t n) { return i < 0 ? -i : i < n ? i : 2 * n - 2 - i; };
    return at(inside(y, size.height), inside(x, size.width), c);
  }
  double nearest(int64_t y, int64_t x, int64_t c) const {
    return at(std::clamp<int64_t>(y, 0, size.height - 1), std::clamp<int64_t>(x, 0, size.width - 1), c);
  }
  bool colour(int64_t c) const { return c < augmentation::colours(size); }
  double grey(int64_t y, int64_t x) const {
    return augmentation::grey_level(static_cast<int32_t>(at(y, x, 0)), static_cast<int32_t>(at(y, x, 1)),
                                    static_cast<int32_t>(at(y, x, 2)));
  }
  // Of the elements of channel c, or of all that are colours.
  template <class F>
  void each(int64_t c, F&& f) const {
    for (int64_t y = 0; y < size.height; ++y)
      for (int64_t x = 0; x < size.width; ++x) f(at(y, x, c));
  }
};

double blended(double from, double to, float factor) {
  return augmentation::cut(static_cast<float>(from) + factor * static_cast<float>(to - from));
}

struct LevelAfter {
  const Picture& p;
  int64_t y, x, c;

  double here() const { return p.at(y, x, c); }
  double operator()(const change::Move& m) const {
    const int64_t u = m.sx * x + m.ox, v = m.sy * y + m.oy;
    const bool inside = u >= 0 && u < p.size.width && v >= 0 && v < p.size.height;
    return inside || m.reflect ? p.mirrored(v, u, c) : 0;
  }
  double operator()(const change::Warp& m) const {
    const float px = static_cast<float>(x) + 0.5f, py = static_cast<float>(y) + 0.5f;
    const float u = m.a * px + (m.b * py + m.c), v = m.d * px + (m.e * py + m.f);
    if (!(u >= 0 && u < static_cast<float>(p.size.width) && v >= 0 && v < static_cast<float>(p.size.height)))
      return 0;
    const auto i = static_cast<int64_t>(std::floor(u - 0.5f)), j = static_cast<int64_t>(std::floor(v - 0.5f));
    // In f32 too: a level that is rounded the other way may be another operation's threshold.
    const float right = u - 0.5f - static_cast<float>(i), down = v - 0.5f - static_cast<float>(j);
    const auto level = [&](int64_t row, int64_t column) {
      return static_cast<float>(p.nearest(row, column, c));
    };
    const auto along = [&](int64_t row) {
      return level(row, i) + (level(row, i + 1) - level(row, i)) * right;
    };
    return std::floor(along(j) + (along(j + 1) - along(j)) * down + 0.5f);
  }
  double operator()(const change::Brightness& s) const {
    return p.colour(c) ? blended(0, here(), s.factor) : here();
  }
  double operator()(const change::Contrast& s) const {
    if (!p.colour(c)) return here();
    double sum = 0, count = 0;
    if (augmentation::colours(p.size) == 3) {
      for (int64_t v = 0; v < p.size.height; ++v)
        for (int64_t u = 0; u < p.size.width; ++u) sum += p.grey(v, u), ++count;
    } else {
      for (int64_t k = 0; p.colour(k) && k < p.size.channels; ++k)
        p.each(k, [&](double l) { sum += l, ++count; });
    }
    return blended(std::floor(sum / count + 0.5), here(), s.factor);
  }
  double operator()(const change::Saturation& s) const {
    return augmentation::colours(p.size) == 3 && c < 3 ? blended(p.grey(y, x), here(), s.factor) : here();
  }
  double operator()(const change::Sharpness& s) const {
    const bool edge = y == 0 || x == 0 || y == p.size.height - 1 || x == p.size.width - 1;
    if (edge || !p.colour(c)) return here();
    double sum = 4 * here();
    for (int64_t v = y - 1; v <= y + 1; ++v)
      for (int64_t u = x - 1; u <= x + 1; ++u) sum += p.at(v, u, c);
    return blended(std::floor(sum / 13 + 0.5), here(), s.factor);
  }
  double operator()(const change::Blur& s) const {
    float weights[augmentation::kMostBlur];
    augmentation::blur_weights(s, weights);
    const int64_t half = s.size / 2;
    double sum = 0;
    for (int64_t v = 0; v < s.size; ++v)
      for (int64_t u = 0; u < s.size; ++u)
        sum += double{weights[v]} * weights[u] * p.mirrored(y + v - half, x + u - half, c);
    return std::floor(sum + 0.5);
  }
  double operator()(const change::Posterize& s) const {
    const double step = std::exp2(8 - s.bits);
    return p.colour(c) ? step * std::floor(here() / step) : here();
  }
  double operator()(const change::Solarize& s) const {
    return p.colour(c) && here() >= s.threshold ? 255 - here() : here();
  }
  double operator()(const change::Invert&) const { return p.colour(c) ? 255 - here() : here(); }
  double operator()(const change::AutoContrast&) const {
    double low = 255, high = 0;
    p.each(c, [&](double l) { low = std::min(low, l), high = std::max(high, l); });
    if (!p.colour(c) || high <= low) return here();
    const double scale = 255.0 / (high - low);
    return std::clamp(std::floor(here() * scale + -low * scale), 0.0, 255.0);
  }
  double operator()(const change::Equalize&) const {
    double all = 0, largest = 0, as_large = 0, below = 0;
    p.each(c, [&](double l) { largest = std::max(largest, l); });
    p.each(c, [&](double l) { ++all, as_large += l == largest, below += l < here(); });
    const double step = std::floor((all - as_large) / 255);
    if (!p.colour(c) || step == 0) return here();
    return std::min(255.0, std::floor((std::floor(step / 2) + below) / step));
  }
  double operator()(const change::Erase& s) const {
    const bool hole = y >= s.top && y < s.top + s.height && x >= s.left && x < s.left + s.width;
    return hole && p.colour(c) ? s.fill : here();
  }
};

void reference(const ReferenceArgs& a) {
  const Job job = job_of(a.in_types[0], a.attrs, 1);
  const RandomStream stream{a.context.seed, job.stream, a.context.step};
  const int64_t n = job.size.bytes();
  for (int64_t r = 0; r < job.rows; ++r) {
    steps::Changes changes;
    const int32_t number = a.in.size() == 2 ? static_cast<int32_t>(a.in[1][r]) : 0;
    steps::draw_changes(job.list, stream, a.context.row_offset + static_cast<uint32_t>(r), number, job.size,
                        changes);
    Picture picture{job.size, {a.in[0] + r * n, a.in[0] + (r + 1) * n}};
    for (const steps::Change& c : changes.all()) {
      Picture after = picture;
      int64_t i = 0;
      for (int64_t y = 0; y < job.size.height; ++y)
        for (int64_t x = 0; x < job.size.width; ++x)
          for (int64_t k = 0; k < job.size.channels; ++k)
            after.levels[static_cast<size_t>(i++)] = std::visit(LevelAfter{picture, y, x, k}, c);
      picture = std::move(after);
    }
    std::copy(picture.levels.begin(), picture.levels.end(), a.out[0] + r * n);
  }
}

}  // namespace

extern const OpDef augment_op;

Value augment(Value pictures, std::span<const augmentation::Step> list, Value numbers, int64_t stream) {
  if (!pictures.valid()) return pictures;
  Graph& graph = pictures.graph();
  std::vector<Value> in{pictures};
  if (numbers.valid()) in.push_back(numbers);
  return graph.add(augment_op, in,
                   {{"steps", steps::to_text(list)}, {"stream", stream == 0 ? graph.next_stream() : stream}});
}

extern const OpDef augment_op{
    .name = "augment",
    .doc = "pictures changed at random: flips, crops, turns, levels, holes",
    .max_inputs = 2,
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
    .no_grad = "levels are whole numbers",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
