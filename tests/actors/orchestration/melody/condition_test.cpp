#include "actors/orchestration/melody/condition.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

const Json kInputs{{"n", 3},
                   {"zero", 0},
                   {"x", 2.5},
                   {"t", "abc"},
                   {"empty", ""},
                   {"yes", true},
                   {"none", nullptr},
                   {"files", {"a.c", "b.h"}},
                   {"nothing", Json::array()}};

Result<bool> truth(std::string_view text) {
  auto condition = parse_condition(text);
  if (!condition) return std::move(condition).error();
  RunScope scope;
  scope.inputs = &kInputs;
  return evaluate(*condition, scope);
}

TEST(Condition, ComparesWhatItsReferencesStandFor) {
  EXPECT_TRUE(*truth("${inputs.n} > 2"));
  EXPECT_TRUE(*truth("${inputs.n} == 3.0"));
  EXPECT_TRUE(*truth("${inputs.x} <= ${inputs.n}"));
  EXPECT_FALSE(*truth("${inputs.n} != 3"));
  EXPECT_TRUE(*truth("${inputs.t} < \"abd\""));
  EXPECT_TRUE(*truth("${inputs.t} == 'abc'"));
  EXPECT_TRUE(*truth("-1 < 1e3"));
}

TEST(Condition, IsFalseForWhatIsFalseInEveryExpression) {
  for (const char* name : {"none", "zero", "empty", "nothing"}) {
    EXPECT_FALSE(*truth("${inputs." + std::string(name) + "}")) << name;
    EXPECT_TRUE(*truth("not ${inputs." + std::string(name) + "}")) << name;
  }
  for (const char* name : {"n", "x", "t", "yes", "files"})
    EXPECT_TRUE(*truth("${inputs." + std::string(name) + "}")) << name;
  EXPECT_FALSE(*truth("${inputs.none} < 3"));
  EXPECT_TRUE(*truth("${inputs.none} == null"));
}

TEST(Condition, CalculatesAndCallsFunctionsLikeEveryExpression) {
  EXPECT_TRUE(*truth("${inputs.n} * 2 + 1 == 7"));
  EXPECT_TRUE(*truth("length(${inputs.files}) == 2 and 'a.c' in ${inputs.files}"));
  EXPECT_TRUE(*truth("(${inputs.files[0]} | extension | upper) == 'C'"));
}

TEST(Condition, StopsAtTheSideThatSettlesIt) {
  EXPECT_TRUE(*truth("${inputs.yes} or ${inputs.t} > 3"));
  EXPECT_FALSE(*truth("false and ${inputs.t} > 3"));
}

TEST(Condition, RefusesOperandsThatDoNotFit) {
  EXPECT_EQ(truth("${inputs.t} < 3").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(truth("${inputs.yes} < true").error().code, Errc::INVALID_ARGUMENT);
}

TEST(Condition, FailsForAReferenceThatLeadsNowhereUnlessItHasADefault) {
  EXPECT_EQ(truth("${inputs.files[7]} == 'a'").error().code, Errc::NOT_FOUND);
  EXPECT_TRUE(*truth("default(${inputs.files[7]}, 'a') == 'a'"));
  EXPECT_FALSE(*truth("exists(${inputs.files[7]})"));
}

TEST(Condition, RefusesNamesAndReferencesThatMeanNothing) {
  EXPECT_NE(truth("inputs.n > 3").error().message.find("a reference in ${...}"), std::string::npos);
  EXPECT_NE(truth("it > 3").error().message.find("has no meaning here"), std::string::npos);
  EXPECT_NE(truth(".n > 3").error().message.find("did not expect"), std::string::npos);
  EXPECT_NE(truth("${input.n} > 3").error().message.find("is not a reference"), std::string::npos);
}

}  // namespace
}  // namespace symphony::actors
