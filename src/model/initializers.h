// What a parameter holds before the first step. Names and formulas are those of torch.nn.init, whose
// matrices are transposed: theirs are [out, in].
#pragma once

#include "ir/graph.h"

namespace shoestring::model {

// How many inputs one output sums and how many outputs one input feeds. Of a weight [in, out]: in, out.
struct Fans {
  int64_t in = 1, out = 1;
};

struct Initializer {
  enum class Kind { constant, uniform, normal, identity, orthogonal, sparse, dirac };
  Kind kind = Kind::constant;
  // constant: the value; uniform: [a, b); normal: mean a, standard deviation b; orthogonal: the gain;
  // sparse: the share of zeros, the standard deviation; dirac: the bound of the other filters
  double a = 0, b = 0;
  bool operator==(const Initializer&) const = default;
};

Initializer zeros();
Initializer ones();
Initializer constant(double value);
Initializer uniform(double low, double high);
Initializer normal(double mean, double deviation);
Initializer identity();  // 1 on the diagonal of [n, m], else 0

// Filters [h,w,c,n] of which the first c pass their channel on as it is; the others are uniform in
// [-limit, limit).
Initializer dirac(double limit);

// A matrix whose shorter side's vectors have length `gain` and are orthogonal to each other (to 1e-6 in f32),
// every such matrix as likely as every other (Saxe, McClelland, Ganguli 2013).
Initializer orthogonal(double gain = 1);
// N(0, deviation²), but for the share `sparsity` (rounded up to a whole number) of each input's weights,
// drawn at random, that is 0 (Martens 2010). Where two draws are equal to 24 bits there may be one more.
Initializer sparse(double sparsity, double deviation = 0.01);

// Glorot, Bengio 2010: U(-l, l) with l = gain sqrt(6 / (in + out)); N(0, s²), s = gain sqrt(2 / (in + out)).
Initializer xavier_uniform(Fans fans, double gain = 1);
Initializer xavier_normal(Fans fans, double gain = 1);
// He, Zhang, Ren, Sun 2015: U(-l, l) with l = gain sqrt(3 / fan); N(0, s²) with s = gain / sqrt(fan).
Initializer kaiming_uniform(int64_t fan, double gain);
Initializer kaiming_normal(int64_t fan, double gain);

// Appends the nodes that make the values. `stream` is the random stream to draw from.
Value draw(Graph& graph, const Type& type, const Initializer& initializer, int64_t stream);

}  // namespace shoestring::model
