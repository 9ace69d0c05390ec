#include "actors/bootstrap/cli/output_lines.hpp"

#include <gtest/gtest.h>

#include "actors/bootstrap/cli/terminal.hpp"

namespace symphony::cli {
namespace {

TEST(OutputLines, ShowWholeLinesWithTheNodeInFront) {
  OutputLines lines{true, false};
  EXPECT_EQ(lines.add({"a", 1, false, 0, "one\ntw"}), "a | one\n");
  EXPECT_EQ(lines.add({"b", 1, false, 0, "other\n"}), "b | other\n");
  EXPECT_EQ(lines.add({"a", 1, true, 0, "err\n"}), "a | err\n");
  EXPECT_EQ(lines.add({"a", 1, false, 6, "o\r\nrest"}), "a | two\n");
  EXPECT_EQ(lines.finish(), "a | rest\n");
}

TEST(OutputLines, TellWhatWasCutAndWhereAnAttemptBegins) {
  OutputLines lines{true, false};
  EXPECT_EQ(lines.add({"a", 1, false, 100, "x\n"}), "a | [... 100 bytes were cut ...]\na | x\n");
  EXPECT_EQ(lines.add({"a", 2, false, 0, "y\n"}), "a | [... another attempt ...]\na | y\n");
}

TEST(OutputLines, PassOnTheBytesOfOneNode) {
  OutputLines lines{false, false};
  const std::string bytes("\x1b[31m\xff\0half", 11);
  EXPECT_EQ(lines.add({"a", 1, false, 0, bytes}), bytes);
  EXPECT_EQ(lines.finish(), "");
}

TEST(OutputLines, AreHarmlessToATerminal) {
  OutputLines lines{false, true};
  EXPECT_EQ(lines.add({"a", 1, false, 0, "\x1b]0;title\x07\tx\n"}), "\\x1b]0;title\\x07\tx\n");
}

TEST(OutputLines, ShowALineWithoutAnEndInParts) {
  OutputLines lines{true, false};
  const std::string part(OutputLines::kLineBytesMax, 'x');
  EXPECT_EQ(lines.add({"a", 1, false, 0, part}), "a | " + part + "\n");
}

TEST(TextBlock, KeepsLinesAndTabsAndNothingElse) {
  EXPECT_EQ(text_block("a:\nb\tc\n\x1b[2J", "  "), "a:\n  b\tc\n  \\x1b[2J");
}

TEST(Headline, ShowsWhatFitsIntoAList) {
  EXPECT_EQ(headline("all of it"), "all of it");
  EXPECT_EQ(headline("announced:\nthis"), "announced: this");
  EXPECT_EQ(headline("announced:\nthis\nand that"), "announced: this …");
  EXPECT_EQ(headline("first.\nsecond"), "first. …");
}

}  // namespace
}  // namespace symphony::cli
