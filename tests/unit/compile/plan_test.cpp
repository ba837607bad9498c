// verify(Plan) finds each way in which a plan can be broken. A sound one is broken in one place at a time.
#include "compile/plan.h"

#include <gtest/gtest.h>

#include <functional>

namespace shoestring {
namespace {

// x -> a -> b -> y, the last in place; b also reads a constant and writes a state and scratch.
Plan sound() {
  const auto arena = [](int64_t offset, bool written) {
    return Operand{{Memory::arena, offset}, 64, written};
  };
  Plan plan;
  plan.name = "p";
  plan.arena_bytes = 192;
  plan.state_bytes = 64;
  plan.constants.resize(64);
  plan.slots = {{"x", 0, 64, -1, 0}, {"a", 64, 64, 0, 1}, {"b", 0, 64, 1, 3}, {"scratch", 128, 64, 1, 1}};
  plan.inputs = {{"x", {DType::f32, {16}}, {Memory::arena, 0}}};
  plan.outputs = {{"y", {DType::f32, {16}}, {Memory::arena, 0}}};
  plan.steps = {{.name = "a", .operands = {arena(0, false), arena(64, true)}},
                {.name = "b",
                 .operands = {arena(64, false),
                              {{Memory::constant, 0}, 64, false},
                              {{Memory::state, 0}, 64, true},
                              arena(0, true),
                              arena(128, true)}},
                {.name = "y", .operands = {arena(0, false), arena(0, true)}}};
  return plan;
}

std::string wrong(const std::function<void(Plan&)>& change) {
  Plan plan = sound();
  change(plan);
  const Status status = verify(plan);
  return status ? "" : status.error().what;
}

TEST(VerifyPlan, LetsASoundOneBe) {
  EXPECT_EQ(wrong([](Plan&) {}), "");
}

TEST(VerifyPlan, Slots) {
  EXPECT_EQ(wrong([](Plan& p) { p.arena_bytes = 191; }), "slot scratch lies outside the arena");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[0].offset = -64; }), "slot x lies outside the arena");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[3].bytes = INT64_MAX; }), "slot scratch lies outside the arena");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[0].last_step = 1; }), "slots x and b overlap while both are live");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[3].offset = 96; }),
            "slots a and scratch overlap while both are live");
}

TEST(VerifyPlan, OperandsLieInALiveSlot) {
  const std::string lost = "an operand of b lies in no slot that is live then";
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[0].bytes = 65; }), lost);  // its end, not its start
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[0].place.offset = 96; }), lost);
  EXPECT_EQ(wrong([](Plan& p) { p.slots[1].last_step = 0; }), lost);
  EXPECT_EQ(wrong([](Plan& p) { p.slots[2].first_step = 2; }), lost);
  EXPECT_EQ(wrong([](Plan& p) { p.slots.pop_back(); }), lost);
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[4].place.offset = 192; }), lost);
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[4].bytes = INT64_MAX; }), lost);
}

TEST(VerifyPlan, OtherMemories) {
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[1].bytes = 128; }),
            "an operand of b lies outside the constants");
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[2].place.offset = 1; }),
            "an operand of b lies outside the states");
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[1].written = true; }), "b writes to a constant");
}

TEST(VerifyPlan, WritesMeetNothingElse) {
  const std::string over = "b writes over another operand";
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[4].place.offset = 0; }),
            over);               // two results in one place
  EXPECT_EQ(wrong([](Plan& p) {  // partly what is read
              p.steps[1].operands[3] = {{Memory::arena, 64}, 32, true};
            }),
            over);
  EXPECT_EQ(wrong([](Plan& p) { p.steps[1].operands[3].place.offset = 64; }), "");  // in place
}

TEST(VerifyPlan, Ports) {
  EXPECT_EQ(wrong([](Plan& p) {
              p.inputs[0].type = {DType::f32, {17}};
            }),
            "input x lies in no slot that is live then");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[0].first_step = 0; }), "input x lies in no slot that is live then");
  EXPECT_EQ(wrong([](Plan& p) { p.slots[2].last_step = 2; }), "output y lies in no slot that is live then");
}

}  // namespace
}  // namespace shoestring
