#include "base/base64.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

std::string encoded(std::string_view text) { return encode_base64(std::as_bytes(std::span(text))); }

// The vectors of RFC 4648, section 10.
TEST(Base64, AsTheStandardHasIt) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(encoded(plain), coded);
    EXPECT_EQ(decode_base64(coded), plain);
  }
}

TEST(Base64, TakesUrlsSpacesAndNoPadding) {
  EXPECT_EQ(decode_base64("data:image/png;base64,Zm9vYg=="), "foob");
  EXPECT_EQ(decode_base64("Zm9v\r\n Yg"), "foob");
  EXPECT_EQ(decode_base64("-_8="), "\xFB\xFF");
  EXPECT_EQ(decode_base64("+/8="), "\xFB\xFF");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zm9vY", "Zm9v!", "Zg===", "Zm=v", "Zg=", "{\"a\": 1}", "data:image/png"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

}  // namespace
}  // namespace shoestring
