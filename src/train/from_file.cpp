#include "train/from_file.h"

#include <malloc.h>

#include "train/kept_survey.h"
#include "train/row_faults.h"
#include "train/start_from.h"

namespace shoestring::train {
namespace {

Failure changed(const std::string& path) {
  return fail(ErrorKind::data, "the file changed while it was read", path,
              "run the same command again when nothing writes to it");
}

Status same_stamps(std::span<const FileStamp> stamps) {
  for (const FileStamp& stamp : stamps)
    if (stamp_of(stamp.path) != stamp) return changed(stamp.path);
  return {};
}

// Encodes the tables block by block.
class Encoding {
 public:
  Encoding(const task::Recipe& recipe, const task::Fits& fits, FileWriter& writer)
      : fits_(&fits),
        writer_(&writer),
        faults_(recipe),
        inputs_(fits.inputs.size()),
        outputs_(fits.outputs.size()) {}

  Status add(RowBlock& block) {
    auto drop = faults_.drop_missing(block.columns, block.first_row);
    std::vector<uint8_t>& splits = block.splits;
    const auto leave_out = [&] {
      for (size_t row = 0; row < drop.size(); ++row)
        if (drop[row]) splits[row] = data::kUnused;
    };
    leave_out();
    EncodedRows rows;
    rows.inputs = encode_inputs(*fits_, block.columns, &drop, block.first_row, splits, inputs_);
    missing_.resize(rows.inputs.missing.size());
    for (size_t i = 0; i < missing_.size(); ++i) missing_[i] += rows.inputs.missing[i];
    rows.targets = encode_targets(*fits_, block.columns, &drop, block.first_row, splits, outputs_);
    faults_.add_encoded(block.columns, rows.targets, splits, drop, block.first_row);
    leave_out();
    return writer_->add(rows, splits);
  }
  const RowFaults& faults() const { return faults_; }
  const std::vector<int64_t>& missing() const { return missing_; }

 private:
  const task::Fits* fits_;
  FileWriter* writer_;
  RowFaults faults_;
  std::vector<task::FillState> inputs_, outputs_;
  std::vector<int64_t> missing_;
};

}  // namespace

Result<Dataset> prepare_from_file(const DataFiles& files, Surveyed surveyed, const PrepareOptions& options) {
  Dataset out;
  if (options.start_from)
    if (auto ok = follow(*options.start_from, surveyed.recipe, surveyed.fits); !ok) return fail(ok.error());
  out.fits = std::move(surveyed.fits);
  auto spec = network_spec(surveyed.recipe, out.fits);
  if (!spec) return fail(spec.error());
  out.spec = std::move(*spec);
  if (auto ok = same_stamps(surveyed.stamps); !ok) return fail(ok.error());

  const FromFile& where = *options.from_file;
  const bool shuffle = surveyed.recipe.trainer.should_shuffle;
  auto writer = FileWriter::create(where, PackedFormat(surveyed.recipe, out.fits), surveyed.found.split_rows,
                                   shuffle ? std::optional(options.seed) : std::nullopt);
  if (!writer) return fail(writer.error());
  Encoding encoding(surveyed.recipe, out.fits, *writer);
  PrepareOptions quietly = options;  // the survey has told what there is to tell
  quietly.log = {};
  const auto read = read_blocks(files, surveyed.recipe, {where.buffers.text_bytes, where.buffers.batches},
                                quietly, [&](RowBlock& block) { return encoding.add(block); });
  if (auto ok = same_stamps(surveyed.stamps); !ok) return fail(ok.error());
  if (!read) return fail(read.error());
  const RowFaults& faults = encoding.faults();
  if (faults.rows() != surveyed.found.rows) return changed(read->path());
  if (auto ok = faults.judge_encoded(out.fits, *read, options.log); !ok) return fail(ok.error());
  faults.tell_unknown_classes(*read, options.log);
  if (auto ok = writer->finish(); !ok) return fail(ok.error());
  out.rows = faults.rows();
  out.files = read->files;
  out.missing = encoding.missing();
  out.file = std::make_unique<FileRows>(*writer, where.buffers.window);
  if (out.count(task::SplitName::training) == 0)
    return fail(ErrorKind::data, "no rows are left to train on", read->path(),
                "give more rows, or a larger share to training in preprocessing.split");
  return out;
}

namespace {

// The survey of an earlier process, where one is kept and holds; else a new one, which is kept.
Result<Surveyed> survey_or_kept(const DataFiles& files, task::Recipe recipe, const PrepareOptions& options) {
  const StreamBuffers& buffers = options.from_file->buffers;
  if (options.surveys.empty()) return survey(files, std::move(recipe), buffers, options);
  const std::string key = survey_key(files, recipe, buffers, options.seed);
  const auto tell = [&](const Told& told) {
    for (const auto& [level, text] : told)
      if (options.log) options.log(level, text);
  };
  if (auto kept = find_survey(options.surveys, key)) {
    tell(kept->told);
    kept->surveyed.recipe = std::move(recipe);
    return std::move(kept->surveyed);
  }
  KeptSurvey made;
  PrepareOptions listening = options;
  listening.log = [&](LogLevel level, std::string_view text) { made.told.emplace_back(level, text); };
  auto surveyed = survey(files, std::move(recipe), buffers, listening);
  tell(made.told);
  if (!surveyed) return surveyed;
  made.surveyed = std::move(*surveyed);
  keep_survey(options.surveys, key, made);
  return std::move(made.surveyed);
}

}  // namespace

Result<Dataset> prepare_from_file(const DataFiles& files, task::Recipe recipe,
                                  const PrepareOptions& options) {
  if (auto ok = can_stream(files, recipe); !ok) return fail(ok.error());
  auto surveyed = survey_or_kept(files, std::move(recipe), options);
  if (!surveyed) return fail(surveyed.error());
  auto data = prepare_from_file(files, std::move(*surveyed), options);
  ::malloc_trim(0);  // what reading took goes back to the system before training takes its own
  return data;
}

}  // namespace shoestring::train
