// The program of a fused step: elementwise operators over one shape, run tile by tile, each operator's
// tile function on some hundred elements, one after the other, so that what lies between them stays in
// the first cache.
//
// Values live in slots, which number a table of pointers:
//   operands         inputs and outputs, read and written in place; they move on from tile to tile
//   constant arrays  likewise
//   scalars          single elements that count for a whole tile: constants, operands of one element,
//                    and what is computed of such alone, once a run
//   filled tiles     broadcast operands that are the same in every tile (a row that divides it), written
//                    once a run
//   tiles            what lies between, taken again as soon as it has been read for the last time
// An output may lie in the memory of an input of its size. If a later operator of a tile still reads
// that input, the output is staged in a tile of its own and copied at the tile's end; whether memory is
// shared is seen when running.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/memory.h"
#include "ir/graph.h"
#include "ops/shared/broadcast.h"

namespace shoestring::ops {

struct MicroOp {
  TileFn run = nullptr;  // null: a broadcast by maps[map] of the operand or constant array in[0]
  std::array<uint16_t, 5> in{};
  uint16_t out = 0, map = 0;
  uint32_t uniform = 0;  // as in Tile
  bool padded = false;   // likewise
  const double* params = nullptr;
};

struct FusedProgram {
  struct Fill {
    uint16_t source, slot, map;  // source as MicroOp::in[0] of a broadcast
  };
  struct Output {
    uint16_t slot, staging;            // staging 0: never needed
    std::vector<uint16_t> read_later;  // inputs that are read after it is written
  };
  struct alignas(kAlignment) Line {
    std::byte bytes[kAlignment];
  };
  using Lines = std::vector<Line>;

  int64_t elements = 0, element_bytes = 0;
  int64_t tile = 0;   // elements
  int64_t grain = 0;  // of a thread's share: a multiple of the tile
  int threads = 1;
  std::vector<MicroOp> once;  // on scalars
  std::vector<MicroOp> ops;
  std::vector<Fill> fills;
  std::vector<Output> outputs;
  std::vector<BroadcastMap> maps;
  BroadcastFn broadcast = nullptr;
  std::vector<std::vector<double>> params;
  std::vector<Lines> constants;  // arrays, then scalars
  std::vector<uint16_t> scalar_operands;

  // Slots, each kind up to its end: operands, constant arrays, constant scalars, scalar operands,
  // computed scalars, filled tiles, each thread's own tiles.
  int operands = 0, arrays_end = 0, constants_end = 0, scalar_operands_end = 0, scalars_end = 0,
      filled_end = 0, slots = 0;
  // Scratch: the filled tiles, then for each thread its table of pointers, its computed scalars (a
  // line each) and its tiles.
  int64_t tile_bytes = 0, table_bytes = 0;
  int64_t shared_bytes() const { return (filled_end - scalars_end) * tile_bytes; }
  int64_t own_tiles_at() const { return table_bytes + (scalars_end - scalar_operands_end) * kAlignment; }
  int64_t thread_bytes() const { return own_tiles_at() + (slots - filled_end) * tile_bytes; }
  int64_t scratch_bytes() const { return shared_bytes() + threads * thread_bytes(); }
};

// Or why the body cannot be run so.
tl::expected<FusedProgram, std::string> make_fused_program(const Graph& body, const Target& target);

}  // namespace shoestring::ops
