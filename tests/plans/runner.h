// Runs graphs over common states, for tests: by the interpreter in f64, or as plans.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "compile/compile.h"
#include "ir/interpret.h"
#include "run/executor.h"

namespace shoestring::test {

class Runner {
 public:
  virtual ~Runner() = default;
  virtual void add(const Graph& graph) = 0;  // every graph before the first set() or run()
  virtual void set(const StateInfo& state, const Tensor64& values) = 0;
  virtual Tensor64 get(const std::string& state) = 0;
  // Runs the graph of that name; gives its outputs.
  virtual std::map<std::string, Tensor64> run(const std::string& graph,
                                              const std::map<std::string, Tensor64>& inputs,
                                              const RunContext& context = {}) = 0;
};

class Interpreted final : public Runner {
 public:
  void add(const Graph& graph) override;
  void set(const StateInfo& state, const Tensor64& values) override;
  Tensor64 get(const std::string& state) override;
  std::map<std::string, Tensor64> run(const std::string& graph, const std::map<std::string, Tensor64>& inputs,
                                      const RunContext& context = {}) override;

 private:
  std::map<std::string, Graph> graphs_;
  std::map<std::string, Tensor64> states_;
};

class Planned final : public Runner {
 public:
  explicit Planned(Target target = native_target(), Precision precision = {})
      : Planned(CompileOptions{.target = target, .precision = precision}) {}
  explicit Planned(CompileOptions options) : options_(std::move(options)) {}
  void add(const Graph& graph) override;
  void set(const StateInfo& state, const Tensor64& values) override;
  Tensor64 get(const std::string& state) override;
  std::map<std::string, Tensor64> run(const std::string& graph, const std::map<std::string, Tensor64>& inputs,
                                      const RunContext& context = {}) override;
  const StateLayout& layout() { return load(), layout_; }
  const Plan& plan(const std::string& graph) { return load(), loaded_.at(graph).plan; }

 private:
  struct Loaded {
    Plan plan;
    Block arena;
    std::unique_ptr<Executor> executor;
  };
  void load();  // compiles what was added, once
  CompileOptions options_;
  StateLayout layout_;
  Block states_;
  std::vector<Graph> graphs_;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace shoestring::test
