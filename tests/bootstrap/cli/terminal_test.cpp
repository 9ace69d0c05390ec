#include "actors/bootstrap/cli/terminal.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>

#include "messages/utf8.hpp"

namespace symphony::cli {
namespace {

TEST(Terminal, CountsTheColumnsThatTextTakes) {
  EXPECT_EQ(text_columns(""), 0);
  EXPECT_EQ(text_columns("scan"), 4);
  EXPECT_EQ(text_columns("größe ✓"), 7);
  EXPECT_EQ(text_columns("日本"), 4);
  EXPECT_EQ(text_columns("e\u0301"), 1);  // a combining accent
}

TEST(Terminal, MakesWhatComesFromElsewhereHarmless) {
  EXPECT_EQ(one_line("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(one_line("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(one_line("\xc2\x9b"
                     "2J"),
            "\\x9b2J");  // the one-character form of ESC [
  EXPECT_EQ(one_line("caf\xe9 é"), "caf\\xe9 é");
  EXPECT_EQ(one_line("C:\\path"), "C:\\path");
}

TEST(Terminal, ClipsAtTheLastColumnThatFits) {
  EXPECT_EQ(clip("abcdef", 6), "abcdef");
  EXPECT_EQ(clip("abcdef", 5), "abcd…");
  EXPECT_EQ(clip("日本語", 5), "日本…");
  EXPECT_EQ(clip("日本語", 4), "日…");
  EXPECT_EQ(clip("abc", 0), "");
}

TEST(Terminal, DrawsABarByHalvesOfAColumn) {
  EXPECT_EQ(bar(0, 4), "────");
  EXPECT_EQ(bar(1, 4), "━━━━");
  EXPECT_EQ(bar(0.5, 4), "━━──");
  EXPECT_EQ(bar(0.125, 4), "╸───");
  EXPECT_EQ(bar(-3, 2), "──");
  EXPECT_EQ(bar(std::strtod("nan", nullptr), 2), "──");
}

RC_GTEST_PROP(Terminal, FitsAnyTextIntoAnyWidth, (const std::string& bytes)) {
  const int columns = *rc::gen::inRange(2, 60);
  const auto text = one_line(bytes);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(std::none_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  RC_ASSERT(text_columns(clip(text, columns)) <= columns);
  RC_ASSERT(text_columns(fit(text, columns)) == columns);
}

// Everything that was written to a file.
std::string drawn(const std::function<void(LiveLines&)>& use) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = ::open_memstream(&text, &size);
  {
    LiveLines live{file};
    use(live);
  }
  std::fclose(file);
  std::string out{text, size};
  std::free(text);
  return out;
}

TEST(LiveLines, DrawOverWhatWasDrawnAndGiveTheCursorBack) {
  const auto out = drawn([](LiveLines& live) {
    live.draw({"one", "two"}, 80);
    live.draw({"three"}, 80);
  });
  EXPECT_EQ(out,
            "\x1b[?25lone\ntwo\n"
            "\r\x1b[2A\x1b[Jthree\n"
            "\r\x1b[1A\x1b[J\x1b[?25h");
}

TEST(LiveLines, KnowThatALineWrapsWhenTheTerminalBecomesNarrower) {
  const auto out = drawn([](LiveLines& live) {
    live.draw({"\x1b[31m0123456789\x1b[0m"}, 80);
    live.draw({"short"}, 6);
    live.keep();
  });
  EXPECT_EQ(out,
            "\x1b[?25l\x1b[31m0123456789\x1b[0m\n"
            "\r\x1b[2A\x1b[Jshort\n"
            "\x1b[?25h");
}

}  // namespace
}  // namespace symphony::cli
