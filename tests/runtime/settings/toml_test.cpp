#include "runtime/settings/toml.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace symphony::runtime {
namespace {

Value parsed(std::string_view text) {
  auto result = parse_toml(text, "node.toml");
  EXPECT_TRUE(result.ok()) << result.problems.text();
  return result.ok() ? *result.value : Value{Value::Object{}};
}

std::string refusal(std::string_view text) {
  const auto result = parse_toml(text, "node.toml");
  EXPECT_FALSE(result.ok());
  return result.problems.text();
}

TEST(Toml, KeepsTheOrderInWhichKeysWereWritten) {
  const auto value = parsed("zeta = 1\nalpha = 2\n[mid]\nb = 1\na = 2\n[early]\n");
  EXPECT_EQ(value.as_object().keys(), (std::vector<std::string>{"zeta", "alpha", "mid", "early"}));
  EXPECT_EQ(value.find("mid")->as_object().keys(), (std::vector<std::string>{"b", "a"}));
}

TEST(Toml, MarksEveryKeyAndValueWithItsPlace) {
  const auto value = parsed("[log]\nlevel = \"info\"\nlist = [1,\n  2]\n");
  const auto* level = value.find("log")->as_object().find("level");
  EXPECT_EQ(level->key_mark.text_with_column(), "node.toml:2:1");
  EXPECT_EQ(level->value.mark().text_with_column(), "node.toml:2:9");
  const auto& list = value.find("log")->find("list")->as_array();
  EXPECT_EQ(list[1].mark().text_with_column(), "node.toml:4:3");
}

TEST(Toml, KeepsIntegersExact) {
  const auto value = parsed("max = 9223372036854775807\nmin = -9223372036854775808\n");
  EXPECT_EQ(value.find("max")->as_integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value.find("min")->as_integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_NE(refusal("max = 9223372036854775808\n"), "");
}

TEST(Toml, TellsIntegersFromNumbers) {
  const auto value = parsed("a = 1\nb = 1.0\nc = inf\n");
  EXPECT_EQ(value.find("a")->kind(), Value::Kind::kInteger);
  EXPECT_EQ(value.find("b")->kind(), Value::Kind::kNumber);
  EXPECT_TRUE(std::isinf(value.find("c")->as_number()));
}

TEST(Toml, NamesFileLineAndColumnOfASyntaxError) {
  EXPECT_TRUE(refusal("a = 1\nb = \"open\n").starts_with("node.toml:2:"));
  EXPECT_TRUE(refusal("a = 1\na = 2\n").starts_with("node.toml:2:"));
  EXPECT_TRUE(refusal("a = \"\xff\"\n").starts_with("node.toml:1:"));
}

TEST(Toml, RefusesDatesWhereverTheyStand) {
  EXPECT_EQ(
      refusal("[a]\nd = 2024-01-31\nt = [07:32:00]\n"),
      "node.toml:2: a.d: dates and times are not supported; write it as text, in quotes\n"
      "node.toml:3: a.t[0]: dates and times are not supported; write it as text, in quotes\n");
}

TEST(Toml, RefusesNestingBeyondTheLimitBeforeBuildingIt) {
  std::string dotted = "a";
  for (int i = 0; i < 500'000; ++i) dotted += ".a";
  EXPECT_EQ(refusal("x = 1\n" + dotted + " = 1\n"),
            "node.toml:2:130: tables and lists are nested more than 64 deep\n");
  EXPECT_EQ(refusal("a = " + std::string(100'000, '[')),
            "node.toml:1:69: tables and lists are nested more than 64 deep\n");
}

TEST(Toml, CountsNestingOfBracketsAndDottedKeysTogether) {
  std::string dotted = "a";
  for (int i = 0; i < 40; ++i) dotted += ".a";
  const auto text = refusal(dotted + " = {" + dotted + " = 1}\n");
  EXPECT_NE(text.find("nested more than 64 deep"), std::string::npos) << text;
}

TEST(Toml, DotsAndBracketsInTextAndCommentsAreNotNesting) {
  const std::string noise(200, '.');
  const std::string open(200, '[');
  const auto value =
      parsed("a = \"" + noise + open + "\\\"" + open + "\" # " + noise + open + "\nb = '" + open +
             "'\nc = \"\"\"\n" + open + "\"\"\"\"\"\nd = '''" + open + "'''\n");
  EXPECT_EQ(value.as_object().size(), 4u);
  EXPECT_EQ(value.find("b")->as_string(), open);
}

TEST(Toml, RefusesAFileBeyondTheSizeLimit) {
  EXPECT_EQ(refusal(std::string(kMaxTomlBytes + 1, ' ')),
            "node.toml: is larger than 8 MiB; split it\n");
}

TEST(Toml, FindsKeysInTablesOfAnySize) {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "key" + std::to_string(i) + " = " + std::to_string(i) + "\n";
  const auto value = parsed(text);
  for (int i = 0; i < 5000; ++i) {
    const auto* found = value.find("key" + std::to_string(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->as_integer(), i);
  }
  EXPECT_EQ(value.find("key5000"), nullptr);
}

TEST(Toml, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(parse_toml_file("/nowhere/node.toml").problems.text(),
            "/nowhere/node.toml: cannot open: No such file or directory\n");
  EXPECT_EQ(parse_toml_file("/tmp").problems.text(), "/tmp: is not a regular file\n");
}

TEST(Problems, SayPlacePathAndSuggestionOnALine) {
  const auto file = std::make_shared<const std::string>("node.toml");
  const Problem problem{SourceMark::in_file(file, 12, 3), "supervision.intensty", "unknown key",
                        "intensity"};
  EXPECT_EQ(problem.text(),
            "node.toml:12: supervision.intensty: unknown key (did you mean \"intensity\"?)");
}

TEST(Problems, AreSortedByPlaceAndBounded) {
  const auto file = std::make_shared<const std::string>("a.toml");
  Problems problems;
  problems.add({SourceMark::in_option("--set x=1"), "x", "late"});
  problems.add({SourceMark::in_file(file, 9, 1), "b", "second"});
  problems.add({SourceMark::in_file(file, 2, 1), "a", "first"});
  problems.sort_by_place();
  EXPECT_EQ(problems.text(), "a.toml:2: a: first\na.toml:9: b: second\n--set x=1: x: late\n");
  for (std::size_t i = 0; i < 2 * kMaxProblems; ++i) problems.add({{}, "y", "more"});
  EXPECT_EQ(problems.size(), 2 * kMaxProblems + 3);
  EXPECT_EQ(static_cast<std::size_t>(problems.end() - problems.begin()), kMaxProblems);
  EXPECT_TRUE(problems.text().ends_with("and 103 more problems\n"));
}

TEST(Value, ShowsTextOnOneLineWhateverItHolds) {
  EXPECT_EQ(printable("a\nb\x1b[0m\xff\xc2\x9bü", 60), "a\\nb\\x1b[0m\\xff\\xc2\\x9bü");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(join_path(join_path("a", "b c"), 2), "a.\"b c\"[2]");
}

TEST(Value, ComparesContentWithoutMarksOrOrder) {
  EXPECT_EQ(parsed("a = 1\nb = [1.5, \"x\"]\n"), parsed("b = [\n1.5,\n'x']\n\na = 1\n"));
  EXPECT_FALSE(parsed("a = 1\n") == parsed("a = 1.0\n"));
  EXPECT_FALSE(parsed("a = 1\n") == parsed("b = 1\n"));
}

}  // namespace
}  // namespace symphony::runtime
