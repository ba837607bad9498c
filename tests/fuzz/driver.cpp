// driver RUNS SEED...: gives the target every seed (a file, or a folder of them) as it is and RUNS times
// changed. The changes are the same each time.
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/atomic_file.h"
#include "base/philox.h"
#include "fuzz/fuzz.h"

namespace {

using namespace shoestring;

void give(std::string_view bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

// A few bytes changed, cut out, doubled or taken from elsewhere in the file.
std::string changed(std::string bytes, Philox& random) {
  for (uint32_t changes = 1 + random.below(5); changes > 0 && !bytes.empty(); --changes) {
    const auto size = static_cast<uint32_t>(bytes.size());
    const uint32_t at = random.below(size), length = 1 + random.below(std::min(size - at, 40u));
    switch (random.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        bytes.erase(at, length);
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 3:
        bytes.insert(at, bytes.substr(random.below(size), length));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> seeds;
  for (int i = 2; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      seeds.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      if (entry.is_regular_file()) seeds.push_back(entry.path());
  }
  const int runs = argc > 1 ? std::atoi(argv[1]) : 0;
  fuzz::check(runs > 0 && !seeds.empty(), "driver RUNS SEED...");
  give("");
  std::sort(seeds.begin(), seeds.end());
  for (size_t s = 0; s < seeds.size(); ++s) {
    const auto bytes = read_file(seeds[s]);
    fuzz::check(bytes.has_value(), seeds[s].c_str());
    give(*bytes);
    for (int run = 0; run < runs; ++run) {
      Philox random(static_cast<uint64_t>(run), static_cast<uint32_t>(s));
      give(changed(*bytes, random));
    }
  }
  std::printf("%zu seeds, %d changes of each\n", seeds.size(), runs);
}
