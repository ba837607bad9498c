#include "train/survey.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <numeric>

#include "base/atomic_file.h"
#include "base/overloaded.h"
#include "base/text.h"
#include "data/split.h"
#include "train/fit_columns.h"
#include "train/packed_rows.h"
#include "train/row_faults.h"
#include "train/sample.h"

namespace shoestring::train {
namespace {

Failure needs_all(std::string_view what, std::string fix) {
  return fail(ErrorKind::budget, fmt::format("{} needs the whole table in memory", what), {},
              fmt::format("give more memory, or {}", fix));
}

Status can_split(const task::Preprocessing& preprocessing) {
  const auto by_column = [](std::string_view type) -> Status {
    return needs_all(fmt::format("a split of type {}", type),
                     "a split that goes by the row alone: hash, fixed or random");
  };
  if (preprocessing.sample_ratio < 1 || preprocessing.sample_size)
    return needs_all(preprocessing.sample_size ? "sample_size" : "sample_ratio", "a smaller file");
  if (preprocessing.oversample_minority || preprocessing.undersample_majority)
    return needs_all(preprocessing.oversample_minority ? "oversample_minority" : "undersample_majority",
                     "class_weights of the output's loss in its place");
  if (!preprocessing.split) return {};
  return std::visit(Overloaded{[&](const task::StratifySplit&) { return by_column("stratify"); },
                               [&](const task::DatetimeSplit&) { return by_column("datetime"); },
                               [&](const task::GroupSplit&) { return by_column("group"); },
                               [&](const task::FoldSplit&) { return by_column("fold"); },
                               [](const auto&) { return Status(); }},
                    *preprocessing.split);
}

bool fills_from_below(const auto& feature) {
  return std::visit(
      [](const auto& spec) {
        const auto& p = spec.preprocessing;
        bool bfill = p.missing_value_strategy == task::MissingValues::bfill;
        if constexpr (requires { p.outlier_strategy; })
          bfill = bfill || p.outlier_strategy == task::MissingValues::bfill;
        return bfill;
      },
      feature.spec);
}

// Bytes of a column's cells in memory but for its words.
int64_t cell_bytes(const RawColumn& column) {
  return std::visit(
      Overloaded{
          [](const std::monostate&) { return size_t{0}; },
          [](const Numbers& c) { return c.values.size() * sizeof(double); },
          [](const Words& c) { return c.codes.size() * sizeof(int32_t); },
          [](const Vectors& c) { return c.lists.values.size() * sizeof(float) + 9 * c.lists.ends.size(); },
          [](const WordLists& c) {
            return c.lists.values.size() * sizeof(int32_t) + 9 * c.lists.ends.size();
          },
          [](const Dates& c) { return c.stamps.size() * sizeof(data::DateStamp); },
          [](const Pictures& c) { return static_cast<size_t>(c.pixels.rows() * c.pixels.row_bytes()); }},
      column);
}
int64_t word_bytes(const RawColumn& column) {
  if (const auto* words = std::get_if<Words>(&column)) return words->dictionary.bytes();
  const auto* lists = std::get_if<WordLists>(&column);
  return lists ? lists->dictionary.bytes() : 0;
}

// What all rows would take: of words at most, as blocks have many in common.
class RawBytes {
 public:
  explicit RawBytes(size_t columns) : words_(columns) {}
  void add(const RawColumns& block) {
    size_t at = 0;
    for (const auto* all : {&block.inputs, &block.outputs})
      for (const RawColumn& column : *all) {
        cells_ += cell_bytes(column);
        words_[at] = std::min(kMostWords, words_[at] + word_bytes(column));
        ++at;
      }
  }
  int64_t total() const { return std::accumulate(words_.begin(), words_.end(), cells_); }

 private:
  static constexpr int64_t kMostWords = 64 << 20;  // that a dictionary takes
  int64_t cells_ = 0;
  std::vector<int64_t> words_;
};

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {.path = path};
  return {.path = path,
          .bytes = info.st_size,
          .modified = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
          .changed = info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec,
          .device = static_cast<int64_t>(info.st_dev),
          .inode = static_cast<int64_t>(info.st_ino)};
}

Status can_stream(const DataFiles& files, const task::Recipe& recipe) {
  for (const std::string* path :
       {&files.dataset, &files.training_set, &files.validation_set, &files.test_set})
    if (*path == "-" || is_stream(*path))
      return fail(ErrorKind::budget,
                  fmt::format("{} can be read only once, and its rows do not fit in memory",
                              *path == "-" ? "stdin" : *path),
                  {}, "give a file, or more memory");
  if (files.training_set.empty())
    if (auto ok = can_split(recipe.preprocessing); !ok) return ok;
  for (const auto& input : recipe.inputs) {
    if (fills_from_below(input))
      return needs_all(fmt::format("bfill of the input feature '{}'", input.name),
                       "fill it another way: ffill");
    const auto* category = std::get_if<task::CategoryInput>(&input.spec);
    if (category && std::holds_alternative<task::TargetEncoder>(category->encoder))
      return needs_all(fmt::format("the encoder target of the input feature '{}'", input.name),
                       "another encoder: embed or hash");
  }
  for (const auto& output : recipe.outputs)
    if (fills_from_below(output))
      return needs_all(fmt::format("bfill of the output feature '{}'", output.name),
                       "fill it another way: ffill");
  return {};
}

Result<Surveyed> survey(const DataFiles& files, task::Recipe recipe, const StreamBuffers& buffers,
                        const PrepareOptions& options) {
  Surveyed out;
  Survey& found = out.found;
  RowFaults faults(recipe);
  Sample sample(recipe, buffers.sample, options.seed);
  RawBytes raw(recipe.inputs.size() + recipe.outputs.size());
  const auto read = read_blocks(files, recipe, {buffers.text_bytes, buffers.batches}, options,
                                [&](RowBlock& block) -> Status {
                                  const auto drop = faults.drop_missing(block.columns, block.first_row);
                                  raw.add(block.columns);
                                  for (size_t row = 0; row < drop.size(); ++row) {
                                    uint8_t& split = block.splits[row];
                                    if (drop[row]) split = data::kUnused;
                                    if (split <= data::kTest) ++found.split_rows[split];
                                  }
                                  sample.add(block.columns, block.first_row, block.splits);
                                  return {};
                                });
  if (!read) return fail(read.error());
  if (auto ok = faults.judge_missing(*read, options.log); !ok) return fail(ok.error());
  for (const SourceFile& file : read->files) out.stamps.push_back(stamp_of(file.path));
  found.rows = faults.rows();
  found.sample_rows = sample.rows();
  found.raw_bytes = raw.total();
  if (found.sample_rows == 0)
    return fail(ErrorKind::data, "no rows are left to train on", read->path(),
                "give more rows, or a larger share to training in preprocessing.split");
  std::vector<uint32_t> all(static_cast<size_t>(sample.rows()));
  std::iota(all.begin(), all.end(), 0u);
  std::vector<std::string> notes;
  auto fits = fit_columns(recipe, sample.columns(), all, notes);
  for (const auto& note : notes)
    if (options.log) options.log(LogLevel::note, note);
  if (!fits) {
    if (fits.error().where.empty()) fits.error().where = read->path();
    return fail(fits.error());
  }
  if (options.log && sample.rows() < sample.training_rows())
    options.log(LogLevel::note, fmt::format("preprocessing is fitted on {} of {}", sample.rows(),
                                            count_of(sample.training_rows(), "training row")));
  out.recipe = std::move(recipe);
  out.fits = std::move(*fits);
  found.row_bytes = PackedFormat(out.recipe, out.fits).row_bytes();
  found.encoded_bytes = found.rows * (found.row_bytes + static_cast<int64_t>(sizeof(uint32_t)));
  return out;
}

}  // namespace shoestring::train
