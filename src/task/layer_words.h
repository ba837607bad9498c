// From the recipe's words for layers to those of src/model. Private to src/task.
#pragma once

#include "model/layers.h"
#include "task/recipe.h"

namespace shoestring::task {

model::Initializer initializer(const InitializerSpec& spec, model::Fans fans);
model::InitializerOf initializer_of(const InitializerSpec& spec);
model::FcStack stack_of(const FcStack& stack, bool residual = false);

}  // namespace shoestring::task
