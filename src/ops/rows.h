// The vocabulary, continued (ops.h): what works along axes and on rows, beyond what every network needs.
#pragma once

#include "ops/ops.h"

namespace shoestring::ops {

// Entries of one value around x: how many before and after it, for each axis.
Value pad(Value x, std::vector<int64_t> before, std::vector<int64_t> after, double value = 0);

// ---- reductions, as in ops.h ----
Value reduce_min(Value x, std::vector<int64_t> axes = {}, bool keep = false);
Value reduce_prod(Value x, std::vector<int64_t> axes = {}, bool keep = false);

// ---- rows of the last axis ----
// The running sum, of any axis; from its end if `reverse`; `exclusive` leaves each entry itself out.
Value cumsum(Value x, int64_t axis = -1, bool reverse = false, bool exclusive = false);
Value log_softmax(Value x);
Value rms_norm(Value x, Value scale, double epsilon = 1e-6);
// x [b,c,..] in groups of channels, each normalised over its channels and all axes behind; scale, shift [c].
Value group_norm(Value x, Value scale, Value shift, int64_t groups, double epsilon = 1e-5);
// The entries in order, or the k largest, the largest first; and where they stood, i32. Equals keep their
// order; NaN is larger than any number.
struct Ordered {
  Value values, indices;
};
Ordered sort(Value x, bool descending = false);
Ordered top_k(Value x, int64_t k);

// ---- look-ups ----
// target [n,d] with rows added by their numbers, duplicates in order: i32[..], updates [..,d] -> [n,d].
Value scatter_add(Value target, Value indices, Value updates);
Value take_along(Value x, Value indices);               // [..,c], i32[..,k] -> [..,k]: entries of each row
Value put_along(Value x, Value indices, int64_t size);  // its gradient: [..,k] -> [..,size]

// ---- differentiation ----
Value stop_gradient(Value x);  // x as a constant

}  // namespace shoestring::ops
