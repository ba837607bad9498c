// The keys that clients of a service must show: Authorization: Bearer KEY. Only their SHA-256 is kept.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http.h"

namespace shoestring::serve {

inline constexpr size_t kShortestKey = 16;  // characters: what can be guessed is no key

class Keys {
 public:
  // One key a line, with a name in front if there are two words; '#' begins a comment. A key stands as it is
  // (hashed here) or as sha256:HEX, as `printf %s KEY | sha256sum` prints it. Fails with ErrorKind::data,
  // naming the line.
  static Result<Keys> read(const std::string& file, const HttpModule& module);
  static Result<Keys> parse(const std::string& text, const std::string& file, const HttpModule& module);

  // The name of the key in `authorization` (the header's value), "key N" for one without; nullptr where it is
  // none. Takes as long for every wrong key.
  const std::string* find(std::string_view authorization) const;

 private:
  struct Key {
    std::array<uint8_t, 32> hash;
    std::string name;
  };
  const HttpModule* module_ = nullptr;
  std::vector<Key> keys_;
};

}  // namespace shoestring::serve
