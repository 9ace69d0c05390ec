#include "messages/base64.hpp"

#include <gtest/gtest.h>

#include <random>

namespace symphony {
namespace {

std::string encode(const std::string& bytes) {
  std::string out;
  append_base64({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, out);
  return out;
}

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(encode(plain), coded);
    const auto decoded = decode_base64(coded);
    ASSERT_TRUE(decoded.has_value()) << coded;
    EXPECT_EQ(std::string(decoded->begin(), decoded->end()), plain);
  }
}

TEST(Base64, RefusesWhatNoBytesEncodeTo) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm 8", "Zm9-",
                          "Zg==Zg==", "Zm9v\n", "=AAA"})
    EXPECT_FALSE(decode_base64(bad).has_value()) << bad;
}

TEST(Base64, GivesBackAnyBytes) {
  std::mt19937_64 random{5};
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    const auto decoded = decode_base64(encode(bytes));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(std::string(decoded->begin(), decoded->end()), bytes);
  }
}

}  // namespace
}  // namespace symphony
