#include "budget/resident.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "compile/compile.h"
#include "data/arrow_module.h"
#include "ops/ops.h"

namespace shoestring::budget {
namespace {

// Less is noise of pages that something else touched.
constexpr double kLeast = 16 << 10;

double grown(const auto& open) {
  const int64_t before = resident_bytes();
  open();
  const auto bytes = static_cast<double>(resident_bytes() - before);
  return bytes >= kLeast ? bytes : 0;
}

struct Compiled {
  std::vector<Plan> plans;  // kept: what they hold is what is measured
  double scratch = 0;
};

// One product more; its size is one that no other has.
void add_product(Compiled& all, int64_t columns, const Target& target) {
  Graph g("product");
  const Value a = g.input("a", {DType::f32, {1024, 512}}), b = g.input("b", {DType::f32, {512, columns}});
  g.output("c", ops::matmul(a, b));
  StateLayout states;
  auto plan = compile(std::move(g), states, {.target = target});
  if (!plan) return;
  for (const Step& step : plan->steps)
    all.scratch = std::max(all.scratch, static_cast<double>(step.prepared.scratch_bytes));
  all.plans.push_back(std::move(*plan));
}

}  // namespace

Resident measure_resident(const Target& target) {
  Resident r{.process = static_cast<double>(resident_bytes())};
  r.openmp = grown([] { thread_count(); });
  if (const int threads = thread_count(); threads > 1)
    r.thread = grown([] { parallel([](int, int) {}); }) / (threads - 1);
  Compiled products;
  const double first = grown([&] { add_product(products, 1024, target); });
  constexpr int kMore = 4;
  r.primitive = grown([&] {
                  for (int i = 1; i <= kMore; ++i) add_product(products, 1024 + 16 * i, target);
                }) /
                kMore;
  if (!products.plans.empty() && products.plans.front().steps.front().kernel == "onednn")
    r.onednn = std::max(0.0, first - r.primitive);
  else
    r.primitive = 0;
  r.scratch = products.scratch;
  r.arrow = grown([] { (void)data::arrow_module(); });
  return r;
}

Result<FileSpeed> measure_files(const std::string& folder, const Clock& clock) {
  if (auto ok = make_folders(folder); !ok) return fail(ok.error());
  const std::string path = fmt::format("{}/probe.{}", folder, ::getpid());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(system_error("write", path, errno));
  struct Gone {
    const std::string& path;
    int fd;
    ~Gone() {
      ::close(fd);
      ::unlink(path.c_str());
    }
  } const gone{path, fd};
  constexpr size_t kBytes = 8 << 20, kPiece = 1 << 20;
  std::vector<char> piece(kPiece, 'x');
  const auto timed = [&](const auto& work) -> Result<double> {
    const double start = clock.seconds();
    if (!work()) return fail(system_error("measure", path, errno));
    return std::max(clock.seconds() - start, 1e-9);
  };
  const auto each_piece = [&](const auto& move) {
    for (size_t at = 0; at < kBytes; at += kPiece)
      if (move(static_cast<off_t>(at)) != static_cast<ssize_t>(kPiece)) return false;
    return true;
  };
  const auto write =
      timed([&] { return each_piece([&](off_t at) { return ::pwrite(fd, piece.data(), kPiece, at); }); });
  if (!write) return fail(write.error());
  const auto sync = timed([&] { return ::fsync(fd) == 0; });
  if (!sync) return fail(sync.error());
  const auto read =
      timed([&] { return each_piece([&](off_t at) { return ::pread(fd, piece.data(), kPiece, at); }); });
  if (!read) return fail(read.error());
  return FileSpeed{kBytes / *write, kBytes / *read, *sync};
}

}  // namespace shoestring::budget
