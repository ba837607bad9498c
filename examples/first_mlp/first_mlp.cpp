// The first example in C++: from a table to a model and its answers.
//   first_mlp [FOLDER of machines.csv, new_machines.csv and recipe.yaml]
#include <shoestring/shoestring.h>

#include <cstdio>

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  auto run = shoestring::train_model({.dataset = folder + "/machines.csv",
                                      .recipe = folder + "/recipe.yaml",
                                      .on_evaluation = [](const auto& e) {
                                        std::printf("Step: %ld Loss: %.4f Accuracy: %.4f\n", e.step, e.loss,
                                                    e.validation.at("failed").at("accuracy"));
                                      }});
  if (!run) return std::fprintf(stderr, "%s\n", run.problem().message().c_str()), run.problem().code;
  std::printf("accuracy on the test rows: %.4f\n", run->test["failed"]["accuracy"]);
  for (const auto& remark : run->remarks) std::printf("%s\n", remark.c_str());
  auto rows = run->model.predict(folder + "/new_machines.csv", "-");
  return rows ? 0 : rows.problem().code;
}
