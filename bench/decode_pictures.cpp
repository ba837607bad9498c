// Reads every picture of a source and makes it one size, as training does before its first step.
//   bench_decode SOURCE HEIGHT WIDTH CHANNELS [--cores 1]
// One JSON line: seconds until the table stands, seconds of decoding, pictures a second of time and of CPU
// time, and what the process held at most. With --duplicates also how long looking for the test split's
// pictures in the training split takes.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/duplicates.h"
#include "data/picture.h"
#include "data/picture_files.h"
#include "data/table.h"

namespace {

using namespace shoestring;

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "bench_decode: %s\n", why.c_str());
  std::exit(2);
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double now() { return SteadyClock().seconds(); }

template <class T>
T need(Result<T> result) {
  if (!result) stop(result.error().message());
  return std::move(*result);
}

struct Table {
  std::vector<std::string> names;
  std::vector<uint32_t> training, test;
};

Table read(data::TableReader& reader) {
  Table table;
  const int split = reader.index_of("split");
  while (const auto batch = need(reader.next())) {
    for (int64_t r = 0; r < batch->rows(); ++r) {
      const auto row = static_cast<uint32_t>(table.names.size());
      table.names.emplace_back(batch->column(0).raw(r));
      (split >= 0 && batch->column(split)[r] == "2" ? table.test : table.training).push_back(row);
    }
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words;
  int cores = 1;
  bool duplicates = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--cores" && i + 1 < argc)
      cores = std::atoi(argv[++i]);
    else if (word == "--duplicates")
      duplicates = true;
    else
      words.emplace_back(word);
  }
  if (words.size() != 4) stop("SOURCE HEIGHT WIDTH CHANNELS [--cores 1] [--duplicates]");
  set_thread_count(cores);
  const data::PictureForm form{.height = std::atoi(words[1].c_str()),
                               .width = std::atoi(words[2].c_str()),
                               .channels = std::atoi(words[3].c_str())};
  const double begin = now();
  const auto reader = need(data::open_table(words[0]));
  const Table table = read(*reader);
  const auto files = need(reader->pictures());
  const double opened = now(), cpu = cpu_seconds();
  data::PixelRows pictures(form.bytes());
  pictures.append(static_cast<int64_t>(table.names.size()));
  std::atomic<int64_t> broken = 0;
  parallel([&](int thread, int threads) {
    data::PictureRoom room;
    std::vector<std::byte> bytes;
    const Share share = share_of(pictures.rows(), thread, threads);
    for (int64_t r = share.begin; r < share.end; ++r) {
      const auto encoded = files->read(table.names[static_cast<size_t>(r)], bytes);
      if (!encoded || !data::decode_into(*encoded, form, pictures.row(r), room)) ++broken;
    }
  });
  const double decoded = now(), cpu_decoding = cpu_seconds() - cpu;
  std::printf(
      "{\"pictures\": %lld, \"broken\": %lld, \"open_seconds\": %.3f, \"decode_seconds\": %.3f, "
      "\"pictures_a_second\": %.0f, \"a_cpu_second\": %.0f, \"peak_bytes\": %lld",
      static_cast<long long>(pictures.rows()), static_cast<long long>(broken.load()), opened - begin,
      decoded - opened, static_cast<double>(pictures.rows()) / (decoded - opened),
      static_cast<double>(pictures.rows()) / cpu_decoding, static_cast<long long>(peak_resident_bytes()));
  if (duplicates) {
    const auto found = data::find_duplicates(pictures, form, table.training, table.test);
    std::printf(", \"duplicate_seconds\": %.3f, \"exact\": %lld, \"near\": %lld, \"complete\": %s",
                now() - decoded, static_cast<long long>(found.exact), static_cast<long long>(found.near),
                found.complete ? "true" : "false");
    for (size_t i = 0; i < found.pairs.size() && i < 5; ++i)
      std::fprintf(stderr, "%s = %s%s\n", table.names[found.pairs[i].row].c_str(),
                   table.names[found.pairs[i].of].c_str(), found.pairs[i].exact ? "" : " nearly");
  }
  std::printf("}\n");
}
