#include "runtime/text/path_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

// Bytes of every kind: plain, valid sequences, the escapes themselves, and pieces of all of them.
std::string any_name() {
  const auto piece = rc::gen::oneOf(
      rc::gen::element<std::string>("a", "/", "ä", "€", "😀", "\n", "\\", "\xef\x9e\x80",
                                    "\xef\x9f\xbf", "\xef\x9e", "\xef", "\x80", "\xff", "\xc0\x80",
                                    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc2\x9b"),
      rc::gen::map(rc::gen::arbitrary<char>(), [](char c) { return std::string(1, c); }));
  std::string name;
  for (const auto& part : *rc::gen::container<std::vector<std::string>>(piece)) name += part;
  return name;
}

RC_GTEST_PROP(PathText, ComesBackAsItWentIn, ()) {
  const std::string name = any_name();
  const std::string text = encode_path(name);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(decode_path(text) == name);
}

RC_GTEST_PROP(PathText, DiffersForDifferentNames, ()) {
  const std::string a = any_name();
  const std::string b = any_name();
  RC_ASSERT((a == b) == (encode_path(a) == encode_path(b)));
}

RC_GTEST_PROP(PathText, IsShownAsOneLineOfValidText, ()) {
  const std::string shown = display_path(any_name());
  RC_ASSERT(is_utf8(shown));
  for (const char c : shown) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

TEST(PathText, LeavesOrdinaryNamesAlone) {
  for (const char* name :
       {"", "src/main.cpp", "Ünïcode 名前 😀.txt", "with \"quotes\" and\nnewline"})
    EXPECT_EQ(encode_path(name), name);
}

TEST(PathText, MapsInvalidBytesIntoThePrivateUseArea) {
  EXPECT_EQ(encode_path("a\x80z"), "a\uF780z");
  EXPECT_EQ(encode_path("\xff"), "\uF7FF");
  EXPECT_EQ(encode_path("\xc0\xaf"), "\uF7C0\uF7AF");
  EXPECT_EQ(encode_path("\uF780"), "\uF7EF\uF79E\uF780");
}

TEST(PathText, ShowsWhatATerminalWouldActUpon) {
  EXPECT_EQ(display_path("a\x80\nb\x1b[31m\\"), "a\\x80\\nb\\x1b[31m\\\\");
  EXPECT_EQ(display_path("\xc2\x9b"
                         "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(display_path("Ünïcode"), "Ünïcode");
}

}  // namespace
}  // namespace symphony::runtime
