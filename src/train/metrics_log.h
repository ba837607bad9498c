// metrics.jsonl of a run folder, while the run goes on.
#pragma once

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/atomic_file.h"

namespace shoestring::train {

// The file that evaluations are appended to; on resumption it begins with those before the checkpoint.
class MetricsLog {
 public:
  static Result<MetricsLog> open(const std::string& path, std::string_view before) {
    MetricsLog log;
    log.file_.reset(std::fopen(path.c_str(), "we"));
    if (!log.file_) return fail(system_error("create", path, errno));
    log.path_ = path;
    if (auto ok = log.append(before); !ok) return fail(ok.error());
    return log;
  }
  // Without a file, nothing.
  Status append(std::string_view text) {
    if (!file_) return {};
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() && std::fflush(file_.get()) == 0)
      return {};
    return fail(system_error("write", path_, errno));
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace shoestring::train
