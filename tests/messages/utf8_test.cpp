#include "messages/utf8.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "messages/envelope.hpp"
#include "messages/validate.hpp"

namespace symphony {
namespace {

using namespace std::string_literals;

TEST(Utf8, KnowsSequencesOfEveryLengthAtTheirBounds) {
  for (const std::string& good :
       {"\x01"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_EQ(utf8_sequence_length(good + "x"), good.size()) << good;
    EXPECT_TRUE(is_utf8("12345678" + good + "12345678" + good)) << good;
  }
  for (const std::string& bad :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x41"s, "\xe0\x9f\xbf"s,
        "\xed\xa0\x80"s, "\xe1\x80"s, "\xe1\x80\x41"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
        "\xf1\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s}) {
    EXPECT_EQ(utf8_sequence_length(bad), 0u) << bad;
    EXPECT_FALSE(is_utf8("12345678" + bad)) << bad;
  }
  EXPECT_EQ(utf8_sequence_length(""), 0u);
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, ShowsEachByteThatIsNotText) {
  EXPECT_EQ(valid_text("plain and gr\xc3\xbc"), "plain and gr\xc3\xbc");
  EXPECT_EQ(valid_text("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(valid_text("\xe1\x80-\xff"), "\\xe1\\x80-\\xff");
  EXPECT_EQ(valid_text("abcdefghij", 8), "abcde…");
}

TEST(Utf8, ShortensAtTheBeginningOfASequence) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("ab\xc3\xbc!", 3), "ab…");
  EXPECT_EQ(shortened("a\xf0\x9f\x8e\xb5", 4), "a…");
  EXPECT_EQ(shortened("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80…");
}

RC_GTEST_PROP(Utf8, WhateverComesInTextComesOut, (const std::string& bytes)) {
  const std::string text = valid_text(bytes);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(valid_text(text) == text);
  RC_ASSERT(is_utf8(shortened(text, bytes.size() / 2)));
}

TEST(Utf8, AFailureIsValidWhateverItsTextIsMadeOf) {
  const Envelope failure =
      make_failure({}, {Errc::NOT_FOUND, "no file caf\xe9", "path\xff", false});
  EXPECT_TRUE(validate(failure.words, capnp::Schema::from<messages::Error>(), {}).ok());
  EXPECT_EQ(read_failure(failure).message, "no file caf\\xe9");
  EXPECT_EQ(read_failure(failure).field, "path\\xff");
}

}  // namespace
}  // namespace symphony
