// Pictures of a column, decoded on all threads.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "base/parallel.h"
#include "train/raw_columns.h"

namespace shoestring::train {
namespace {

constexpr int64_t kFew = 4;  // that are decoded sooner than a sleeping team wakes

// One that cannot be decoded.
struct Broken {
  int64_t row;
  std::string reason;
};

// Large pictures are decoded one at a time, and their memory is given back: a few threads with one each would
// take a multiple of what the rest does.
constexpr int64_t kLargePixels = 4 << 20;
std::mutex large_one;

Status decode(std::span<const std::byte> bytes, const data::PictureForm& form, bool from_outside,
              std::span<uint8_t> out, data::PictureRoom& room) {
  const auto info = data::look_at(bytes);
  if (!info) return fail(info.error());
  if (info->height * info->width <= kLargePixels) return data::decode_into(bytes, form, out, room);
  // A JPEG is decoded at a part of its size.
  if (from_outside && info->format != data::PictureFormat::jpeg)
    return fail(ErrorKind::data,
                fmt::format("it has {} x {} pixels, and in a request at most {} are taken", info->width,
                            info->height, kLargePixels),
                {}, "send it smaller, or as JPEG");
  const std::lock_guard lock(large_one);
  data::PictureRoom own;
  return data::decode_into(bytes, form, out, own);
}

Result<std::span<const std::byte>> bytes_of(const data::TextColumn& column, int64_t row,
                                            const data::PictureFiles* files, std::vector<std::byte>& room) {
  if (files) return files->read(column.raw(row), room);
  return std::as_bytes(std::span(column.raw(row)));
}

}  // namespace

void Pictures::append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad,
                      const data::PictureFiles* files) {
  const int64_t rows = column.rows(), before = pixels.rows();
  pixels.append(rows);
  states.resize(static_cast<size_t>(before + rows), task::PictureState::there);
  std::atomic<int64_t> next = 0;
  std::atomic_flag failed;
  std::exception_ptr no_memory;
  std::vector<std::vector<Broken>> broken(static_cast<size_t>(thread_count()));
  const auto decode_some = [&](int thread) {
    data::PictureRoom room;
    std::vector<std::byte> file;
    for (int64_t row; (row = next.fetch_add(1)) < rows;) {
      task::PictureState& state = states[static_cast<size_t>(before + row)];
      if (column.absent(row) || data::is_missing(column[row])) {
        state = task::PictureState::missing;
        continue;
      }
      const auto encoded = bytes_of(column, row, files, file);
      const Status done = encoded ? decode(*encoded, form, files == nullptr, pixels.row(before + row), room)
                                  : Status(fail(encoded.error()));
      if (done) continue;
      state = task::PictureState::broken;
      broken[static_cast<size_t>(thread)].push_back(
          {row, data::picture_name(column.raw(row)) + ": " + done.error().what});
    }
  };
  const auto guarded = [&](int thread) {
    try {
      decode_some(thread);
    } catch (...) {
      if (!failed.test_and_set()) no_memory = std::current_exception();
    }
  };
  if (rows <= kFew)
    guarded(0);
  else
    parallel([&](int thread, int) { guarded(thread); });
  if (no_memory) std::rethrow_exception(no_memory);

  std::vector<Broken> all;
  for (auto& some : broken) std::ranges::move(some, std::back_inserter(all));
  std::ranges::sort(all, {}, &Broken::row);
  for (Broken& one : all) {
    bad.add(first_row + one.row, data::picture_name(column.raw(one.row)));
    if (bad.reasons.size() < data::BadCells::kMostReasons) bad.reasons.push_back(std::move(one.reason));
  }
}

}  // namespace shoestring::train
