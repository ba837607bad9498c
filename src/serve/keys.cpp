#include "serve/keys.h"

#include <charconv>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace shoestring::serve {
namespace {

bool read_hash(std::string_view hex, std::array<uint8_t, 32>& hash) {
  if (hex.size() != 64) return false;
  for (size_t i = 0; i < hash.size(); ++i) {
    const char* at = hex.data() + 2 * i;
    if (std::from_chars(at, at + 2, hash[i], 16).ptr != at + 2) return false;
  }
  return true;
}

}  // namespace

Result<Keys> Keys::read(const std::string& file, const HttpModule& module) {
  std::ifstream in(file);
  std::stringstream text;
  if (!in || !(text << in.rdbuf()))
    return fail(ErrorKind::data, "cannot read the keys", file, "give a file with one key a line");
  return parse(text.str(), file, module);
}

Result<Keys> Keys::parse(const std::string& text, const std::string& file, const HttpModule& module) {
  Keys keys;
  keys.module_ = &module;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = fmt::format("{}:{}", file, ++number);
    std::istringstream words(line.substr(0, line.find('#')));
    std::string first, second, third;
    words >> first >> second >> third;
    if (first.empty()) continue;
    if (!third.empty())
      return fail(ErrorKind::data, "more than a name and a key", where, "write KEY, or NAME KEY");
    Key key{.hash = {}, .name = second.empty() ? fmt::format("key {}", keys.keys_.size() + 1) : first};
    const std::string& word = second.empty() ? first : second;
    if (word.starts_with("sha256:")) {
      if (!read_hash(std::string_view(word).substr(7), key.hash))
        return fail(ErrorKind::data, "sha256: is not followed by 64 hexadecimal digits", where,
                    "write what 'printf %s KEY | sha256sum' prints");
    } else if (word.size() < kShortestKey) {
      return fail(ErrorKind::data,
                  fmt::format("a key of {} can be guessed", count_of(word.size(), "character")), where,
                  "make one with 'openssl rand -hex 32'");
    } else {
      key.hash = module.sha256(word);
    }
    keys.keys_.push_back(std::move(key));
  }
  if (keys.keys_.empty())
    return fail(ErrorKind::data, "no key in it", file, "write one a line; 'openssl rand -hex 32' makes one");
  return keys;
}

const std::string* Keys::find(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size() || lowered(authorization.substr(0, kScheme.size())) != kScheme)
    return nullptr;
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  const auto hash = module_->sha256(authorization);
  const std::string* found = nullptr;
  for (const Key& key : keys_)  // all of them, whichever it is
    if (module_->equal(hash.data(), key.hash.data(), hash.size())) found = &key.name;
  return found;
}

}  // namespace shoestring::serve
