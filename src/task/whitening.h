// Filters that make small patches of pictures white: uncorrelated and of variance 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "task/preprocess.h"

namespace shoestring::task {

// Of the patches [2,2,c] of these pictures, as the network sees their levels: their eigenvectors, each over
// the root of its eigenvalue (+ 5e-4), and the same with the other sign: [2,2,c,8c] row-major, largest
// eigenvalue first.
std::vector<double> whitening_filters(std::span<const std::span<const uint8_t>> pictures,
                                      const PictureFit& fit);

// Eigenvalues, largest first, and the vectors as columns of [n,n], of a symmetric matrix [n,n] (Jacobi's
// rotations).
struct Eigen {
  std::vector<double> values, vectors;
};
Eigen eigen(std::vector<double> symmetric, int n);

}  // namespace shoestring::task
