// Rows that came as KServe's tensors: one a column, as JSON or as the binary extension of its HTTP protocol
// has them.
#pragma once

#include <memory>

#include "serve/cells.h"

namespace shoestring::serve {

class TensorRows {
 public:
  TensorRows();
  ~TensorRows();

  // Reads into `cells`, for which begin() was called, and what the request says of its answer into `request`.
  // `header_length`: of the JSON before the binary tensors; 0: all of the body.
  OrRefusal<void> read(std::string_view body, size_t header_length, CellWriter& cells, Request& request);
  void give_back();  // buffers above kReaderBytes

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shoestring::serve
