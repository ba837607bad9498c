// One callable of several, for std::visit.
#pragma once

namespace shoestring {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace shoestring
