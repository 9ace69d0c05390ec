#include "actors/orchestration/melody/expression.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace symphony::actors {
namespace {

const Json kInputs{{"n", 3}, {"x", 2.5}, {"t", "abc"}, {"yes", true}, {"none", nullptr}};

Result<bool> truth(std::string_view text) {
  auto expression = parse_expression(text);
  if (!expression) return std::move(expression).error();
  Scope scope;
  scope.inputs = &kInputs;
  return evaluate(*expression, scope);
}

TEST(Expression, ComparesNumbersAndTexts) {
  EXPECT_TRUE(*truth("${inputs.n} > 2"));
  EXPECT_TRUE(*truth("${inputs.n} == 3.0"));
  EXPECT_TRUE(*truth("${inputs.x} <= ${inputs.n}"));
  EXPECT_FALSE(*truth("${inputs.n} != 3"));
  EXPECT_TRUE(*truth("${inputs.t} < \"abd\""));
  EXPECT_TRUE(*truth("${inputs.t} == 'abc'"));
  EXPECT_TRUE(*truth("-1 < 1e3"));
}

TEST(Expression, AndBindsTighterThanOrAndNotTighterThanBoth) {
  EXPECT_TRUE(*truth("true or false and false"));
  EXPECT_FALSE(*truth("(true or false) and false"));
  EXPECT_TRUE(*truth("not false and true"));
  EXPECT_FALSE(*truth("not (false or true)"));
}

TEST(Expression, NullIsFalseAndHasNoOrder) {
  EXPECT_FALSE(*truth("${inputs.none}"));
  EXPECT_TRUE(*truth("not ${inputs.none}"));
  EXPECT_FALSE(*truth("${inputs.none} < 3"));
  EXPECT_TRUE(*truth("${inputs.none} == null"));
}

TEST(Expression, StopsAtTheSideThatSettlesIt) {
  EXPECT_TRUE(*truth("${inputs.yes} or ${inputs.t} > 3"));
  EXPECT_FALSE(*truth("false and ${inputs.t}"));
}

TEST(Expression, RefusesOperandsThatDoNotFit) {
  EXPECT_EQ(truth("${inputs.t}").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(truth("${inputs.t} < 3").error().code, Errc::INVALID_ARGUMENT);
}

TEST(Expression, SaysWhereItStopsMakingSense) {
  EXPECT_EQ(truth("1 == 1 1").error().message,
            "expected and, or, a comparison or the end at character 8");
  EXPECT_EQ(truth("'abc").error().message, "expected a closing quote for the text at character 1");
  EXPECT_EQ(truth("trueish").error().message,
            "expected ${…}, a number, a text in quotes, true, false, null or ( at character 1");
}

TEST(Expression, RefusesNestingBeyondTheLimit) {
  const std::string deep(kMaxExpressionDepth + 1, '(');
  const Result<bool> refused = truth(deep + "true" + std::string(deep.size(), ')'));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("nested more than 64 deep"), std::string::npos);
}

Expression any_expression(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 8 : 3);
  if (kind == 0) return {ExpressionKind::literal, *rc::gen::arbitrary<bool>()};
  if (kind == 1) return {ExpressionKind::literal, *rc::gen::inRange(-9, 9)};
  if (kind == 2) {
    Expression reference{ExpressionKind::reference};
    reference.reference.name = *rc::gen::element<std::string>("n", "x", "t", "yes", "none");
    return reference;
  }
  Expression expression;
  if (kind == 3) {
    expression.kind = ExpressionKind::logical_not;
    expression.operands = {any_expression(depth - 1)};
    return expression;
  }
  expression.kind = *rc::gen::element(ExpressionKind::logical_and, ExpressionKind::logical_or,
                                      ExpressionKind::equal, ExpressionKind::not_equal,
                                      ExpressionKind::less, ExpressionKind::greater_or_equal);
  expression.operands = {any_expression(depth - 1), any_expression(depth - 1)};
  return expression;
}

RC_GTEST_PROP(ExpressionProperty, WrittenOutItParsesBackToTheSame, ()) {
  const Expression expression = any_expression(4);
  const auto parsed = parse_expression(to_string(expression));
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == expression);
}

RC_GTEST_PROP(ExpressionProperty, AnyTextIsEitherParsedOrRefused, ()) {
  const auto token =
      rc::gen::element<std::string>("and ", "or ", "not ", "(", ")", "==", "<", "1", "'a'", "true",
                                    "${inputs.n}", "${", "}", " ", "'");
  std::string text;
  for (const std::string& part : *rc::gen::container<std::vector<std::string>>(token)) text += part;
  const auto parsed = parse_expression(text);
  if (!parsed) {
    RC_ASSERT(!parsed.error().message.empty());
    return;
  }
  RC_ASSERT(*parse_expression(to_string(*parsed)) == *parsed);
}

}  // namespace
}  // namespace symphony::actors
