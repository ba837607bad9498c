// scan: the only control flow. A body graph runs once for each step of a sequence, with values carried from
// one step to the next:
//   inputs   carries, then sequences [T, ..], then captures, which are the same for every step (parameters)
//   body     inputs: the carries, one slice [..] of each sequence, the captures; outputs: the next carries,
//   then what
//            is stacked
//   outputs  the last carries, then [T, ..] of each stacked output
// `steps` gives T where there is no sequence (-1: the sequences say it). `reverse` runs from the last slice
// to the first; slices and stacks keep their places. A body may hold another scan.
//
// The gradient is a scan the other way. What each step was given as its carries is saved (ops::scan stacks
// it; where nobody has, a second scan does); all else of a step is computed again when its gradient is.
// Gradients of captures are carried sums.
//
// Random nodes: each step draws with a seed of its own (ir/loop.h), and draws the same when it is computed
// again.
#include <algorithm>
#include <cstring>

#include "base/arith.h"
#include "base/memory.h"
#include "ir/loop.h"
#include "ops/loop.h"
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"carries", int64_t{0}},
                          {"sequences", int64_t{0}},
                          {"steps", int64_t{-1}},
                          {"reverse", false},
                          {"stream", int64_t{0}}};

// Which inputs and outputs are what.
struct Loop {
  size_t carries = 0, sequences = 0, captures = 0, stacked = 0;
  int64_t steps = 0;
  bool reverse = false;
  uint32_t stream = 0;

  size_t inputs() const { return carries + sequences + captures; }
  bool is_sequence(size_t input) const { return input >= carries && input < carries + sequences; }
  // The slice that step number `i` works on.
  int64_t slice(int64_t i) const { return reverse ? steps - 1 - i : i; }
};

Loop loop_of(std::span<const Type> in, const Attrs& attrs, size_t outputs) {
  Loop l{.carries = static_cast<size_t>(attrs.integer("carries")),
         .sequences = static_cast<size_t>(attrs.integer("sequences")),
         .steps = attrs.integer("steps"),
         .reverse = attrs.flag("reverse"),
         .stream = static_cast<uint32_t>(attrs.integer("stream"))};
  l.captures = in.size() - l.carries - l.sequences;
  l.stacked = outputs - l.carries;
  if (l.sequences > 0) l.steps = in[l.carries].dims[0];
  return l;
}

Types input_types(const Graph& body) {
  Types types;
  for (const Node& n : body.nodes())
    if (n.op == &input_op) types.push_back(n.types[0]);
  return types;
}

Shape stacked(int64_t steps, const Shape& dims) {
  std::vector<int64_t> all{steps};
  all.insert(all.end(), dims.begin(), dims.end());
  return Shape(all);
}

Result<Types> infer(const OpArgs& args) {
  const auto no = [](std::string why) { return wrong("scan: " + why); };
  if (!args.body) return no("it has no body");
  const Graph& body = *args.body;
  if (!body.states().empty())
    return no("a body reads and writes no states; carry them, or capture what they hold");
  const int64_t carries = args.attrs.integer("carries"), sequences = args.attrs.integer("sequences"),
                steps = args.attrs.integer("steps"), given = std::ssize(args.in);
  if (carries < 0 || sequences < 0 || carries > given || sequences > given - carries)
    return no(fmt::format("{} carries and {} sequences of {} inputs", carries, sequences, given));
  for (int64_t i = carries; i < carries + sequences; ++i)
    if (const Type& t = args.in[static_cast<size_t>(i)]; t.dims.rank() == 0)
      return no(fmt::format("sequence {} is {}: it has no steps", i - carries, to_string(t)));
  if (std::ssize(body.outputs()) < carries)
    return no(fmt::format("{} carries, but the body gives {} values", carries, body.outputs().size()));
  const Loop l = loop_of(args.in, args.attrs, body.outputs().size());
  if (l.steps < 0 || l.steps > INT32_MAX)
    return no(fmt::format("{} steps; give a sequence or `steps`", l.steps));
  const Types wanted = input_types(body);
  if (wanted.size() != l.inputs())
    return no(fmt::format("{} inputs for a body of {}", l.inputs(), wanted.size()));
  for (size_t i = 0; i < wanted.size(); ++i) {
    Type in = args.in[i];
    if (l.is_sequence(i)) {
      if (in.dims[0] != l.steps)
        return no(
            fmt::format("sequence {} is {}, but there are {} steps", i - l.carries, to_string(in), l.steps));
      in.dims = Shape(in.dims.dims().subspan(1));
    }
    if (in != wanted[i])
      return no(
          fmt::format("input {} is {} for each step, the body's {}", i, to_string(in), to_string(wanted[i])));
  }
  if (l.sequences > 0 && steps >= 0 && steps != l.steps)
    return no(fmt::format("steps is {}, the sequences' {}", steps, l.steps));
  Types out;
  for (size_t k = 0; k < body.outputs().size(); ++k) {
    const Type& t = body.type(body.outputs()[k].value);
    if (k < l.carries && t != wanted[k])
      return no(fmt::format("carry {} is {} and becomes {}", k, to_string(wanted[k]), to_string(t)));
    if (k >= l.carries && t.dims.rank() == Shape::kMaxRank)
      return no(to_string(t) + " has no room for one more axis");
    out.push_back(k < l.carries ? t : Type{t.dtype, stacked(l.steps, t.dims)});
  }
  return out;
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  Cost each;
  for (const Node& node : args.body->nodes()) {
    if (!node.op->cost) continue;
    Types in;
    for (const ValueId& v : node.inputs) in.push_back(args.body->type(v));
    const Cost c = node.op->cost({in, node.attrs, node.body.get()}, node.types);
    each.flops += c.flops;
    each.bytes += c.bytes;
  }
  const auto steps = static_cast<double>(loop_of(args.in, args.attrs, out.size()).steps);
  return {.flops = steps * each.flops, .bytes = steps * each.bytes};
}

// ---- the gradient ----

// The outputs of `b`'s scan, or of one like it, that stack what each step was given as its carries.
std::vector<Value> saved_carries(Backward& b, const Loop& l, const Graph& body) {
  std::vector<ValueId> given;  // the body's inputs
  for (uint32_t i = 0; i < body.nodes().size(); ++i)
    if (body.nodes()[i].op == &input_op) given.push_back({NodeId{i}, 0});
  std::vector<Value> saved(l.carries);
  bool all = true;
  for (size_t i = 0; i < l.carries; ++i) {
    for (size_t k = l.carries; k < body.outputs().size(); ++k)
      if (body.outputs()[k].value == given[i]) saved[i] = b.output(static_cast<int>(k));
    all &= saved[i].valid();
  }
  if (all) return saved;
  Graph again = body;
  for (size_t i = 0; i < l.carries; ++i) again.output(fmt::format("given {}", i), again.value(given[i]));
  std::vector<Value> inputs;
  for (int i = 0; i < b.inputs(); ++i) inputs.push_back(b.input(i));
  const Value scan =
      b.graph().add(*find("scan"), inputs, Attrs(b.attrs()), std::make_shared<const Graph>(std::move(again)));
  for (size_t i = 0; i < l.carries; ++i)
    saved[i] = scan.output(static_cast<uint32_t>(body.outputs().size() + i));
  return saved;
}

Value zeros(Graph& graph, const Type& type) { return broadcast(graph.scalar(type.dtype, 0), type.dims); }

// ---- running the steps ----

struct Program {
  PreparedBody body;
  Loop loop;
  struct Port {
    int operand;     // of the node
    int64_t stride;  // bytes from one slice to the next; 0: the same for every step
  };
  std::vector<Port> ports;
  std::vector<int64_t> carry_bytes;
  struct Moving {
    size_t pointer;  // in the table
    int64_t stride;
  };
  std::vector<Moving> moving;
  int scratch =
      0;  // which operand: the body's scratch, and from `table` on a pointer for each operand of a step
  int64_t table = 0;
};

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& p = *static_cast<const Program*>(data);
  const Loop& l = p.loop;
  // Carries live where the last ones are to be: each step replaces them there.
  for (size_t i = 0; i < l.carries; ++i)
    if (p.carry_bytes[i] > 0)
      std::memcpy(args.operands[l.inputs() + i], args.operands[i], static_cast<size_t>(p.carry_bytes[i]));
  if (l.steps == 0) return;
  std::byte* const scratch = args.at<std::byte>(p.scratch);
  auto* const table = reinterpret_cast<std::byte**>(scratch + p.table);
  size_t at = 0;
  for (const PreparedBody::Step& step : p.body.steps)
    for (const PreparedBody::Operand& o : step.operands) {
      std::byte* base = scratch;
      if (o.memory == PreparedBody::Memory::constant)
        base = const_cast<std::byte*>(p.body.constants);  // only read
      if (o.memory == PreparedBody::Memory::port) {
        const Program::Port& port = p.ports[o.port];
        base = args.at<std::byte>(port.operand) + l.slice(0) * port.stride;
      }
      table[at++] = base + o.offset;
    }
  for (int64_t i = 0; i < l.steps; ++i) {
    const RunContext context = iteration_context(*args.context, l.stream, static_cast<uint32_t>(l.slice(i)));
    std::byte** operands = table;
    for (const PreparedBody::Step& step : p.body.steps) {
      step.run(step.data, {reinterpret_cast<void* const*>(operands), &context});
      operands += step.operands.size();
    }
    for (const Program::Moving& m : p.moving) table[m.pointer] += l.reverse ? -m.stride : m.stride;
  }
}

}  // namespace

PrepareResult prepare_scan(const KernelRequest& r, const PrepareBody& prepare_body) {
  auto p = std::make_shared<Program>();
  p->loop = loop_of(r.in, r.attrs, r.out.size());
  const Loop& l = p->loop;
  auto body = prepare_body(*r.body, l.carries);
  if (!body) return tl::unexpected(body.error());
  p->body = std::move(*body);
  const Types each = input_types(*r.body);
  for (size_t i = 0; i < l.inputs(); ++i) {
    const size_t operand = i < l.carries ? l.inputs() + i : i;
    p->ports.push_back({static_cast<int>(operand), l.is_sequence(i) ? each[i].bytes() : 0});
  }
  for (size_t i = 0; i < l.carries; ++i) {
    p->ports.push_back(p->ports[i]);
    p->carry_bytes.push_back(each[i].bytes());
  }
  for (size_t k = l.carries; k < r.out.size(); ++k)
    p->ports.push_back({static_cast<int>(l.inputs() + k), r.body->type(r.body->outputs()[k].value).bytes()});
  size_t pointers = 0;
  for (const PreparedBody::Step& step : p->body.steps)
    for (const PreparedBody::Operand& o : step.operands) {
      const int64_t stride = o.memory == PreparedBody::Memory::port ? p->ports[o.port].stride : 0;
      if (stride > 0) p->moving.push_back({pointers, stride});
      ++pointers;
    }
  p->scratch = static_cast<int>(l.inputs() + r.out.size());
  p->table = round_up(p->body.scratch_bytes, kAlignment);
  const int64_t scratch = std::max(p->table + static_cast<int64_t>(pointers * sizeof(void*)), kAlignment);
  return Prepared{run, p, scratch};
}

void scan_gradient(Backward& b, const std::shared_ptr<const Graph>& body, int outputs, PullBack pull_back) {
  Types in;
  for (int i = 0; i < b.inputs(); ++i) in.push_back(b.input(i).type());
  const Loop l = loop_of(in, b.attrs(), static_cast<size_t>(outputs));
  const auto smooth = [](const Type& t) { return info(t.dtype).floating; };
  const Types each = input_types(*body);
  std::vector<size_t> carries, sequences, captures, stacks;  // that take part, by input or output
  for (size_t i = 0; i < l.inputs(); ++i) {
    if (!smooth(each[i])) continue;
    if (i < l.carries)
      carries.push_back(i);
    else if (b.wants(static_cast<int>(i)))
      (l.is_sequence(i) ? sequences : captures).push_back(i);
  }
  for (size_t k = l.carries; k < l.carries + l.stacked; ++k)
    if (b.upstream(static_cast<int>(k)).valid()) stacks.push_back(k);

  // The body: the step's own, and behind it its gradient.
  Graph back(body->name() + "_grad");
  std::vector<Value> sums, upstream, own(l.inputs());  // the back body's inputs
  for (size_t i : carries) upstream.push_back(back.input(fmt::format("d {}", i), each[i]));
  for (size_t i : captures) sums.push_back(back.input(fmt::format("sum {}", i), each[i]));
  for (size_t i = 0; i < l.carries + l.sequences; ++i) own[i] = back.input(fmt::format("{}", i), each[i]);
  for (size_t k : stacks)
    upstream.push_back(back.input(fmt::format("d out {}", k), body->type(body->outputs()[k].value)));
  for (size_t i = l.carries + l.sequences; i < l.inputs(); ++i)
    own[i] = back.input(fmt::format("{}", i), each[i]);

  std::vector<Value> made(body->nodes().size());  // each node's first output
  size_t next = 0;
  for (size_t n = 0; n < body->nodes().size(); ++n) {
    const Node& node = body->nodes()[n];
    if (node.op == &input_op) {
      made[n] = own[next++];
      continue;
    }
    std::vector<Value> inputs;
    for (const ValueId& v : node.inputs) inputs.push_back(made[v.node.index].output(v.output));
    made[n] = back.clone(node, inputs);
  }
  const auto output = [&](size_t k) {
    const ValueId v = body->outputs()[k].value;
    return made[v.node.index].output(v.output);
  };
  std::vector<Returned> returned;
  for (size_t i : carries) returned.push_back({output(i), upstream[returned.size()]});
  for (size_t k : stacks) returned.push_back({output(k), upstream[returned.size()]});
  std::vector<Value> wrt;
  for (size_t i : carries) wrt.push_back(own[i]);
  for (size_t i : captures) wrt.push_back(own[i]);
  for (size_t i : sequences) wrt.push_back(own[i]);
  const std::vector<Value> slopes = pull_back(back, returned, wrt);
  for (size_t i = 0; i < slopes.size(); ++i) {
    const bool sum = i >= carries.size() && i < carries.size() + sums.size();
    back.output(fmt::format("{}", i), sum ? add(sums[i - carries.size()], slopes[i]) : slopes[i]);
  }
  if (const Status s = back.status(); !s) {
    b.graph().error("scan: the gradient of its body: " + s.error().what);
    return;
  }

  std::vector<Value> start, along = saved_carries(b, l, *body), fixed;
  for (size_t i : carries) {
    const Value up = b.upstream(static_cast<int>(i));
    start.push_back(up.valid() ? up : zeros(b.graph(), each[i]));
  }
  for (size_t i : captures) start.push_back(zeros(b.graph(), each[i]));
  for (size_t i = l.carries; i < l.carries + l.sequences; ++i) along.push_back(b.input(static_cast<int>(i)));
  for (size_t k : stacks) along.push_back(b.upstream(static_cast<int>(k)));
  for (size_t i = l.carries + l.sequences; i < l.inputs(); ++i) fixed.push_back(b.input(static_cast<int>(i)));
  const Scan d = scan(start, along, fixed, std::move(back),
                      {.steps = l.steps, .reverse = !l.reverse, .stream = static_cast<int64_t>(l.stream)});
  if (d.carries.size() != start.size()) return;  // the graph says why
  for (size_t i = 0; i < carries.size(); ++i) b.add(static_cast<int>(carries[i]), d.carries[i]);
  for (size_t i = 0; i < captures.size(); ++i)
    b.add(static_cast<int>(captures[i]), d.carries[carries.size() + i]);
  for (size_t i = 0; i < sequences.size(); ++i) b.add(static_cast<int>(sequences[i]), d.stacked[i]);
}

Scan scan(std::span<const Value> carries, std::span<const Value> sequences, std::span<const Value> captures,
          Graph body, ScanOptions options) {
  std::vector<Value> inputs(carries.begin(), carries.end());
  inputs.insert(inputs.end(), sequences.begin(), sequences.end());
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  const auto first = std::find_if(inputs.begin(), inputs.end(), [](const Value& v) { return v.valid(); });
  if (first == inputs.end()) return {};
  Graph& graph = first->graph();
  if (const Status s = body.status(); !s) {
    graph.error(Error(s.error()));
    return {};
  }
  const size_t given = body.outputs().size();
  bool random = false;
  std::vector<ValueId> own;
  for (uint32_t i = 0; i < body.nodes().size(); ++i) {
    const Node& node = body.nodes()[i];
    random |= (node.op->traits & kRandom) != 0 || (is_loop(node) && node.attrs.integer("stream") != 0);
    if (node.op == &input_op) own.push_back({NodeId{i}, 0});
  }
  for (size_t i = 0; i < std::min(carries.size(), own.size()); ++i)
    body.output(fmt::format("given {}", i), body.value(own[i]));
  const int64_t stream = options.stream == 0 && random ? graph.next_stream() : options.stream;
  const Value v = graph.add(*find("scan"), inputs,
                            {{"carries", std::ssize(carries)},
                             {"sequences", std::ssize(sequences)},
                             {"steps", sequences.empty() ? options.steps : int64_t{-1}},
                             {"reverse", options.reverse},
                             {"stream", stream}},
                            std::make_shared<const Graph>(std::move(body)));
  if (!v.valid()) return {};
  Scan out;
  for (size_t k = 0; k < given; ++k)
    (k < carries.size() ? out.carries : out.stacked).push_back(v.output(static_cast<uint32_t>(k)));
  return out;
}

extern const OpDef scan_op{
    .name = "scan",
    .doc = "a body graph run once for each step of its sequences, with carried values",
    .min_inputs = 0,
    .max_inputs = 1 << 16,
    .traits = kNoFold,
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
};

}  // namespace shoestring::ops
