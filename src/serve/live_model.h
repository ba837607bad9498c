// A model that answers requests: read, compiled and measured at its start, every buffer taken then. It is the
// whole of a service but for how requests come and go (HTTP knows that).
//
//   auto model = LiveModel::load("adult", "results/experiment_run");
//   RequestReader reader;
//   Request request;
//   auto read = reader.read_json(*model, R"({"age": 39, …})", request);
//   (*model)->batcher().submit(request);
//   while ((*model)->batcher().run()) {}
//   std::string text;
//   write_json(request, text);
//
// A forward pass, and the way from encoded rows to it and back, take nothing from the heap. All members may
// be called by several threads at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/batcher.h"
#include "serve/description.h"
#include "serve/request.h"

namespace shoestring::serve {

struct LiveOptions {
  BatcherOptions batcher = {};
  int64_t max_batch = 64;  // rows of the largest plan; plans are made for 1, 4, 16, … rows up to it
  int64_t max_arena_bytes = 64 << 20;  // sizes whose arena would be larger are left out, but for one row
  int threads = 1;                     // of a pass
};

class LiveModel {
 public:
  // `path`: a model file, a model folder or a run folder. Fails as train::load_model and as compiling does.
  static Result<std::shared_ptr<LiveModel>> load(const std::string& name, const std::string& path,
                                                 const LiveOptions& options = {});
  // The last request that holds it lets it go; its executor thread ends then.
  ~LiveModel();
  LiveModel(const LiveModel&) = delete;
  LiveModel& operator=(const LiveModel&) = delete;

  const Description& description() const;
  Batcher& batcher();

  // The plans, each with the seconds of a pass as measured at the start.
  const std::vector<PassTime>& passes() const;
  // To the byte: the states, the arena of the largest plan, and what a row holds while it is on its way. At
  // most: its answers as text, and what it takes while it is read.
  struct Memory {
    int64_t states = 0, arena = 0, row = 0, text = 0, reading_row = 0;
    // Tensors are collected apart before they are put together.
    int64_t answered_row(Orientation orientation) const {
      return row + (orientation == Orientation::tensors ? 3 : 1) * text;
    }
  };
  Memory memory() const;
  bool reads_whole_columns() const;  // some column is encoded as a whole (kOfWholeColumns)

  // What the folder's own code needs of a model (serve/row_layout.h, serve/answer_text.h); not for callers.
  struct Inside;
  Inside& inside() { return *inside_; }

 private:
  explicit LiveModel(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

// Submits the request and returns once it is answered, or not taken: for who has nothing else to do
// meanwhile. Its when_done is replaced.
Batcher::Taken answer(LiveModel& model, Request& request);

}  // namespace shoestring::serve
