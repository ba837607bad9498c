// Rows that came as JSON, in any orientation but tensors.
#pragma once

#include <memory>

#include "serve/cells.h"

namespace shoestring::serve {

class JsonRows {
 public:
  JsonRows();
  ~JsonRows();

  // Reads into `cells`, for which begin() was called. Sets the orientation.
  OrRefusal<void> read(std::string_view body, CellWriter& cells, Orientation& orientation);
  void give_back();  // buffers above kReaderBytes

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shoestring::serve
