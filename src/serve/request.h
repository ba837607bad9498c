// Rows that came with a request, and their answers:
//
//   if (auto read = reader.read_json(model, body, request); !read) …to_json(read.error())…
//   switch (model->batcher().submit(request)) …      // request.when_done is called once it is answered
//   write_json(request, text);
//
// A Request is made once a connection and used again: its buffers stay, so a request like those before it
// takes nothing from the heap. It holds its model until clear(), so a swap takes no model away from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::serve {

class LiveModel;

// A cell that is not what its column wants.
struct Fault {
  int64_t row = 0;       // of the request, from 0
  std::string column;    // the key
  std::string expected;  // "a number", "a column of the model: did you mean 'age'?"
  std::string got;       // as it came, cut to 80 bytes; "nothing" where it is missing
};

// Why a request is not answered; always the client's fault.
struct Refusal {
  enum class Why {
    malformed,      // no JSON, or not of the form that it was sent as: HTTP 400
    unprocessable,  // a column or a value that the model cannot take: HTTP 422
    too_large,      // more rows, or more to read, than one request may have: HTTP 413
    busy,           // others have now what it needs: HTTP 503
  };
  Why why = Why::malformed;
  std::string what = {};           // one sentence, with what to do
  std::vector<Fault> faults = {};  // the first kMostFaults
};
inline constexpr size_t kMostFaults = 20;
template <class T>
using OrRefusal = tl::expected<T, Refusal>;

// {"error": what, "detail": [{"loc": ["body", row, column], "msg": "expected …", "input": got}]}, the latter
// as FastAPI has it; without detail where there are no faults.
std::string to_json(const Refusal& refusal);

// Of a body that could not be read: no JSON, and where it breaks, or none of the form that is wanted.
Refusal unreadable(std::string_view body, std::string_view wanted);

// How rows came; answers go back in the same form.
enum class Orientation : uint8_t {
  row,      // one object: {"age": 39, …} -> one object
  records,  // a list of them -> a list of objects
  split,  // {"columns": […], "data": [[…], …]}, pandas's split -> {"index": …, "columns": …, "data": …}
  columns,  // {"age": [39, …], …} -> as split
  tensors,  // KServe
};

struct Request {
  // Called when all rows are answered: by the thread that ran the last pass, which is the caller of
  // Batcher::run() or the model's executor thread. It must not throw, and returns soon.
  std::function<void(Request&)> when_done;

  // What a RequestReader found.
  std::shared_ptr<LiveModel> model = {};
  int64_t rows = 0;
  Orientation orientation = Orientation::row;
  std::vector<uint32_t> cells = {};  // [rows, words of a row]: encoded, in the order of serve/row_layout.h
  std::string id = {};               // of a KServe request
  struct AskedTensor {
    std::string name;
    bool binary = false;
  };
  std::vector<AskedTensor> asked = {};  // of a KServe request; none: all of its columns that are not of_class
  bool binary = false;                  // those that are not asked for one by one

  // What the Batcher found: of each output [rows, size], one output behind the other.
  std::vector<float> answers = {};
  double queue_seconds = 0;    // from submit() to the begin of its first pass
  double compute_seconds = 0;  // of the passes that it had part in

  // The Batcher's own, while the request waits.
  int64_t begun_rows = 0;
  double submitted_at = 0;

  // Lets go of the model and the rows. Buffers stay, but for those above kKeptBytes.
  void clear();

  // What the answered request takes at most: its rows, its answers, and they as text.
  int64_t bytes() const;
};
inline constexpr size_t kKeptBytes = 4 << 10;

// Appends the answers as JSON, in the orientation that the rows had.
void write_json(const Request& request, std::string& out);
// Appends KServe's answer to an infer request. Returns the length of the JSON before binary tensors, for the
// header Inference-Header-Content-Length; 0 where all of it is JSON. `version`: of the model, as it was asked
// for. Refuses names of tensors that are none of the model's outputs (which the reader has refused already).
size_t write_kserve(const Request& request, std::string_view version, std::string& out);

// Bodies up to this size are read in buffers that a reader keeps, at most kReaderKeeps in all.
inline constexpr size_t kReaderBytes = 128 << 10;
inline constexpr int64_t kReaderKeeps = 8 * static_cast<int64_t>(kReaderBytes);
// Columns that are encoded as a whole take this for each byte of the body, and for each of their cells.
inline constexpr int64_t kOfWholeColumns = 3, kOfWholeCell = 40;

struct ReadOptions {
  bool strict = true;  // a key that is no column of the model's is a fault; false: it is passed over
  size_t readable_behind =
      0;  // bytes after the body that may be read: with 64 or more it is not copied first
  int64_t max_rows = 1 << 16;  // of one request: above it, too_large
  // What a request may take beside its body, while it is read and until its answer is gone: above it,
  // too_large; and what is there of that now: above it, busy. Neither counts what a reader keeps.
  int64_t most_bytes = INT64_MAX, bytes_now = INT64_MAX;
};

// Reads bodies into rows that are encoded for the model, by the same code as `predict`. One a thread.
class RequestReader {
 public:
  RequestReader();
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  using Model = std::shared_ptr<LiveModel>;

  // JSON in any orientation but tensors; request.orientation says which afterwards. Keys of output columns
  // may come along, and are not looked at.
  OrRefusal<void> read_json(const Model& model, std::string_view body, Request& request,
                            const ReadOptions& options = {});
  // Form fields: one row, each field a column; or one field `dataset` with JSON in any orientation, as
  // Ludwig's batch_predict has it. An empty field is a missing value. `content_type` with its parameters:
  // application/x-www-form-urlencoded, or multipart/form-data with its boundary.
  OrRefusal<void> read_form(const Model& model, std::string_view body, std::string_view content_type,
                            Request& request, const ReadOptions& options = {});
  // The bytes of a picture: one row of a model whose only input it is (takes_a_picture()).
  OrRefusal<void> read_picture(const Model& model, std::string_view body, Request& request,
                               const ReadOptions& options = {});
  // KServe's infer request: a tensor a column, [rows] or [rows, 1], of a vector [rows, size]; all datatypes
  // but FP16 and BF16 as JSON. `header_length` as Inference-Header-Content-Length says, 0 where there is
  // none.
  OrRefusal<void> read_kserve(const Model& model, std::string_view body, size_t header_length,
                              Request& request, const ReadOptions& options = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shoestring::serve
