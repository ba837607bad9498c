// The models of a service, by name. A load under a name that is there swaps: requests that hold the old model
// finish on it, those that come find the new one. A model that does not load leaves the old one serving.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/live_model.h"

namespace shoestring::serve {

class Models {
 public:
  explicit Models(LiveOptions options = {}) : options_(options) {}

  // Reads and compiles on the calling thread, which takes some milliseconds; others are served meanwhile. Two
  // loads at a time wait for each other.
  Status load(const std::string& name, const std::string& path);
  // Takes one in that is loaded already, under its own name.
  void adopt(std::shared_ptr<LiveModel> model);
  // Again from where it came, of an unloaded one too. ErrorKind::usage where there is none of that name.
  Status reload(const std::string& name);
  // It stays in the index, not ready. ErrorKind::usage where there is none of that name.
  Status unload(const std::string& name);

  std::shared_ptr<LiveModel> find(std::string_view name) const;  // null: none of that name, or it is unloaded
  // The one that routes without a name mean: the first that was given; null while it is unloaded.
  std::shared_ptr<LiveModel> first() const;

  struct Entry {
    std::string name, path;
    std::shared_ptr<LiveModel> model = {};  // null: unloaded
    std::string reason = {};                // why, or why the last load failed
  };
  std::vector<Entry> index() const;  // in the order of their first load
  // What is to be said of a name that is not in it, and what it may have meant.
  std::string none_of(std::string_view name) const;

  // Every model's batcher: no more requests are taken, and all that were are answered.
  void drain();

 private:
  LiveOptions options_;
  mutable std::mutex mutex_;
  std::mutex loading_;
  std::vector<Entry> entries_;
};

}  // namespace shoestring::serve
