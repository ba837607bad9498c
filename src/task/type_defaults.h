// The recipe's `defaults` section: per type of feature, values that stand under what each feature of
// that type says itself.
#pragma once

#include "task/schema.h"

namespace shoestring::task {

// The recipe with the section checked, laid under the features and taken out. Where a feature names
// another encoder, decoder or loss than the section is about, its own defaults stand.
Result<Node> with_type_defaults(const Context& context, const Node& root);

}  // namespace shoestring::task
