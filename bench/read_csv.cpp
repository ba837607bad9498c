// Reads a table as training would want it: every column typed, numbers as f64, words as codes of a
// dictionary.
//   bench_read FILE [--cores 2] [--times 3]
// A column is a number if its cell in the first row is one. One JSON line: median seconds and CPU seconds,
// rows, and what the process held at most beside the columns themselves.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/parse.h"
#include "task/recipe.h"
#include "train/read_tables.h"

namespace {

using namespace shoestring;

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "bench_read: %s\n", why.c_str());
  std::exit(2);
}

task::Recipe recipe_of(const std::string& path) {
  auto reader = data::open_table(path);
  if (!reader) stop(reader.error().message());
  const auto batch = (*reader)->next();
  if (!batch) stop(batch.error().message());
  std::vector<task::ColumnType> columns;
  for (int c = 0; c < (*batch)->columns(); ++c)
    columns.push_back({(*reader)->names()[static_cast<size_t>(c)], data::parse_number((*batch)->column(c)[0])
                                                                       ? task::FeatureType::number
                                                                       : task::FeatureType::category});
  auto recipe = task::infer_recipe(columns, {columns.back().name}, 1 << 20);
  if (!recipe) stop(recipe.error().message());
  return std::move(*recipe);
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  int times = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--cores" && i + 1 < argc)
      set_thread_count(std::atoi(argv[++i]));
    else if (word == "--times" && i + 1 < argc)
      times = std::atoi(argv[++i]);
    else
      path = word;
  }
  if (path.empty() || times < 1) stop("bench_read FILE [--cores 2] [--times 3]");
  const task::Recipe recipe = recipe_of(path);
  const SteadyClock clock;
  std::vector<double> seconds, cpu;
  int64_t rows = 0, bytes = 0;
  for (int t = 0; t < times; ++t) {
    const double began = clock.seconds(), cpu_began = cpu_seconds();
    const auto tables = train::read_tables({.dataset = path}, recipe, false, {});
    if (!tables) stop(tables.error().message());
    seconds.push_back(clock.seconds() - began);
    cpu.push_back(cpu_seconds() - cpu_began);
    rows = tables->rows();
    bytes = tables->columns.bytes();
  }
  std::sort(seconds.begin(), seconds.end());
  std::sort(cpu.begin(), cpu.end());
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"seconds\": %.4f, \"cpu_seconds\": %.4f, \"best_seconds\": %.4f, \"best_cpu_seconds\": %.4f, "
      "\"rows\": %lld, \"column_bytes\": %lld, \"peak_bytes\": %lld}\n",
      seconds[seconds.size() / 2], cpu[cpu.size() / 2], seconds[0], cpu[0], static_cast<long long>(rows),
      static_cast<long long>(bytes), static_cast<long long>(usage.ru_maxrss) * 1024);
}
