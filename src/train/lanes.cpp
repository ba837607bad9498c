#include "train/lanes.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "base/caught.h"
#include "base/parallel.h"

namespace shoestring::train {
namespace {

void merge(const std::vector<data::BadCells>& more, std::vector<data::BadCells>& into) {
  for (size_t i = 0; i < more.size(); ++i) {
    if (more[i].count == 0) continue;
    const int64_t before = into[i].count;
    if (before == 0) into[i] = more[i];
    into[i].count = before + more[i].count;
  }
}

// The answers of one batch, which is used up but for bad_inputs. Returns how many there are.
int64_t answer_batch(const Predictor& predictor, Runner& runner, RawColumns& raw, int64_t first_row,
                     std::span<const uint8_t> wanted, const PictureNames::Rows& names, data::RowText& out) {
  const EncodedInputs inputs = encode_inputs(predictor.model().fits, raw, nullptr, first_row);
  std::vector<uint32_t> rows(static_cast<size_t>(raw.rows()));
  std::iota(rows.begin(), rows.end(), 0u);
  if (!wanted.empty())
    std::erase_if(rows, [&](uint32_t row) { return !wanted[static_cast<size_t>(first_row) + row]; });
  const auto size = static_cast<size_t>(runner.rows());
  for (size_t first = 0; first < rows.size(); first += size) {
    const std::span batch = std::span(rows).subspan(first, std::min(size, rows.size() - first));
    gather(inputs, batch, runner.rows(), runner.ports());
    runner.run({});
    for (size_t i = 0; i < batch.size(); ++i)
      if (names.begin(batch[i], predictor.answers().columns().size(), out))
        predictor.answers().write(runner.ports(), static_cast<int64_t>(i), out);
  }
  return static_cast<int64_t>(rows.size());
}

// The threads' common work: whose turn it is to read and to write, and the first fault.
class Work {
 public:
  Work(const Predictor& predictor, AnsweredTable& table, Answered& answered)
      : predictor_(&predictor), table_(&table), answered_(&answered) {}

  void run(Runner& runner) {
    try {
      data::RowText text = table_->out->no_rows();
      while (take_batch(runner, text)) {
      }
    } catch (...) {
      fault(caught());
    }
  }
  Status status() const { return fault_ ? reader_fault_ : fault_; }

 private:
  // False at the end.
  bool take_batch(Runner& runner, data::RowText& text) {
    std::optional<data::RecordBatch> batch;
    int64_t turn;
    {
      const std::lock_guard lock(reading_);
      if (ended_) return false;
      auto next = table_->next ? std::exchange(table_->next, {}) : table_->reader->next();
      ended_ = !next || !*next;
      if (!next) reader_fault_ = fail(next.error());
      if (ended_) return false;
      batch = std::move(**next);
      turn = taken_++;
    }
    RawColumns raw(predictor_->recipe(), false);
    raw.append(*batch, *table_->map);
    const int64_t first_row = batch->first_row();
    const PictureNames::Rows names = table_->names->rows(*batch, raw);
    batch.reset();
    text.clear();
    const int64_t rows = answer_batch(*predictor_, runner, raw, first_row, table_->wanted, names, text);
    return write(turn, rows, raw.bad_inputs, text);
  }

  bool write(int64_t turn, int64_t rows, const std::vector<data::BadCells>& bad, const data::RowText& text) {
    std::unique_lock lock(writing_);
    turned_.wait(lock, [&] { return written_ == turn || broken_; });
    if (broken_) return false;
    table_->out->add(text);
    answered_->rows += rows;
    merge(bad, answered_->bad);
    ++written_;
    const Status output = table_->out->status();
    lock.unlock();
    turned_.notify_all();
    if (!output) fault(output.error());
    return output.has_value();
  }

  // Nothing more is written. (After a fault of the reader the batches before it are.)
  void fault(Error error) {
    {
      const std::lock_guard lock(writing_);
      if (fault_) fault_ = fail(std::move(error));
      broken_ = true;
    }
    turned_.notify_all();
  }

  const Predictor* predictor_;
  AnsweredTable* table_;
  Answered* answered_;
  std::mutex reading_, writing_;
  std::condition_variable turned_;
  int64_t taken_ = 0, written_ = 0;
  bool ended_ = false, broken_ = false;
  Status fault_, reader_fault_;
};

}  // namespace

Status answer_in_lanes(Predictor& predictor, AnsweredTable table, Answered& answered) {
  auto lanes = predictor.lanes(thread_count());
  if (!lanes) return fail(lanes.error());
  Work work(predictor, table, answered);
  parallel([&](int thread, int) { work.run(*(*lanes)[static_cast<size_t>(thread)].runner); });
  return work.status();
}

}  // namespace shoestring::train
