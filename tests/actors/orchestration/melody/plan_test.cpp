#include "actors/orchestration/melody/plan.hpp"

#include <gtest/gtest.h>

#include "actors/orchestration/melody/inputs.hpp"
#include "tests/actors/orchestration/melody/test_operators.hpp"

namespace symphony::actors {
namespace {

const std::string kHeader = "name = \"m\"\nversion = \"1\"\n";

Plan plan_of(const std::string& text) {
  const OperatorRegistry operators = test::described_operators();
  LoadedMelody loaded = load_melody(kHeader + text, "m.toml", operators);
  EXPECT_TRUE(loaded.plan.has_value()) << loaded.problems.text();
  return std::move(loaded.plan).value_or(Plan{});
}

const OperatorSpec& spec_of(const OperatorRegistry& operators, const std::string& name) {
  return operators.find(name)->spec();
}

TEST(Plan, ReferencesImplyDependencies) {
  const Plan plan = plan_of(R"(
[nodes.c]
use = "data.pass"
with = { value = ["${nodes.a.value}", "${nodes.a.ok}"] }
needs = ["b"]
[nodes.b]
use = "data.pass"
with = { value = 1 }
when = "${nodes.a.ok}"
[nodes.a]
use = "data.pass"
with = { value = 1 }
)");
  EXPECT_EQ(plan.nodes[0].needs, (std::vector<NodeIndex>{1, 2}));
  EXPECT_EQ(plan.nodes[1].needs, std::vector<NodeIndex>{2});
  EXPECT_EQ(plan.order, (std::vector<NodeIndex>{2, 1, 0}));
}

TEST(Plan, EqualMeaningGivesEqualJsonHoweverItIsLaidOut) {
  const Plan one = plan_of(R"(
[nodes.a]
use = "file.read"
with = { path = "x", max_bytes = 3 }
[nodes.b]
use = "data.pass"
with = { value = 1 }
)");
  const Plan other = plan_of(R"(
[nodes.b]
with.value = 1
use = "data.pass"
# a remark
[nodes.a]
cores = 1
use = "file.read"
[nodes.a.with]
max_bytes = 3
path = "x"
)");
  EXPECT_EQ(to_json(one).dump(), to_json(other).dump());
}

TEST(Plan, AConditionWithItemDecidesForEachChild) {
  const Plan plan = plan_of(R"(
[nodes.a]
use = "file.read"
map = ["x", "y"]
with = { path = "${item}" }
when = "${index} > 0"
[nodes.b]
use = "file.read"
map = ["x"]
with = { path = "${item}" }
when = "true"
)");
  EXPECT_TRUE(plan.nodes[0].when_per_item);
  EXPECT_FALSE(plan.nodes[1].when_per_item);
  RunScope scope;
  scope.index = 0;
  EXPECT_FALSE(*evaluate_when(plan.nodes[0], scope));
  scope.index = 1;
  EXPECT_TRUE(*evaluate_when(plan.nodes[0], scope));
  EXPECT_EQ(evaluate_items(plan.nodes[0], scope)->size(), 2U);
}

TEST(Plan, ArgumentsComeWithDefaultsAndAreCheckedWhenTheyAreKnown) {
  const OperatorRegistry operators = test::described_operators();
  const Plan plan = plan_of(R"(
[inputs.v]
type = "any"
[nodes.a]
use = "file.read"
with = { path = "${inputs.v}" }
)");
  Json inputs{{"v", "x"}};
  RunScope scope;
  scope.inputs = &inputs;
  const OperatorSpec& spec = spec_of(operators, "file.read");
  EXPECT_EQ(evaluate_arguments(plan.nodes[0], spec, scope)->values,
            (Json{{"path", "x"}, {"max_bytes", 1024}, {"strict", false}}));
  inputs["v"] = 3;
  const auto refused = evaluate_arguments(plan.nodes[0], spec, scope);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().field, "with.path");
  EXPECT_EQ(refused.error().message, "argument path of node a should be of type path, is number");
}

TEST(Plan, ANodeThatNeedsWhatASkippedOneWouldHaveGivenIsSkippedToo) {
  const OperatorRegistry operators = test::described_operators();
  const Plan plan = plan_of(R"(
[nodes.a]
use = "file.read"
with = { path = "x" }
when = false
[nodes.required]
use = "file.read"
with = { path = "${nodes.a.text}" }
[nodes.optional]
use = "file.read"
with = { path = "x", max_bytes = "${nodes.a.bytes}" }
)");
  RunScope scope;
  scope.results = [](NodeIndex) { return nullptr; };
  const OperatorSpec& spec = spec_of(operators, "file.read");
  const auto required = evaluate_arguments(plan.nodes[1], spec, scope);
  EXPECT_TRUE(required->skipped_because.has_value());
  const auto optional = evaluate_arguments(plan.nodes[2], spec, scope);
  EXPECT_FALSE(optional->skipped_because.has_value());
  EXPECT_EQ(optional->values["max_bytes"], Json(1024));
}

TEST(Plan, WarnsOfAnInputThatNobodyUses) {
  const OperatorRegistry operators = test::described_operators();
  const LoadedMelody loaded =
      load_melody(kHeader + "[inputs.x]\n[nodes.a]\nuse = \"data.pass\"\nwith.value = 1\n",
                  "m.toml", operators);
  EXPECT_TRUE(loaded.plan.has_value());
  EXPECT_EQ(loaded.warnings.text(),
            "m.toml:3: inputs.x: nothing uses this input; refer to it as ${inputs.x} or remove "
            "it\n");
}

TEST(Plan, RefusesATextBeyondTheLimit) {
  const ParsedMelody parsed = parse_melody(std::string(kMaxMelodyBytes + 1, '#'), "m.toml");
  EXPECT_EQ(parsed.problems.text(),
            "m.toml: a melody is at most 4194304 bytes long, this one has 4194305\n");
}

TEST(Plan, ReportsTheFirstHundredOfManyProblemsAndCountsTheRest) {
  std::string text = kHeader;
  for (int i = 0; i < 500; ++i) text += "[nodes.n" + std::to_string(i) + "]\nuse = \"nothing\"\n";
  const OperatorRegistry operators = test::described_operators();
  const LoadedMelody loaded = load_melody(text, "m.toml", operators);
  EXPECT_EQ(loaded.problems.size(), 500U);
}

MelodyInput input(std::string name, ValueType type, bool required, Json fallback = nullptr) {
  return {std::move(name), type, required, std::move(fallback), "", {}};
}

const std::vector<MelodyInput> kInputs{
    input("path", ValueType::path, true), input("depth", ValueType::integer, false, 3),
    input("deep", ValueType::boolean, false), input("names", ValueType::list, false)};

TEST(Inputs, AreReadByTheirTypes) {
  const std::vector<std::string> given{"path=a=b", "depth=-7", "names=[\"x\"]"};
  const auto bound = bind_inputs(kInputs, given);
  ASSERT_TRUE(bound.ok()) << bound.problems.text();
  EXPECT_EQ(*bound.value,
            (Json{{"path", "a=b"}, {"depth", -7}, {"deep", nullptr}, {"names", {"x"}}}));
}

TEST(Inputs, AllProblemsComeAtOnce) {
  const std::vector<std::string> given{"pth=x",    "depth=3x",  "deep=yes",
                                       "names={}", "deep=true", "nothing"};
  const auto bound = bind_inputs(kInputs, given);
  EXPECT_FALSE(bound.ok());
  EXPECT_EQ(bound.problems.text(),
            "--input pth=x: the melody has no input \"pth\"; it has path, depth, deep, names (did "
            "you mean \"path\"?)\n"
            "--input depth=3x: \"3x\" is not an integer like 3\n"
            "--input deep=yes: \"yes\" is not true or false\n"
            "--input names={}: \"{}\" is not a JSON list like [\"a\", \"b\"]\n"
            "--input deep=true: the input is given twice; give it once\n"
            "--input nothing: there is no =; write --input NAME=VALUE\n"
            "--input: the input \"path\" is required: give --input path=path\n");
}

TEST(Inputs, MayComeAsAnObject) {
  EXPECT_TRUE(bind_input_object(kInputs, Json{{"path", "x"}, {"deep", nullptr}}).ok());
  EXPECT_EQ(bind_input_object(kInputs, Json{{"path", 3}, {"dept", 1}}).problems.size(), 2U);
}

}  // namespace
}  // namespace symphony::actors
