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

constexpr std::string_view kNameNeedsQuotes =
    "a name with other characters than A-Z, a-z, 0-9, - and _ must be in quotes\n";

std::string with_place(std::string_view place, std::string_view words) {
  return "node.toml:" + std::string{place} + ": " + std::string{words};
}

TEST(Toml, AsksForQuotesAroundNamesWithOtherCharacters) {
  EXPECT_EQ(refusal("[inputs\u0496imit]\n"), with_place("1:8", kNameNeedsQuotes));
  EXPECT_EQ(refusal("a = 1\ngr\u00f6\u00dfe = 1\n"), with_place("2:3", kNameNeedsQuotes));
  EXPECT_EQ(refusal("\u00e9 = 1\n"), with_place("1:1", kNameNeedsQuotes));
  EXPECT_EQ(refusal("[\u00e9]\n"), with_place("1:2", kNameNeedsQuotes));
  EXPECT_EQ(refusal("a\u2028 = 1\n"), with_place("1:2", kNameNeedsQuotes));
  EXPECT_EQ(refusal("a\u3001 = 1\n"), with_place("1:2", kNameNeedsQuotes));
  EXPECT_EQ(refusal("a\uff21 = 1\n"), with_place("1:2", kNameNeedsQuotes));
  EXPECT_EQ(parsed("\"gr\u00f6\u00dfe\" = 1\n").as_object().keys(),
            (std::vector<std::string>{"gr\u00f6\u00dfe"}));
}

TEST(Toml, RefusesLettersBeyondAsciiInValuesOutsideQuotes) {
  constexpr std::string_view kNeedsQuotes =
      "cannot tell what this value is; text must be in quotes\n";
  EXPECT_EQ(refusal("a = \u00e9t\u00e9\n"), with_place("1:5", kNeedsQuotes));
  EXPECT_EQ(refusal("a = x\"\u00e9\"\n"), with_place("1:5", kNeedsQuotes));
  EXPECT_EQ(refusal("a = [1, \u00e9]\n"), with_place("1:9", kNeedsQuotes));
  EXPECT_EQ(refusal("a = 1\u00e9\n"), "node.toml:1:6: expected digit, saw '\u00e9'\n");
  EXPECT_EQ(refusal("a = tru\u00e9\n"), "node.toml:1:8: expected 'true', saw 'tru\u00e9'\n");
  EXPECT_EQ(refusal("a = [1 \u00e9]\n"),
            "node.toml:1:8: expected comma or closing ']', saw '\u00e9'\n");
  EXPECT_EQ(refusal("a = 1 \u00e9\n"),
            "node.toml:1:7: only a comment may follow here; start a new line\n");
  EXPECT_EQ(refusal("\u00a0a = 1\n"), "node.toml:1:1: expected space or tab, saw '\\u00A0'\n");
}

TEST(Toml, TakesLettersBeyondAsciiInTextAndComments) {
  const auto value = parsed(
      "\ufeff# \u0496\n"
      "a = \"\u00e9\u0496\" # \u0496\n"
      "b = '\u3001'\n"
      "c = \"\"\"x\\\n  \u00e9t\u00e9\"\"\"\n");
  EXPECT_EQ(value.find("a")->as_string(), "\u00e9\u0496");
  EXPECT_EQ(value.find("b")->as_string(), "\u3001");
  EXPECT_EQ(value.find("c")->as_string(), "x\u00e9t\u00e9");
  EXPECT_EQ(refusal("a = \"\"\"b\\\u00e9\"\"\"\n"),
            "node.toml:1:10: unknown escape sequence '\\\u00e9'\n");
}

TEST(Toml, RefusesWhatCannotStartANameBehindABracket) {
  constexpr std::string_view kExpected =
      "node.toml:1:2: expected bare key starting character or string delimiter, saw ";
  EXPECT_EQ(refusal(std::string_view{"[\0", 2}), std::string{kExpected} + "'\\u0000'\n");
  EXPECT_EQ(refusal("[!"), std::string{kExpected} + "'!'\n");
  EXPECT_EQ(refusal("[=]\n"), std::string{kExpected} + "'='\n");
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
