#include "train/read_rows.h"

#include <algorithm>
#include <filesystem>

#include "base/memory.h"
#include "base/text.h"
#include "train/from_file.h"
#include "train/read_tables.h"

namespace shoestring::train {
namespace {

// Of the buffers, where there is plenty.
constexpr int64_t kMostReadingBytes = 128 << 20;
// What the process takes while it reads beside the buffers: pages of code not reached before, the fits.
constexpr int64_t kBesideBuffers = 4 << 20;

// A folder that is there, for a file without a name: on the disk that the run is going to be on.
std::string folder_for(const std::string& wanted) {
  std::error_code ec;
  std::filesystem::path path = std::filesystem::absolute(wanted, ec);
  while (!path.empty() && path != path.root_path() && !std::filesystem::is_directory(path, ec))
    path = path.parent_path();
  return path.string();
}

// A function of the limit as far as it can be: the rows that preprocessing is fitted on, and their order in
// the file, hang on the buffers.
Result<FromFile> buffers_within(int64_t limit, const TrainRequest& request) {
  int64_t reading = kMostReadingBytes;
  if (limit > 0) {
    const int64_t left = limit - resident_bytes() - kBesideBuffers;
    if (left < kLeastReadingBytes)
      return fail(
          ErrorKind::budget,
          fmt::format("reading a table that does not fit in memory takes {} beside the {} of the process, "
                      "and the limit is {}",
                      human_bytes(kLeastReadingBytes), human_bytes(resident_bytes() + kBesideBuffers),
                      human_bytes(limit)),
          "budget.memory",
          fmt::format("--budget memory={}MiB", ((limit - left + kLeastReadingBytes) >> 20) + 1));
    reading = std::clamp(limit / 4, kLeastReadingBytes, kMostReadingBytes);
    if (reading > left) reading = kLeastReadingBytes;
  }
  return FromFile{stream_buffers(reading, std::min(reading / 4, kMostWindowBytes)),
                  folder_for(request.output_directory)};
}

}  // namespace

bool may_stream(const Job& job) {
  return job.recipe.preprocessing.in_memory.is_auto() && can_stream(job.data, job.recipe);
}

Result<Dataset> read_rows(const Job& job, const SavedModel* start_from, const TrainRequest& request,
                          int64_t limit, const LogSink& log) {
  PrepareOptions options{.seed = job.seed,
                         .log = log,
                         .start_from = start_from,
                         .stop = request.stop,
                         .surveys = request.surveys};
  const task::OrAuto<bool>& in_memory = job.recipe.preprocessing.in_memory;
  Result<Dataset> data = fail(Error{});
  bool streamed = request.from_file || !in_memory.or_else(true);
  if (!streamed) {
    options.memory_limit = limit;
    // What is told of the rows is told once.
    std::vector<std::pair<LogLevel, std::string>> told;
    options.log = [&](LogLevel level, std::string_view text) { told.emplace_back(level, text); };
    data = prepare(job.data, job.recipe, options);
    streamed = !data && data.error().kind == ErrorKind::budget && may_stream(job);
    for (const auto& [level, text] : told)
      if (log && !streamed) log(level, text);
    if (!streamed && !data && data.error().kind == ErrorKind::budget) {
      if (auto can = can_stream(job.data, job.recipe); !can) return fail(can.error());
      data.error().fix = "leave preprocessing.in_memory to auto, or give more memory";
    }
  }
  if (streamed) {
    give_back_memory();
    options.log = log;
    options.memory_limit = 0;
    Result<FromFile> where =
        request.from_file ? Result<FromFile>(*request.from_file) : buffers_within(limit, request);
    if (!where) return fail(where.error());
    options.from_file = std::move(*where);
    data = prepare(job.data, job.recipe, options);
    if (data) {
      data->spec.recipe.preprocessing.in_memory.value = false;
      if (const auto& rows = job.recipe.preprocessing.window_rows; !rows.is_auto())
        data->file->set_window(*rows.value);
    }
  }
  if (!data) return data;
  if (start_from)
    data->files.push_back({*find_model(job.load), static_cast<int64_t>(start_from->file.bytes->size()), 0});
  if (auto ok = add_checksums(data->files); !ok) return fail(ok.error());
  return data;
}

}  // namespace shoestring::train
