// The best model so far, kept beside the states that training goes on changing: a copy of what
// prediction reads, parameters and running statistics.
#pragma once

#include <vector>

#include "train/engine.h"

namespace shoestring::train {

class BestModel {
 public:
  // Reserves and touches the copy.
  static Result<BestModel> create(const Engine& engine);
  // What it reserves.
  static int64_t bytes_for(const Engine& engine);

  void capture(const Engine& engine, int64_t step);  // the engine's states, after so many steps, are the best
  void restore(Engine& engine) const;                // and back, to evaluate or to write them
  int64_t bytes() const { return copy_.bytes(); }
  bool captured() const { return captured_; }
  int64_t step() const { return step_; }  // of the last capture
  // Whether it was captured since the last call of saved().
  bool unsaved() const { return unsaved_; }
  void saved() { unsaved_ = false; }
  // For writing: a state as it is in the copy, where it lies as in the engine.
  std::span<const StateSlot> slots() const { return slots_; }
  std::span<const std::byte> bytes(size_t slot) const;
  // From a checkpoint: the copy only, which counts as captured. Fails with ErrorKind::data where the model
  // differs.
  Status load(std::string_view state, const Type& type, std::span<const std::byte> bytes);
  void loaded(int64_t step) { step_ = step; }

 private:
  std::vector<StateSlot> slots_;  // as in the engine
  std::vector<int64_t> offsets_;  // in the copy
  Block copy_;
  int64_t step_ = 0;
  bool captured_ = false, unsaved_ = false;
};

}  // namespace shoestring::train
