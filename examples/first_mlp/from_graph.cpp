// The first example from its graph in the text form: every step is yours.
//   from_graph [FOLDER of machines.csv and network.graph]
#include <shoestring/shoestring.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

struct Rows {
  std::vector<float> numbers;    // [rows, 5]
  std::vector<int32_t> classes;  // [rows]: 0 no, 1 yes
};

// machines.csv by its last column: 0 to train on, 1 to validate, 2 to test.
std::vector<Rows> read(const std::string& path) {
  std::vector<Rows> splits(3);
  std::ifstream in(path);
  std::string line, cell;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    std::vector<std::string> row;
    while (std::getline(cells, cell, ',')) row.push_back(cell);
    Rows& split = splits.at(std::stoul(row.at(6)));
    for (size_t i = 0; i < 5; ++i) split.numbers.push_back(std::stof(row.at(i)));
    split.classes.push_back(row.at(5) == "yes");
  }
  return splits;
}

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  const std::vector<Rows> splits = read(folder + "/machines.csv");
  const Rows &train = splits[0], &held_out = splits[1];

  auto program = shoestring::Program::load(folder + "/network.graph");
  if (!program)
    return std::fprintf(stderr, "%s\n", program.problem().message().c_str()), program.problem().code;
  auto problem = program->add_training("forward", "loss", {.learning_rate = 0.01});
  if (!problem) problem = program->compile();
  if (problem) return std::fprintf(stderr, "%s\n", problem->message().c_str()), problem->code;

  // A plan may reuse the memory of its inputs, so they are filled before every run.
  const auto train_step = [&](uint32_t step) {
    std::ranges::copy(train.numbers, program->input("forward/training", "numbers").begin());
    std::ranges::copy(train.classes, program->indices("forward/training", "classes").begin());
    program->run("forward/training", step);
    return program->output("forward/training", "loss")[0];  // before the update
  };
  const auto accuracy = [&] {
    std::ranges::copy(held_out.numbers, program->input("held_out", "numbers").begin());
    program->run("held_out");
    const auto p = program->output("held_out", "probabilities");
    int right = 0;
    for (size_t i = 0; i < held_out.classes.size(); ++i)
      right += (p[2 * i + 1] > p[2 * i]) == held_out.classes[i];
    return right / static_cast<double>(held_out.classes.size());
  };

  program->run("initial");
  const double untrained = accuracy();
  for (uint32_t step = 1; step <= 1000; ++step) {
    const float loss = train_step(step - 1);
    if (step == 1) std::printf("Step: 0 Loss: %.4f Accuracy: %.4f\n", loss, untrained);
    if (step % 100 == 0) std::printf("Step: %u Loss: %.4f Accuracy: %.4f\n", step, loss, accuracy());
  }
}
