// Embeddings of numbers: each of the columns of x [rows, F] becomes `size` columns of its own, as networks
// read a number better once it is spread out (Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical
// Features in Tabular Deep Learning", NeurIPS 2022). All columns of x are embedded by one group of nodes
// that works feature by feature, [F, rows, ..]; no gradient flows back to x.
//
//   [rows, F] -> [rows, F * size], feature by feature; with plus_input [rows, F * (size + 1)], each
//   feature's own value before its columns
#pragma once

#include <string>
#include <vector>

#include "model/layers.h"

namespace shoestring::model {

struct NumberEmbedding {
  int64_t size = 16;                         // columns of one number
  Activation activation = Activation::none;  // before a gated one there are twice as many columns
  bool plus_input = false;
};

// The edges of each feature's bins, ascending, at least two a feature: the quantiles of its training rows.
using Edges = std::vector<std::vector<double>>;

// Piecewise-linear encoding, then a linear layer a feature. A bin is 0 below its lower edge, 1 above its
// upper one and linear between; the first goes on below and the last above. States NAME.weights
// [F, bins, size] and NAME.bias [F, 1, size].
Value piecewise_linear(Forward& forward, Value x, const std::string& name, const Edges& edges,
                       const NumberEmbedding& embedding);

// The number of the bin, then a row of a table: NAME.embedding [F * bins, size].
Value binned(Forward& forward, Value x, const std::string& name, const Edges& edges,
             const NumberEmbedding& embedding);

// cos(2 pi w x) and sin(2 pi w x) for learnt frequencies w, N(0, sigma²) at first, then a linear layer.
// States NAME.frequencies [F, 1, frequencies], NAME.weights [F, 2 frequencies, size] and NAME.bias.
struct Periodic {
  int64_t frequencies = 64;
  double sigma = 1;
  bool shared = false;  // one linear layer for all features, [2 frequencies, size] ("lite")
};
Value periodic(Forward& forward, Value x, const std::string& name, const Periodic& periodic,
               const NumberEmbedding& embedding);

// The share of a feature's training rows below a value, by its edges, as a number of about unit spread:
// sqrt(3) (2 share - 1), between edges linear. [rows, F] -> [rows, F].
Value quantile_of(Value x, const Edges& edges);

}  // namespace shoestring::model
