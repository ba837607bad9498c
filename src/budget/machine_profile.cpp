#include "budget/machine_profile.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/caught.h"
#include "base/limits.h"
#include "base/text.h"
#include "budget/machine_rates.h"
#include "compile/compile.h"

namespace shoestring::budget {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "shoestring_machine";
constexpr int kVersion = 1;

// Thrown by the readers below and caught in profile_from_json.
struct Malformed {
  std::string what, fix;
};

void only(const Json& object, const std::vector<std::string>& known, const std::string& at) {
  if (!object.is_object()) throw Malformed{fmt::format("{} is no object", at), {}};
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest(key, known);
    throw Malformed{fmt::format("unknown key '{}' in {}", key, at),
                    near.empty() ? "" : fmt::format("did you mean '{}'?", near)};
  }
}

const Json& at(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) throw Malformed{fmt::format("it lacks '{}'", key), {}};
  return *found;
}

double number(const Json& json, const std::string& key, double least, bool least_too) {
  const double value = json.is_number() ? json.get<double>() : std::nan("");
  if (std::isfinite(value) && value <= 1e18 && (least_too ? value >= least : value > least)) return value;
  throw Malformed{
      fmt::format("'{}' is {}, no number {} {}", key, json.dump(), least_too ? "from" : "above", least), {}};
}

std::string word(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  if (!value.is_string()) throw Malformed{fmt::format("'{}' is no text", key), {}};
  return value.get<std::string>();
}

MachineIdentity identity_of(const Json& json) {
  only(json, {"cpu", "cores", "isa", "memory_bytes", "kernel"}, "'machine'");
  return {.cpu = word(json, "cpu"),
          .cores = static_cast<int>(std::min(number(at(json, "cores"), "cores", 1, true), 1e6)),
          .isa = word(json, "isa"),
          .memory_bytes = static_cast<int64_t>(number(at(json, "memory_bytes"), "memory_bytes", 0, true)),
          .kernel = word(json, "kernel")};
}

std::vector<ThreadScaling> scaling_of(const Json& json) {
  if (!json.is_array() || json.empty()) throw Malformed{"'scaling' is no list of thread counts", {}};
  std::vector<ThreadScaling> all;
  for (const Json& each : json) {
    only(each, {"threads", "arithmetic", "memory"}, "'scaling'");
    const double threads = number(at(each, "threads"), "threads", 1, true);
    if (!all.empty() && threads <= all.back().threads)
      throw Malformed{"'scaling' is not in order of threads", {}};
    all.push_back({static_cast<int>(std::min(threads, 1e6)),
                   number(at(each, "arithmetic"), "arithmetic", 0, false),
                   number(at(each, "memory"), "memory", 0, false)});
  }
  return all;
}

std::vector<std::string> groups() {
  std::vector<std::string> names;
  for (const Rate& rate : rates())
    if (names.empty() || names.back() != rate.group) names.emplace_back(rate.group);
  return names;
}

std::vector<std::string> names_in(std::string_view group) {
  std::vector<std::string> names;
  for (const Rate& rate : rates())
    if (rate.group == group) names.emplace_back(rate.name);
  return names;
}

MachineProfile parse(const std::string& text) {
  const Json json = Json::parse(text);
  if (!json.is_object() || !json.contains(kFormat))
    throw Malformed{"it is no machine profile", "'shoestring calibrate --output FILE' writes one"};
  if (json.at(kFormat) != kVersion)
    throw Malformed{
        fmt::format("it is of version {}, and this program reads {}", json.at(kFormat).dump(), kVersion),
        "measure the machine again with 'shoestring calibrate'"};
  std::vector<std::string> known = groups();
  known.insert(known.end(), {std::string(kFormat), "measured", "machine", "scaling"});
  only(json, known, "the profile");
  MachineProfile p{.machine = identity_of(at(json, "machine")),
                   .measured = word(json, "measured"),
                   .scaling = scaling_of(at(json, "scaling"))};
  for (const Rate& rate : rates()) {
    const Json& group = at(json, rate.group);
    if (!rate.name.empty()) only(group, names_in(rate.group), fmt::format("'{}'", rate.group));
    const Json& value = rate.name.empty() ? group : at(group, rate.name);
    rate.of(p) = number(value, rate.key(), 0, rate.may_be_none);
  }
  return p;
}

// The words after "key :" in a file like /proc/cpuinfo.
std::string value_in(const std::string& path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

// FNV-1a.
uint64_t hashed(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

}  // namespace

std::string to_json(const MachineProfile& profile) {
  const MachineIdentity& m = profile.machine;
  Json json = {{kFormat, kVersion},
               {"measured", profile.measured},
               {"machine",
                {{"cpu", m.cpu},
                 {"cores", m.cores},
                 {"isa", m.isa},
                 {"memory_bytes", m.memory_bytes},
                 {"kernel", m.kernel}}}};
  for (const Rate& rate : rates()) {
    // Four digits are more than a measurement has, and read well.
    const double value = std::stod(fmt::format("{:.4g}", rate.in(profile)));
    if (rate.name.empty())
      json[rate.group] = value;
    else
      json[rate.group][rate.name] = value;
  }
  json["scaling"] = Json::array();
  for (const ThreadScaling& s : profile.scaling)
    json["scaling"].push_back({{"threads", s.threads}, {"arithmetic", s.arithmetic}, {"memory", s.memory}});
  return json.dump(2) + "\n";
}

Result<MachineProfile> profile_from_json(const std::string& text, const std::string& path) {
  const auto wrong = [&](std::string what, std::string fix) {
    return fail(ErrorKind::data, "cannot read the machine profile: " + what, path,
                fix.empty() ? "measure the machine again with 'shoestring calibrate'" : fix);
  };
  try {
    return parse(text);
  } catch (const Malformed& m) {
    return wrong(m.what, m.fix);
  } catch (const Json::exception&) {
    return wrong("it is no JSON", {});
  } catch (...) {
    return fail(caught());
  }
}

Result<MachineProfile> read_profile(const std::string& path) {
  auto text = read_file(path);
  if (!text) return fail(text.error());
  return profile_from_json(*text, path);
}

Status write_profile(const std::string& path, const MachineProfile& profile) {
  return write_file(path, to_json(profile), false);
}

MachineIdentity this_machine(const Target& target, const std::string& root) {
  MachineIdentity m{.cpu = value_in(root + "/proc/cpuinfo", "model name"),
                    .cores = read_limits(root).cores(),
                    .isa = std::string(shoestring::to_string(target.isa)),
                    .memory_bytes = std::atoll(value_in(root + "/proc/meminfo", "MemTotal").c_str()) * 1024};
  if (m.cpu.empty()) m.cpu = value_in(root + "/proc/cpuinfo", "CPU part");  // AArch64 names no model
  utsname system{};
  if (::uname(&system) == 0) m.kernel = fmt::format("{} {}", system.sysname, system.release);
  return m;
}

std::string to_string(const MachineIdentity& m) {
  return fmt::format("{}, {}, {}{}{}", m.cpu.empty() ? "CPU of no name" : m.cpu, count_of(m.cores, "core"),
                     m.isa.empty() ? "any instructions" : m.isa,
                     m.memory_bytes > 0 ? ", " + human_bytes(m.memory_bytes) : "",
                     m.kernel.empty() ? "" : ", " + m.kernel);
}

bool same_machine(const MachineIdentity& a, const MachineIdentity& b) {
  const auto [less, more] = std::minmax(a.memory_bytes, b.memory_bytes);
  return a.cpu == b.cpu && a.cores == b.cores && a.isa == b.isa && a.kernel == b.kernel &&
         20 * (more - less) <= more;
}

std::string cache_folder() {
  if (const char* own = std::getenv("SHOESTRING_CACHE")) return own;
  if (const char* shared = std::getenv("XDG_CACHE_HOME"); shared && *shared == '/')
    return std::string(shared) + "/shoestring";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/shoestring";
  return {};
}

std::string cached_profile(const std::string& folder, const MachineIdentity& m) {
  return fmt::format("{}/machine-{:016x}.json", folder,
                     hashed(fmt::format("{}|{}|{}|{}", m.cpu, m.cores, m.isa, m.kernel)));
}

KnownMachine load_or_built_in(const Target& target, const std::string& folder) {
  const MachineIdentity machine = this_machine(target);
  KnownMachine known;
  if (!folder.empty()) {
    const std::string path = cached_profile(folder, machine);
    if (file_exists(path)) {
      auto profile = read_profile(path);
      if (profile && same_machine(profile->machine, machine)) {
        known.path = path;
        known.profile = std::make_shared<const MachineProfile>(std::move(*profile));
        return known;
      }
      known.note = profile ? fmt::format(
                                 "{} is of a machine that has changed since: {}; 'shoestring calibrate' "
                                 "measures it anew",
                                 path, to_string(profile->machine))
                           : profile.error().message();
    }
  }
  MachineProfile built_in = built_in_profile({target.isa, machine.cores});
  built_in.machine = machine;
  known.profile = std::make_shared<const MachineProfile>(std::move(built_in));
  return known;
}

}  // namespace shoestring::budget
