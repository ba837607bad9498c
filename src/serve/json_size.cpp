#include "serve/json_size.h"

#include <array>

namespace shoestring::serve {
namespace {

enum class Kind : uint8_t { value, space, sign, comma, quote };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (const char c : {' ', '\t', '\r', '\n'}) kinds[static_cast<unsigned char>(c)] = Kind::space;
  for (const char c : {'{', '}', '[', ']', ':'}) kinds[static_cast<unsigned char>(c)] = Kind::sign;
  kinds[','] = Kind::comma;
  kinds['"'] = Kind::quote;
  return kinds;
}();

}  // namespace

JsonSize json_size(std::string_view text) {
  JsonSize size;
  Kind before = Kind::space;
  for (size_t i = 0; i < text.size(); ++i) {
    const Kind kind = kKinds[static_cast<unsigned char>(text[i])];
    switch (kind) {
      case Kind::value:
        size.signs += before != Kind::value;
        // simdjson lets it hide a quote outside of texts too, where it is no JSON.
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
        break;
      case Kind::space:
        break;
      case Kind::comma:
        ++size.commas;
        [[fallthrough]];
      case Kind::sign:
        ++size.signs;
        break;
      case Kind::quote: {
        ++size.signs;
        const size_t begin = i + 1;
        for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
        size.texts += static_cast<int64_t>(i - begin);
        break;
      }
    }
    before = kind;
  }
  return size;
}

}  // namespace shoestring::serve
