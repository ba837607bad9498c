// Shoestring from C++: train a model on a table, answer new rows, or run a graph of your own.
//
//   auto run = shoestring::train_model({.dataset = "machines.csv", .recipe = "recipe.yaml"});
//   if (!run) return std::fprintf(stderr, "%s\n", run.problem().message().c_str()), run.problem().code;
//   run->model.predict("new_machines.csv", "answers.csv");
//
// Standard C++20 headers only. Nothing here throws or prints; what can fail returns an Outcome, too little
// memory and an exception that leaves a callback of yours included. An object may be used by one thread at
// a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace shoestring {

// What went wrong, where, and what to do about it. `code` is the exit code of the command line: 2 usage
// or recipe, 3 data, 4 budget, 6 machine, 1 a fault of ours.
struct Problem {
  int code = 1;
  std::string what, where, fix;
  std::string message() const;  // "where: what; fix"
};

// A value or a problem.
template <class T>
class Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}
  Outcome(Problem problem) : state_(std::move(problem)) {}
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const Problem& problem() const { return std::get<1>(state_); }

 private:
  std::variant<T, Problem> state_;
};

// Metrics by output and name, "combined" included: {"failed": {"accuracy": 0.9, "loss": 0.3}, …}.
using Metrics = std::map<std::string, std::map<std::string, double>>;

// ---- models from tables ------------------------------------------------------------------------------

// A trained model in memory.
class Model {
 public:
  // From a model file, a model folder or a run folder.
  static Outcome<Model> load(const std::string& path);
  // Answers every row of a table (a file of any kind, or what else docs/DATA.md tells) in constant memory, to
  // a CSV file ("-": standard output) with the columns of the command line's predictions. Returns the number
  // of rows. What the first call compiles, later ones use.
  Outcome<int64_t> predict(const std::string& dataset, const std::string& output);
  Outcome<Metrics> evaluate(const std::string& dataset);
  const std::string& path() const;

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What is known at an evaluation of the training loop. The first, of step 0, is of the untrained model.
struct Evaluation {
  int64_t step = 0, steps = 0;  // optimizer steps done, of how many
  double loss = 0;              // training loss, mean over the epoch's rows since the last evaluation, each
                                // before its step's update; at step 0 that of the first step
  std::map<std::string, std::map<std::string, double>> validation;  // by output, by metric
};

struct TrainOptions {
  std::string dataset;                       // a file of any kind: docs/DATA.md
  std::string recipe;                        // a file, YAML or JSON
  std::string recipe_text;                   // or its text; with neither it is inferred from the data
  std::string target;                        // the column to predict, where there is no recipe
  std::string output_directory = "results";  // the run folder is made here
  uint64_t seed = 42;
  std::function<void(const Evaluation&)> on_evaluation = {};
};

struct TrainedModel {
  Model model;
  std::string folder;                // of the run
  Metrics test;                      // of the test rows, which training never saw
  std::vector<std::string> remarks;  // overfitting, unbalanced classes: a sentence each
};
Outcome<TrainedModel> train_model(const TrainOptions& options);

// ---- graphs of your own ------------------------------------------------------------------------------

// Graphs in the text form, compiled for this machine, over one block of states.
//
//   auto p = Program::load("network.graph");
//   p->add_training("forward", "loss", {.learning_rate = 0.01});   // forward + backward + Adam
//   p->run("initial");
//   std::ranges::copy(rows, p->input("forward/training", "x").begin());
//   p->run("forward/training", step);
//   float loss = p->output("forward/training", "loss")[0];
class Program {
 public:
  static Outcome<Program> load(const std::string& path);
  // `where` names the text in problems.
  static Outcome<Program> parse(std::string_view text, std::string_view where = "graph");

  // A further graph named GRAPH/training: `graph`, the gradient of its scalar output `loss` in every
  // parameter it reads, and Adam's update of them.
  struct Adam {
    double learning_rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  };
  std::optional<Problem> add_training(const std::string& graph, const std::string& loss, const Adam& adam);

  // Compiles all graphs and reserves their memory; the first use below does it too, without the reason
  // should it fail.
  std::optional<Problem> compile();

  // Inputs (to be filled before every run of their graph) and outputs, row-major; integers are int32.
  // Empty if there is no such graph or port, or it has another type. They stay where they are.
  std::span<float> input(std::string_view graph, std::string_view name);
  std::span<int32_t> indices(std::string_view graph, std::string_view name);
  std::span<const float> output(std::string_view graph, std::string_view name);

  // Runs a graph once. `step` counts optimizer steps: random nodes draw new numbers in each. Returns
  // false if there is no such graph.
  bool run(std::string_view graph, uint32_t step = 0, uint64_t seed = 42);

  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

 private:
  struct Impl;
  explicit Program(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shoestring
