#include "runtime/text/patterns.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace symphony::runtime {
namespace {

bool matches(std::string_view pattern, std::string_view path, bool is_directory = false) {
  return PathPattern(pattern).matches(path, is_directory);
}

TEST(PathPattern, WithoutASlashMatchesAtEveryDepth) {
  EXPECT_TRUE(matches("*.c", "a.c"));
  EXPECT_TRUE(matches("*.c", "x/y/a.c"));
  EXPECT_FALSE(matches("*.c", "a.cc"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_TRUE(matches("*", ".x"));
}

TEST(PathPattern, WithASlashIsAnchored) {
  EXPECT_TRUE(matches("/a.c", "a.c"));
  EXPECT_FALSE(matches("/a.c", "x/a.c"));
  EXPECT_TRUE(matches("x/*.c", "x/a.c"));
  EXPECT_FALSE(matches("x/*.c", "x/y/a.c"));
  EXPECT_FALSE(matches("x/*.c", "z/x/a.c"));
}

TEST(PathPattern, DoubleStarSpansDirectories) {
  EXPECT_TRUE(matches("**/b", "b"));
  EXPECT_TRUE(matches("**/b", "x/y/b"));
  EXPECT_TRUE(matches("a/**/b", "a/b"));
  EXPECT_TRUE(matches("a/**/b", "a/x/y/b"));
  EXPECT_FALSE(matches("a/**/b", "a/x/y/c"));
  EXPECT_TRUE(matches("a/**", "a/x/y"));
  EXPECT_FALSE(matches("a/**", "a"));
  EXPECT_TRUE(matches("**/x/**/y/*.c", "1/x/2/x/y/z/y/q.c"));
}

TEST(PathPattern, KnowsClassesEscapesAndDirectories) {
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[!a-c]x", "bx"));
  EXPECT_TRUE(matches("[]]", "]"));
  EXPECT_TRUE(matches("a[", "a["));
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_TRUE(matches("build/", "x/build", true));
  EXPECT_FALSE(matches("build/", "x/build", false));
  EXPECT_TRUE(PathPattern("!a").negated());
  EXPECT_TRUE(matches("\\!a", "!a"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("/", "a"));
}

TEST(PatternList, LastMatchDecidesAndDirectoriesCover) {
  PatternList list;
  list.add_lines("# comment\n*.log\r\n!keep.log\n\nout/\ntrailing  \n");
  EXPECT_EQ(list.verdict("a.log", false), true);
  EXPECT_EQ(list.verdict("keep.log", false), false);
  EXPECT_EQ(list.verdict("a.txt", false), std::nullopt);
  EXPECT_EQ(list.verdict("trailing", false), true);
  EXPECT_TRUE(list.covers("out/a/b"));
  EXPECT_FALSE(list.covers("in/a/b"));
}

TEST(PathPattern, HostilePatternsEndInTime) {
  const std::string name(4000, 'a');
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", name));
  std::string deep, path;
  for (int i = 0; i < 500; ++i) deep += "**/a/", path += "a/";
  EXPECT_FALSE(matches(deep + "b", path + "c"));
}

// Against the obvious recursive definition.
bool slow_match(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*')
    return slow_match(pattern.substr(1), name) ||
           (!name.empty() && slow_match(pattern, name.substr(1)));
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         slow_match(pattern.substr(1), name.substr(1));
}

RC_GTEST_PROP(PathPattern, MatchesSegmentsAsDefined, ()) {
  const auto text = [](auto letter) {
    return rc::gen::resize(11, rc::gen::container<std::string>(letter));
  };
  const auto pattern = *text(rc::gen::element('a', 'b', '*', '?'));
  const auto name = *text(rc::gen::element('a', 'b'));
  RC_ASSERT(matches_segment(pattern, name) == slow_match(pattern, name));
}

}  // namespace
}  // namespace symphony::runtime
