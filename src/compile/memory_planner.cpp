#include "compile/memory_planner.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/philox.h"

namespace shoestring {
namespace {

constexpr int kTries = 400;         // of neighbouring orders
constexpr size_t kTryBelow = 2000;  // pieces; beyond that the greedy orders have to do

Placement place_in_order(std::span<const Lifetime> pieces, std::span<const size_t> order) {
  Placement out;
  out.offsets.assign(pieces.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t i : order) {
    const Lifetime& p = pieces[i];
    int64_t offset = 0;
    if (p.bytes > 0) {
      for (size_t j : placed) {
        const Lifetime& q = pieces[j];
        if (q.last < p.first || p.last < q.first) continue;
        if (out.offsets[j] >= offset + p.bytes) break;  // the gap before j is wide enough
        offset = std::max(offset, out.offsets[j] + q.bytes);
      }
      out.offsets[i] = offset;
      placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                     [&](size_t a, size_t b) { return out.offsets[a] < out.offsets[b]; }),
                    i);
    }
    out.bytes = std::max(out.bytes, offset + p.bytes);
  }
  return out;
}

}  // namespace

int64_t largest_live_set(std::span<const Lifetime> lifetimes) {
  std::map<int, int64_t> change;  // step -> bytes that begin minus bytes that have ended
  for (const Lifetime& l : lifetimes) {
    change[l.first] += l.bytes;
    change[l.last + 1] -= l.bytes;
  }
  int64_t live = 0, most = 0;
  for (const auto& [step, bytes] : change) most = std::max(most, live += bytes);
  return most;
}

Placement place(std::span<const Lifetime> lifetimes) {
  const int64_t bound = largest_live_set(lifetimes);
  const auto duration = [&](size_t i) { return int64_t{lifetimes[i].last} - lifetimes[i].first + 1; };
  const auto by = [&](auto key) {  // descending, ties in the given order
    std::vector<size_t> order(lifetimes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) > key(b); });
    return order;
  };
  std::vector<size_t> best_order;
  Placement best;
  best.bytes = INT64_MAX;
  const auto consider = [&](std::vector<size_t> order) {
    Placement p = place_in_order(lifetimes, order);
    if (p.bytes >= best.bytes) return;
    best = std::move(p);
    best_order = std::move(order);
  };
  consider(by([&](size_t i) { return lifetimes[i].bytes; }));
  if (best.bytes > bound) consider(by([&](size_t i) { return lifetimes[i].bytes * duration(i); }));
  if (best.bytes > bound) consider(by([&](size_t i) { return duration(i); }));
  if (best.bytes > bound) consider(by([&](size_t i) { return -int64_t{lifetimes[i].first}; }));
  if (lifetimes.size() >= kTryBelow) return best;
  Philox random(0, 0);
  for (int t = 0; t < kTries && best.bytes > bound && lifetimes.size() > 1; ++t) {
    std::vector<size_t> order = best_order;
    const auto n = static_cast<uint32_t>(order.size());
    for (uint32_t moves = 1 + random.below(2); moves > 0; --moves) {  // one piece moves to another turn
      const uint32_t from = random.below(n), to = random.below(n);
      const size_t piece = order[from];
      order.erase(order.begin() + from);
      order.insert(order.begin() + to, piece);
    }
    consider(std::move(order));
  }
  return best;
}

}  // namespace shoestring
