// What `auto` means for the sizes of a network and for how it is trained: rules by the rows, the inputs and
// the time. A choice is set in the recipe, so the resolved recipe shows it and makes the same run again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "task/network.h"

namespace shoestring::task {

struct AutoChoice {
  std::string key, value;  // "combiner.output_size", "128"
  std::string why;         // "for 13209 rows"
};

// Sets output_size, num_layers and num_fc_layers where they are auto, for so many training rows and as much
// work as `flop` (0: any) allows.
//   A combiner's and a decoder's layers are 32 wide below 1,000 rows, 64 below 4,000, 128 below 16,000, 256
//   below 500,000 and else 512; there are 2 of them below 4,000 rows, else 3 (RealMLP, arXiv 2407.04491, and
//   TabM, arXiv 2410.24210, take 256 to 512 and 3 for tables of 10^4 to 10^5 rows). While training on each
//   row 16 times, or on 500,000 rows, is more than `flop`, they are half as wide, down to 16. A decoder has
//   none where the combiner has some. Numbers become 12 columns each, fewer where there are more than 26 of
//   them, so that all together are about 320. Other inputs' layers are a quarter of the combiner's width, at
//   least 8; there is one of them.
std::vector<AutoChoice> choose_sizes(NetworkSpec& spec, int64_t training_rows, double flop);

// The network of `now` with layers half as wide where `written` says auto, and which those are; nothing where
// none of them is wider than 8. The two are recipes of the same features and members.
struct Narrower {
  Recipe recipe;
  std::string sizes;  // "combiner.output_size: 64"
};
std::optional<Narrower> narrower(const Recipe& written, const Recipe& now);

// What learning_rate auto is, by the optimizer, the rows behind an update and the widest layer. For 256 rows
// and 256 outputs: sgd 0.1 (1 - momentum), adagrad 0.01, adadelta 1, rmsprop 0.001, lion 0.0002, lars 1, muon
// 0.02 (0.12 with normalize_weights), adafactor 0.01, all others, the family of adam, 0.002 (TabM's). That
// times, for other rows, their ratio to 256 for sgd and lars (arXiv 1706.02677) and its root for the others
// (arXiv 2205.10287); and, for wider layers, times 256 / width for those whose steps are as large however
// small the gradients (arXiv 2203.03466): all but sgd, lars, lamb, muon and adafactor.
double auto_learning_rate(const Recipe& recipe, int64_t rows_per_update);

// Sets what else of the trainer is auto, but for epochs and what the memory budget decides: batch_size,
// gradient_accumulation_steps, effective_batch_size and eval_batch_size as batch_sizes() has them,
// learning_rate as auto_learning_rate(). Tells of the last, the one that the recipe does not have as auto by
// itself.
std::vector<AutoChoice> choose_training(Recipe& recipe, int64_t training_rows);

// Whether `resolved` may have come of `written`: they differ in nothing but what is auto there.
bool may_resolve_to(const Recipe& written, const Recipe& resolved);

}  // namespace shoestring::task
