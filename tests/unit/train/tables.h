// Small tables and recipes for the tests of training.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "task/recipe.h"

namespace shoestring::train {

// A folder of its own for each test, gone afterwards. In memory where there is such a place.
class Folder {
 public:
  Folder() {
    std::string name =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm/shoestring_XXXXXX" : "/tmp/shoestring_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Columns a, b (numbers), kind (a category), target y: whether a + b > 1, spelt yes and no; value: a + 2 b.
inline std::string sums_table(int rows) {
  std::string text = "a,b,kind,y,value\n";
  unsigned state = 12345;
  const auto next = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state >> 8) / (1 << 24);
  };
  const char* kinds[] = {"red", "green", "blue"};
  for (int i = 0; i < rows; ++i) {
    const double a = next(), b = next();
    text += std::to_string(a) + "," + std::to_string(b) + "," + kinds[static_cast<int>(next() * 3)] + "," +
            (a + b > 1 ? "yes" : "no") + "," + std::to_string(a + 2 * b) + "\n";
  }
  return text;
}

inline task::Recipe recipe_from(const std::string& yaml) {
  auto recipe = task::parse_document(yaml, "recipe.yaml").and_then([](const task::Document& d) {
    return task::parse_recipe(d);
  });
  EXPECT_TRUE(recipe) << recipe.error().message();
  return recipe ? *recipe : task::Recipe{};
}

inline std::string sums_recipe(const std::string& trainer = "epochs: 3, batch_size: 16") {
  return "input_features: [{name: a, type: number}, {name: b, type: number}, {name: kind, type: category}]\n"
         "output_features: [{name: y, type: binary}]\n"
         "combiner: {type: concat, num_fc_layers: 1, output_size: 8}\n"
         "trainer: {" +
         trainer + "}\n";
}

}  // namespace shoestring::train
