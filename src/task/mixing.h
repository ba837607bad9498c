// mixup and cutmix: each row of a batch with its partner, the next row (of the last, the first; batches are
// in random order). One draw for the batch: the partner has a share of every pixel (mixup), or a box of them
// (cutmix), and its target the share of the loss that its pixels are of the picture. All of it is nodes of
// the training step.
//
// mixup: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", 2017. cutmix: Yun and
// others, "CutMix: regularization strategy to train strong classifiers with localizable features", 2019.
#pragma once

#include "ir/graph.h"
#include "task/recipe.h"

namespace shoestring::task {

// What a batch's draw says; both invalid where nothing is mixed.
struct BatchMixing {
  Value of_pixels;  // the partner's share of each pixel: f32 [h,w,1], or f32 [] of all
  Value of_loss;    // their mean: f32 []
};

// Of the recipe's picture, which is its only input. Takes random streams where anything is mixed.
BatchMixing draw_mixing(Graph& graph, const Recipe& recipe);

// u8[b,h,w,c] -> f32[b,h,w,c]: the levels, mixed where there is a mixing.
Value mixed_levels(Value pixels, const BatchMixing& mixing);

// Each row's partner: [b, ...] -> [b, ...].
Value partners(Value rows);

}  // namespace shoestring::task
