#include "data/sources.h"

#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace shoestring::data {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool is_one(const std::string& source) {
  return source == "-" || source.starts_with(kSqlitePrefix) || exists(source);
}

std::vector<std::string> parts_of(const std::string& source) {
  std::vector<std::string> parts;
  for (size_t at = 0;;) {
    const size_t comma = source.find(',', at);
    parts.push_back(source.substr(at, comma == std::string::npos ? comma : comma - at));
    if (comma == std::string::npos) return parts;
    at = comma + 1;
  }
}

std::vector<std::string> matching(const std::string& pattern) {
  ::glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::erase_if(paths, [](const std::string& path) {
    std::error_code ec;
    return std::filesystem::is_directory(path, ec);
  });
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string absolute(const std::string& path) {
  if (path.empty() || path == "-") return path;
  std::error_code ec;
  const auto full = std::filesystem::absolute(path, ec);
  return ec ? path : full.lexically_normal().string();
}

}  // namespace

Result<std::vector<std::string>> files_of(const std::string& source) {
  if (is_one(source)) return std::vector{source};
  std::vector<std::string> files;
  for (const std::string& part : parts_of(source)) {
    if (part.empty())
      return fail(ErrorKind::usage, "a file's name is empty", source,
                  "write file,file without anything else between");
    const auto before = [&](const std::string& file) {
      return std::find_if(files.begin(), files.end(),
                          [&](const std::string& other) { return same_file(file, other); });
    };
    if (is_one(part) || part.find_first_of("*?[") == std::string::npos) {
      if (const auto other = before(part); other != files.end())
        return fail(ErrorKind::usage,
                    *other == part
                        ? std::string("this file is named twice, and its rows would count twice")
                        : fmt::format("this is the file {} again, and its rows would count twice", *other),
                    part, "name each file once");
      files.push_back(part);
      continue;
    }
    const auto found = matching(part);
    if (found.empty())
      return fail(ErrorKind::data, "no file matches this pattern", part,
                  "check the path; it is taken from the current folder");
    for (const std::string& file : found)
      if (before(file) == files.end()) files.push_back(file);
  }
  return files;
}

bool same_file(const std::string& a, const std::string& b) {
  if (a == b) return true;
  std::error_code ec;
  return std::filesystem::equivalent(a, b, ec) && !ec;
}

std::string absolute_source(const std::string& source) {
  if (source.starts_with(kSqlitePrefix))
    return std::string(kSqlitePrefix) + absolute(source.substr(kSqlitePrefix.size()));
  if (source.empty() || is_one(source)) return absolute(source);
  std::string out;
  for (const std::string& part : parts_of(source)) out += (out.empty() ? "" : ",") + absolute(part);
  return out;
}

}  // namespace shoestring::data
