// fused: elementwise nodes, with the broadcasts and constants that feed them, as one step. The passes
// make it after differentiation; fused_program.h says how it runs. A single elementwise node is the
// same with a body of one.
#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "ops/ops.h"
#include "ops/shared/fused_program.h"

namespace shoestring::ops {
namespace {

Result<Types> infer(const OpArgs& args) {
  if (!args.body) return fail(ErrorKind::usage, "fused: has no body");
  size_t next = 0;
  for (const Node& node : args.body->nodes()) {
    if (node.op != &input_op) continue;
    if (next == args.in.size() || node.types[0] != args.in[next])
      return fail(ErrorKind::usage, fmt::format("fused: input {} is {}, the body's {}", next,
                                                next < args.in.size() ? to_string(args.in[next]) : "missing",
                                                to_string(node.types[0])));
    ++next;
  }
  if (next != args.in.size())
    return fail(ErrorKind::usage, fmt::format("fused: {} inputs for a body of {}", args.in.size(), next));
  Types out;
  for (const NamedValue& o : args.body->outputs()) out.push_back(args.body->type(o.value));
  return out;
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  Cost total;
  for (const Node& node : args.body->nodes()) {
    if (!node.op->elementwise()) continue;
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(args.body->type(v));
    total.flops += node.op->cost({in, node.attrs}, node.types).flops;
  }
  for (const Type& t : args.in) total.bytes += static_cast<double>(t.bytes());
  for (const Type& t : out) total.bytes += static_cast<double>(t.bytes());
  return total;
}

// ---- running a program ----

const void* source(const FusedProgram& p, const KernelArgs& args, int at) {
  return at < p.operands ? args.operands[at] : p.constants[static_cast<size_t>(at - p.operands)].data();
}

// Whether an output lies in the memory of an input that is still needed after it is written.
bool overwrites(const FusedProgram::Output& out, const KernelArgs& args) {
  for (uint16_t input : out.read_later)
    if (args.operands[input] == args.operands[out.slot]) return true;
  return false;
}

// Elements [begin, end), with this thread's part of the scratch.
void run_share(const FusedProgram& p, const KernelArgs& args, std::byte* filled, std::byte* own,
               int64_t begin, int64_t end) {
  auto* const table = reinterpret_cast<const void**>(own);
  const int64_t offset = begin * p.element_bytes, step = p.tile * p.element_bytes;
  int s = 0;
  for (; s < p.operands; ++s) table[s] = args.at<const std::byte>(s) + offset;
  for (; s < p.arrays_end; ++s) table[s] = static_cast<const std::byte*>(source(p, args, s)) + offset;
  for (; s < p.constants_end; ++s) table[s] = source(p, args, s);
  for (uint16_t operand : p.scalar_operands) table[s++] = args.operands[operand];
  for (std::byte* at = own + p.table_bytes; s < p.scalars_end; at += kAlignment) table[s++] = at;
  for (std::byte* at = filled; s < p.filled_end; at += p.tile_bytes) table[s++] = at;
  for (std::byte* at = own + p.own_tiles_at(); s < p.slots; at += p.tile_bytes) table[s++] = at;
  bool staged = false;
  for (const FusedProgram::Output& out : p.outputs)
    if (out.staging && overwrites(out, args)) {
      table[out.slot] = table[out.staging];
      staged = true;
    }
  const auto call = [table](const MicroOp& op, int64_t n) {
    const void* const in[] = {table[op.in[0]], table[op.in[1]], table[op.in[2]], table[op.in[3]],
                              table[op.in[4]]};
    op.run({in, const_cast<void*>(table[op.out]), n, op.params, op.uniform, op.padded});
  };

  for (const MicroOp& op : p.once) call(op, 1);
  const int inputs = p.operands - static_cast<int>(p.outputs.size());
  const int64_t part = (step / std::max<int64_t>(std::ssize(p.ops), 1) / kAlignment + 1) * kAlignment;
  for (; begin < end; begin += p.tile) {
    const int64_t n = begin + p.tile < end ? p.tile : end - begin;
    int64_t fetched = begin + p.tile < end ? step : 2 * step;
    for (const MicroOp& op : p.ops) {
      // The next tile's inputs come while this one is computed, a part of them with each operator.
      for (const int64_t to = std::min(fetched + part, 2 * step); fetched < to; fetched += kAlignment)
        for (int k = 0; k < inputs; ++k) hwy::Prefetch(static_cast<const std::byte*>(table[k]) + fetched);
      if (op.run)
        call(op, n);
      else
        p.broadcast(p.maps[op.map], source(p, args, op.in[0]), const_cast<void*>(table[op.out]), begin, n);
    }
    if (staged)
      for (const FusedProgram::Output& out : p.outputs)
        if (out.staging && table[out.slot] == table[out.staging]) {
          std::memcpy(args.at<std::byte>(out.slot) + begin * p.element_bytes, table[out.slot],
                      static_cast<size_t>(n * p.element_bytes));
          table[out.slot] = static_cast<const std::byte*>(table[out.slot]) - step;  // it stays where it is
        }
    if (begin + p.tile >= end) return;
    for (int k = 0; k < p.arrays_end; ++k) table[k] = static_cast<const std::byte*>(table[k]) + step;
  }
}

void run(const void* data, const KernelArgs& args) noexcept {
  const FusedProgram& p = *static_cast<const FusedProgram*>(data);
  std::byte* const filled = args.at<std::byte>(p.operands);
  std::byte* const own = filled + p.shared_bytes();
  const int64_t tile = p.tile < p.elements ? p.tile : p.elements;
  for (const FusedProgram::Fill& f : p.fills)
    p.broadcast(p.maps[f.map], source(p, args, f.source), filled + (f.slot - p.scalars_end) * p.tile_bytes, 0,
                tile);
  if (p.threads == 1) return run_share(p, args, filled, own, 0, p.elements);
  parallel([&](int thread, int threads) {
    threads = threads < p.threads ? threads : p.threads;  // scratch is for so many
    if (thread >= threads) return;
    const Share share = share_of(p.elements, thread, threads, p.grain);
    run_share(p, args, filled, own + thread * p.thread_bytes(), share.begin, share.end);
  });
}

PrepareResult prepare_body(const Graph& body, const Target& target) {
  auto program = make_fused_program(body, target);
  if (!program) return tl::unexpected(program.error());
  const int64_t scratch = program->scratch_bytes();
  return Prepared{run, std::make_shared<const FusedProgram>(std::move(*program)), scratch};
}

PrepareResult prepare(const KernelRequest& request) { return prepare_body(*request.body, request.target); }
constexpr Kernel kKernels[] = {{"tiles", prepare}};

}  // namespace

PrepareResult prepare_elementwise(const KernelRequest& request, const OpDef& op) {
  Graph body("body");
  std::vector<Value> inputs;
  for (const Type& t : request.in) inputs.push_back(body.input(std::to_string(inputs.size()), t));
  body.output("", body.add(op, inputs, request.attrs));
  return prepare_body(body, request.target);
}

extern const OpDef fused_op{
    .name = "fused",
    .doc = "elementwise nodes run together, tile by tile",
    .min_inputs = 0,
    .max_inputs = 1 << 16,
    .infer = infer,
    .cost = cost,
    .no_grad = "it is made after differentiation",
    .kernels = kKernels,
};

}  // namespace shoestring::ops
