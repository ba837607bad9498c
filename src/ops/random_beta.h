// The vocabulary, continued (ops.h): numbers of the beta distribution.
#pragma once

#include "ops/ops.h"

namespace shoestring::ops {

// Numbers in [0, 1] with the density x^(alpha-1) (1-x)^(beta-1) / B(alpha, beta), alpha and beta above 0.
Value random_beta(Graph& graph, Type type, double alpha, double beta, int64_t stream = 0);

}  // namespace shoestring::ops
