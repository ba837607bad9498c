#include "train/read_ahead.h"

#include <atomic>
#include <exception>

#include "base/parallel.h"

namespace shoestring::train {
namespace {

constexpr int64_t kFewCells = 1 << 14;  // that are done sooner than a sleeping team wakes

}  // namespace

Result<std::optional<data::RecordBatch>> append_and_read(RawColumns& columns, const data::RecordBatch& batch,
                                                         const ColumnMap& map, data::TableReader& reader) {
  if (thread_count() == 1 || batch.rows() * columns.parts() < kFewCells) {
    columns.append(batch, map);
    return reader.next();
  }
  Result<std::optional<data::RecordBatch>> next = std::nullopt;
  std::atomic<int> task = -1;  // -1: reading, the longest; then the columns
  std::exception_ptr reading_failed, appending_failed;
  std::atomic_flag failed;  // that an exception of appending is kept
  parallel([&](int, int) {
    for (int mine; (mine = task.fetch_add(1)) < columns.parts();) {
      try {
        if (mine < 0)
          next = reader.next();
        else
          columns.append_part(mine, batch, map);
      } catch (...) {  // no memory
        if (mine < 0)
          reading_failed = std::current_exception();
        else if (!failed.test_and_set())
          appending_failed = std::current_exception();
      }
    }
  });
  for (const auto& fault : {appending_failed, reading_failed})
    if (fault) std::rethrow_exception(fault);
  columns.appended(batch.rows());
  return next;
}

}  // namespace shoestring::train
