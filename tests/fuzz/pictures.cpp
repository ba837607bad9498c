// Sources of pictures: tar and zip archives, IDX and NPY files; every row and every picture of them.
#include <sys/mman.h>
#include <unistd.h>

#include "data/picture.h"
#include "data/picture_files.h"
#include "data/table.h"
#include "fuzz/fuzz.h"

namespace {

using namespace shoestring;

void look_through(data::TableReader& reader) {
  constexpr int64_t kMostRows = 1 << 16;  // an array may say "a million" in a few bytes
  const auto files = reader.pictures();
  if (!files) fuzz::check_refusal(files.error());
  std::vector<std::byte> room;
  while (reader.rows() < kMostRows) {
    const auto batch = reader.next();
    if (!batch) fuzz::check_refusal(batch.error());
    if (!batch || !*batch) break;
    for (int64_t r = 0; r < std::min<int64_t>((*batch)->rows(), 50); ++r) {
      fuzz::check(!reader.place((*batch)->first_row() + r).empty(), "a row has a place");
      if (!files) continue;
      const auto bytes = (*files)->read((*batch)->column(0).raw(r), room);
      if (!bytes) fuzz::check_refusal(bytes.error());
      if (bytes) (void)data::look_at(*bytes);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = ::memfd_create("pictures", 0);
  fuzz::check(file >= 0 && ::write(file, data, size) == static_cast<ssize_t>(size), "memfd");
  auto reader = data::open_table("/proc/self/fd/" + std::to_string(file));
  if (reader)
    look_through(**reader);
  else
    fuzz::check_refusal(reader.error());
  ::close(file);
  return 0;
}
