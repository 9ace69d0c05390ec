#include "runtime/language/expression.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace symphony::language {
namespace {

const Json kElement = Json::parse(R"({"size": 1536, "name": "a/b.c", "flag": true, "none": null,
  "list": [1, 2, 3], "o": {"k": "v", "deep": [{"x": 7}]}, "big": 9223372036854775807})");

Json eval(std::string_view text) {
  const auto parsed = Expression::parse(text);
  if (!parsed) return "error: " + parsed.error().message;
  const auto value = parsed->evaluate(Scope(kElement));
  if (!value) return "error: " + value.error().message;
  return value->get();
}

struct Case {
  std::string_view text;
  Json expected;
};

TEST(Expression, EvaluatesAsItsGrammarSays) {
  const Case cases[] = {
      {"size", 1536},
      {"o.deep[0].x", 7},
      {"o[\"k\"]", "v"},
      {"list[-1]", 3},
      {"list[9]", nullptr},
      {"nothing.at.all", nullptr},
      {"it.size", 1536},
      {".size", 1536},
      {"1 + 2 * 3", 7},
      {"(1 + 2) * 3", 9},
      {"10 - 2 - 3", 5},
      {"-size + 1", -1535},
      {"7 / 2", 3.5},
      {"6 / 2", 3},
      {"7 % 4", 3},
      {"1 / 0", nullptr},
      {"none + 1", nullptr},
      {"'a' + \"b\\n\"", "ab\n"},
      {"size > 1000 and not (name == 'x')", true},
      {"none > 1", false},
      {"size == 1536.0", true},
      {"big == 9223372036854775806", false},
      {"2 in list", true},
      {"'b' in name", true},
      {"'k' in o", true},
      {"flag or nothing", true},
      {"!flag", false},
      {"if(flag, 1, 2)", 1},
      {"default(none, 5)", 5},
      {"exists(o.k)", true},
      {"name | extension | upper", "C"},
      {"name | replace('/', '-')", "a-b.c"},
      {"glob(name, 'a/')", true},
      {"size | bytes", "1.5 KiB"},
      {"1048575 | bytes", "1.0 MiB"},
      {"999950 | compact", "1M"},
      {"1234.5 | thousands", "1,234.50"},
      {"round(2.345, 2)", 2.35},
      {"round(2.5)", 3},
      {"max(list)", 3},
      {"min(4, none, 2)", 2},
      {"sum(list)", 6},
      {"[1, 'a', null]", Json::parse(R"([1,"a",null])")},
      {"join(split('a,b', ','), ' ')", "a b"},
      {"slice(list, 1)", Json::parse("[2,3]")},
      {"date(0 - 86400)", "1969-12-31"},
      {"datetime(951782400)", "2000-02-29 00:00 UTC"},
      {"number('12') + 1", 13},
      {"plural(1, 'file') + plural(2, 'file')", "filefiles"},
      {"length('\xC3\xA9')", 1},
  };
  for (const auto& one : cases) EXPECT_EQ(eval(one.text), one.expected) << one.text;
}

TEST(Expression, IsExactForIntegersAndOverflowsToFloatingPoint) {
  EXPECT_EQ(eval("big - 1"), Json(9223372036854775806));
  EXPECT_TRUE(eval("big + 1").is_number_float());
  EXPECT_EQ(eval("(0 - big - 1) % (0 - 1)"), Json(0));
  EXPECT_TRUE(eval("(0 - big - 1) / (0 - 1)").is_number_float());
}

TEST(Expression, NamesTheColumnOfAMistake) {
  EXPECT_EQ(eval("1 +"),
            "error: in the expression '1 +' at column 4: the expression ends too early");
  EXPECT_NE(eval("f(1)").get<std::string>().find("there is no function f"), std::string::npos);
  EXPECT_NE(eval("size < 'a'").get<std::string>().find("cannot order number and string"),
            std::string::npos);
  EXPECT_NE(eval("1 2").get<std::string>().find("did not expect '2'"), std::string::npos);
}

TEST(Expression, RefusesWhatIsTooDeepOrTooLong) {
  EXPECT_FALSE(Expression::parse(std::string(1000, '(')).ok());
  EXPECT_FALSE(Expression::parse(std::string(1000, '-') + "1").ok());
  EXPECT_FALSE(Expression::parse(std::string(1000, '!') + "1").ok());
  EXPECT_FALSE(Expression::parse(std::string(5000, ' ')).ok());
}

TEST(Expression, StrictScopesRefuseUnknownNames) {
  const auto parsed = Expression::parse("default(nope, 1) + nope");
  ASSERT_TRUE(parsed.ok());
  const auto value = parsed->evaluate(Scope(kElement, {}, true));
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().message, "there is no nope");
}

TEST(Expression, FindsNullInNullHoweverStrictItsScopeIs) {
  for (const char* text : {"none.at.all", "none[0]", "none['k'].x"}) {
    const auto value = Expression::parse(text)->evaluate(Scope(kElement, {}, true));
    ASSERT_TRUE(value.ok()) << text;
    EXPECT_TRUE(value->get().is_null()) << text;
  }
}

TEST(Expression, OrdersTwoNumbersOrTwoTextsAndNothingElse) {
  EXPECT_EQ(eval("1 < 1.5"), Json(true));
  EXPECT_EQ(eval("'a' < 'b'"), Json(true));
  for (const char* text : {"flag < true", "list < list", "o >= o", "1 <= '1'"})
    EXPECT_NE(eval(text).dump().find("cannot order"), std::string::npos) << text;
}

TEST(Expression, CollectsItsReferencesAndAsksForThemByNumber) {
  const auto parsed = Expression::parse("${a.b} + ${c[0]} * ${a.b}", Operands::references);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->references(), (std::vector<std::string>{"a.b", "c[0]", "a.b"}));
  const Scope::References values = [](std::size_t number) -> Result<Value> {
    return Value(Json(10 * (number + 1)));
  };
  EXPECT_EQ(parsed->evaluate(Scope(values))->get(), Json(10 + 20 * 30));
}

TEST(Expression, KnowsReferencesOrNamesAndNotBoth) {
  EXPECT_NE(eval("${size}").dump().find("references have no meaning here"), std::string::npos);
  EXPECT_FALSE(Expression::parse("size", Operands::references).ok());
  EXPECT_FALSE(Expression::parse("${open", Operands::references).ok());
}

TEST(Expression, IsWrittenWithEachGroupInParentheses) {
  const auto written = [](std::string_view text) { return to_string(*Expression::parse(text)); };
  EXPECT_EQ(written("a and b and not c or d"), "((a and b and (not c)) or d)");
  EXPECT_EQ(written("1 - 2 + 3*-x"), "(1 - 2 + (3 * (-x)))");
  EXPECT_EQ(written("1 - (2 - 3)"), "(1 - (2 - 3))");
  EXPECT_EQ(written(R"(.a.b[ 0 ] | default( 'it\'s' ))"), R"(default(it.a.b[0], "it's"))");
  EXPECT_EQ(written(R"('a\nb\\')"), R"('a\nb\\')");
}

std::string any_expression(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 7 : 3);
  const auto inner = [&] { return any_expression(depth - 1); };
  if (kind == 0) return *rc::gen::element<std::string>("1", "2.5", "'t'", "true", "null", "1e300");
  if (kind == 1)
    return *rc::gen::element<std::string>("size", "it", "none", ".flag", "o.k", "list[-1]");
  if (kind == 2) return *rc::gen::element<std::string>("[]", "'\"\\'\\n'", "(o)['k']", "name");
  if (kind == 3) return *rc::gen::element<std::string>("not ", "-", "!") + "(" + inner() + ")";
  if (kind == 4) return "if(" + inner() + "," + inner() + "," + inner() + ")";
  if (kind == 5) return "(" + inner() + ") | default(" + inner() + ")";
  return "(" + inner() + ")" +
         *rc::gen::element<std::string>(" and ", " or ", "==", "<", " in ", "+", "-", "*", "%") +
         "(" + inner() + ")";
}

RC_GTEST_PROP(Expression, WrittenOutItMeansTheSame, ()) {
  const std::string text = any_expression(4);
  const auto parsed = Expression::parse(text);
  RC_ASSERT(parsed.ok());
  const std::string written = to_string(*parsed);
  const auto again = Expression::parse(written);
  RC_ASSERT(again.ok());
  RC_ASSERT(to_string(*again) == written);
  RC_ASSERT(eval(written) == eval(text) || eval(text).is_string());
}

RC_GTEST_PROP(Expression, ParsesAndEvaluatesOrRefusesAnything, ()) {
  static const std::vector<std::string> kTokens = {
      "size", "list", "name", "o", ".",    "[",  "]",     "(",   ")",  "1",   "0",
      "-",    "+",    "*",    "/", "%",    "|",  "bytes", "and", "or", "not", "==",
      "<",    "in",   "'t'",  ",", "date", "if", "max",   " ",   "big"};
  const auto tokens = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kTokens));
  std::string text;
  for (const auto& token : tokens) text += token + " ";
  const auto parsed = Expression::parse(text);
  if (!parsed) return;
  const auto value = parsed->evaluate(Scope(kElement));
  if (value) (void)value->get().dump();
}

}  // namespace
}  // namespace symphony::language
