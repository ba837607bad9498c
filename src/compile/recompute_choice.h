// What to compute again instead of keeping it: the choice alone, over steps and pieces of memory, without
// graphs. `recompute` makes the problem of a training graph and does what was chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace shoestring {

struct KeepingProblem {
  // Memory that a step makes, or that is there from the start.
  struct Piece {
    int64_t bytes = 0;
    bool stays = false;          // to the end
    double seconds = -1;         // to compute it again; negative: it cannot be
    std::vector<uint32_t> from;  // what is read for that
    int64_t again_bytes = 0;     // what it takes when it is computed again; 0 inside the step that reads it
  };
  struct Step {
    std::vector<uint32_t> reads, makes;  // pieces
    bool late = false;                   // reads what was computed again, where that was chosen
    bool in_place = false;               // may make a piece in the memory of one that it is the last to read
  };
  std::vector<Piece> pieces;
  std::vector<Step> steps;  // in their order
};

struct Kept {
  int64_t bytes = 0;   // the largest live set
  double seconds = 0;  // of what is computed again
};
// `again[p]`: piece p is let go of after its last early reader, and computed again before the first late one,
// once for all of them. What it is made from is computed again too, if that is chosen for it, or kept so
// long.
Kept keep(const KeepingProblem& problem, const std::vector<char>& again);

// The cheapest choice found whose largest live set is at most `limit`; where there is none, the one with the
// smallest. Where at most `try_all` pieces can be computed again, of all choices. Else greedy by seconds a
// byte at the fullest step, several ways, then changed at random and, less and less often, for the worse
// (annealing). A function of its input.
std::vector<char> choose_again(const KeepingProblem& problem, int64_t limit, size_t try_all = 12);

}  // namespace shoestring
