#include "ops/self_check.h"

#include <cmath>
#include <cstring>

#include "base/parallel.h"
#include "ops/check.h"
#include "ops/ops.h"

namespace shoestring::optest {
namespace {

using ops::operator*;

// ---- y = 2 x of f32[n]: right, then wrong in many ways ----

Result<Types> infer(const OpArgs& args) {
  if (args.in[0].dims.rank() != 1) return fail(ErrorKind::usage, "twice: not a vector");
  return Types{args.in[0]};
}
Cost cost(const OpArgs&, std::span<const Type>) { return {}; }
void reference(const ReferenceArgs& a) {
  for (int64_t i = 0; i < a.in_types[0].elements(); ++i) a.out[0][i] = 2 * a.in[0][i];
}
void grad(Backward& b) { b.add(0, 2.0 * b.upstream()); }

int64_t size_of(const void* data) { return *static_cast<const int64_t*>(data); }
void twice(const void* data, const KernelArgs& args) noexcept {
  for (int64_t i = 0; i < size_of(data); ++i) args.at<float>(1)[i] = 2 * args.at<float>(0)[i];
}
void writes_past_the_end(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  args.at<float>(1)[size_of(data)] = 0;
}
void writes_before_the_start(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  args.at<float>(1)[-1] = 0;
}
void writes_past_its_scratch(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  args.at<std::byte>(2)[8] = std::byte{1};
}
void leaves_the_tail(const void* data, const KernelArgs& args) noexcept {
  const int64_t whole = size_of(data) / 8 * 8;
  twice(&whole, args);
}
void changes_its_input(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  args.at<float>(0)[0] = 7;
}
void reads_stale_scratch(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  unsigned char stale;
  std::memcpy(&stale, args.at<std::byte>(2), 1);
  args.at<float>(1)[0] *= 1 + 1e-8f * static_cast<float>(stale);
}
void wrong_in_the_tail(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  args.at<float>(1)[size_of(data) - 1] *= 1.0001f;
}
void wants_alignment(const void* data, const KernelArgs& args) noexcept {
  twice(data, args);
  if (reinterpret_cast<uintptr_t>(args.operands[0]) % 64) args.at<float>(1)[0] = 0;
}
template <KernelFn kRun, int64_t kScratch = 0>
PrepareResult prepare(const KernelRequest& r) {
  return Prepared{kRun, std::make_shared<const int64_t>(r.in[0].elements()), kScratch};
}
PrepareResult refuse(const KernelRequest&) { return tl::unexpected(std::string("never")); }
PrepareResult refuse_silently(const KernelRequest&) { return tl::unexpected(std::string()); }

struct Broken {
  const char* how;
  OpDef op;
  const char* said;  // a part of what must be reported; null: nothing is wrong
  std::string row = "x:f32[37] -> f32[37]";
};

OpDef with(const Kernel& kernel) {
  return {.name = "twice",
          .doc = "2 x",
          .infer = infer,
          .cost = cost,
          .grad = grad,
          .reference = reference,
          .kernels = {&kernel, 1}};
}
OpDef with_grad(const Kernel& kernel, void (*rule)(Backward&)) {
  OpDef op = with(kernel);
  op.grad = rule;
  return op;
}
OpDef with_view(const Kernel& kernel, std::optional<int64_t> (*view)(const OpArgs&, const Type&)) {
  OpDef op = with(kernel);
  op.view = view;
  return op;
}

std::vector<Broken> broken() {
  static const Kernel good{"good", prepare<twice>}, past{"past", prepare<writes_past_the_end>},
      before{"before", prepare<writes_before_the_start>},
      scratch{"scratch", prepare<writes_past_its_scratch, 8>}, tail{"tail", prepare<leaves_the_tail>},
      input{"input", prepare<changes_its_input>}, stale{"stale", prepare<reads_stale_scratch, 8>},
      inexact{"inexact", prepare<wrong_in_the_tail>}, aligned{"aligned", prepare<wants_alignment>},
      never{"never", refuse}, silent{"silent", refuse_silently};
  return {
      {"a right one", with(good), nullptr},
      {"a right shape error", with(good), nullptr, "x:f32[2,2] -> error \"twice: not a vector\""},
      {"another shape error", with(good), "the error is", "x:f32[2,2] -> error \"twice: a vector\""},
      {"no shape error", with(good), "is accepted", "x:f32[3] -> error \"twice: not a vector\""},
      {"another type", with(good), "gives f32[37], not f32[36]", "x:f32[37] -> f32[36]"},
      {"another value", with(good), "reference, result 0", "x:f32[2] = {1, 2} -> f32[2] = {2, 5}"},
      {"writing past the end", with(past), "writes outside operand 1"},
      {"writing before the start", with(before), "writes outside operand 1"},
      {"writing past its scratch", with(scratch), "writes outside operand 2"},
      {"leaving the tail", with(tail), "element [32]"},
      {"changing its input", with(input), "changes operand x"},
      {"reading stale scratch", with(stale), "over other garbage"},
      {"an inexact tail", with(inexact), "element [36]"},
      {"wanting alignment", with(aligned), "with operands aligned to an element"},
      {"no kernel at all", with(never), "no kernel accepts it"},
      {"refusing silently", with(silent), "refuses without a reason"},
      {"a wrong gradient", with_grad(good, [](Backward& b) { b.add(0, 2.001 * b.upstream()); }),
       "the gradient"},
      {"half a gradient", with_grad(good, [](Backward& b) { b.add(0, ops::relu(2.0 * b.upstream())); }),
       "the gradient"},
      {"no gradient", with_grad(good, [](Backward&) {}), "the gradient"},
      {"a missing rule", with_grad(good, nullptr), "has no gradient rule"},
      {"a gradient of another shape",
       with_grad(good, [](Backward& b) { b.add(0, ops::reduce_sum(b.upstream())); }), "the gradient"},
      {"a view elsewhere",
       with_view(good, [](const OpArgs&, const Type&) { return std::optional<int64_t>(4); }),
       "views bytes 4 to 152 of 148"},
      {"a view of something else",
       with_view(good, [](const OpArgs&, const Type&) { return std::optional<int64_t>(0); }), "as a view"},
  };
}

Report run(const OpDef& op, const std::string& row) {
  Report report;
  const Result<RowFile> file = parse_row_text(op, row, "self");
  if (!file) return report.fail(Row{.op = &op}, file.error().message()), report;
  const std::optional<Case> c = check_types(file->rows[0], *file, report);
  if (!c) return report;
  check_reference(*c, report);
  check_kernels(*c, {.isas = {Isa::scalar}}, report);
  check_gradients(*c, report);
  return report;
}

// Rows that are none.
void check_rows(const OpDef& op, std::vector<std::string>& wrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"x:f32[3]", "'->' is missing"},
      {"x:f33[3] -> f32[3]", "no type: 'f33[3] -> f32[3]'"},
      {"x:f32[3] in [1 -> f32[3]", "',' is missing before '-> f32[3]'"},
      {"x:f32[3] -> f32[3] tol=x", "no number: 'x'"},
      {"x:f32[3] -> f32[3] speed=9", "no option 'speed'"},
      {"x:f32[3] {body=none} -> f32[3]", "no body 'none' above"},
      {"x:f32[3] -> error \"open", "a quote is not closed"},
      {"x:T -> T for T = ", "'for' without values"},
  };
  for (const auto& [row, said] : rows) {
    const Result<RowFile> file = parse_row_text(op, row, "self");
    const std::string expected = std::string("self:1: ") + said + "; see tests/ops/README.md";
    if (file)
      wrong.push_back(fmt::format("row \"{}\" is accepted", row));
    else if (file.error().message() != expected)
      wrong.push_back(fmt::format("row \"{}\": \"{}\"", row, file.error().message()));
  }
  const Result<RowFile> several =
      parse_row_text(op, "x:f32[n] -> f32[n]  for n = 1 2  for k = a b c", "self");
  if (!several || several->rows.size() != 6) wrong.emplace_back("two for clauses do not give six rows");
}

}  // namespace

std::vector<std::string> self_check() {
  set_thread_count(1);
  std::vector<std::string> wrong;
  for (const Broken& b : broken()) {
    const Report report = run(b.op, b.row);
    std::string said;
    for (const Failure& f : report.failures()) said += "\n    " + f.what;
    const bool caught = b.said && said.find(b.said) != std::string::npos;
    if (b.said ? !caught : !said.empty())
      wrong.push_back(fmt::format("{}: reported {}", b.how, said.empty() ? "nothing" : said));
  }
  check_rows(broken()[0].op, wrong);
  return wrong;
}

}  // namespace shoestring::optest
