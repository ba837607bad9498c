// A model of every kind of column, trained on a small table, and what the service and `predict` say of rows.
#pragma once

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "serve/live_model.h"
#include "train/predict.h"
#include "train/train.h"
#include "unit/serve/all_kinds.h"

namespace shoestring::serve {

using Json = nlohmann::json;

class Service : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<train::Folder>();
    const auto trained = train::train({.recipe = train::recipe_from(kAllKinds),
                                       .data = {.dataset = folder_->write("t.csv", all_kinds_table(300))},
                                       .output_directory = folder_->file("out")},
                                      {});
    ASSERT_TRUE(trained) << trained.error().message();
    path_ = trained->folder;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    auto model = LiveModel::load("m", path_);
    ASSERT_TRUE(model) << model.error().message();
    model_ = *model;
  }

  // What `predict` answers to a table in one of its formats.
  static std::vector<Json> predicted(const std::string& name, const std::string& table) {
    const std::string out = folder_->file("answers.jsonl");
    const auto done = train::predict({.model = path_,
                                      .dataset = folder_->write(name, table),
                                      .output = out,
                                      .kind = data::WriteKind::jsonl},
                                     {});
    EXPECT_TRUE(done) << done.error().message();
    std::vector<Json> rows;
    std::ifstream file(out);
    for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  // Answers what was read, and gives the text.
  std::string answered() {
    bool done = false;
    request_.when_done = [&](Request&) { done = true; };
    EXPECT_EQ(model_->batcher().submit(request_), Batcher::Taken::yes);
    while (model_->batcher().run()) {
    }
    if (!model_->batcher().on_caller()) model_->batcher().drain();
    EXPECT_TRUE(done);
    std::string text;
    if (request_.orientation != Orientation::tensors) write_json(request_, text);
    return text;
  }
  Json ask(std::string_view body, const ReadOptions& options = {}) {
    const auto read = reader_.read_json(model_, body, request_, options);
    EXPECT_TRUE(read) << to_json(read.error());
    return read ? Json::parse(answered()) : Json();
  }
  Refusal refused(std::string_view body, const ReadOptions& options = {}) {
    const auto read = reader_.read_json(model_, body, request_, options);
    EXPECT_FALSE(read) << body;
    return read ? Refusal() : read.error();
  }

  static inline std::unique_ptr<train::Folder> folder_;
  static inline std::string path_;
  std::shared_ptr<LiveModel> model_;
  RequestReader reader_;
  Request request_;
};

// Plans of another size may round the last digit the other way.
inline void expect_near(const Json& a, const Json& b) {
  ASSERT_EQ(a.type() == Json::value_t::number_integer ? Json::value_t::number_float : a.type(),
            b.type() == Json::value_t::number_integer ? Json::value_t::number_float : b.type())
      << a << b;
  if (a.is_number()) {
    ASSERT_NEAR(a.get<double>(), b.get<double>(), 1e-5 * (1 + std::abs(b.get<double>())));
    return;
  }
  ASSERT_EQ(a.size(), b.size());
  if (a.is_object())
    for (const auto& [key, value] : a.items()) {
      ASSERT_TRUE(b.contains(key)) << key;
      expect_near(value, b[key]);
    }
  else if (a.is_array())
    for (size_t i = 0; i < a.size(); ++i) expect_near(a[i], b[i]);
  else
    ASSERT_EQ(a, b);
}

}  // namespace shoestring::serve
