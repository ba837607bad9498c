// Properties of the planner over random problems and the plans of random graphs, and its distance from the
// optimum on small ones.
#include "compile/memory_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/philox.h"
#include "compile/compile.h"
#include "unit/run/random_graph.h"

namespace shoestring {
namespace {

std::vector<Lifetime> random_problem(Philox& random, int pieces, int steps) {
  std::vector<Lifetime> out;
  for (int i = 0; i < pieces; ++i) {
    const int first = static_cast<int>(random.below(static_cast<uint32_t>(steps)));
    // Most tensors die soon; a few, as activations kept for the backward pass, live long.
    const uint32_t reach = random.below(4) == 0 ? static_cast<uint32_t>(steps) : 4;
    const int last = std::min(steps - 1, first + static_cast<int>(random.below(reach)));
    out.push_back({64 * (1 + int64_t{random.below(random.below(3) == 0 ? 200 : 8)}), first, last});
  }
  return out;
}

void expect_no_overlap(const std::vector<Lifetime>& pieces, const Placement& p) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    ASSERT_GE(p.offsets[i], 0);
    ASSERT_LE(p.offsets[i] + pieces[i].bytes, p.bytes);
    for (size_t j = i + 1; j < pieces.size(); ++j) {
      const bool in_time = pieces[i].first <= pieces[j].last && pieces[j].first <= pieces[i].last;
      const bool in_space =
          p.offsets[i] < p.offsets[j] + pieces[j].bytes && p.offsets[j] < p.offsets[i] + pieces[i].bytes;
      ASSERT_FALSE(in_time && in_space) << i << " and " << j;
    }
  }
}

// The best that any order of lowest-offset placement reaches; some such order is optimal.
int64_t exhaustive(const std::vector<Lifetime>& pieces) {
  std::vector<size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int64_t best = INT64_MAX;
  do {
    std::vector<int64_t> offsets(pieces.size());
    int64_t bytes = 0;
    for (size_t k = 0; k < order.size() && bytes < best; ++k) {
      const Lifetime& p = pieces[order[k]];
      std::vector<std::pair<int64_t, int64_t>> taken;
      for (size_t m = 0; m < k; ++m) {
        const Lifetime& q = pieces[order[m]];
        if (p.first <= q.last && q.first <= p.last)
          taken.push_back({offsets[order[m]], offsets[order[m]] + q.bytes});
      }
      std::sort(taken.begin(), taken.end());
      int64_t offset = 0;
      for (const auto& [begin, end] : taken) {
        if (begin >= offset + p.bytes) break;
        offset = std::max(offset, end);
      }
      offsets[order[k]] = offset;
      bytes = std::max(bytes, offset + p.bytes);
    }
    best = std::min(best, bytes);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

// What a random graph's plan asks of the planner.
std::vector<Lifetime> problem_of_graph(uint64_t seed, uint32_t nodes) {
  Graph graph = test::RandomGraph(seed, DType::f32, nodes).take();
  StateLayout layout;
  EXPECT_TRUE(layout.include(graph));
  const Result<Plan> plan = compile(std::move(graph), layout, {.target = {Isa::scalar, 1}});
  EXPECT_TRUE(plan) << seed << ": " << plan.error().message();
  std::vector<Lifetime> out;
  if (plan)
    for (const Slot& s : plan->slots) out.push_back({s.bytes, s.first_step, s.last_step});
  return out;
}

// Of 1,000 problems: placed without overlap; prints and returns the arenas over the largest live sets,
// sorted.
template <class F>
std::vector<double> ratios_of(const char* what, F&& problem) {
  std::vector<double> ratios;
  for (uint64_t t = 0; t < 1000; ++t) {
    const std::vector<Lifetime> pieces = problem(t);
    const Placement p = place(pieces);
    expect_no_overlap(pieces, p);
    const int64_t live = largest_live_set(pieces);
    ratios.push_back(live ? static_cast<double>(p.bytes) / static_cast<double>(live) : 1);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("arena / largest live set over 1000 %s: p50 %.4f  p90 %.4f  p99 %.4f  max %.4f\n", what,
              ratios[500], ratios[900], ratios[990], ratios[999]);
  EXPECT_GE(ratios[0], 1.0);
  return ratios;
}

TEST(MemoryPlanner, NothingNeedsNothing) {
  EXPECT_EQ(place({}).bytes, 0);
  EXPECT_EQ(largest_live_set({}), 0);
}

TEST(MemoryPlanner, PiecesThatDoNotMeetShareMemory) {
  const std::vector<Lifetime> pieces{{128, 0, 1}, {128, 2, 3}, {64, 1, 2}};
  const Placement p = place(pieces);
  expect_no_overlap(pieces, p);
  EXPECT_EQ(p.bytes, 192);
  EXPECT_EQ(p.offsets[0], p.offsets[1]);
}

TEST(MemoryPlanner, NeverOverlapsAndStaysNearTheLargestLiveSet) {
  Philox random(7, 1);
  const auto drawn = ratios_of("random problems", [&](uint64_t) {
    return random_problem(random, 1 + static_cast<int>(random.below(60)),
                          2 + static_cast<int>(random.below(60)));
  });
  EXPECT_LE(drawn[990], 1.05);
  const auto graphs = ratios_of("plans of random graphs", [](uint64_t seed) {
    return problem_of_graph(seed, 5 + static_cast<uint32_t>(seed % 40));
  });
  EXPECT_LE(graphs[990], 1.05);
}

// Of 100 problems of at most 8 pieces: the median of the arena over the best there is, which is at most 1.05.
template <class F>
void expect_near_optimum(const char* what, F&& problem) {
  std::vector<double> ratios;
  for (uint64_t t = 0; ratios.size() < 100; ++t) {
    const std::vector<Lifetime> pieces = problem(t);
    if (pieces.size() < 2 || pieces.size() > 8) continue;
    ratios.push_back(static_cast<double>(place(pieces).bytes) / static_cast<double>(exhaustive(pieces)));
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("arena / exhaustive optimum over 100 %s: median %.4f  p90 %.4f  max %.4f\n", what, ratios[50],
              ratios[90], ratios[99]);
  EXPECT_GE(ratios[0], 1.0);
  EXPECT_LE(ratios[50], 1.05);
}

TEST(MemoryPlanner, MeetsTheExhaustiveOptimumOnSmallProblems) {
  Philox random(11, 2);
  expect_near_optimum("problems of 2 to 8 pieces", [&](uint64_t) {
    return random_problem(random, 2 + static_cast<int>(random.below(7)), 8);
  });
  expect_near_optimum("plans of graphs of at most 8 values", [](uint64_t seed) {
    return problem_of_graph(seed, 1 + static_cast<uint32_t>(seed % 5));
  });
}

TEST(MemoryPlanner, IsAFunctionOfItsInput) {
  Philox random(3, 3);
  const auto pieces = random_problem(random, 50, 40);
  EXPECT_EQ(place(pieces).offsets, place(pieces).offsets);
}

}  // namespace
}  // namespace shoestring
