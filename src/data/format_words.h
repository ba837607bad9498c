// The words of --data_format.
#pragma once

#include <string_view>

#include "data/table.h"

namespace shoestring::data {

std::string_view word_of(TableKind kind);  // "parquet"

}  // namespace shoestring::data
