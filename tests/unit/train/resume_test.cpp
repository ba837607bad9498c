// Runs that are killed, interrupted or ended, and go on: with the same bits as if nothing had happened.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/atomic_file.h"
#include "train/infer.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {
namespace fs = std::filesystem;

using Words = std::vector<std::string>;

pid_t start(Words words, const std::string& output) {
  words.insert(words.begin(), std::getenv("SHOESTRING_BINARY"));
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (!std::freopen(output.c_str(), "w", stdout) || !std::freopen((output + ".err").c_str(), "w", stderr))
    ::_exit(126);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// The exit code, or minus the signal.
int wait(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

const char* kTrainer =
    "epochs: 12, batch_size: 16, early_stop: -1, learning_rate: 0.01, checkpoints_per_epoch: 2, "
    "learning_rate_scheduler: {decay: cosine, t_0: 40, reduce_on_plateau: 2, reduce_on_plateau_patience: 2}";

// What may go wrong on the way back: streams of random numbers, running statistics, half-summed gradients,
// a best model that is not the last, sums of several threads.
std::vector<std::string> hard_recipes() {
  const std::string inputs =
      "input_features: [{name: a, type: number}, {name: b, type: number}, {name: kind, type: category}]\n";
  return {inputs +
              "output_features: [{name: y, type: binary}]\n"
              "combiner: {type: concat, num_fc_layers: 2, output_size: 8, norm: batch, dropout: 0.2}\n"
              "trainer: {epochs: 12, batch_size: 8, gradient_accumulation_steps: 3, early_stop: -1, "
              "checkpoints_per_epoch: 2}\n",
          inputs +
              "output_features: [{name: y, type: binary}, {name: value, type: number}]\n"
              "combiner: {type: concat, num_fc_layers: 1, output_size: 8}\ntrainer: {" +
              kTrainer + "}\n",
          inputs +
              "output_features: [{name: y, type: binary}]\n"
              "combiner: {type: concat, num_fc_layers: 2, output_size: 256}\n"
              "trainer: {epochs: 4, batch_size: 64, early_stop: -1, checkpoints_per_epoch: 2}\n"};
}

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    table_ = folder_.write("t.csv", sums_table(300));
    recipe_ = folder_.write("recipe.yaml", sums_recipe(kTrainer));
  }
  Words train(const std::string& results) const {
    return {"train",
            "--config",
            recipe_,
            "--dataset",
            table_,
            "--output_directory",
            folder_.file(results),
            "--save_milliseconds",
            "0"};
  }
  Words resume(const std::string& results) const {
    return {"train",
            "--model_resume_path",
            folder_.file(results) + "/experiment_run",
            "--config",
            recipe_,
            "--dataset",
            table_,
            "--save_milliseconds",
            "0"};
  }
  int run(const Words& words) const { return wait(start(words, folder_.file("output"))); }
  std::string said() const {
    return read_file(folder_.file("output")).value_or("") +
           read_file(folder_.file("output.err")).value_or("");
  }
  std::string content(const std::string& results, const std::string& name) const {
    return read_file(folder_.file(results) + "/experiment_run/" + name).value_or("no such file");
  }
  // What must not depend on how often the run was broken off.
  void expect_same(const std::string& a, const std::string& b) const {
    for (const char* name : {"metrics.jsonl", "model/model.safetensors", "test_statistics.json",
                             "predictions.csv", "recipe.yaml"})
      EXPECT_TRUE(content(a, name) == content(b, name)) << name;
    EXPECT_FALSE(fs::exists(folder_.file(b) + "/experiment_run/checkpoint.safetensors"));
  }

  const Folder folder_;
  std::string table_, recipe_;
};

TEST_F(Resume, EqualRunsGiveEqualBytes) {
  ASSERT_EQ(run(train("a")), 0) << said();
  ASSERT_EQ(run(train("b")), 0) << said();
  expect_same("a", "b");
}

TEST_F(Resume, KilledAtFiftyRandomMoments) {
  struct Whole {
    std::string recipe, results;
    std::chrono::duration<double> seconds;
  };
  std::vector<Whole> wholes;
  for (const std::string& text : hard_recipes()) {
    const std::string n = std::to_string(wholes.size());
    recipe_ = folder_.write("recipe" + n + ".yaml", text);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_EQ(run(train("whole" + n)), 0) << said();
    wholes.push_back({recipe_, "whole" + n, std::chrono::steady_clock::now() - began});
  }

  std::mt19937 random(7);
  int kills = 0, runs = 0;
  while (kills < 50 || runs < 2 * static_cast<int>(wholes.size())) {
    const Whole& whole = wholes[static_cast<size_t>(runs) % wholes.size()];
    recipe_ = whole.recipe;
    const std::string results = "broken" + std::to_string(runs++);
    ASSERT_LT(runs, 200) << "the runs end before they can be killed";
    bool finished = false;
    // Killed again and again, sooner and later than a run takes; the last resumption is let through.
    for (int attempt = 0; !finished && attempt < 6; ++attempt) {
      const bool begun = fs::is_directory(folder_.file(results) + "/experiment_run");
      const pid_t child = start(begun ? resume(results) : train(results), folder_.file("output"));
      std::this_thread::sleep_for(whole.seconds * std::uniform_real_distribution(0.0, 1.1)(random));
      ::kill(child, SIGKILL);
      const int code = wait(child);
      if (code == -SIGKILL)
        ++kills;
      else
        ASSERT_EQ(code, 0) << said();
      finished = code == 0;
    }
    const bool begun = fs::is_directory(folder_.file(results) + "/experiment_run");
    ASSERT_EQ(run(begun ? resume(results) : train(results)), 0) << said();
    expect_same(whole.results, results);
    if (testing::Test::HasFailure()) FAIL() << recipe_;
    fs::remove_all(folder_.file(results));
  }
}

TEST_F(Resume, GoesOnWithoutAModelFile) {
  ASSERT_EQ(run(train("whole")), 0) << said();
  Words words = train("a");
  words.emplace_back("--skip_save_model");
  const std::string run_folder = folder_.file("a") + "/experiment_run";
  const auto evaluations = [&] {
    const std::string text = content("a", "metrics.jsonl");
    return std::count(text.begin(), text.end(), '\n');
  };
  int ended = 0;  // on a busy machine it may end before it is killed: then once more
  for (int i = 0; i < 10 && ended == 0; ++i) {
    fs::remove_all(folder_.file("a"));
    const pid_t child = start(words, folder_.file("output"));
    while (evaluations() < 4 && ::kill(child, 0) == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    ::kill(child, SIGKILL);
    ended = wait(child);
  }
  ASSERT_EQ(ended, -SIGKILL) << said();
  ASSERT_TRUE(fs::exists(run_folder + "/checkpoint.safetensors"));
  EXPECT_FALSE(fs::exists(run_folder + "/model"));
  ASSERT_EQ(run(resume("a")), 0) << said();  // and now one is wanted
  expect_same("whole", "a");
}

TEST_F(Resume, InterruptedLeavesAModelAndGoesOn) {
  ASSERT_EQ(run(train("whole")), 0) << said();
  recipe_ = folder_.write("long.yaml", sums_recipe("epochs: 1000000, batch_size: 16, early_stop: -1"));
  const pid_t child =
      start({"train", "--config", recipe_, "--dataset", table_, "--output_directory", folder_.file("long")},
            folder_.file("output"));
  const std::string metrics = folder_.file("long") + "/experiment_run/metrics.jsonl";
  while (!fs::exists(metrics) || fs::file_size(metrics) == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ::kill(child, SIGINT);
  EXPECT_EQ(wait(child), 130) << said();
  EXPECT_EQ(run({"predict", "--model_path", folder_.file("long") + "/experiment_run", "--dataset", table_,
                 "--output", "/dev/null"}),
            0)
      << said();
  EXPECT_TRUE(fs::exists(folder_.file("long") + "/experiment_run/checkpoint.safetensors"));
}

// Whatever it was told not to leave behind.
TEST_F(Resume, AFinishedRunSaysSo) {
  Words words = train("a");
  for (const char* flag : {"--skip_save_training_statistics", "--skip_save_training_description",
                           "--skip_save_log", "--skip_save_predictions", "--skip_save_progress"})
    words.emplace_back(flag);
  ASSERT_EQ(run(words), 0) << said();
  const std::string model = content("a", "model/model.safetensors");
  EXPECT_EQ(run({"train", "--model_resume_path", folder_.file("a") + "/experiment_run", "--config", recipe_,
                 "--dataset", table_}),
            0);
  EXPECT_EQ(said(), folder_.file("a") + "/experiment_run: this run is finished already; nothing was done\n");
  EXPECT_EQ(content("a", "model/model.safetensors"), model);
}

TEST_F(Resume, AnotherRecipeSeedOrTableIsRefused) {
  const pid_t child = start(train("a"), folder_.file("output"));
  const std::string checkpoint = folder_.file("a") + "/experiment_run/checkpoint.safetensors";
  while (!fs::exists(checkpoint) && ::kill(child, 0) == 0)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  ::kill(child, SIGKILL);
  ASSERT_EQ(wait(child), -SIGKILL) << said();
  const std::string run_folder = folder_.file("a") + "/experiment_run";

  const std::string other = folder_.write("other.yaml", sums_recipe("epochs: 2"));
  EXPECT_EQ(run({"train", "--model_resume_path", run_folder, "--config", other}), 2);
  EXPECT_NE(said().find("the recipe is not the one that the run began with"), std::string::npos) << said();
  EXPECT_EQ(run({"train", "--model_resume_path", run_folder, "--random_seed", "7"}), 2);
  EXPECT_NE(said().find("the run's random seed is 42, not 7"), std::string::npos) << said();
  EXPECT_EQ(run({"train", "--model_resume_path", run_folder, "--budget", "time=3s"}), 2);
  EXPECT_NE(said().find("the run goes on with the budget it began with"), std::string::npos) << said();
  folder_.write("t.csv", sums_table(301));
  EXPECT_EQ(run({"train", "--model_resume_path", run_folder}), 3);
  EXPECT_NE(said().find("the data is not what the run began with"), std::string::npos) << said();
  std::string edited = sums_table(300);  // as long as before
  const size_t digit = edited.rfind('.') + 1;
  edited[digit] = edited[digit] == '1' ? '2' : '1';
  folder_.write("t.csv", edited);
  EXPECT_EQ(run({"train", "--model_resume_path", run_folder}), 3);
  EXPECT_NE(said().find("the data is not what the run began with: as many bytes, but others"),
            std::string::npos)
      << said();
}

// What the recipe's notes say is no part of the model: a run that goes on reads the recipe that was written
// down, in which a default that is told of (here the combiner) stands like any other key.
TEST_F(Resume, NotesOfTheRecipeChangeNoByte) {
  const std::string recipe = folder_.write(
      "noted.yaml",
      "input_features: [{name: a, type: number}, {name: b, type: number}, {name: kind, type: category}]\n"
      "output_features: [{name: y, type: binary}]\ntrainer: {epochs: 3}\n");
  const auto words = [&](const std::string& to) {
    return std::vector<std::string>{"train",   "--config",           recipe,          "--dataset", table_,
                                    "--quiet", "--output_directory", folder_.file(to)};
  };
  ASSERT_EQ(run(words("whole")), 0) << said();
  ASSERT_EQ(run(words("again")), 0) << said();
  const std::string again = folder_.file("again") + "/experiment_run";
  for (const char* name : {"/model", "/training_statistics.json", "/.finished"}) fs::remove_all(again + name);
  ASSERT_EQ(run({"train", "--quiet", "--model_resume_path", again}), 0) << said();
  EXPECT_EQ(content("again", "model/model.safetensors"), content("whole", "model/model.safetensors"));
}

// A table that never ends, from a pipe.
TEST_F(Resume, InterruptedWhileTheTableIsRead) {
  const std::string pipe = folder_.file("pipe.csv");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t child =
      start({"train", "--dataset", pipe, "--config", recipe_, "--output_directory", folder_.file("results")},
            folder_.file("output"));
  const int fd = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);  // waits for the reader
  const std::string rows = sums_table(2000), more = rows.substr(rows.find('\n') + 1);
  bool open = ::write(fd, rows.data(), rows.size()) > 0;
  for (int i = 0; open && i < 20000; ++i) {
    if (i == 5) ::kill(child, SIGINT);
    open = ::write(fd, more.data(), more.size()) > 0;
  }
  ::close(fd);
  EXPECT_EQ(wait(child), 130) << said();
  EXPECT_NE(said().find("stopped while the table was read"), std::string::npos) << said();
  EXPECT_FALSE(fs::exists(folder_.file("results")));
}

TEST_F(Resume, InterruptedWhileARecipeIsMade) {
  const std::atomic<bool> stop = true;
  const auto recipe = infer_recipe(folder_.write("t.csv", sums_table(300)), "", {"y"}, kUsualSeconds, &stop);
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().exit_code(), 130);
}

}  // namespace
}  // namespace shoestring::train
