// A live model as a whole: swaps, draining, what it takes from the heap, what it says of itself.
#include <thread>

#include "serve/models.h"
#include "unit/serve/service.h"
#include "unit/train/allocations.h"

namespace shoestring::serve {
namespace {

TEST_F(Service, DescribesItself) {
  const Description& d = model_->description();
  EXPECT_EQ(d.name, "m");
  ASSERT_EQ(d.inputs.size(), 7u);  // two features read `when`
  EXPECT_EQ(d.inputs[0].name, "a");
  EXPECT_FALSE(d.inputs[0].required);
  EXPECT_NEAR(d.inputs[0].mean, 0.5, 0.1);
  EXPECT_TRUE(d.inputs[1].required);
  EXPECT_EQ(d.inputs[2].values, (std::vector<std::string>{"yes", "no"}));
  EXPECT_EQ(d.inputs[3].values.size(), 3u);
  EXPECT_EQ(d.inputs[4].size, 2);
  EXPECT_EQ(d.inputs[6].datatype, "BYTES");
  ASSERT_EQ(d.outputs.size(), 3u);
  EXPECT_EQ(d.outputs[2].classes.size(), 3u);
  EXPECT_EQ(d.outputs[2].columns.size(), 6u);
  // `b` has whole numbers in the training rows, `a` others.
  const Json example = Json::parse(d.example);
  EXPECT_TRUE(example["b"].is_number_integer()) << d.example;
  EXPECT_TRUE(example["a"].is_number_float()) << d.example;
  // Its example is a row that it takes, and the answers have the columns that it names.
  const Json answer = ask(d.example);
  size_t columns = 0;
  for (const auto& output : d.outputs)
    for (const auto& column : output.columns) {
      EXPECT_TRUE(answer.contains(column.name)) << column.name;
      ++columns;
    }
  EXPECT_EQ(answer.size(), columns);
  EXPECT_GT(d.parameters, 50);
  EXPECT_NE(d.card.find("# Predicts"), std::string::npos);
}

TEST_F(Service, ARequestLikeTheLastTakesNothingFromTheHeap) {
  if (!kOwnAllocator) GTEST_SKIP() << "the sanitizers have an allocator of their own";
  const std::string body = R"({"a": 0.25, "b": 12, "sure": "yes", "kind": "red", "y": 3})";
  std::string text;
  request_.when_done = [](Request&) {};
  const auto ask_again = [&] {
    ASSERT_TRUE(reader_.read_json(model_, body, request_));
    model_->batcher().submit(request_);
    while (model_->batcher().run()) {
    }
    text.clear();
    write_json(request_, text);
  };
  // Lists and dates are read as prediction reads them, in columns; numbers and words are not.
  const std::string recipe = R"(
input_features: [{name: a, type: number}, {name: b, type: number}, {name: sure, type: binary}, {name: kind, type: category}]
output_features: [{name: class, type: category}, {name: y, type: number}]
trainer: {epochs: 1})";
  const auto trained = train::train({.recipe = train::recipe_from(recipe),
                                     .data = {.dataset = folder_->write("t2.csv", all_kinds_table(200))},
                                     .output_directory = folder_->file("plain")},
                                    {});
  ASSERT_TRUE(trained);
  model_ = *LiveModel::load("plain", trained->folder);
  for (int i = 0; i < 3; ++i) ask_again();
  const int64_t before = allocation_count();
  for (int i = 0; i < 10; ++i) ask_again();
  EXPECT_EQ(allocation_count() - before, 0);
}

TEST_F(Service, ManyRowsGoThroughInPasses) {
  std::string body = "[";
  for (int i = 0; i < 1000; ++i) body += fmt::format("{}{{\"b\": {}}}", i ? "," : "", i % 7);
  const Json answers = ask(body + "]");
  ASSERT_EQ(answers.size(), 1000u);
  for (int i = 7; i < 1000; ++i)
    expect_near(answers[static_cast<size_t>(i)], answers[static_cast<size_t>(i % 7)]);
  EXPECT_GE(model_->batcher().counts().passes, 1000 / 64);
  EXPECT_EQ(model_->passes().front().rows, 1);
  EXPECT_EQ(model_->passes().back().rows, 64);
  EXPECT_GT(model_->memory().states, 0);
}

TEST_F(Service, ModelsByName) {
  Models models;
  ASSERT_TRUE(models.load("one", path_));
  ASSERT_TRUE(models.load("two", path_));
  EXPECT_EQ(models.first(), models.find("one"));
  EXPECT_EQ(models.find("three"), nullptr);
  const auto old = models.find("two");
  EXPECT_FALSE(models.load("two", folder_->file("none")));
  EXPECT_EQ(models.find("two"), old);  // goes on serving
  EXPECT_NE(models.index()[1].reason, "");
  EXPECT_EQ(models.index()[1].path, path_);
  ASSERT_TRUE(models.reload("two"));
  EXPECT_NE(models.find("two"), old);
  EXPECT_EQ(models.index()[1].reason, "");
  ASSERT_TRUE(models.unload("two"));
  EXPECT_EQ(models.find("two"), nullptr);
  EXPECT_EQ(models.index().size(), 2u);
  const auto unknown = models.unload("twoo");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(), "there is no model 'twoo'; did you mean 'two'?");
}

// Requests come from two threads while the model is swapped again and again: all are answered, all alike.
TEST_F(Service, SwapsLoseNothing) {
  for (const auto where : {BatcherOptions::Where::caller, BatcherOptions::Where::thread}) {
    Models models({.batcher = {.where = where}, .max_batch = 4});
    ASSERT_TRUE(models.load("m", path_));
    std::atomic<bool> stop = false;
    std::atomic<int> asked = 0, answered = 0;
    std::vector<std::thread> askers;
    for (int t = 0; t < 2; ++t)
      askers.emplace_back([&] {
        RequestReader reader;
        Request request;
        std::atomic<bool> done = false;
        request.when_done = [&](Request&) { done = true; };
        std::string text;
        Json first;
        while (!stop) {
          const auto model = models.find("m");
          if (!reader.read_json(model, R"({"b": 3, "kind": "red"})", request)) break;
          ++asked;
          done = false;
          if (model->batcher().submit(request) != Batcher::Taken::yes) break;
          while (!done)
            if (!model->batcher().run()) std::this_thread::yield();
          text.clear();
          write_json(request, text);
          const Json answer = Json::parse(text);
          if (first.is_null()) first = answer;
          expect_near(answer, first);
          ++answered;
        }
      });
    for (int swap = 0; swap < 10; ++swap) ASSERT_TRUE(models.reload("m"));
    while (answered < 10 && asked == answered) std::this_thread::yield();
    stop = true;
    for (auto& asker : askers) asker.join();
    EXPECT_EQ(asked, answered);
    models.drain();
  }
}

}  // namespace
}  // namespace shoestring::serve
