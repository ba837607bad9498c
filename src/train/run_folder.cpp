#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/atomic_file.h"

namespace shoestring::train {
namespace fs = std::filesystem;
namespace {

// Who holds the lock says so in the file, for the error message of the next.
std::string holder(const std::string& lock_file) {
  const auto text = read_file(lock_file);
  const std::string pid = text ? text->substr(0, text->find('\n')) : std::string();
  return pid.empty() ? "the process that runs it" : "process " + pid;
}

}  // namespace

Result<RunFolder> RunFolder::create(const std::string& output_directory, std::string_view experiment,
                                    std::string_view model) {
  if (auto made = make_folders(output_directory); !made) return fail(made.error());
  const std::string base = fmt::format("{}/{}_{}", output_directory, experiment, model);
  for (int n = -1;; ++n) {
    const std::string path = n < 0 ? base : fmt::format("{}_{}", base, n);
    if (::mkdir(path.c_str(), 0755) == 0) {
      sync_parent(path);
      return lock(path);
    }
    if (errno != EEXIST) return fail(system_error("make the folder", path, errno));
  }
}

Result<RunFolder> RunFolder::open(const std::string& path) {
  std::error_code ec;
  const bool found = fs::is_directory(path, ec);
  if (ec == std::errc::permission_denied) return fail(read_error(path, ec.value()));
  if (!found)
    return fail(ErrorKind::data, "no such run folder", path,
                "name the folder that 'train' made, for example results/experiment_run");
  std::string clean = path;
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return lock(std::move(clean));
}

Result<RunFolder> RunFolder::lock(std::string path) {
  const std::string name = path + "/.lock";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return fail(system_error("create", name, errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int e = errno;
    ::close(fd);
    if (e != EWOULDBLOCK) return fail(system_error("lock", name, e));
    return fail(ErrorKind::machine, "this run is still running", path,
                fmt::format("wait until {} ends, or stop it", holder(name)));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const int e = errno;
    ::close(fd);
    return fail(system_error("write", name, e));
  }
  return RunFolder(std::move(path), fd);
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunFolder& RunFolder::operator=(RunFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

bool RunFolder::finished() const { return file_exists(mark()); }

Status RunFolder::finish() const { return write_file(mark(), ""); }

Result<std::string> find_model(const std::string& path) {
  std::error_code ec;
  for (const char* inside : {"", "/model.safetensors", "/model/model.safetensors"}) {
    if (fs::is_regular_file(path + inside, ec)) return path + inside;
    if (ec == std::errc::permission_denied) return fail(read_error(path + inside, ec.value()));
  }
  if (!fs::exists(path, ec))
    return fail(ErrorKind::data, "no such model", path, "give a model file, a model folder or a run folder");
  return fail(ErrorKind::data, "there is no model in this folder", path,
              "give a model file, a model folder or a run folder whose training wrote a model");
}

}  // namespace shoestring::train
