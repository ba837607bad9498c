// What training may take where a recipe is made: time, and how fast a machine is at what networks consist of.
// Rates are those that training reaches, of all threads together.
#pragma once

namespace shoestring::task {

struct Effort {
  double seconds = 6250;             // of training
  double products = 160e9;           // FLOP/s: the narrow products of tables
  double convolutions = 280e9;       // FLOP/s: convolutions and their gradients
  double activations = 1e9;          // 1/s: numbers between convolutions, through a norm, a pool and back
  bool convolves_in_halves = false;  // whether that rate of convolutions is of bf16 operands

  double flop() const { return seconds * products; }
};

}  // namespace shoestring::task
