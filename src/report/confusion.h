// Which classes were taken for which others, as text for a terminal.
#pragma once

#include <string>

#include "train/evaluate.h"

namespace shoestring::report {

// A row for each true class, a column for each answered one and the share of the row that is right; names are
// cut where they have to be, and columns numbered where that leaves two alike. Of more classes than fit into
// `columns`, the commonest confusions as a list. Ends with a line's end; "" where no row is of any class.
std::string confusion_text(const train::Confusion& confusion, size_t columns);

}  // namespace shoestring::report
