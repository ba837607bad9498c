// What one request costs a service without HTTP: its parts, on one core, the shortest of many.
//   build/release/bench_serve MODEL [BODY.json [answer]]
// The body is one row or several; without one the model's example row. With `answer` its answer, once.
#include <algorithm>
#include <cstdio>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/memory.h"
#include "serve/live_model.h"

using namespace shoestring;

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "bench_serve MODEL [BODY.json]\n"), 2;
  const SteadyClock clock;
  const double began = clock.seconds();
  const auto model = serve::LiveModel::load("model", argv[1]);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 3;
  const double loaded = clock.seconds() - began;
  const std::string body = argc > 2 ? *read_file(argv[2]) : (*model)->description().example;
  serve::RequestReader reader;
  serve::Request request;
  request.when_done = [](serve::Request&) {};
  std::string text;
  if (argc > 3) {
    if (const auto read = reader.read_json(*model, body, request); !read)
      return std::fprintf(stderr, "%s\n", to_json(read.error()).c_str()), 3;
    answer(**model, request);
    write_json(request, text);
    return std::puts(text.c_str()), 0;
  }
  const int kTurns = body.size() > 100'000 ? 50 : 20000;
  std::vector<double> parts[4];
  for (int i = 0; i < kTurns; ++i) {
    const double a = clock.seconds();
    if (const auto read = reader.read_json(*model, body, request); !read)
      return std::fprintf(stderr, "%s\n", read.error().what.c_str()), 3;
    const double b = clock.seconds();
    (*model)->batcher().submit(request);
    while ((*model)->batcher().run()) {
    }
    const double c = clock.seconds();
    text.clear();
    write_json(request, text);
    const double d = clock.seconds();
    const double times[] = {b - a, c - b, d - c, d - a};
    for (int p = 0; p < 4; ++p) parts[p].push_back(times[p] * 1e6);
  }
  std::printf("loaded in %.1f ms; %lld rows in %zu bytes, answered in %zu bytes\n", loaded * 1e3,
              static_cast<long long>(request.rows), body.size(), text.size());
  const char* names[] = {"parse and encode", "queue and pass", "answer", "all"};
  for (int p = 0; p < 4; ++p) {
    std::sort(parts[p].begin(), parts[p].end());
    std::printf("  %-17s %8.2f us at best, %8.2f in the middle, %8.2f of 99 in 100\n", names[p], parts[p][0],
                parts[p][static_cast<size_t>(kTurns / 2)], parts[p][static_cast<size_t>(kTurns * 99 / 100)]);
  }
  for (const auto& pass : (*model)->passes())
    std::printf("  a pass of %lld rows %.1f us\n", static_cast<long long>(pass.rows), pass.seconds * 1e6);
  std::printf("  %.1f MiB resident, states %lld, arena %lld bytes\n",
              static_cast<double>(resident_bytes()) / (1 << 20),
              static_cast<long long>((*model)->memory().states),
              static_cast<long long>((*model)->memory().arena));
  std::printf("%s\n", text.substr(0, 300).c_str());
}
