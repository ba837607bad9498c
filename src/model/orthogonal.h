// Matrices made orthogonal by products alone (Newton-Schulz): every singular value goes to 1, the singular
// vectors stay. What comes of a matrix of normal numbers has the uniform (Haar) distribution.
#pragma once

#include "ir/graph.h"

namespace shoestring::model {

// So many steps of a quintic: five bring singular values that are not tiny beside the greatest to between 0.7
// and 1.2, three those of half its size: all that an update's direction needs
// (kellerjordan.github.io/posts/muon).
Value nearly_orthogonal(Value matrix, int64_t steps = 5);

// To the precision of the matrix's type, whatever its singular values.
Value orthogonal(Value matrix);

}  // namespace shoestring::model
