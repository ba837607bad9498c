#include "ops/shared/fused_program.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "base/arith.h"
#include "ops/ops.h"
#include "ops/shared/inner_tiles.h"

namespace shoestring::ops {
namespace {

// A region costs half a microsecond and more; one thread does this much arithmetic in two.
constexpr double kParallelFlops = 100'000;
// Of a tile. With the dozen that a step has, a first cache of 32 KiB holds all.
constexpr int64_t kTileBytes = 2 << 10;
// What fits here is one tile of its own length, which spares small steps a second round.
constexpr int64_t kOneTileBytes = 4 << 10;
// Tiles begin at multiples of a cache line, or every access would touch two.
constexpr int64_t kTileGrain = 16;
// Keeps tiles from lying a multiple of 4 KiB apart, where loads wait for unrelated stores.
constexpr int64_t kTileGap = 2 * kAlignment;
// Of a thread's share where there are no tiles between operators.
constexpr int64_t kGrain = 1024;

enum class Kind : uint8_t { operand, constant_array, constant_scalar, broadcast, computed };

// A value of the body: what a node gives.
struct BodyValue {
  Kind kind = Kind::computed;
  int index = 0;         // of the operand, of the constant; of a broadcast's map
  int source = 0;        // of a broadcast: operand, or operands + constant array
  bool uniform = false;  // one element counts for all
  bool filled = false;   // of a broadcast: the same in every tile
  int slot = -1;
};

struct Instruction {
  TileFn run = nullptr;  // null: a broadcast
  std::string_view op;
  std::vector<int> in;  // values
  int out = -1;         // value
  const double* params = nullptr;
};

class Builder {
 public:
  Builder(const Graph& body, const Target& target) : body_(body), target_(target) {}

  tl::expected<FusedProgram, std::string> build() {
    if (std::string why = read(); !why.empty()) return tl::unexpected(why);
    place_outputs();
    choose_tile();
    combine();
    drop_unused();
    broadcast_in_tiles();
    assign_slots();
    emit();
    return std::move(p_);
  }

 private:
  // ---- the body as values and instructions ----

  std::string read() {
    if (body_.outputs().empty()) return "the body has no output";
    full_ = body_.type(body_.outputs()[0].value);
    if (full_.dtype != DType::f32 && full_.dtype != DType::f64)
      return fmt::format("{} is not computed with", to_string(full_));
    for (const NamedValue& o : body_.outputs())
      if (body_.type(o.value) != full_)
        return fmt::format("outputs {} and {} differ", to_string(full_), to_string(body_.type(o.value)));
    p_.elements = full_.elements();
    p_.element_bytes = info(full_.dtype).block_bytes;
    p_.broadcast = broadcast_function(target_.isa, static_cast<int>(p_.element_bytes));
    for (const Node& n : body_.nodes()) inputs_ += n.op == &input_op;
    p_.operands = inputs_ + static_cast<int>(body_.outputs().size());
    double flops = 0;
    int operand = 0;
    for (const Node& node : body_.nodes()) {
      if (node.op == &input_op) {
        value_of_.push_back(new_value({.kind = Kind::operand, .index = operand++}));
      } else if (node.op == &constant_op) {
        value_of_.push_back(constant(node));
      } else if (node.op->name == "broadcast") {
        const int v = broadcast(node);
        if (v < 0)
          return fmt::format("broadcast to {} inside {}", to_string(node.types[0]), to_string(full_));
        value_of_.push_back(v);
      } else if (!node.op->elementwise()) {
        return fmt::format("{} is not elementwise", node.op->name);
      } else {
        if (std::string why = instruction(node); !why.empty()) return why;
        const Types in(node.inputs.size(), full_);
        if (!value(value_of_.back()).uniform) flops += node.op->cost({in, node.attrs}, node.types).flops;
      }
    }
    p_.threads = flops >= kParallelFlops && p_.elements >= 2 * kGrain ? target_.threads : 1;
    return {};
  }

  BodyValue& value(int v) { return values_[static_cast<size_t>(v)]; }
  const BodyValue& value(int v) const { return values_[static_cast<size_t>(v)]; }
  int new_value(BodyValue v) {
    values_.push_back(v);
    return static_cast<int>(values_.size()) - 1;
  }
  TileFn of_dtype(const TileSet& tiles) const { return full_.dtype == DType::f32 ? tiles.f32 : tiles.f64; }

  std::string instruction(const Node& node) {
    if (node.types[0] != full_)
      return fmt::format("{} of {} inside {}", node.op->name, to_string(node.types[0]), to_string(full_));
    const TileFn run = of_dtype(node.op->tiles(target_.isa));
    if (!run) return fmt::format("{} has no tiles of {}", node.op->name, info(full_.dtype).name);
    if (node.inputs.size() > 3) return fmt::format("{} takes more than 3 inputs", node.op->name);
    p_.params.push_back(node.attrs.parameters());
    Instruction i{.run = run, .op = node.op->name, .params = p_.params.back().data()};
    bool uniform = true;
    for (const ValueId& v : node.inputs) {
      i.in.push_back(value_of_[v.node.index]);
      uniform &= value(i.in.back()).uniform;
    }
    // Tile functions are quick when the second operand is the scalar.
    if ((node.op->traits & kCommutative) && value(i.in[0]).uniform) std::swap(i.in[0], i.in[1]);
    i.out = new_value({.kind = Kind::computed, .uniform = uniform});
    value_of_.push_back(i.out);
    (uniform ? once_ : instructions_).push_back(std::move(i));
    return {};
  }

  // A constant of one value is a scalar, another an array in the program.
  int constant(const Node& node) {
    const auto bytes = static_cast<size_t>(p_.element_bytes);
    const std::vector<std::byte>& literal = *node.literal;
    bool uniform = node.types[0].dtype == full_.dtype && !literal.empty();
    for (size_t i = bytes; uniform && i < literal.size(); i += bytes)
      uniform = std::memcmp(literal.data(), literal.data() + i, bytes) == 0;
    if (!uniform) {
      FusedProgram::Lines lines((literal.size() + kAlignment - 1) / kAlignment + 1);
      std::memcpy(lines.data(), literal.data(), literal.size());
      p_.constants.push_back(std::move(lines));
      return new_value({.kind = Kind::constant_array, .index = static_cast<int>(p_.constants.size()) - 1});
    }
    const std::string key(reinterpret_cast<const char*>(literal.data()), bytes);
    const auto [at, is_new] = constant_scalars_.try_emplace(key, 0);
    if (is_new) at->second = new_value({.kind = Kind::constant_scalar, .uniform = true});
    return at->second;
  }

  // -1: neither of an operand or constant nor to the step's shape.
  int broadcast(const Node& node) {
    const ValueId from = node.inputs[0];
    const int v = value_of_[from.node.index];
    if (node.types[0] != full_) return -1;
    const BodyValue source = value(v);
    if (body_.type(from) == full_ || source.kind == Kind::constant_scalar) return v;
    if (source.kind != Kind::operand && source.kind != Kind::constant_array) return -1;
    const auto [at, is_new] = broadcasts_.try_emplace(v, 0);
    if (is_new) {
      const BroadcastMap map = broadcast_map(body_.type(from).dims, full_.dims);
      at->second = new_value({.kind = Kind::broadcast,
                              .index = static_cast<int>(p_.maps.size()),
                              .source = source.index + (source.kind == Kind::operand ? 0 : p_.operands),
                              .uniform = map.source_elements == 1});
      p_.maps.push_back(map);
    }
    return at->second;
  }

  // ---- outputs: written where they belong, or copied there ----

  void place_outputs() {
    int slot = inputs_;
    for (const NamedValue& o : body_.outputs()) {
      int v = value_of_[o.value.node.index];
      if (value(v).kind != Kind::computed || value(v).uniform || value(v).slot >= 0) {
        const TileFn copy = of_dtype(inner_tiles(target_.isa, InnerTile::copy));
        instructions_.push_back({.run = copy, .op = "copy", .in = {v}, .out = new_value({})});
        v = instructions_.back().out;
      }
      value(v).slot = slot++;
    }
  }
  bool is_output(int v) const { return value(v).slot >= 0; }

  // ---- tiles ----

  // Broadcast operands whose period divides the tile are filled once; the others are broadcast again in
  // every tile.
  void choose_tile() {
    bool needed = false;
    for (const BodyValue& v : values_)
      needed |= !v.uniform && (v.kind == Kind::broadcast || (v.kind == Kind::computed && v.slot < 0));
    const int64_t n = p_.elements, most = kOneTileBytes / p_.element_bytes;
    if (!needed || n <= most) {
      p_.tile = std::max<int64_t>(n, 1);
      p_.grain = kGrain;
      for (BodyValue& v : values_) v.filled = v.kind == Kind::broadcast;
      return;
    }
    int64_t grain = kTileGrain;
    for (BodyValue& v : values_) {
      if (v.kind != Kind::broadcast || v.uniform) continue;
      const int64_t common = std::lcm(grain, p_.maps[static_cast<size_t>(v.index)].period());
      v.filled = common <= most;
      if (v.filled) grain = common;
    }
    p_.tile = std::max<int64_t>(kTileBytes / p_.element_bytes / grain, 1) * grain;
    p_.grain = p_.tile;
  }

  // ---- what only one operator needs is computed in it ----

  void combine() {
    const std::vector<int> uses = count_uses();
    std::vector<int> maker(values_.size(), -1);
    // The instruction that makes `v`, if its name is `op` and nothing else needs it.
    const auto made_by = [&](int v, std::string_view op) -> const Instruction* {
      const auto at = static_cast<size_t>(v);
      if (maker[at] < 0 || uses[at] != 1 || is_output(v)) return nullptr;
      const Instruction& i = instructions_[static_cast<size_t>(maker[at])];
      return i.op == op ? &i : nullptr;
    };
    for (size_t i = 0; i < instructions_.size(); ++i) {
      Instruction& last = instructions_[i];
      maker[static_cast<size_t>(last.out)] = static_cast<int>(i);
      if (last.op == "lerp") {
        if (const Instruction* square = made_by(last.in[1], "square"))
          become(last, InnerTile::lerp_square, {last.in[0], square->in[0], last.in[2]});
      } else if (last.op == "sub" && root_step(last, made_by)) {
        continue;
      } else if (last.op == "add" || last.op == "sub") {
        multiply_and_add(last, made_by);
      }
    }
  }

  void become(Instruction& i, InnerTile kind, std::vector<int> in) {
    i.run = of_dtype(inner_tiles(target_.isa, kind));
    i.op = "combined";
    i.in = std::move(in);
  }

  // a - b c / (sqrt d + e)
  template <class MadeBy>
  bool root_step(Instruction& last, const MadeBy& made_by) {
    const Instruction* ratio = made_by(last.in[1], "div");
    if (!ratio) return false;
    const Instruction *product = made_by(ratio->in[0], "mul"), *sum = made_by(ratio->in[1], "add");
    const Instruction* root = sum ? made_by(sum->in[0], "sqrt") : nullptr;
    if (!product || !root) return false;
    become(last, InnerTile::root_step, {last.in[0], product->in[0], product->in[1], root->in[0], sum->in[1]});
    return true;
  }

  template <class MadeBy>
  void multiply_and_add(Instruction& sum, const MadeBy& made_by) {
    for (size_t side : {size_t{0}, size_t{1}}) {
      const Instruction* product = made_by(sum.in[side], "mul");
      if (!product) product = made_by(sum.in[side], "square");
      if (!product) continue;
      const InnerTile kind = sum.op == "add" ? InnerTile::multiply_plus
                             : side == 0     ? InnerTile::multiply_minus
                                             : InnerTile::minus_multiply;
      return become(sum, kind, {product->in.front(), product->in.back(), sum.in[1 - side]});
    }
  }

  std::vector<int> count_uses() const {
    std::vector<int> uses(values_.size());
    for (const auto* list : {&once_, &instructions_})
      for (const Instruction& i : *list)
        for (int v : i.in) ++uses[static_cast<size_t>(v)];
    return uses;
  }

  void drop_unused() {
    std::vector<int> uses = count_uses();
    for (auto* list : {&instructions_, &once_}) {
      for (size_t i = list->size(); i-- > 0;) {
        Instruction& instruction = (*list)[i];
        if (uses[static_cast<size_t>(instruction.out)] > 0 || is_output(instruction.out)) continue;
        for (int v : instruction.in) --uses[static_cast<size_t>(v)];
        instruction.op = {};
      }
      std::erase_if(*list, [](const Instruction& i) { return i.op.empty(); });
    }
  }

  // A broadcast that differs from tile to tile comes right before its first use.
  void broadcast_in_tiles() {
    std::vector<Instruction> all;
    std::vector<char> done(values_.size());
    for (Instruction& i : instructions_) {
      for (int v : i.in) {
        if (value(v).kind != Kind::broadcast || value(v).uniform || value(v).filled ||
            done[static_cast<size_t>(v)])
          continue;
        done[static_cast<size_t>(v)] = true;
        all.push_back({.op = "broadcast", .out = v});
      }
      all.push_back(std::move(i));
    }
    instructions_ = std::move(all);
  }

  // ---- slots ----

  void assign_slots() {
    const std::vector<int> uses = count_uses();
    p_.arrays_end = p_.operands + static_cast<int>(p_.constants.size());
    int next = p_.arrays_end;
    for (BodyValue& v : values_) {
      if (v.kind == Kind::operand) v.slot = v.index;
      if (v.kind == Kind::constant_array) v.slot = p_.operands + v.index;
    }
    for (const auto& [bytes, v] : constant_scalars_) {
      value(v).slot = next++;
      std::memcpy(p_.constants.emplace_back(1).data(), bytes.data(), bytes.size());
    }
    p_.constants_end = next;
    const auto used = [&](size_t v, Kind kind, bool uniform) {
      return values_[v].kind == kind && values_[v].uniform == uniform && uses[v] > 0;
    };
    for (size_t v = 0; v < values_.size(); ++v)
      if (used(v, Kind::broadcast, true)) {
        values_[v].slot = next++;
        p_.scalar_operands.push_back(static_cast<uint16_t>(values_[v].source));
      }
    p_.scalar_operands_end = next;
    for (const Instruction& i : once_) value(i.out).slot = next++;
    p_.scalars_end = next;
    for (size_t v = 0; v < values_.size(); ++v)
      if (used(v, Kind::broadcast, false) && values_[v].filled) values_[v].slot = next++;
    p_.filled_end = next;
    assign_tiles(uses);
    p_.tile_bytes = round_up(std::min(p_.tile, p_.elements) * p_.element_bytes, kAlignment) + kTileGap;
  }

  // By liveness: an instruction may write over an input that it is the last to read.
  void assign_tiles(std::vector<int> uses) {
    std::vector<int> free;
    int next = p_.filled_end;
    for (const Instruction& i : instructions_) {
      for (int v : i.in)
        if (--uses[static_cast<size_t>(v)] == 0 && value(v).slot >= p_.filled_end)
          free.push_back(value(v).slot);
      int& slot = value(i.out).slot;
      if (slot >= 0) continue;
      if (free.empty()) free.push_back(next++);
      slot = free.back();
      free.pop_back();
    }
    p_.slots = next;
  }

  // ---- the program ----

  uint16_t slot(int v) const { return static_cast<uint16_t>(value(v).slot); }

  void emit() {
    for (const BodyValue& v : values_)
      if (v.kind == Kind::broadcast && !v.uniform && v.filled && v.slot >= 0)
        p_.fills.push_back(
            {static_cast<uint16_t>(v.source), static_cast<uint16_t>(v.slot), static_cast<uint16_t>(v.index)});
    for (const Instruction& i : once_) p_.once.push_back(micro_op(i));
    for (const Instruction& i : instructions_) p_.ops.push_back(micro_op(i));
    for (MicroOp& op : p_.once) op.uniform = 0;  // they compute one element of one
    for (size_t i = 0; i < p_.ops.size(); ++i)
      if (p_.ops[i].out < p_.operands) add_output(i);
    p_.table_bytes = round_up(p_.slots * static_cast<int64_t>(sizeof(void*)), kAlignment);
  }
  MicroOp micro_op(const Instruction& i) const {
    MicroOp op{.run = i.run, .out = slot(i.out), .params = i.params};
    op.padded = op.out >= p_.operands;  // scratch: of lines, or of tiles with a gap after each
    for (size_t k = 0; k < i.in.size(); ++k) {
      op.in[k] = slot(i.in[k]);
      if (value(i.in[k]).uniform) op.uniform |= 1u << k;
    }
    if (!i.run) {
      op.in[0] = static_cast<uint16_t>(value(i.out).source);
      op.map = static_cast<uint16_t>(value(i.out).index);
    }
    return op;
  }

  // The output that operator `i` writes, and the inputs that are read after it.
  void add_output(size_t i) {
    FusedProgram::Output out{.slot = p_.ops[i].out, .staging = 0};
    for (size_t k = i + 1; k < p_.ops.size(); ++k)
      if (p_.ops[k].run)
        for (size_t a = 0; a < instructions_[k].in.size(); ++a)
          if (p_.ops[k].in[a] < inputs_) out.read_later.push_back(p_.ops[k].in[a]);
    std::sort(out.read_later.begin(), out.read_later.end());
    out.read_later.erase(std::unique(out.read_later.begin(), out.read_later.end()), out.read_later.end());
    if (!out.read_later.empty()) out.staging = static_cast<uint16_t>(p_.slots++);
    p_.outputs.push_back(std::move(out));
  }

  const Graph& body_;
  const Target target_;
  Type full_;
  int inputs_ = 0;
  FusedProgram p_;
  std::vector<BodyValue> values_;
  std::vector<int> value_of_;                    // of each node
  std::map<std::string, int> constant_scalars_;  // by an element's bytes
  std::map<int, int> broadcasts_;                // by source
  std::vector<Instruction> once_, instructions_;
};

}  // namespace

tl::expected<FusedProgram, std::string> make_fused_program(const Graph& body, const Target& target) {
  return Builder(body, target).build();
}

}  // namespace shoestring::ops
