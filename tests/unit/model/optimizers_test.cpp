// What every optimizer promises beside its formulas, which plans/ten_steps_test.cpp compares with PyTorch's.
#include "model/optimizers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "ir/interpret.h"

namespace shoestring::model {
namespace {

// Every optimizer, with this weight decay where it has one.
std::map<std::string, Optimizer> optimizers(double decay) {
  return {{"sgd", Sgd{.weight_decay = decay}},
          {"sgd_momentum", Sgd{.momentum = 0.9, .weight_decay = decay, .dampening = 0.1}},
          {"adam", Adam{.weight_decay = decay, .amsgrad = true}},
          {"adamw", AdamW{.weight_decay = decay}},
          {"adadelta", Adadelta{.eps = 0, .weight_decay = decay}},
          {"adagrad", Adagrad{.lr_decay = 0.1, .weight_decay = decay, .eps = 0}},
          {"adamax", Adamax{.eps = 0, .weight_decay = decay}},
          {"nadam", Nadam{.eps = 0, .weight_decay = decay}},
          {"rmsprop", RmsProp{.eps = 0, .weight_decay = decay}},
          {"rmsprop_centered", RmsProp{.momentum = 0.9, .eps = 0, .centered = true, .weight_decay = decay}},
          {"radam", Radam{.eps = 0, .weight_decay = decay}},
          {"lamb", Lamb{.eps = 0, .weight_decay = decay}},
          {"lamb_other",
           Lamb{.weight_decay = decay, .bias_correction = false, .amsgrad = true, .adam_w_mode = false}},
          {"lars", Lars{.dampening = 0.1, .weight_decay = decay}},
          {"lion", Lion{.weight_decay = decay}},
          {"adafactor", Adafactor{}},
          {"schedule_free_adamw", ScheduleFreeAdamW{.weight_decay = decay, .warmup_steps = 3}},
          {"muon", Muon{}},
          {"muon_normalized", Muon{.momentum = 0.6,
                                   .ns_steps = 3,
                                   .normalize_weights = true,
                                   .others = MuonOthers::sgd,
                                   .others_weight_decay = decay}},
          {"paged_adam", Paged<Adam>{{.weight_decay = decay}}},
          {"paged_adamw", Paged<AdamW>{{.weight_decay = decay}}},
          {"paged_lion", Paged<Lion>{{.weight_decay = decay}}}};
}

const Type kWeight{DType::f32, {2, 3}};

// One parameter that an optimizer trains.
struct Training {
  Graph graph{"step"};
  std::map<std::string, Tensor64> states;

  Training(const Optimizer& optimizer, double rate_factor, double decay_factor) {
    Trained w{.name = "w", .value = graph.read({"w", kWeight, StateRole::parameter})};
    w.gradient = graph.input("gradient", kWeight);
    w.hidden = true;
    w.rate_factor = rate_factor;
    w.decay_factor = decay_factor;
    const Value rate = graph.input("rate", {DType::f32, {}}), ok = graph.input("ok", {DType::f32, {}});
    for (const StateUpdate& u : update(optimizer, {&w, 1}, rate, ok)) graph.write(u.state, u.value);
    EXPECT_TRUE(graph.status()) << graph.status().error().message();
    for (const StateInfo& s : graph.states())
      states[s.name].assign(static_cast<size_t>(s.type.elements()), 0);
    states["w"] = {0.5, -1, 2, -0.25, 0.125, 3};
  }

  void step(int t, double rate, double ok = 1) {
    Tensor64 gradient;
    for (int i = 0; i < 6; ++i) gradient.push_back(ok * std::sin(1.7 * i + t));
    states = interpret(graph, {{"gradient", gradient}, {"rate", {rate}}, {"ok", {ok}}}, states).states;
  }
};

TEST(Optimizers, FactorsScaleRateAndDecayOfOneParameter) {
  constexpr double kRate = 0.1, kDecay = 0.3;
  for (const double rate_factor : {1.0, 0.25})
    for (const double decay_factor : {1.0, 0.5, 0.0})
      for (const auto& [name, alone] : optimizers(kDecay * decay_factor)) {
        SCOPED_TRACE(name);
        Training with_factors(optimizers(kDecay).at(name), rate_factor, decay_factor), plain(alone, 1, 1);
        for (int t = 0; t < 4; ++t) {
          with_factors.step(t, kRate);
          plain.step(t, kRate * rate_factor);
        }
        ASSERT_EQ(with_factors.states.size(), plain.states.size());
        for (const auto& [state, values] : plain.states) {
          if (state.starts_with("optimizer/")) continue;  // of the shared rate
          for (size_t i = 0; i < values.size(); ++i)
            ASSERT_NEAR(with_factors.states.at(state)[i], values[i], 1e-12) << state;
        }
      }
}

TEST(Optimizers, NameTheStatesThatTheyUse) {
  for (const auto& [name, optimizer] : optimizers(0.3)) {
    SCOPED_TRACE(name);
    Training training(optimizer, 1, 1);
    std::map<std::string, Type> named{{"w", kWeight}};
    for (const StateInfo& s : states_of(optimizer, "w", kWeight, true)) {
      EXPECT_EQ(s.role, StateRole::moment);
      named.emplace(s.name, s.type);
    }
    for (const StateInfo& s : shared_states_of(optimizer)) {
      EXPECT_EQ(s.role, StateRole::counter);
      named.emplace(s.name, s.type);
    }
    for (const StateInfo& s : training.graph.states())
      EXPECT_TRUE(named.contains(s.name) && named.at(s.name) == s.type) << s.name;
    // Muon counts steps for what is no hidden matrix, whether there is any or not.
    EXPECT_EQ(named.size(), training.states.size());
  }
}

TEST(Optimizers, AStepThatIsNotGoodChangesNothing) {
  for (const auto& [name, optimizer] : optimizers(0.3)) {
    SCOPED_TRACE(name);
    Training training(optimizer, 0.5, 0.5);
    for (int t = 0; t < 3; ++t) {
      const auto before = training.states;
      training.step(t, 0.1, 0);
      EXPECT_EQ(training.states, before);
      training.step(t, 0.1);
      EXPECT_NE(training.states, before);
    }
  }
}

}  // namespace
}  // namespace shoestring::model
