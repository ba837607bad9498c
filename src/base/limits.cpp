#include "base/limits.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace shoestring {
namespace {

// Where a hierarchy of groups is to be seen.
struct Mount {
  bool unified = false;     // version 2
  std::string controllers;  // of version 1: "rw,memory"
  std::string top;          // the group that is seen at `point`
  std::string point;
};

bool has_controller(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// /proc/self/mountinfo: "30 23 0:26 TOP POINT rw,… [optional …] - TYPE SOURCE OPTIONS".
std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> found;
  std::ifstream in(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream head(line.substr(0, dash)), tail(line.substr(dash + 3));
    std::string id, parent, device, type, source;
    Mount m;
    if (!(head >> id >> parent >> device >> m.top >> m.point) || !(tail >> type >> source >> m.controllers))
      continue;
    m.unified = type == "cgroup2";
    if (m.unified || type == "cgroup") found.push_back(std::move(m));
  }
  if (!found.empty()) return found;
  return {{true, "", "/", "/sys/fs/cgroup"},
          {false, "memory", "/", "/sys/fs/cgroup/memory"},
          {false, "cpu", "/", "/sys/fs/cgroup/cpu"}};
}

// The folders of a group and of all above it, as far as they are to be seen, the group first.
std::vector<std::string> folders(const std::string& root, const Mount& mount, std::string group) {
  if (mount.top != "/" && group.starts_with(mount.top)) group.erase(0, mount.top.size());
  if (group.find("/..") != std::string::npos) group.clear();  // outside of the namespace
  std::vector<std::string> up;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    up.push_back(root + mount.point + group);
    if (group.empty()) return up;
    group.erase(group.rfind('/'));
  }
}

// The first number of a file; none for "max".
std::optional<double> number_of(const std::string& path) {
  std::ifstream in(path);
  double number = 0;
  return in >> number ? std::optional(number) : std::nullopt;
}

// The number of a line "key number".
double counted(const std::string& path, std::string_view key) {
  std::ifstream in(path);
  std::string word;
  for (double number = 0; in >> word >> number;)
    if (word == key) return number;
  return 0;
}

int64_t whole(double bytes) { return bytes < 9e18 ? static_cast<int64_t>(bytes) : kNoLimit; }

void take_memory(const std::string& folder, bool unified, Limits& limits) {
  const auto limit = number_of(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes"));
  if (!limit || *limit < 0 || *limit >= 9e18) return;
  const double taken = counted(folder + "/memory.stat", unified ? "anon" : "total_rss");
  limits.memory_bytes = std::min(limits.memory_bytes, whole(*limit));
  limits.memory_left = std::min(limits.memory_left, whole(std::max(0.0, *limit - taken)));
}

void take_quota(const std::string& folder, bool unified, Limits& limits) {
  double quota = -1, period = 0;
  if (unified) {
    std::ifstream in(folder + "/cpu.max");  // "150000 100000" or "max 100000"
    if (!(in >> quota >> period)) return;
  } else {
    quota = number_of(folder + "/cpu.cfs_quota_us").value_or(-1);
    period = number_of(folder + "/cpu.cfs_period_us").value_or(0);
  }
  if (quota > 0 && period > 0) limits.quota = std::min(limits.quota, quota / period);
}

void take_groups(const std::string& root, Limits& limits) {
  const std::vector<Mount> all = mounts(root);
  std::ifstream in(root + "/proc/self/cgroup");  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    const bool memory = unified || has_controller(controllers, "memory");
    const bool cpu = unified || has_controller(controllers, "cpu");
    for (const Mount& mount : all) {
      if (mount.unified != unified) continue;
      if (!unified && !(memory && has_controller(mount.controllers, "memory")) &&
          !(cpu && has_controller(mount.controllers, "cpu")))
        continue;
      for (const std::string& folder : folders(root, mount, line.substr(second + 1))) {
        if (memory) take_memory(folder, unified, limits);
        if (cpu) take_quota(folder, unified, limits);
      }
    }
  }
}

int affinity() {
  for (int most = 1024; most <= 1 << 16; most *= 4) {  // the mask must hold all cores that the kernel knows
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(most));
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(most));
    const int cores = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (cores > 0) return cores;
  }
  return 1;
}

int64_t resource_limit(decltype(RLIMIT_AS) which) {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  return whole(static_cast<double>(limit.rlim_cur));
}

}  // namespace

int Limits::cores() const {
  const double whole_cores = std::ceil(std::min(quota, 1e6));
  return std::max(1, std::min(affinity, static_cast<int>(whole_cores)));
}

Limits read_limits(const std::string& root) {
  Limits limits{.affinity = affinity(),
                .address_space_bytes = resource_limit(RLIMIT_AS),
                .data_bytes = resource_limit(RLIMIT_DATA)};
  take_groups(root, limits);
  return limits;
}

}  // namespace shoestring
