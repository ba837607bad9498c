// The verbs. Each stands in a file of its own; main.cpp finds it here by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace shoestring::cli {

using Arguments = std::span<const std::string>;

struct Verb {
  std::string_view name, summary;  // without a summary: not listed
  int (*run)(Arguments);           // returns the exit code
};

int train(Arguments);
int plan(Arguments);
int plan_serve(Arguments);  // what follows "plan serve"
int experiment(Arguments);
int evaluate(Arguments);
int predict(Arguments);
int serve(Arguments);
int render_config(Arguments);
int init_config(Arguments);
int augment(Arguments);
int inspect(Arguments);
int export_model(Arguments);
int compile(Arguments);
int synthesize_dataset(Arguments);
int calibrate(Arguments);
int visualize(Arguments);
int docs(Arguments);

}  // namespace shoestring::cli
