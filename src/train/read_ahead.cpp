#include "train/read_ahead.h"

#include <atomic>
#include <exception>

#include "base/parallel.h"

namespace shoestring::train {
namespace {

constexpr int64_t kFewCells = 1 << 14;  // that are done sooner than a sleeping team wakes

// At most so many of the batches after `now`.
Ahead read_after(const Ahead& now, data::TableReader& reader, size_t most) {
  Ahead next{.batches = {}, .more = now.more, .status = now.status};
  while (next.more && next.batches.size() < most) {
    auto batch = reader.next();
    next.more = batch && *batch;
    if (!batch) next.status = fail(std::move(batch.error()));
    if (next.more) next.batches.push_back(std::move(**batch));
  }
  return next;
}

}  // namespace

Ahead append_and_read(RawColumns& columns, const Ahead& now, const ColumnMap& map, data::TableReader& reader,
                      size_t most) {
  int64_t rows = 0;
  for (const data::RecordBatch& batch : now.batches) rows += batch.rows();
  for (const data::RecordBatch& batch : now.batches) columns.append_pictures(batch, map);
  if (thread_count() == 1 || rows * columns.parts() < kFewCells) {
    for (const data::RecordBatch& batch : now.batches)
      for (int part = 0; part < columns.parts(); ++part) columns.append_part(part, batch, map);
    columns.appended(rows);
    return read_after(now, reader, 1);
  }
  Ahead next;
  std::atomic<int> task = -1;  // -1: reading, the longest; then the columns
  std::exception_ptr reading_failed, appending_failed;
  std::atomic_flag failed;  // that an exception of appending is kept
  parallel([&](int, int) {
    for (int mine; (mine = task.fetch_add(1)) < columns.parts();) {
      try {
        if (mine < 0)
          next = read_after(now, reader, most);
        else
          for (const data::RecordBatch& batch : now.batches) columns.append_part(mine, batch, map);
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
  columns.appended(rows);
  return next;
}

}  // namespace shoestring::train
